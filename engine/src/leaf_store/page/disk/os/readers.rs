//! Many reads at once, by what the kernel offers.

use super::super::{Answer, failure};
use super::{Handle, pool::Pool};
use std::sync::{Arc, LazyLock};

#[cfg(target_os = "linux")]
use super::rings::Rings;

/// What has many reads in flight. Shared by the files of a disk.
#[derive(Debug)]
pub(super) enum Readers {
    #[cfg(target_os = "linux")]
    Rings(Rings),
    /// Threads begin with the first reads that need them.
    Threads(LazyLock<Pool>),
}

impl Readers {
    /// io_uring if it is wanted and the kernel lets this process use it, else threads.
    pub(super) fn new(io_uring: bool) -> Self {
        #[cfg(target_os = "linux")]
        if let Some(rings) = io_uring.then(Rings::probe).flatten() {
            return Self::Rings(rings);
        }
        #[cfg(not(target_os = "linux"))]
        let _ = io_uring;
        Self::Threads(LazyLock::new(Pool::start))
    }

    /// The name of the method.
    pub(super) const fn name(&self) -> &'static str {
        match self {
            #[cfg(target_os = "linux")]
            Self::Rings(_) => "io_uring",
            Self::Threads(_) => "threads",
        }
    }

    /// Reads (offset, bytes). What neither rings nor threads answer is read here, one after the
    /// other.
    pub(super) fn read(&self, handle: &Arc<Handle>, requests: &[(u64, usize)]) -> Vec<Answer> {
        let mut answers = answers_without_reading(handle, requests);
        if requests.len() > 1 {
            match self {
                #[cfg(target_os = "linux")]
                Self::Rings(rings) => rings.read(handle, requests, &mut answers),
                Self::Threads(pool) => pool.read(handle, requests, &mut answers),
            }
        }
        answers
            .into_iter()
            .zip(requests)
            .map(|(answer, &(offset, bytes))| {
                answer.unwrap_or_else(|| handle.read_vec(offset, bytes))
            })
            .collect()
    }
}

/// An answer for each request that lies past the end of the file, so that no memory is taken for
/// it, and none yet for the others.
fn answers_without_reading(handle: &Handle, requests: &[(u64, usize)]) -> Vec<Option<Answer>> {
    // Without the length every request is tried, and says itself what is wrong with the file.
    let len = handle.len().unwrap_or(u64::MAX);
    let answer = |&(offset, bytes): &(u64, usize)| {
        let is_inside = offset
            .checked_add(bytes as u64)
            .is_some_and(|end| end <= len);
        let got = len.saturating_sub(offset).min(bytes as u64) as usize;
        (!is_inside && bytes > 0).then(|| Err(failure::ended(&handle.path, offset, bytes, got)))
    };
    requests.iter().map(answer).collect()
}
