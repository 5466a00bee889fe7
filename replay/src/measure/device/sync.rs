//! Appends that are durable one by one, as a log's are.

use super::{file::create_nameless, job::Samples, stages::PAGE_BYTES};
use core::{
    sync::atomic::{AtomicBool, Ordering::Relaxed},
    time::Duration,
};
use rustix::fs::OFlags;
use std::{
    io::{self, Write as _},
    path::Path,
    time::Instant,
};

/// The log is not made longer than this.
const LOG_BYTES_MAX: u64 = 256 << 20;

/// Appends a page and calls fdatasync, again and again; through the page cache, as logs do.
pub(super) fn run(dir: &Path, time: Duration, stop: &AtomicBool) -> io::Result<Samples> {
    let mut log = create_nameless(dir, OFlags::empty())?;
    let page = [0xa5; PAGE_BYTES as usize];
    let mut samples = Samples::new();
    let begun = Instant::now();
    for _ in 0..LOG_BYTES_MAX / u64::from(PAGE_BYTES) {
        let append = Instant::now();
        log.write_all(&page)?;
        log.sync_data()?;
        samples.add(append.elapsed());
        if stop.load(Relaxed) || begun.elapsed() >= time {
            break;
        }
    }
    samples.elapsed = begun.elapsed();
    Ok(samples)
}
