//! Lines, summary and JSON of a verification.

use crate::{
    cli::stdio::Out,
    verify::{BlockReport, Verdict},
};
use eyre::WrapErr as _;
use serde::Serialize;
use std::{
    io::{self, Write as _},
    path::Path,
    time::{Duration, Instant},
};

/// Whether everything held.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Tally {
    AllHold,
    NotAll,
}

/// A block that does not hold.
#[derive(Clone, Debug, Serialize)]
struct Failure {
    source: String,
    error: String,
}

/// Gathers what is verified, and prints it.
#[derive(Debug)]
pub(super) struct Output {
    reports: Vec<BlockReport>,
    failures: Vec<Failure>,
    /// Whether block 0 was verified: it has no report, since nothing is executed.
    genesis: bool,
    lines: bool,
    progress: Duration,
    started: Instant,
    last_line: Instant,
}

/// The file that `--json` writes.
#[derive(Serialize)]
struct Document<'a> {
    schema: &'static str,
    blocks: &'a [BlockReport],
    failures: &'a [Failure],
}

impl Output {
    pub(super) fn new(quiet: bool) -> Self {
        let now = Instant::now();
        Self {
            reports: Vec::new(),
            failures: Vec::new(),
            genesis: false,
            lines: !quiet,
            progress: if quiet { Duration::MAX } else { Duration::ZERO },
            started: now,
            last_line: now,
        }
    }

    /// For long chains: a line of progress now and then in place of one for each block.
    pub(super) const fn without_lines(mut self) -> Self {
        self.lines = false;
        if self.progress.is_zero() {
            self.progress = Duration::from_secs(2);
        }
        self
    }

    pub(super) fn block(&mut self, report: BlockReport) -> io::Result<()> {
        if self.lines {
            if self.reports.is_empty() && self.failures.is_empty() {
                writeln!(Out, "{HEADINGS}")?;
            }
            writeln!(Out, "{}", line(&report))?;
            explain(&report.verdict)?;
        } else if self.last_line.elapsed() >= self.progress {
            self.last_line = Instant::now();
            let per_second = (self.reports.len() + 1) as f64 / self.started.elapsed().as_secs_f64();
            status!("block {}: {per_second:.0} blocks/s", report.block_number);
        }
        self.reports.push(report);
        Ok(())
    }

    pub(super) fn failure(&mut self, source: &Path, error: eyre::Report) -> io::Result<()> {
        let source = source.display().to_string();
        let error = format!("{error:#}");
        writeln!(Out, "{source}: FAILED: {error}")?;
        self.failures.push(Failure { source, error });
        Ok(())
    }

    /// Notes that the genesis state has the root of block 0.
    pub(super) const fn genesis(&mut self) {
        self.genesis = true;
    }

    /// Blocks that ended at their own state roots.
    pub(super) fn reached(&self) -> usize {
        let reports = self.reports.iter().filter(|r| r.verdict.reached_root());
        reports.count() + usize::from(self.genesis)
    }

    pub(super) fn tally(&self) -> Tally {
        let all = self.failures.is_empty() && self.reports.iter().all(|r| r.verdict.reached_root());
        if all { Tally::AllHold } else { Tally::NotAll }
    }

    pub(super) fn summary(&self, blocks: usize) -> io::Result<()> {
        let reached = self.reached();
        let incomplete = self
            .reports
            .iter()
            .filter(|r| !r.verdict.reached_root())
            .count();
        let sum = |f: fn(&BlockReport) -> f64| self.reports.iter().map(f).sum::<f64>();
        let seconds = self.started.elapsed().as_secs_f64();
        let gas = sum(|r| r.gas_used as f64) / 1e6;
        writeln!(
            Out,
            "\n{reached} of {blocks} blocks end at their own state roots"
        )?;
        if incomplete > 0 {
            writeln!(
                Out,
                "{incomplete} cannot: their witnesses lack a node (see --assume-branch-siblings)"
            )?;
        }
        if !self.failures.is_empty() {
            writeln!(Out, "{} failed", self.failures.len())?;
        }
        writeln!(
            Out,
            "{gas:.1} Mgas, {} txs in {seconds:.1} s, {:.0} blocks/s",
            sum(|r| r.tx_count as f64),
            self.reports.len() as f64 / seconds,
        )?;
        writeln!(
            Out,
            "execution {:.0} ms, state_read {:.0} ms, state_hash {:.0} ms, commit {:.0} ms",
            sum(|r| r.times.execution_ms),
            sum(|r| r.times.state_read_ms),
            sum(|r| r.times.state_hash_ms),
            sum(|r| r.times.commit_ms),
        )
    }

    pub(super) fn write_json(&self, path: &Path) -> eyre::Result<()> {
        let document = Document {
            schema: "thinstate.verify.v1",
            blocks: &self.reports,
            failures: &self.failures,
        };
        let json = serde_json::to_vec_pretty(&document)?;
        std::fs::write(path, json).wrap_err_with(|| path.display().to_string())
    }
}

/// `acc`, `slots`: read/written. `pages`: blocks of table files read. `hash`: nodes hashed. `evm`:
/// without reads of the state; `state`: these, hashing and the commit; both in milliseconds.
const HEADINGS: &str =
    "   block fork            txs  Mgas acc r/w slots r/w pages  hash   evm  state ms";

fn line(r: &BlockReport) -> String {
    let mark = match r.verdict {
        Verdict::Verified => "ok",
        Verdict::VerifiedAssuming { .. } => "ok, assuming",
        Verdict::Incomplete { .. } => "INCOMPLETE",
    };
    format!(
        "{:>8} {:<14} {:>4} {:>5.2} {:>7} {:>9} {:>5} {:>5} {:>5.1} {:>6.1} {mark}",
        r.block_number.0,
        r.fork,
        r.tx_count,
        r.gas_used as f64 / 1e6,
        format!("{}/{}", r.accounts_read, r.accounts_written),
        format!("{}/{}", r.slots_read, r.slots_written),
        r.pages_read,
        r.hashes,
        r.times.execution_ms,
        r.times.total_ms - r.times.execution_ms,
    )
}

fn explain(verdict: &Verdict) -> io::Result<()> {
    match verdict {
        Verdict::Verified => Ok(()),
        Verdict::VerifiedAssuming { assumed } => assumed
            .iter()
            .try_for_each(|node| writeln!(Out, "          taken for a branch: {node}")),
        Verdict::Incomplete { missing } => writeln!(Out, "          {missing}"),
    }
}
