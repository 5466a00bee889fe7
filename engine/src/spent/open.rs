//! Opening: the files as they are, the journal again, and the root as it was committed.

use super::{
    FieldId, SpentError, SpentFields, SpentOptions,
    fields::SpentBits,
    head::{SpentHead, for_each_entry, read_fields},
    journal::decode,
    mapped::MappedWords,
    words::Words,
};
use crate::leaf_store::LeafRead;
use std::{collections::BTreeMap, path::Path};
use thinstate_formats::{
    NodeHasher,
    bits::{BitTree, field_digest, fields_root, word_count},
};

/// What the journal says of a field's file.
#[derive(Clone, Copy, Debug, Default)]
struct Past {
    /// The commit that created it; the file holds nothing that is not in the journal since.
    created: Option<u64>,
    /// Its length before the journal begins, if it changes in it.
    first_len: Option<u64>,
}

impl SpentFields {
    /// Opens the bits that belong to the state in `read`, which may be new.
    pub fn open<R: LeafRead>(read: &R, options: SpentOptions) -> Result<Self, SpentError> {
        if let Some(dir) = &options.dir {
            std::fs::create_dir_all(dir).map_err(|e| SpentError::io("create", dir, &e))?;
        }
        let hasher = NodeHasher::new(options.hash);
        let Some(head) = SpentHead::read(read)? else {
            return Ok(Self::assemble(options, hasher, BTreeMap::new(), None));
        };
        if head.hash != options.hash {
            return Err(SpentError::OtherHash {
                expected: head.hash,
                got: options.hash,
            });
        }
        let lens = read_fields(read)?;
        let past = read_past(read, &head)?;
        let mut words = BTreeMap::new();
        for (field, len) in &lens {
            let past = past.get(field).copied().unwrap_or_default();
            words.insert(*field, open_words(&options, *field, *len, past, &head)?);
        }
        redo(read, &head, &past, &mut words)?;
        let fields = words.into_iter().map(|(field, mut words)| {
            words.clear_tail();
            let tree = BitTree::build(hasher, words.len(), |at| words.word(at));
            let digest = field_digest(&hasher, field, tree.commitment());
            let bits = SpentBits {
                words,
                tree,
                digest,
            };
            (field, bits)
        });
        let opened = Self::assemble(options, hasher, fields.collect(), Some(head));
        if opened.root() != head.root {
            return Err(SpentError::RootMismatch {
                expected: head.root,
                got: opened.root(),
            });
        }
        if let Some(dir) = &opened.options.dir {
            delete_others(dir, &lens)?;
        }
        Ok(opened)
    }

    fn assemble(
        options: SpentOptions,
        hasher: NodeHasher,
        fields: BTreeMap<FieldId, SpentBits>,
        head: Option<SpentHead>,
    ) -> Self {
        let digests: Vec<_> = fields.values().map(|bits| bits.digest).collect();
        let root = fields_root(&hasher, &digests);
        let (commit, kept_from) = head.map_or((0, 1), |head| (head.commit, head.kept_from));
        let head = SpentHead {
            hash: options.hash,
            commit,
            kept_from,
            root,
        };
        Self {
            options,
            hasher,
            fields,
            head,
            synced: kept_from - 1,
            checkpoint: None,
            poison: None,
        }
    }
}

fn read_past<R: LeafRead>(
    read: &R,
    head: &SpentHead,
) -> Result<BTreeMap<FieldId, Past>, SpentError> {
    let mut past: BTreeMap<FieldId, Past> = BTreeMap::new();
    for_each_entry(read, head.kept_from, head.commit, |commit, bytes| {
        for entry in decode(commit, bytes)? {
            let past = past.entry(entry.field).or_default();
            if entry.created {
                past.created = Some(commit);
            }
            if let Some((before, _)) = entry.resized {
                past.first_len.get_or_insert(before);
            }
        }
        Ok(())
    })?;
    Ok(past)
}

fn open_words(
    options: &SpentOptions,
    field: FieldId,
    len: u64,
    past: Past,
    head: &SpentHead,
) -> Result<Words, SpentError> {
    let Some(dir) = &options.dir else {
        return match past.created {
            Some(_) => Ok(Words::in_memory(len)),
            None => Err(SpentError::NeedsFiles {
                first: head.kept_from,
            }),
        };
    };
    let file = match past.created {
        Some(_) => MappedWords::create(dir, field, word_count(len))?,
        None => MappedWords::open(dir, field, word_count(past.first_len.unwrap_or(len)))?,
    };
    let mut words = Words::in_file(len, file);
    words.reserve(len)?;
    Ok(words)
}

/// Sets and clears again what the journal says.
fn redo<R: LeafRead>(
    read: &R,
    head: &SpentHead,
    past: &BTreeMap<FieldId, Past>,
    words: &mut BTreeMap<FieldId, Words>,
) -> Result<(), SpentError> {
    for_each_entry(read, head.kept_from, head.commit, |commit, bytes| {
        for entry in decode(commit, bytes)? {
            let created = past.get(&entry.field).and_then(|past| past.created);
            let Some(words) = words.get_mut(&entry.field) else {
                continue;
            };
            if created.is_some_and(|created| commit < created) {
                continue;
            }
            for index in entry.set {
                words.set_bit(index, true);
            }
            for index in entry.clear {
                words.set_bit(index, false);
            }
        }
        Ok(())
    })
}

/// Deletes files of fields that are gone, or were never committed.
fn delete_others(dir: &Path, fields: &BTreeMap<FieldId, u64>) -> Result<(), SpentError> {
    let io = |operation, error: std::io::Error| SpentError::io(operation, dir, &error);
    for entry in std::fs::read_dir(dir).map_err(|e| io("list", e))? {
        let entry = entry.map_err(|e| io("list", e))?;
        let field = entry.file_name().to_str().and_then(MappedWords::field_of);
        if field.is_some_and(|field| !fields.contains_key(&field)) {
            let path = entry.path();
            std::fs::remove_file(&path).map_err(|e| SpentError::io("delete", &path, &e))?;
        }
    }
    Ok(())
}
