//! Why there is no report.

use crate::{measure::ReadError, study::StudyError};
use std::path::PathBuf;

/// A report cannot be made.
#[derive(Debug, thiserror::Error)]
pub enum ReportError {
    /// A result cannot be read.
    #[error(transparent)]
    Run(#[from] ReadError),
    /// A study cannot be read.
    #[error(transparent)]
    Study(#[from] Box<StudyError>),
    /// There is nothing to report: run something first.
    #[error("{path}: expected a study or a result with blocks that count, found none")]
    Empty {
        /// Where was looked.
        path: PathBuf,
    },
    /// Several studies were given: write a report of each.
    #[error("{path}: expected one study, or runs, got a second study")]
    SecondStudy {
        /// The second one.
        path: PathBuf,
    },
}
