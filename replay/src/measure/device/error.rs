//! What can go wrong with a probe of a device.

use std::{
    io,
    path::{Path, PathBuf},
};

/// A device cannot be probed.
#[derive(Debug, thiserror::Error)]
pub enum DeviceError {
    /// There is too little space for the file. Choose a smaller one, or another folder.
    #[error("{}: expected {expected} bytes free, got {got}", path.display())]
    Space {
        /// The folder.
        path: PathBuf,
        /// What the probe needs.
        expected: u64,
        /// What is free.
        got: u64,
    },
    /// The operating system refused.
    #[error("{}: cannot {action}", path.display())]
    Os {
        /// What was to be done.
        action: &'static str,
        /// The folder of the file.
        path: PathBuf,
        /// Why it could not be done.
        source: io::Error,
    },
    /// It was told to stop. There is no result.
    #[error("interrupted")]
    Interrupted,
}

/// An error of the operating system, with what it refused.
pub(super) fn os<'a>(
    action: &'static str,
    path: &'a Path,
) -> impl FnOnce(io::Error) -> DeviceError + 'a {
    move |source| DeviceError::Os {
        action,
        path: path.to_owned(),
        source,
    }
}
