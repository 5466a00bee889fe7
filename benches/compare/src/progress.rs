//! How far a run has come, on stderr: a line each ten seconds, and one for each new stage.

use std::{
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};
use thinstate_replay::replay::{BlockProgress, Progress};

const INTERVAL: Duration = Duration::from_secs(10);

/// Lines for a log.
#[derive(Debug)]
pub struct LogLines {
    /// Whose they are.
    name: String,
    last: Mutex<Option<(String, Instant)>>,
}

impl LogLines {
    /// Lines that begin with the name of a store.
    pub fn of(name: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            last: Mutex::default(),
        }
    }

    /// Prints a line if the last of its kind is long enough ago.
    fn print(&self, kind: &str, line: impl FnOnce() -> String) {
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        let due = last
            .as_ref()
            .is_none_or(|(of, at)| of != kind || at.elapsed() >= INTERVAL);
        if due {
            eprintln!("{}: {}", self.name, line());
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
        self.print("blocks", || {
            let ms = block.cost.total.as_secs_f64() * 1e3;
            let of = block.of.map_or_else(String::new, |of| format!(" of {of}"));
            format!("block {}{of}, {ms:.1} ms", block.done)
        });
    }

    fn note(&self, text: &str) {
        eprintln!("{}: {text}", self.name);
    }
}
