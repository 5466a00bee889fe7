//! What lives in a slot, and where that puts it.

use super::{Population, SlotId, keys};
use alloy_primitives::{B256, U256};
use thinstate_formats::{
    keccak::BatchHasher,
    object::{ObjectClass, ObjectKey},
};

/// Keys of plain slots are numbers above this one, as hashes are.
const PLAIN: u64 = 1 << 32;
/// By its multiples kinds are dealt out to contracts, so that each size has all of them.
const GOLDEN: f64 = 0.618_033_988_749;
/// Ids that an ERC-1155 contract has balances of.
const IDS: u64 = 64;

impl Population {
    /// The class of a slot.
    pub fn class_of(&self, id: SlotId) -> ObjectClass {
        let Some(kind) = self.kind_of(id.contract) else {
            return ObjectClass::PlainSlot;
        };
        let mut at = keys::unit(self.spec.seed ^ keys::CLASS, id.contract, id.local);
        for (class, share) in &kind.classes {
            if at < *share {
                return *class;
            }
            at -= share;
        }
        ObjectClass::PlainSlot
    }

    /// The slot at which contracts declare the mapping of a class; zero for plain slots, which have none.
    pub const fn mapping_slot(class: ObjectClass) -> u64 {
        match class {
            ObjectClass::Unclassified | ObjectClass::PlainSlot | ObjectClass::Erc20Balance => 0,
            ObjectClass::Allowance => 1,
            ObjectClass::Erc721Owner => 2,
            ObjectClass::Erc1155Balance => 3,
            ObjectClass::Cdp => 4,
        }
    }

    /// The kind of a contract. The largest is of the first kind.
    fn kind_of(&self, contract: u64) -> Option<&super::ContractKind> {
        let mut at = (contract as f64 * GOLDEN).fract();
        self.spec.kinds.iter().find(|kind| {
            let is_it = at < kind.share;
            at -= kind.share;
            is_it
        })
    }

    /// Which object lives in a slot of this class, or the key of a plain slot.
    pub(super) fn object(&self, id: SlotId, class: ObjectClass) -> Result<ObjectKey, U256> {
        let owner = || self.address(self.owner(id));
        Ok(match class {
            ObjectClass::Erc20Balance => ObjectKey::Erc20Balance { owner: owner() },
            ObjectClass::Erc721Owner => ObjectKey::Erc721Owner { id: id.local },
            ObjectClass::Erc1155Balance => ObjectKey::Erc1155Balance {
                owner: owner(),
                id: U256::from(id.local % IDS),
            },
            ObjectClass::Cdp => ObjectKey::Cdp {
                owner: owner(),
                id: id.local,
            },
            ObjectClass::Allowance => ObjectKey::Allowance {
                owner: owner(),
                spender: self.address(id.local % self.contracts.max(1)),
            },
            ObjectClass::Unclassified | ObjectClass::PlainSlot => return Err(self.plain_key(id)),
        })
    }

    /// Class, object and key of a slot.
    pub(super) fn key(&self, id: SlotId) -> (ObjectClass, Option<ObjectKey>, U256) {
        let class = self.class_of(id);
        match self.object(id, class) {
            Ok(object) => {
                let base = U256::from(Self::mapping_slot(class));
                (class, Some(object), object.slot(base))
            }
            Err(key) => (class, None, key),
        }
    }

    /// The keys of many slots, in order, hashed together: the same as [`Population::slot`] gives one by
    /// one, several times as fast.
    pub fn keys(&self, hasher: &BatchHasher, ids: &[SlotId]) -> Vec<U256> {
        let mut keys = vec![U256::ZERO; ids.len()];
        let (mut first, mut second) = (Round::default(), Round::default());
        for (at, id) in ids.iter().enumerate() {
            let class = self.class_of(*id);
            let object = match self.object(*id, class) {
                Ok(object) => object,
                Err(key) => {
                    keys[at] = key;
                    continue;
                }
            };
            let (outer, inner) = mapping_keys(object);
            first.push(at, outer, B256::from(U256::from(Self::mapping_slot(class))));
            if let Some(inner) = inner {
                // What it is declared at is known after the first round.
                second.push(at, inner, B256::ZERO);
            }
        }
        first.hash_into(hasher, &mut keys);
        for (at, message) in second.places.iter().zip(&mut second.messages) {
            message[32..].copy_from_slice(&keys[*at].to_be_bytes::<32>());
        }
        second.hash_into(hasher, &mut keys);
        keys
    }

    /// Of each contract all are different: drawn numbers are a permutation of the number of the slot.
    fn plain_key(&self, id: SlotId) -> U256 {
        let seed = self.spec.seed ^ keys::PLAIN_KEY ^ id.contract.rotate_left(32);
        U256::from_be_bytes(keys::word(seed, id.local).0) | U256::from(PLAIN)
    }

    /// The account that owns what is in a slot: another one for each slot of a contract.
    pub(super) fn owner(&self, id: SlotId) -> u64 {
        let accounts = self.owners.len();
        if id.local >= accounts {
            return id.local + accounts;
        }
        let offset = keys::number(self.spec.seed ^ keys::OWNER, id.contract, 0) % accounts;
        let at = u128::from(self.owners.forward(id.local)) + u128::from(offset);
        (at % u128::from(accounts)) as u64
    }
}

/// Keys of the outer and of the inner mapping.
fn mapping_keys(object: ObjectKey) -> (B256, Option<B256>) {
    let word = |number: u64| B256::from(U256::from(number));
    match object {
        ObjectKey::PlainSlot(slot) => (B256::from(slot), None),
        ObjectKey::Erc20Balance { owner } => (owner.into_word(), None),
        ObjectKey::Erc721Owner { id } => (word(id), None),
        ObjectKey::Erc1155Balance { owner, id } => (B256::from(id), Some(owner.into_word())),
        ObjectKey::Cdp { owner, id } => (owner.into_word(), Some(word(id))),
        ObjectKey::Allowance { owner, spender } => (owner.into_word(), Some(spender.into_word())),
    }
}

/// Preimages that are hashed together, and whose keys they give.
#[derive(Default)]
struct Round {
    places: Vec<usize>,
    messages: Vec<[u8; 64]>,
}

impl Round {
    fn push(&mut self, at: usize, key: B256, base: B256) {
        let mut message = [0; 64];
        message[..32].copy_from_slice(key.as_slice());
        message[32..].copy_from_slice(base.as_slice());
        self.places.push(at);
        self.messages.push(message);
    }

    fn hash_into(&self, hasher: &BatchHasher, keys: &mut [U256]) {
        let mut digests = Vec::with_capacity(self.messages.len());
        hasher.hash_fixed(&self.messages, &mut digests);
        for (at, digest) in self.places.iter().zip(digests) {
            keys[*at] = digest.into();
        }
    }
}
