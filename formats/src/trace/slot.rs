//! Accesses of slots: values, the class of object that lives in the slot, and where its key comes
//! from.

use super::wire::{Addr, Hash, Seq, Uint};
use crate::object::ObjectClass;
use alloy_primitives::{Address, B256, Keccak256, U256};
use wincode::{SchemaRead, SchemaWrite};

/// What one index of a block did with one slot.
#[derive(Clone, Debug, PartialEq, Eq, SchemaRead, SchemaWrite)]
pub struct SlotAccess {
    /// The contract.
    #[wincode(with = "Addr")]
    pub address: Address,
    /// The slot's key, before it is hashed for the trie.
    #[wincode(with = "Uint")]
    pub slot: U256,
    /// What was done with it.
    pub kind: SlotAccessKind,
    /// What lives in it.
    pub class: ObjectClass,
    /// Where the execution revealed it: the hash inputs that lead to the slot, outermost mapping
    /// first. An entry of `mapping(a => mapping(b => v))` has two; the base of the second is the
    /// hash of the first.
    #[wincode(with = "Seq<SlotPreimage>")]
    pub preimages: Vec<SlotPreimage>,
}

/// Whether a slot was only read. Zero is absence, as everywhere in Ethereum's storage.
#[derive(Clone, Copy, Debug, PartialEq, Eq, SchemaRead, SchemaWrite)]
pub enum SlotAccessKind {
    /// It was read and stays as it is.
    #[wincode(tag = 0)]
    Read {
        /// What was found.
        #[wincode(with = "Uint")]
        value: U256,
    },
    /// It was read and changed.
    #[wincode(tag = 1)]
    Write {
        /// What was found.
        #[wincode(with = "Uint")]
        before: U256,
        /// What is left.
        #[wincode(with = "Uint")]
        after: U256,
    },
}

impl SlotAccess {
    /// A read that found `value`.
    pub const fn read(address: Address, slot: U256, value: U256) -> Self {
        Self::new(address, slot, SlotAccessKind::Read { value })
    }

    /// A change from `before` to `after`; a read where the two are the same, as in EIP-7928.
    pub fn write(address: Address, slot: U256, before: U256, after: U256) -> Self {
        if before == after {
            return Self::read(address, slot, before);
        }
        Self::new(address, slot, SlotAccessKind::Write { before, after })
    }

    const fn new(address: Address, slot: U256, kind: SlotAccessKind) -> Self {
        Self {
            address,
            slot,
            kind,
            class: ObjectClass::Unclassified,
            preimages: Vec::new(),
        }
    }

    /// What orders slots in a group.
    pub const fn key(&self) -> (Address, U256) {
        (self.address, self.slot)
    }

    /// The value as it was found.
    pub const fn before(&self) -> U256 {
        match self.kind {
            SlotAccessKind::Read { value } => value,
            SlotAccessKind::Write { before, .. } => before,
        }
    }

    /// The value as it is left.
    pub const fn after(&self) -> U256 {
        match self.kind {
            SlotAccessKind::Read { value } => value,
            SlotAccessKind::Write { after, .. } => after,
        }
    }

    /// How far behind the hash of its last preimage the slot lies: 0 for a mapping's entry of one
    /// word, the member's position in a struct of several. `None` where there are no preimages, or
    /// where one of them does not lead to the next within `struct_words` words.
    ///
    /// Costs one keccak256 of 64 bytes for each preimage.
    pub fn member_offset(&self, struct_words: u64) -> Option<u64> {
        let (last, outer) = self.preimages.split_last()?;
        let inner = self.preimages.iter().skip(1);
        for (outer, inner) in outer.iter().zip(inner) {
            words_between(outer.hash(), inner.base, struct_words)?;
        }
        words_between(last.hash(), self.slot, struct_words)
    }
}

/// `to - from` on the ring of slots, `None` from `limit` on.
fn words_between(from: U256, to: U256, limit: u64) -> Option<u64> {
    let distance = u64::try_from(to.wrapping_sub(from)).ok()?;
    (distance < limit).then_some(distance)
}

/// One level of mapping: what was hashed to arrive at a slot.
#[derive(Clone, Copy, Debug, PartialEq, Eq, SchemaRead, SchemaWrite)]
pub struct SlotPreimage {
    /// Which half of the hash input is the key.
    pub order: PreimageOrder,
    /// The mapping's key, padded to a word as the contract padded it.
    #[wincode(with = "Hash")]
    pub key: B256,
    /// The slot of the mapping itself.
    #[wincode(with = "Uint")]
    pub base: U256,
}

impl SlotPreimage {
    /// The slot that the preimage leads to.
    pub fn hash(&self) -> U256 {
        let base = B256::from(self.base);
        let (first, second) = match self.order {
            PreimageOrder::KeyThenBase => (self.key, base),
            PreimageOrder::BaseThenKey => (base, self.key),
        };
        let mut hasher = Keccak256::new();
        hasher.update(first);
        hasher.update(second);
        hasher.finalize().into()
    }
}

/// In which order a compiler hashes a mapping's key and base.
#[derive(Clone, Copy, Debug, PartialEq, Eq, SchemaRead, SchemaWrite)]
pub enum PreimageOrder {
    /// `keccak256(key || base)`, as Solidity does.
    #[wincode(tag = 0)]
    KeyThenBase,
    /// `keccak256(base || key)`, as Vyper does.
    #[wincode(tag = 1)]
    BaseThenKey,
}
