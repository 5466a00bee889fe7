//! Objects of which there is one version: ERC-721 tokens and CDPs, in any tier.
//!
//! At most one version of an object is ever unspent. An id is given out once, so an object is made
//! once; every change needs the live version and takes its place. In the temporary tier the version
//! that is sealed is the last one that was live, and from then on there is none that is; only its
//! resurrection, which spends it, makes one again. As a record the object is spent and appended anew.

use super::{LedgerError, LedgerHost, words::Words};
use alloy_primitives::{Address, U256, map::HashMap};
use core::marker::PhantomData;
use thinstate_formats::{
    BlockNumber, RecordIndex,
    object::{MergeError, Object, ObjectClass, ObjectKey, ObjectValue, Tier},
    policy::Policy,
};

/// Unique objects of one contract and class, read and set by key.
#[derive(Clone, Debug)]
pub(super) struct Uniques<V> {
    contract: Address,
    /// `None` where they are records.
    words: Option<Words>,
    /// Records that were looked at for a change in this block.
    open: HashMap<ObjectKey, Open>,
    block: Option<BlockNumber>,
    value: PhantomData<V>,
}

/// An object that is a record, or was, or will be.
#[derive(Clone, Copy, Debug)]
struct Open {
    record: Option<RecordIndex>,
    before: Option<Object>,
    now: Option<Object>,
}

impl<V: ObjectValue> Uniques<V> {
    pub(super) fn new(contract: Address, class: ObjectClass, base: U256, policy: &Policy) -> Self {
        Self {
            contract,
            words: Words::of(contract, class, base, policy),
            open: HashMap::default(),
            block: None,
            value: PhantomData,
        }
    }

    pub(super) fn get<H: LedgerHost>(
        &self,
        host: &mut H,
        key: ObjectKey,
    ) -> Result<Option<V>, LedgerError<H::Error>> {
        if let Some(words) = &self.words {
            return words.read(host, key);
        }
        super::check_block(self.block, host.block())?;
        let open = match self.open.get(&key) {
            Some(open) => *open,
            None => self.load(host, key)?,
        };
        let value = |object: Object| V::from_word(object.word());
        let value = open.now.map(value).transpose();
        value.map_err(|error| LedgerError::Word { key, error })
    }

    /// The live version, or the error that there is none.
    pub(super) fn live<H: LedgerHost>(
        &self,
        host: &mut H,
        key: ObjectKey,
    ) -> Result<V, LedgerError<H::Error>> {
        self.get(host, key)?.ok_or(LedgerError::NotLive { key })
    }

    pub(super) fn set<H: LedgerHost>(
        &mut self,
        host: &mut H,
        key: ObjectKey,
        value: Option<V>,
    ) -> Result<(), LedgerError<H::Error>> {
        if let Some(words) = &self.words {
            return words.write(host, key, value);
        }
        super::check_block(self.block, host.block())?;
        let now = object(key, value)?;
        let open = match self.open.get(&key) {
            Some(open) => *open,
            None => self.load(host, key)?,
        };
        self.block = Some(host.block());
        self.open.insert(key, Open { now, ..open });
        Ok(())
    }

    pub(super) fn resurrect<H: LedgerHost>(
        &mut self,
        host: &mut H,
        key: ObjectKey,
        sealed: V,
        proof: &H::Proof,
    ) -> Result<(), LedgerError<H::Error>> {
        let Some(words) = self.words else {
            let tier = Tier::Utxo;
            return Err(LedgerError::NeverSealed { tier });
        };
        let nothing = LedgerError::merge(MergeError::Nothing { key });
        let sealed = object(key, Some(sealed))?.ok_or(nothing)?;
        let live = object(key, words.read::<V, _>(host, key)?)?;
        words.resurrect(host, live, sealed, proof)
    }

    /// Turns the changes of the block into records, by ascending key.
    pub(super) fn settle<H: LedgerHost>(self, host: &mut H) -> Result<(), LedgerError<H::Error>> {
        super::check_block(self.block, host.block())?;
        let mut open: Vec<_> = self.open.into_iter().collect();
        open.sort_unstable_by_key(|(key, _)| *key);
        for (_, open) in open.into_iter().filter(|(_, open)| open.now != open.before) {
            if let Some(record) = open.record {
                host.spend(record)?;
            }
            if let Some(record) = open.now.and_then(|object| object.to_record().ok()) {
                host.append(self.contract, record)?;
            }
        }
        Ok(())
    }

    /// The object at the beginning of the block.
    fn load<H: LedgerHost>(
        &self,
        host: &mut H,
        key: ObjectKey,
    ) -> Result<Open, LedgerError<H::Error>> {
        let records = host.records(self.contract, key)?;
        match records[..] {
            [] => Ok(Open {
                record: None,
                before: None,
                now: None,
            }),
            [record] if record.object.key() == key => Ok(Open {
                record: Some(record.index),
                before: Some(record.object),
                now: Some(record.object),
            }),
            _ => Err(LedgerError::Records {
                key,
                got: records.len(),
            }),
        }
    }
}

fn object<V: ObjectValue, E>(
    key: ObjectKey,
    value: Option<V>,
) -> Result<Option<Object>, LedgerError<E>> {
    let Some(value) = value else {
        return Ok(None);
    };
    Object::from_word(key, value.to_word()).map_err(|error| LedgerError::Word { key, error })
}
