//! What the block device under a folder can do: `thinstate device`.
//!
//! A file of its own is written, read and written again, past the page cache (`O_DIRECT`) where the file system allows it:
//!
//! | stage | share of the time | request | in flight |
//! |---|---|---|---|
//! | sequential writes, which fill the file | 1/5 | 1 MiB | 8 |
//! | sequential reads | 1/12 | 1 MiB | 8 |
//! | random reads | 1/20 each | 4 KiB | 1, 2, 4, ... 64 |
//! | random writes | 1/25 each | 4 KiB | 1, 2, 4, ... 64 |
//! | append and fdatasync | 1/15 | 4 KiB | 1 |
//!
//! Requests are in flight by io_uring, where the kernel lets this process use it, else by as many threads. The file has no name:
//! it is gone when the probe ends, however it ends. What was not filled in its time is left out of the later stages, so that no
//! read is answered without the device.
//!
//! Numbers of a device that others use too are theirs as well; of a drive whose cache is larger than the file, they are the
//! cache's.

mod error;
mod file;
mod job;
mod report;
mod stages;
mod sync;
mod threads;
#[cfg(target_os = "linux")]
mod uring;

pub use error::DeviceError;
pub use report::{DeviceReport, LatencyRow, Method, Operation};
pub use stages::{DeviceOptions, probe};
