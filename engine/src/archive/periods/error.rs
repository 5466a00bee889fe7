//! What can go wrong with the archive of periods.

use super::fault::SegmentFault;
use alloy_primitives::B256;
use std::{io, path::Path, path::PathBuf};
use thinstate_formats::{
    LeafIndex, PeriodId,
    counted::{MAX_PAGE_BITS, OrderError},
};

/// A failure of the archive of periods.
#[derive(Debug, thiserror::Error)]
pub enum PeriodArchiveError {
    /// The period is not kept here: it was deleted, or never written. Ask another node.
    #[error("period {period} is not archived here")]
    NotArchived {
        /// The period.
        period: PeriodId,
    },
    /// The period has fewer leaves.
    #[error("period {period}: expected a leaf index below {leaves}, got {got}")]
    NoSuchLeaf {
        /// The period.
        period: PeriodId,
        /// Its leaves.
        leaves: u64,
        /// The index.
        got: LeafIndex,
    },
    /// The period has no leaf at a location for which a proof of inclusion is asked.
    #[error("period {period} has no leaf at {location}, expected one")]
    Absent {
        /// The period.
        period: PeriodId,
        /// The location.
        location: B256,
    },
    /// Locations for a proof of many do not ascend, or there are none.
    #[error("expected ascending locations, at least one, got {got} at {index}")]
    Locations {
        /// Which is not above the one before.
        index: u64,
        /// The location; zero where there are none.
        got: B256,
    },
    /// The operating system refused.
    #[error("{operation} {path}: {source}")]
    Io {
        /// What was tried.
        operation: &'static str,
        /// On what.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// Another process, or another writer, holds it. Close it there first.
    #[error("{path} is held by another")]
    Locked {
        /// The lock, or the partial file.
        path: PathBuf,
    },
    /// A segment is damaged. Delete the period, or restore the file from a copy.
    #[error("{path}: {fault}")]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        #[source]
        fault: Box<SegmentFault>,
    },
    /// A page prefix of too many bits.
    #[error("expected at most {MAX_PAGE_BITS} page bits, got {got}")]
    PageBits {
        /// The bits.
        got: u32,
    },
    /// A partial segment has fewer good pages than it is to be continued at: it was cut or replaced.
    /// Write the period from its first page.
    #[error("{path}: expected {expected} pages to continue at, got {got}: {why}")]
    PagesMissing {
        /// The partial file.
        path: PathBuf,
        /// The pages that were said to be there.
        expected: u64,
        /// The pages that are.
        got: u64,
        /// What comes after them.
        why: String,
    },
    /// A segment has all its pages, and is given one more; or it is finished before it has them.
    #[error("{path}: expected {expected} pages, got {got}")]
    PageCount {
        /// The partial file.
        path: PathBuf,
        /// Pages of a whole segment.
        expected: u64,
        /// Pages there are, or would be.
        got: u64,
    },
    /// A page's leaves do not ascend.
    #[error("page {page}: {source}")]
    PageOrder {
        /// The page.
        page: u64,
        /// Which leaf.
        source: OrderError,
    },
    /// A leaf does not belong to the page that comes next.
    #[error("page {page}: expected leaves with its prefix, got {location}")]
    PagePrefix {
        /// The page.
        page: u64,
        /// The leaf.
        location: B256,
    },
    /// A page's node counts other leaves than it is given.
    #[error("page {page}: expected a node of {leaves} leaves, got one of {got}")]
    PageNode {
        /// The page.
        page: u64,
        /// Leaves given.
        leaves: u64,
        /// The node's count.
        got: u64,
    },
    /// A page has more bytes than a length can hold. Use more page bits.
    #[error("page {page}: expected at most {limit} bytes, got {got}")]
    PageTooLarge {
        /// The page.
        page: u64,
        /// The limit.
        limit: u64,
        /// The page's bytes.
        got: u64,
    },
    /// An earlier write failed, and what it left is not known. Continue with a new writer.
    #[error("{path}: an earlier write failed, expected a new writer")]
    Poisoned {
        /// The partial file.
        path: PathBuf,
    },
}

impl PeriodArchiveError {
    /// Names the operation and the path of an error of the operating system.
    pub(super) fn io(operation: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Self {
        let path = path.to_owned();
        move |source| Self::Io {
            operation,
            path,
            source,
        }
    }

    /// Names the file of a fault.
    pub(super) fn damaged(path: &Path) -> impl Fn(SegmentFault) -> Self {
        let path = path.to_owned();
        move |fault| Self::Damaged {
            path: path.clone(),
            fault: Box::new(fault),
        }
    }
}
