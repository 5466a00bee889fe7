//! An entry of the journal: which bits a commit sets and clears.

use super::{
    BitChange, FieldId, SpentError,
    varint::{Numbers, put_indexes, put_number},
};

const VERSION: u8 = 1;
const RESIZED: u8 = 1;
const CREATED: u8 = 2;
const REMOVED: u8 = 4;

/// What a commit did to a field.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Entry {
    pub(super) field: FieldId,
    /// Length before and after, where it changed. A field that is new had none.
    pub(super) resized: Option<(u64, u64)>,
    pub(super) created: bool,
    pub(super) removed: bool,
    pub(super) set: Vec<u64>,
    pub(super) clear: Vec<u64>,
}

impl Entry {
    /// The entry for a change of a field that has `len` bits before, if it is there.
    pub(super) fn of(change: &BitChange, before: Option<u64>, after: u64) -> Self {
        let sorted = |indexes: &[u64]| {
            let mut sorted = indexes.to_vec();
            sorted.sort_unstable();
            sorted
        };
        let removed = change.remove;
        let resized = (before != Some(after)).then_some((before.unwrap_or(0), after));
        Self {
            field: change.field,
            resized: resized.filter(|_| !removed),
            created: !removed && before.is_none(),
            removed,
            set: if removed {
                Vec::new()
            } else {
                sorted(&change.set)
            },
            clear: if removed {
                Vec::new()
            } else {
                sorted(&change.clear)
            },
        }
    }
}

/// The bytes of a commit's entry.
pub(super) fn encode(entries: &[Entry]) -> Vec<u8> {
    let mut bytes = vec![VERSION];
    put_number(&mut bytes, entries.len() as u64);
    for entry in entries {
        let (kind, period) = entry.field.parts();
        bytes.push(kind);
        put_number(&mut bytes, period);
        let flag = |on: bool, flag: u8| if on { flag } else { 0 };
        bytes.push(
            flag(entry.resized.is_some(), RESIZED)
                | flag(entry.created, CREATED)
                | flag(entry.removed, REMOVED),
        );
        if let Some((before, after)) = entry.resized {
            put_number(&mut bytes, before);
            put_number(&mut bytes, after);
        }
        put_indexes(&mut bytes, &entry.set);
        put_indexes(&mut bytes, &entry.clear);
    }
    let checksum = crc32fast::hash(&bytes);
    bytes.extend_from_slice(&checksum.to_le_bytes());
    bytes
}

/// What a commit did, from its bytes.
pub(super) fn decode(commit: u64, bytes: &[u8]) -> Result<Vec<Entry>, SpentError> {
    let (body, checksum) = bytes.split_last_chunk::<4>().unwrap_or((&[], &[0; 4]));
    let mut reader = Reader {
        commit,
        numbers: Numbers::new(body),
    };
    if body.is_empty() || u32::from_le_bytes(*checksum) != crc32fast::hash(body) {
        return Err(reader.error("the checksum does not match"));
    }
    if reader.byte()? != VERSION {
        return Err(reader.error("unknown version"));
    }
    let count = reader.number()?;
    let entries = (0..count).map(|_| reader.entry());
    let entries = entries.collect::<Result<_, _>>()?;
    match reader.numbers.offset() == body.len() {
        true => Ok(entries),
        false => Err(reader.error("bytes follow the last change")),
    }
}

struct Reader<'a> {
    commit: u64,
    numbers: Numbers<'a>,
}

impl Reader<'_> {
    const fn error(&self, reason: &'static str) -> SpentError {
        SpentError::BadJournal {
            commit: self.commit,
            offset: self.numbers.offset(),
            reason,
        }
    }

    fn byte(&mut self) -> Result<u8, SpentError> {
        let byte = self.numbers.byte();
        byte.map_err(|reason| self.error(reason))
    }

    fn number(&mut self) -> Result<u64, SpentError> {
        let number = self.numbers.number();
        number.map_err(|reason| self.error(reason))
    }

    fn indexes(&mut self) -> Result<Vec<u64>, SpentError> {
        let indexes = self.numbers.indexes();
        indexes.map_err(|reason| self.error(reason))
    }

    fn entry(&mut self) -> Result<Entry, SpentError> {
        let kind = self.byte()?;
        let field = FieldId::from_parts(kind, self.number()?);
        let field = field.ok_or_else(|| self.error("unknown field"))?;
        let flags = self.byte()?;
        if flags & !(RESIZED | CREATED | REMOVED) != 0 {
            return Err(self.error("unknown flags"));
        }
        let resized = match flags & RESIZED {
            0 => None,
            _ => Some((self.number()?, self.number()?)),
        };
        Ok(Entry {
            field,
            resized,
            created: flags & CREATED != 0,
            removed: flags & REMOVED != 0,
            set: self.indexes()?,
            clear: self.indexes()?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use thinstate_formats::PeriodId;

    fn entries() -> impl Strategy<Value = Vec<Entry>> {
        let indexes = || prop::collection::btree_set(any::<u64>(), 0..20);
        let entry = (
            any::<Option<u64>>(),
            any::<Option<(u64, u64)>>(),
            any::<(bool, bool)>(),
            indexes(),
            indexes(),
        );
        let entry = entry.prop_map(|(period, resized, (created, removed), set, clear)| Entry {
            field: period.map_or(FieldId::Utxo, |p| FieldId::Period(PeriodId(p))),
            resized,
            created,
            removed,
            set: set.into_iter().collect(),
            clear: clear.into_iter().collect(),
        });
        prop::collection::vec(entry, 0..5)
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]
        #[test]
        fn no_entry_is_read_otherwise_than_written(entries in entries(), at: usize, bit in 0u8..8) {
            let mut bytes = encode(&entries);
            prop_assert_eq!(decode(7, &bytes).ok(), Some(entries));
            let at = at % bytes.len();
            prop_assert!(decode(7, &bytes[..at]).is_err());
            bytes[at] ^= 1 << bit;
            prop_assert!(decode(7, &bytes).is_err());
        }

        #[test]
        fn no_bytes_with_a_good_checksum_make_decoding_fail_otherwise_than_typed(
            mut bytes in prop::collection::vec(any::<u8>(), 1..60),
        ) {
            bytes[0] = VERSION;
            let checksum = crc32fast::hash(&bytes);
            bytes.extend_from_slice(&checksum.to_le_bytes());
            let _ = decode(7, &bytes);
        }
    }

    #[test]
    fn no_spend_takes_more_than_three_bytes() {
        let mut change = BitChange::of(FieldId::Utxo);
        change.set = (0..100_000)
            .map(|n| (n * 48_271 % 100_003) * 1_000)
            .collect();
        let bytes = encode(&[Entry::of(&change, Some(200_000_000), 200_000_000)]);
        assert!(bytes.len() < 210_000, "{} bytes", bytes.len());
    }
}
