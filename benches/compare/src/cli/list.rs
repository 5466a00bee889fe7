//! `thinstate-compare list`.

use comfy_table::{Table, presets::ASCII_MARKDOWN};
use std::{
    io::{self, Write as _},
    process::ExitCode,
};
use thinstate_compare::{Facts, peer, phases, stores};

/// Prints all stores, by what they can be used for.
pub(super) fn run() -> eyre::Result<ExitCode> {
    let mut table = Table::new();
    table.load_style(ASCII_MARKDOWN);
    table.set_header([
        "for",
        "store",
        "what",
        "root",
        "durable when a block is committed",
    ]);
    let peers = peer::ALL.iter().map(|it| ("peers", it.facts));
    let states = phases::STATES.iter().map(|it| ("transfers", it.facts));
    let replays = stores::ALL.iter().map(|it| ("replay", it.facts));
    for (used_for, facts) in peers.chain(states).chain(replays) {
        let Facts {
            name,
            summary,
            root,
            durability,
            ..
        } = facts;
        table.add_row([used_for, name, summary, root, durability]);
    }
    writeln!(io::stdout(), "{table}")?;
    Ok(ExitCode::SUCCESS)
}
