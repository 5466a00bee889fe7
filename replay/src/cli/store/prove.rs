//! `thinstate store prove`.

use super::{Datadir, describe_head, print_json};
use crate::inspect::{
    answer::{ProofAnswer, SlotKey},
    export::PartialFile,
};
use alloy_primitives::{Address, U256};
use eyre::WrapErr as _;
use std::{io::Write as _, path::PathBuf, process::ExitCode};

/// Options of the command.
#[derive(Debug, clap::Args)]
pub(super) struct Options {
    /// Address of the account, 40 hex digits.
    address: Address,
    /// Numbers of slots, decimal or in hex with 0x.
    #[arg(value_name = "SLOT")]
    slots: Vec<SlotKey>,
    #[command(flatten)]
    datadir: Datadir,
    /// Write the proof to FILE instead of stdout.
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
}

/// Runs the command. The proof is verified against the head's root before it is printed; which
/// block and root that is goes to stderr.
pub(super) fn run(options: &Options) -> eyre::Result<ExitCode> {
    let tier = options.datadir.open()?;
    let view = tier.view();
    let slots: Vec<U256> = options.slots.iter().map(|slot| slot.number).collect();
    let proof = view
        .prove(options.address, &slots)
        .wrap_err("the state does not hold what the proof needs")?;
    proof
        .verify(view.head().root)
        .wrap_err("the proof does not hold, so the store is damaged")?;
    let answer = ProofAnswer::new(&proof, &options.slots);
    eprint!("{}", describe_head(view.head()));
    match &options.output {
        None => print_json(&answer)?,
        Some(path) => {
            let mut file = PartialFile::create(path)?;
            serde_json::to_writer_pretty(&mut file, &answer)?;
            file.write_all(b"\n")?;
            file.finish()?;
        }
    }
    Ok(ExitCode::SUCCESS)
}
