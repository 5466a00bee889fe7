//! `thinstate store verify`.

use super::{
    Datadir, describe_head, print, print_json,
    table::{count, table},
};
use crate::inspect::sizes::HeadSummary;
use serde::Serialize;
use std::{
    process::ExitCode,
    time::{Duration, Instant},
};
use thinstate_engine::{Head, VerifyReport};

/// Options of the command.
#[derive(Debug, clap::Args)]
pub(super) struct Options {
    #[command(flatten)]
    datadir: Datadir,
    /// Print JSON instead of a table.
    #[arg(long)]
    json: bool,
}

/// What the verification came to, as JSON.
#[derive(Debug, Serialize)]
#[serde(tag = "verified")]
enum Outcome {
    #[serde(rename = "whole")]
    Whole(Whole),
    #[serde(rename = "damaged")]
    Damaged { version: u32, error: String },
}

#[derive(Debug, Serialize)]
struct Whole {
    version: u32,
    head: HeadSummary,
    accounts: u64,
    storage_tries: u64,
    slots: u64,
    stubs: u64,
    buckets: u64,
    nodes_hashed: u64,
    open_seconds: f64,
    verify_seconds: f64,
}

/// Runs the command. Opening computes the roots of all other tiers, which must be the head's, and
/// reads their archives.
pub(super) fn run(options: &Options) -> eyre::Result<ExitCode> {
    let started = Instant::now();
    let store = match options.datadir.open_all() {
        Ok(store) => store,
        Err(error) if error.is_damage() => return damaged(options, error.into()),
        Err(error) => return Err(error.into()),
    };
    let opened = started.elapsed();
    let tier = store.permanent();
    status!("verifying the state root and every storage root");
    let report = match tier.verify() {
        Ok(report) => report,
        Err(error) => return damaged(options, error.into()),
    };
    let verified = started.elapsed() - opened;
    if options.json {
        print_json(&Outcome::Whole(whole(
            &tier.head(),
            &report,
            opened,
            verified,
        )))?;
    } else {
        print(&describe(&tier.head(), &report, opened, verified))?;
    }
    Ok(ExitCode::SUCCESS)
}

/// Says what is wrong, on stderr, with `--json` on stdout too.
fn damaged(options: &Options, error: eyre::Report) -> eyre::Result<ExitCode> {
    if options.json {
        print_json(&Outcome::Damaged {
            version: 1,
            error: format!("{error:#}"),
        })?;
    }
    Err(error.wrap_err("the store is damaged"))
}

fn whole(head: &Head, report: &VerifyReport, opened: Duration, verified: Duration) -> Whole {
    Whole {
        version: 1,
        head: HeadSummary::from(head),
        accounts: report.accounts,
        storage_tries: report.storage_tries,
        slots: report.slots,
        stubs: report.stubs,
        buckets: report.work.buckets,
        nodes_hashed: report.work.hashes,
        open_seconds: opened.as_secs_f64(),
        verify_seconds: verified.as_secs_f64(),
    }
}

fn describe(head: &Head, report: &VerifyReport, opened: Duration, verified: Duration) -> String {
    let mut table = table(&["computed from the leaves", "number"]);
    for (what, number) in [
        ("accounts", report.accounts),
        ("storage tries", report.storage_tries),
        ("slots", report.slots),
        ("stubs, taken by their hashes", report.stubs),
        ("buckets", report.work.buckets),
        ("nodes hashed", report.work.hashes),
    ] {
        table.add_row([what.to_owned(), count(number)]);
    }
    for (what, time) in [("seconds to open", opened), ("seconds to verify", verified)] {
        table.add_row([what.to_owned(), format!("{:.3}", time.as_secs_f64())]);
    }
    format!(
        "{}\n{table}\n\nThe state root and all storage roots are as committed.\n",
        describe_head(head)
    )
}
