//! How far the demo has come, on stderr: one live line on a terminal, elsewhere a line at least
//! each ten seconds.

use crate::demo::{BlockCosts, Progress, generate::BlockKind};
use indicatif::{ProgressBar, ProgressStyle};
use std::{
    io::{self, IsTerminal as _},
    time::{Duration, Instant},
};

const LOG_INTERVAL: Duration = Duration::from_secs(10);
const TICK: Duration = Duration::from_millis(100);

/// What fits stderr.
pub(super) fn for_stderr(quiet: bool) -> Box<dyn Progress> {
    if quiet {
        Box::new(Silent)
    } else if io::stderr().is_terminal() {
        Box::new(LiveLine::new())
    } else {
        Box::new(LogLines::default())
    }
}

struct Silent;

impl Progress for Silent {
    fn stage(&mut self, _: &'static str) {}
    fn expect_blocks(&mut self, _: u64) {}
    fn block(&mut self, _: &BlockCosts) {}
}

/// The live line; it goes when the summary comes.
struct LiveLine {
    bar: ProgressBar,
}

impl LiveLine {
    fn new() -> Self {
        let bar = ProgressBar::new_spinner();
        bar.enable_steady_tick(TICK);
        Self { bar }
    }
}

impl Progress for LiveLine {
    fn stage(&mut self, name: &'static str) {
        self.bar.set_message(name);
    }

    fn expect_blocks(&mut self, blocks: u64) {
        let style = "{spinner} blocks [{bar:24}] {pos}/{len}  {msg}  eta {eta}";
        // The template is ours; were it wrong, the default would show the same numbers.
        let style = ProgressStyle::with_template(style);
        self.bar
            .set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
        self.bar.set_length(blocks);
    }

    fn block(&mut self, costs: &BlockCosts) {
        self.bar.set_message(line(costs));
        if costs.kind == BlockKind::Load {
            self.bar.inc(1);
        }
    }
}

impl Drop for LiveLine {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}

/// Lines for a log.
#[derive(Default)]
struct LogLines {
    blocks: u64,
    done: u64,
    last: Option<Instant>,
}

impl Progress for LogLines {
    fn stage(&mut self, name: &'static str) {
        status!("demo: {name}");
        self.last = Some(Instant::now());
    }

    fn expect_blocks(&mut self, blocks: u64) {
        self.blocks = blocks;
    }

    fn block(&mut self, costs: &BlockCosts) {
        self.done += u64::from(costs.kind == BlockKind::Load);
        if self.last.is_none_or(|last| last.elapsed() >= LOG_INTERVAL) {
            let (done, blocks) = (self.done, self.blocks);
            status!("demo: {done} of {blocks} blocks, {}", line(costs));
            self.last = Some(Instant::now());
        }
    }
}

/// A block in a few words.
fn line(costs: &BlockCosts) -> String {
    let ms = costs.total().as_secs_f64() * 1e3;
    match costs.kind {
        BlockKind::Setup => format!("setup, {ms:.0} ms"),
        BlockKind::Load => format!("{} txs in {ms:.0} ms", costs.tx_count),
    }
}
