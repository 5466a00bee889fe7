//! How far a replay has come, on stderr: one live line on a terminal, elsewhere a line each ten seconds.

use crate::replay::{BlockProgress, Progress, Silent};
use indicatif::{HumanBytes, HumanDuration, ProgressBar, ProgressStyle};
use std::{
    io::{self, IsTerminal as _},
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

const LOG_INTERVAL: Duration = Duration::from_secs(10);
const TICK: Duration = Duration::from_millis(100);

/// What fits stderr.
pub(in crate::cli) fn for_stderr(quiet: bool) -> Box<dyn Progress> {
    if quiet {
        Box::new(Silent)
    } else if io::stderr().is_terminal() {
        Box::new(LiveLine::new())
    } else {
        Box::new(LogLines::default())
    }
}

/// Rates since the first block that was shown.
#[derive(Debug, Default)]
struct Rates {
    gas: u64,
    bytes: u64,
    blocks: u64,
}

impl Rates {
    /// Adds a block, and puts all so far into a line.
    fn line(&mut self, block: &BlockProgress<'_>) -> String {
        let cost = block.cost;
        if block.done == 1 {
            // Another run's blocks, and another beginning of time.
            *self = Self::default();
        }
        self.gas += cost.gas_used;
        self.bytes += cost.io.block_read_bytes + cost.io.store_written_bytes;
        self.blocks += 1;
        let seconds = block.elapsed_s.max(1e-9);
        let (gas, bytes) = (self.gas as f64 / 1e6 / seconds, self.bytes as f64 / seconds);
        let ms = cost.total.as_secs_f64() * 1e3;
        let number = cost.number;
        let mut line = format!("block {number}, {ms:.1} ms");
        // One block has no rate yet: its own beginning is where time is counted from.
        if self.blocks > 1 {
            line += &format!(", {gas:.0} Mgas/s, {}/s", HumanBytes(bytes as u64));
        }
        if block.backlog > 0 {
            line += &format!(", {} slots behind", block.backlog);
        }
        if let Some(left) = block.of.and_then(|of| of.checked_sub(block.done)) {
            let eta = seconds / self.blocks as f64 * left as f64;
            line += &format!(", eta {}", HumanDuration(Duration::from_secs_f64(eta)));
        }
        if cost.warm_up {
            line += " (warm-up)";
        }
        line
    }
}

/// The live line; it goes when the summary comes.
struct LiveLine {
    bar: ProgressBar,
    rates: Mutex<Rates>,
}

impl LiveLine {
    fn new() -> Self {
        let bar = ProgressBar::new_spinner();
        // The template is ours; were it wrong, the default would show the same numbers.
        if let Ok(style) = ProgressStyle::with_template("{spinner} {msg}") {
            bar.set_style(style);
        }
        bar.enable_steady_tick(TICK);
        Self {
            bar,
            rates: Mutex::default(),
        }
    }
}

impl Progress for LiveLine {
    fn stage(&self, what: &str, done: u64, of: u64) {
        let line = match of {
            0 | 1 => what.to_owned(),
            _ => format!("{what}: {done} of {of}"),
        };
        self.bar.set_message(line);
    }

    fn block(&self, block: &BlockProgress<'_>) {
        let mut rates = self.rates.lock().unwrap_or_else(PoisonError::into_inner);
        let of = block.of.map_or_else(String::new, |of| format!("/{of}"));
        let line = rates.line(block);
        self.bar.set_message(format!("{}{of}: {line}", block.done));
    }

    fn note(&self, text: &str) {
        self.bar.suspend(|| status!("replay: {text}"));
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
    rates: Mutex<Rates>,
    last: Mutex<Option<(String, Instant)>>,
}

impl LogLines {
    /// Prints a line if the last of its kind is long enough ago.
    fn print(&self, kind: &str, line: impl FnOnce() -> String) {
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        let due = match &*last {
            Some((of, at)) => of != kind || at.elapsed() >= LOG_INTERVAL,
            None => true,
        };
        if due {
            status!("replay: {}", line());
            *last = Some((kind.to_owned(), Instant::now()));
        }
    }
}

impl Progress for LogLines {
    fn stage(&self, what: &str, done: u64, of: u64) {
        self.print(what, || match of {
            0 | 1 => what.to_owned(),
            _ => format!("{what}: {done} of {of}"),
        });
    }

    fn block(&self, block: &BlockProgress<'_>) {
        let mut rates = self.rates.lock().unwrap_or_else(PoisonError::into_inner);
        let line = rates.line(block);
        self.print("blocks", || line);
    }

    fn note(&self, text: &str) {
        status!("replay: {text}");
    }
}
