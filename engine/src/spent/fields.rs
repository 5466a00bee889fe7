//! All fields of spent bits.

use super::{
    BitChange, FieldId, SpentError, SpentWork, StagedSpent,
    change::{StagedField, changed_words},
    checkpoint::Checkpoint,
    head::{SpentHead, entry_key, write_field},
    journal::{Entry, encode},
    mapped::MappedWords,
    words::Words,
};
use crate::leaf_store::{Batch, Table};
use alloy_primitives::B256;
use std::{
    collections::{BTreeMap, BTreeSet},
    path::PathBuf,
};
use thinstate_formats::{
    HashKind, NodeHasher,
    bits::{BitTree, field_digest, fields_root, word_count},
};

/// How spent bits are kept. What they commit to depends on the hash function alone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SpentOptions {
    /// Where the files lie; without one the bits lie in memory, and the journal is kept whole.
    pub dir: Option<PathBuf>,
    /// The hash function.
    pub hash: HashKind,
    /// Commits between two syncs of the files (1,024 by default): how many the journal has.
    pub checkpoint_commits: u64,
}

impl Default for SpentOptions {
    fn default() -> Self {
        Self {
            dir: None,
            hash: HashKind::default(),
            checkpoint_commits: 1_024,
        }
    }
}

/// Size of one field.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FieldSize {
    /// The field.
    pub field: FieldId,
    /// Bits, one for each object.
    pub bits: u64,
    /// Bytes of its file, with header and room for more; 0 in memory.
    pub file_bytes: u64,
    /// Bytes of memory of its tree.
    pub node_bytes: u64,
}

/// One field: its words and its tree.
#[derive(Debug)]
pub(super) struct SpentBits {
    pub(super) words: Words,
    pub(super) tree: BitTree,
    pub(super) digest: B256,
}

/// The spent bits of records and of sealed leaves. See the module's documentation.
#[derive(Debug)]
pub struct SpentFields {
    pub(super) options: SpentOptions,
    pub(super) hasher: NodeHasher,
    pub(super) fields: BTreeMap<FieldId, SpentBits>,
    pub(super) head: SpentHead,
    /// Files hold all changes up to this commit, durably.
    pub(super) synced: u64,
    pub(super) checkpoint: Option<Checkpoint>,
    /// Why the files can no longer be trusted to be synced.
    pub(super) poison: Option<String>,
}

impl SpentFields {
    /// Whether the bit of an object is set; `None` if there is no such object.
    pub fn is_spent(&self, field: FieldId, index: u64) -> Option<bool> {
        self.fields.get(&field)?.words.bit(index)
    }

    /// Bits of a field; `None` if there is no such field.
    pub fn len(&self, field: FieldId) -> Option<u64> {
        Some(self.fields.get(&field)?.words.len())
    }

    /// Bits of a field that are set, all counted anew; `None` if there is no such field.
    pub fn ones(&self, field: FieldId) -> Option<u64> {
        Some(self.fields.get(&field)?.words.ones())
    }

    /// Whether there are no fields.
    pub fn is_empty(&self) -> bool {
        self.fields.is_empty()
    }

    /// The root over all fields.
    pub const fn root(&self) -> B256 {
        self.head.root
    }

    /// Size of each field, in order.
    pub fn sizes(&self) -> Vec<FieldSize> {
        let size = |(field, bits): (&FieldId, &SpentBits)| FieldSize {
            field: *field,
            bits: bits.words.len(),
            file_bytes: bits.words.file_bytes(),
            node_bytes: bits.tree.node_bytes(),
        };
        self.fields.iter().map(size).collect()
    }

    /// Prepares what a block changes, and adds it to the block's batch. Nothing visible changes
    /// until [`Self::publish`]; a staged commit that is not published is dropped.
    pub fn stage(
        &mut self,
        changes: &[BitChange],
        batch: &mut Batch,
    ) -> Result<StagedSpent, SpentError> {
        self.tend_checkpoint()?;
        let mut staged = StagedSpent {
            commit: self.head.commit + u64::from(!changes.is_empty()),
            fields: Vec::with_capacity(changes.len()),
            root: self.head.root,
            work: SpentWork::default(),
            kept_from: self.head.kept_from,
        };
        let mut ops = Batch::default();
        let mut seen = BTreeSet::new();
        let mut entries = Vec::with_capacity(changes.len());
        for change in changes {
            let field = change.field;
            if !seen.insert(field) {
                return Err(SpentError::Repeated { field });
            }
            let before = self.len(field);
            let (after, changed) = self.stage_field(change, &mut staged.work)?;
            if before != after {
                write_field(&mut ops, field, after);
            }
            entries.push(Entry::of(change, before, after.unwrap_or(0)));
            staged.fields.push((field, changed));
        }
        if !changes.is_empty() {
            let entry = encode(&entries);
            staged.work.journal_bytes = entry.len() as u64;
            ops.put(Table::Journal, entry_key(staged.commit), entry);
            staged.root = self.root_with(&staged.fields, &mut staged.work);
        }
        self.prune(&mut staged, &mut ops);
        batch.append(ops);
        Ok(staged)
    }

    /// Deletes what the journal need not keep, and writes the head.
    fn prune(&self, staged: &mut StagedSpent, batch: &mut Batch) {
        if self.synced >= staged.kept_from {
            let (from, to) = (staged.kept_from, self.synced + 1);
            batch.delete_range(Table::Journal, entry_key(from), entry_key(to));
            staged.kept_from = to;
        }
        let head = self.head_after(staged);
        if head != self.head {
            head.write(batch);
        }
    }

    const fn head_after(&self, staged: &StagedSpent) -> SpentHead {
        SpentHead {
            hash: self.options.hash,
            commit: staged.commit,
            kept_from: staged.kept_from,
            root: staged.root,
        }
    }

    /// What becomes of a field, and its length then.
    fn stage_field(
        &mut self,
        change: &BitChange,
        work: &mut SpentWork,
    ) -> Result<(Option<u64>, StagedField), SpentError> {
        let field = change.field;
        if change.remove {
            self.existing(field)?;
            return Ok((None, StagedField::Removed));
        }
        let len = match change.len {
            Some(len) => len,
            None => self.existing(field)?.words.len(),
        };
        let created = match self.fields.contains_key(&field) {
            true => None,
            false => Some(Box::new(self.create(field, len)?)),
        };
        let bits = match &created {
            Some(created) => created,
            None => self.existing(field)?,
        };
        let words = changed_words(&bits.words, change, len)?;
        let staged = bits.tree.stage(len, &words, |at| bits.words.word(at));
        let staged = staged.map_err(|error| SpentError::Bits { field, error })?;
        let digest = field_digest(&self.hasher, field, staged.commitment());
        work.hashes += staged.hashes() + 1;
        work.words += words.len() as u64;
        work.bits += (change.set.len() + change.clear.len()) as u64;
        if let Some(bits) = self.fields.get_mut(&field) {
            bits.words.reserve(len)?;
        }
        let changed = StagedField::Changed {
            created,
            words,
            bits: Box::new(staged),
            digest,
        };
        Ok((Some(len), changed))
    }

    fn existing(&self, field: FieldId) -> Result<&SpentBits, SpentError> {
        let bits = self.fields.get(&field);
        bits.ok_or(SpentError::NoField { field })
    }

    /// A field of zeros, with its file.
    fn create(&self, field: FieldId, len: u64) -> Result<SpentBits, SpentError> {
        let words = match &self.options.dir {
            Some(dir) => Words::in_file(len, MappedWords::create(dir, field, word_count(len))?),
            None => Words::in_memory(len),
        };
        let tree = BitTree::zeros(self.hasher, len);
        let digest = field_digest(&self.hasher, field, tree.commitment());
        Ok(SpentBits {
            words,
            tree,
            digest,
        })
    }

    /// The root over all fields as they will be.
    fn root_with(&self, staged: &[(FieldId, StagedField)], work: &mut SpentWork) -> B256 {
        let present = self
            .fields
            .iter()
            .map(|(field, bits)| (*field, bits.digest));
        let mut digests: BTreeMap<_, _> = present.collect();
        for (field, change) in staged {
            match change {
                StagedField::Removed => digests.remove(field),
                StagedField::Changed { digest, .. } => digests.insert(*field, *digest),
            };
        }
        let digests: Vec<_> = digests.into_values().collect();
        work.hashes += digests.len().max(1) as u64;
        fields_root(&self.hasher, &digests)
    }

    /// Makes a staged commit visible. Its batch must be durable. Cannot fail: there is room for all
    /// words.
    pub fn publish(&mut self, staged: StagedSpent) {
        self.head = self.head_after(&staged);
        for (field, change) in staged.fields {
            match change {
                StagedField::Removed => {
                    // A file that stays is deleted at the next opening.
                    let removed = self.fields.remove(&field);
                    let _ = removed.map_or(Ok(()), |bits| bits.words.delete());
                }
                StagedField::Changed {
                    created,
                    words,
                    bits: nodes,
                    digest,
                } => {
                    if let Some(created) = created {
                        self.fields.insert(field, *created);
                    }
                    let bits = self.fields.get_mut(&field);
                    let bits = bits.expect("staged fields exist or are created");
                    for (at, word) in &words {
                        bits.words.set_word(*at, word);
                    }
                    bits.words.set_len(nodes.len());
                    bits.tree.apply(*nodes);
                    bits.digest = digest;
                }
            }
        }
    }
}
