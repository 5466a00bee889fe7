//! Ctrl-C.

use core::sync::atomic::{AtomicBool, Ordering::SeqCst};
use eyre::WrapErr as _;
use std::{process::exit, sync::Arc};

/// Exit status after an interruption.
pub(super) const INTERRUPTED: u8 = 130;

/// A flag that the first Ctrl-C sets; the second ends the process.
pub(super) fn stop_on_ctrl_c() -> eyre::Result<Arc<AtomicBool>> {
    let stop = Arc::new(AtomicBool::new(false));
    let flag = Arc::clone(&stop);
    let handler = move || {
        if flag.swap(true, SeqCst) {
            exit(INTERRUPTED.into());
        }
    };
    ctrlc::set_handler(handler).wrap_err("cannot listen for Ctrl-C")?;
    Ok(stop)
}
