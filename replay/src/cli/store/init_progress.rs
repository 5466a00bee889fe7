//! How far a fill has come, on stderr: one live line on a terminal, a line every 10 s elsewhere.

use super::table::count;
use indicatif::{ProgressBar, ProgressStyle};
use std::{
    io::{IsTerminal as _, stderr},
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

const LOG_INTERVAL: Duration = Duration::from_secs(10);

/// Progress over accounts.
pub(super) struct Progress {
    bar: ProgressBar,
    /// Where lines are written: when the last one was.
    last_line: Option<Mutex<Instant>>,
}

impl Progress {
    pub(super) fn new(quiet: bool) -> Self {
        let live = !quiet && stderr().is_terminal();
        let bar = if live {
            let style = ProgressStyle::with_template("{bar:30} {pos}/{len} {msg}, {eta} left");
            ProgressBar::new(0).with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()))
        } else {
            ProgressBar::hidden()
        };
        Self {
            bar,
            last_line: (!quiet && !live).then(|| Mutex::new(Instant::now())),
        }
    }

    /// So many of all are done.
    pub(super) fn tell(&self, what: &str, done: u64, all: u64) {
        self.bar.set_length(all);
        self.bar.set_position(done);
        self.bar.set_message(what.to_owned());
        let Some(last) = &self.last_line else {
            return;
        };
        // An instant is whole whatever panicked while it was locked.
        let mut last = last.lock().unwrap_or_else(PoisonError::into_inner);
        if last.elapsed() >= LOG_INTERVAL {
            status!("{}/{} {what}", count(done), count(all));
            *last = Instant::now();
        }
    }

    pub(super) fn finish(&self) {
        self.bar.finish_and_clear();
    }
}
