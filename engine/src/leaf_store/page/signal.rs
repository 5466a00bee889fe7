//! What commits, checkpoints and the store's thread tell each other.

use super::shared::lock;
use std::sync::{Condvar, Mutex, PoisonError};

#[derive(Debug, Default)]
struct Flags {
    /// A checkpoint is asked for.
    is_due: bool,
    /// The store is closing.
    is_closing: bool,
}

/// Requests for checkpoints, and news of them.
#[derive(Debug, Default)]
pub(super) struct Signal {
    flags: Mutex<Flags>,
    changed: Condvar,
}

impl Signal {
    /// Asks for a checkpoint.
    pub(super) fn request(&self) {
        let mut flags = lock(&self.flags);
        if !flags.is_due {
            flags.is_due = true;
            self.changed.notify_all();
        }
    }

    /// Tells everyone to look again.
    pub(super) fn changed(&self) {
        drop(lock(&self.flags));
        self.changed.notify_all();
    }

    pub(super) fn close(&self) {
        lock(&self.flags).is_closing = true;
        self.changed.notify_all();
    }

    /// Waits for a request, which is then taken; false if the store is closing.
    pub(super) fn next_request(&self) -> bool {
        let flags = lock(&self.flags);
        let waited = self
            .changed
            .wait_while(flags, |flags| !flags.is_due && !flags.is_closing);
        let mut flags = waited.unwrap_or_else(PoisonError::into_inner);
        flags.is_due = false;
        !flags.is_closing
    }

    /// Waits for as long as `holds`, asking again after every change.
    pub(super) fn wait_while(&self, holds: impl Fn() -> bool) {
        let flags = lock(&self.flags);
        drop(self.changed.wait_while(flags, |_| holds()));
    }
}
