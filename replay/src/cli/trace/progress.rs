//! How far the command is, on stderr: one live line on a terminal, a line every 10 s elsewhere.

use indicatif::{ProgressBar, ProgressStyle};
use std::{
    io::{IsTerminal as _, stderr},
    time::{Duration, Instant},
};

const LOG_INTERVAL: Duration = Duration::from_secs(10);

/// Progress over a known number of blocks.
pub(super) struct Progress {
    bar: ProgressBar,
    /// Where stderr is no terminal: when the next line is due.
    next_line: Option<Instant>,
    blocks: usize,
    done: usize,
}

impl Progress {
    pub(super) fn new(blocks: usize) -> Self {
        let live = stderr().is_terminal();
        let bar = if live {
            let style = ProgressStyle::with_template("{bar:30} {pos}/{len} blocks, {msg}")
                .unwrap_or_else(|_| ProgressStyle::default_bar());
            ProgressBar::new(blocks as u64).with_style(style)
        } else {
            ProgressBar::hidden()
        };
        Self {
            bar,
            next_line: (!live).then(|| Instant::now() + LOG_INTERVAL),
            blocks,
            done: 0,
        }
    }

    /// One more block is done.
    pub(super) fn done(&mut self, what: String) {
        self.done += 1;
        self.bar.inc(1);
        let Some(due) = self.next_line else {
            self.bar.set_message(what);
            return;
        };
        if Instant::now() >= due {
            status!("{}/{} blocks, {what}", self.done, self.blocks);
            self.next_line = Some(Instant::now() + LOG_INTERVAL);
        }
    }

    /// Says something that stays on the screen.
    pub(super) fn note(&self, text: &str) {
        self.bar.suspend(|| status!("{text}"));
    }

    pub(super) fn finish(&self) {
        self.bar.finish_and_clear();
    }
}
