//! The proof of a temporary entry: what is live, or what a sealed period has.
//!
//! A block commits to sealed periods by their roots and leaf counts; what is live is committed to as a
//! whole, or by the log of its writes, and is told without a proof. A sealed leaf's answer is what
//! resurrecting it needs, so answers are read again ([`EntryAnswer::leaf`]).

use super::object::{CommitmentAnswer, NoBlock, ObjectAnswer, commitment};
use alloy_primitives::{Address, B256, Bytes};
use serde::{Deserialize, Serialize};
use thinstate_engine::{
    Sealed, Store, archive::periods::PeriodArchiveError, leaf_store::LeafStore, store::SealedProof,
};
use thinstate_formats::{
    BlockNumber, LeafIndex, NodeHasher, PeriodId,
    counted::{DecodeError, InclusionProof, LocationProof, ProofError},
    object::{Object, ObjectKey},
    temporary::location,
};

/// Which entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EntryKey {
    /// Whose.
    pub contract: Address,
    /// Its key.
    pub key: B256,
    /// The object that it is, where that was asked.
    pub object: Option<ObjectKey>,
}

/// What there is of an entry.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct EntryAnswer {
    /// Version of this description.
    pub version: u32,
    /// What the head commits to.
    pub commitment: CommitmentAnswer,
    /// Whose entry.
    pub contract: Address,
    /// Its key.
    pub key: B256,
    /// Where it lies: the hash of both.
    pub location: B256,
    /// The live value.
    pub live: Option<LiveAnswer>,
    /// What a sealed period has.
    pub sealed: Option<SealedAnswer>,
    /// Periods that were to be asked and are not archived here. Others may know more.
    #[serde(default)]
    pub not_archived: Vec<PeriodId>,
}

/// A live value.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LiveAnswer {
    /// The period that it was written in.
    pub period: PeriodId,
    /// The value.
    pub value: B256,
    /// The same, as the object that it is.
    #[serde(skip_deserializing, skip_serializing_if = "Option::is_none")]
    pub object: Option<ObjectAnswer>,
}

/// What a sealed period has.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SealedAnswer {
    /// The period.
    pub period: PeriodId,
    /// The root of its tree.
    pub root: B256,
    /// The leaves of its tree.
    pub leaves: u64,
    /// The block that sealed it.
    pub sealed_at: BlockNumber,
    /// A leaf, or none.
    #[serde(flatten)]
    pub found: Found,
}

/// What was found in a tree.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "found", rename_all = "lowercase")]
pub enum Found {
    /// A leaf.
    Included {
        /// Its index.
        index: LeafIndex,
        /// Its value.
        value: B256,
        /// The same, as the object that it is.
        #[serde(skip_deserializing, skip_serializing_if = "Option::is_none")]
        object: Option<ObjectAnswer>,
        /// Whether it was resurrected: it cannot be a second time.
        resurrected: bool,
        /// The proof (`formats::counted`).
        proof: Bytes,
    },
    /// No leaf.
    Excluded {
        /// The proof (`formats::counted`).
        proof: Bytes,
    },
}

/// An entry cannot be proved.
#[derive(Debug, thiserror::Error)]
pub enum EntryProofError {
    /// There is nothing to prove anything of.
    #[error(transparent)]
    NoBlock(#[from] NoBlock),
    /// The period is not in the period table: it is live, waits for its seal, or is still to come.
    #[error("period {0} is not sealed")]
    NotSealed(PeriodId),
    /// This node archives no periods. Ask another.
    #[error("period {0} is not archived here: there is no archive of periods")]
    NoArchive(PeriodId),
    /// There is no live value, and what could have a sealed one is not here. Ask another node.
    #[error("there is no live value, and period {} is not archived here", list(.0))]
    NothingHere(Vec<PeriodId>),
    /// The archive does not have the period, or is damaged.
    #[error(transparent)]
    Archive(#[from] PeriodArchiveError),
    /// What the archive says does not lead to the root that was sealed: it is damaged.
    #[error("the proof for period {period} does not hold, so the archive is damaged: {source}")]
    Proof {
        /// The period.
        period: PeriodId,
        /// What is wrong.
        source: ProofError,
    },
    /// The leaf has another index than the archive says, or no spent bit: something is damaged.
    #[error("leaf {got} of period {period} is proved with index {expected}, or has no bit")]
    Index {
        /// The period.
        period: PeriodId,
        /// The index proved.
        expected: LeafIndex,
        /// The index that the archive has.
        got: LeafIndex,
    },
}

fn list(periods: &[PeriodId]) -> String {
    let numbers: Vec<_> = periods.iter().map(ToString::to_string).collect();
    numbers.join(", ")
}

/// What there is of an entry: its live value, and what `period` has; where none is given, the newest
/// sealed leaf that the archive knows. Everything is verified.
pub fn prove<S: LeafStore>(
    store: &Store<S>,
    entry: EntryKey,
    period: Option<PeriodId>,
) -> Result<EntryAnswer, EntryProofError> {
    let commitment = commitment(store)?;
    let at = location(entry.contract, entry.key);
    let live = store.temporary_entry(at);
    let mut not_archived = Vec::new();
    let sealed = match period {
        Some(period) => Some(prove_in(store, entry, period)?),
        None => newest(store, entry, &mut not_archived)?,
    };
    if live.is_none() && sealed.is_none() && !not_archived.is_empty() {
        return Err(EntryProofError::NothingHere(not_archived));
    }
    Ok(EntryAnswer {
        version: 1,
        commitment,
        contract: entry.contract,
        key: entry.key,
        location: at,
        live: live.map(|(period, value)| LiveAnswer {
            period,
            value,
            object: entry.object(value),
        }),
        sealed,
        not_archived,
    })
}

/// The newest sealed leaf of the entry; periods that are not here are passed over, and noted.
fn newest<S: LeafStore>(
    store: &Store<S>,
    entry: EntryKey,
    not_archived: &mut Vec<PeriodId>,
) -> Result<Option<SealedAnswer>, EntryProofError> {
    let with_leaves = store.periods().into_iter().rev();
    for (period, _) in with_leaves.filter(|(_, root)| root.count > 0) {
        match prove_in(store, entry, period) {
            Ok(sealed) if matches!(sealed.found, Found::Included { .. }) => {
                return Ok(Some(sealed));
            }
            Ok(_) => {}
            Err(
                EntryProofError::NoArchive(_)
                | EntryProofError::Archive(PeriodArchiveError::NotArchived { .. }),
            ) => not_archived.push(period),
            Err(error) => return Err(error),
        }
    }
    Ok(None)
}

fn prove_in<S: LeafStore>(
    store: &Store<S>,
    entry: EntryKey,
    period: PeriodId,
) -> Result<SealedAnswer, EntryProofError> {
    let sealed = store.sealed_period(period);
    let sealed = sealed.ok_or(EntryProofError::NotSealed(period))?;
    let archive = store.period_archive();
    let archive = archive.ok_or(EntryProofError::NoArchive(period))?;
    let proof = archive.prove(period, &location(entry.contract, entry.key))?;
    Ok(SealedAnswer {
        period,
        root: sealed.root.hash,
        leaves: sealed.root.count,
        sealed_at: sealed.sealed_at,
        found: verified(store, entry, period, sealed, proof)?,
    })
}

fn verified<S: LeafStore>(
    store: &Store<S>,
    entry: EntryKey,
    period: PeriodId,
    sealed: Sealed,
    proof: LocationProof,
) -> Result<Found, EntryProofError> {
    let hasher = NodeHasher::new(store.rules().temporary.hash);
    let failed = |source| EntryProofError::Proof { period, source };
    match proof {
        LocationProof::Included { leaf, index, proof } => {
            let expected = proof.verify(&hasher, sealed.root, &leaf).map_err(failed)?;
            let resurrected = store.is_resurrected(period, index);
            let resurrected = resurrected.filter(|_| expected == index);
            Ok(Found::Included {
                index,
                value: leaf.value,
                object: entry.object(leaf.value),
                resurrected: resurrected.ok_or(EntryProofError::Index {
                    period,
                    expected,
                    got: index,
                })?,
                proof: proof.encode().into(),
            })
        }
        LocationProof::Excluded(proof) => {
            let at = location(entry.contract, entry.key);
            proof.verify(&hasher, sealed.root, &at).map_err(failed)?;
            Ok(Found::Excluded {
                proof: proof.encode().into(),
            })
        }
    }
}

impl EntryKey {
    /// The object with this word; `None` where no object was asked for, or the word is none.
    fn object(&self, word: B256) -> Option<ObjectAnswer> {
        let object = Object::from_word(self.object?, word).ok()??;
        Some(object.into())
    }
}

/// An answer is not that of the leaf that is to be resurrected.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LeafError {
    /// It is that of another entry.
    #[error("the proof is of key {got} of {got_contract}, expected {expected} of {contract}")]
    OtherEntry {
        /// The contract of the entry.
        contract: Address,
        /// The entry's key.
        expected: B256,
        /// The contract in the answer.
        got_contract: Address,
        /// The key in the answer.
        got: B256,
    },
    /// It is that of another period, or of none.
    #[error("the proof is not of period {expected}")]
    OtherPeriod {
        /// The period.
        expected: PeriodId,
    },
    /// The period has no leaf for the entry.
    #[error("period {0} has no such object, so there is none to resurrect")]
    Excluded(PeriodId),
    /// The bytes of the proof are none.
    #[error("the proof does not decode: {0}")]
    Decode(#[from] DecodeError),
}

impl EntryAnswer {
    /// The value that `period` has of the entry, with its proof, which is not verified here.
    pub fn leaf(
        &self,
        entry: EntryKey,
        period: PeriodId,
    ) -> Result<(B256, SealedProof), LeafError> {
        if (self.contract, self.key) != (entry.contract, entry.key) {
            return Err(LeafError::OtherEntry {
                contract: entry.contract,
                expected: entry.key,
                got_contract: self.contract,
                got: self.key,
            });
        }
        let sealed = self.sealed.as_ref();
        let sealed = sealed.filter(|sealed| sealed.period == period);
        let sealed = sealed.ok_or(LeafError::OtherPeriod { expected: period })?;
        let Found::Included { value, proof, .. } = &sealed.found else {
            return Err(LeafError::Excluded(period));
        };
        let proof = InclusionProof::decode(proof)?;
        Ok((*value, SealedProof { period, proof }))
    }
}
