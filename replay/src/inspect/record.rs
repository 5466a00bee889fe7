//! The proof of a record: that it was appended, and whether it was spent.

use super::object::{CommitmentAnswer, NoBlock, ObjectAnswer, commitment};
use alloy_primitives::{Address, B256, Bytes};
use serde::Serialize;
use thinstate_engine::{
    Store,
    archive::records::RecordArchiveError,
    leaf_store::{LeafStore, StoreError},
    store::{RecordProofError, RecordRoot},
};
use thinstate_formats::{
    BatchId, BlockNumber, RecordIndex,
    object::Object,
    record::{Record, RecordPath, RecordPathError},
};

/// What there is of a record.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct RecordAnswer {
    /// Version of this description.
    pub version: u32,
    /// What the head commits to.
    pub commitment: CommitmentAnswer,
    /// Its index.
    pub index: RecordIndex,
    /// The number of its class.
    pub class: u8,
    /// The contract that it belongs to.
    pub contract: Address,
    /// Whose it is.
    pub owner: Address,
    /// What it holds.
    pub payload: Bytes,
    /// The same, as the object that it is.
    pub object: Option<ObjectAnswer>,
    /// Whether it was spent.
    pub spent: bool,
    /// Its path; `None` for one of the hybrid window that is not archived here, which needs none.
    pub path: Option<PathAnswer>,
}

/// A path, and where it leads.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct PathAnswer {
    /// The block that appended the record.
    pub block: BlockNumber,
    /// Where the path ends.
    #[serde(flatten)]
    pub into: PathEnd,
    /// Its bytes (`formats::record`).
    pub bytes: Bytes,
}

/// Where a path ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "into", rename_all = "lowercase")]
pub enum PathEnd {
    /// In the ring.
    Ring {
        /// The root of the block.
        root: B256,
    },
    /// In a sealed batch.
    Batch {
        /// The batch.
        batch: BatchId,
        /// Its root.
        root: B256,
    },
}

/// A record cannot be proved.
#[derive(Debug, thiserror::Error)]
pub enum RecordAnswerError {
    /// There is nothing to prove anything of.
    #[error(transparent)]
    NoBlock(#[from] NoBlock),
    /// No such record was appended.
    #[error("there is no record {got}, expected an index below {records}")]
    NoSuchRecord {
        /// The index.
        got: RecordIndex,
        /// Records so far.
        records: RecordIndex,
    },
    /// This node archives no records, and the hybrid window does not have it. Ask another.
    #[error("record {0} is not archived here: there is no archive of records")]
    NoArchive(RecordIndex),
    /// The archive does not have it, or is damaged.
    #[error(transparent)]
    Archive(#[from] RecordArchiveError),
    /// The record does not lead to the root that was committed: the archive is damaged.
    #[error("the proof of record {index} does not hold, so the archive is damaged: {source}")]
    Proof {
        /// The record.
        index: RecordIndex,
        /// What is wrong.
        source: RecordProofError,
    },
    /// The path cannot be written down.
    #[error(transparent)]
    Path(#[from] RecordPathError),
    /// The leaf store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// The record with this index, its path, and its bit. The path is verified.
pub fn prove<S: LeafStore>(
    store: &Store<S>,
    index: RecordIndex,
) -> Result<RecordAnswer, RecordAnswerError> {
    let commitment = commitment(store)?;
    let spent = store.is_spent(index);
    let spent = spent.ok_or_else(|| RecordAnswerError::NoSuchRecord {
        got: index,
        records: store.next_record_index(),
    })?;
    let head = commitment.roots.block;
    let archived = store.with_records(|archive| {
        let record = archive.record(index)?;
        Ok::<_, RecordArchiveError>((record, archive.path(index, head)?))
    });
    let (record, path) = match archived.transpose() {
        Ok(Some((record, path))) => {
            let path = verified(store, &record, &path)?;
            (record, Some(path))
        }
        Ok(None) => (recent(store, index)?, None),
        Err(error) => match store.recent_record(index)? {
            Some(record) if is_absence(&error) => (record, None),
            _ => return Err(error.into()),
        },
    };
    let object = Object::from_record(record.class, record.owner, &record.payload);
    Ok(RecordAnswer {
        version: 1,
        commitment,
        index,
        class: record.class,
        contract: record.contract,
        owner: record.owner,
        payload: record.payload,
        object: object.ok().map(Into::into),
        spent,
        path,
    })
}

const fn is_absence(error: &RecordArchiveError) -> bool {
    matches!(error, RecordArchiveError::NotArchived { .. })
}

fn recent<S: LeafStore>(store: &Store<S>, index: RecordIndex) -> Result<Record, RecordAnswerError> {
    let record = store.recent_record(index)?;
    record.ok_or(RecordAnswerError::NoArchive(index))
}

fn verified<S: LeafStore>(
    store: &Store<S>,
    record: &Record,
    path: &RecordPath,
) -> Result<PathAnswer, RecordAnswerError> {
    let root = store.verify_record(record, path);
    let root = root.map_err(|source| RecordAnswerError::Proof {
        index: record.index,
        source,
    })?;
    Ok(PathAnswer {
        block: path.block,
        into: match root {
            RecordRoot::Ring(root) => PathEnd::Ring { root },
            RecordRoot::Batch(batch, root) => PathEnd::Batch { batch, root },
        },
        bytes: path.encode()?.into(),
    })
}
