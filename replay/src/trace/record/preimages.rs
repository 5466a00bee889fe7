//! Where slots come from: see the rule in the module's documentation.

use alloy_primitives::{
    Address, B256, U256,
    map::{AddressMap, HashMap},
};
use std::collections::BTreeMap;
use thinstate_formats::trace::{PreimageOrder, SlotPreimage};

/// Words at and behind the hash of a mapping's entry that belong to it.
pub const STRUCT_WORDS: u64 = 16;

/// Mappings in mappings that are followed: more than any contract nests.
const DEPTH_MAX: usize = 16;

/// The inputs of 64 bytes that a block has hashed, by their hashes.
#[derive(Clone, Debug, Default)]
pub(super) struct Preimages(BTreeMap<U256, [u8; 64]>);

/// A slot's levels of mapping in one order, outermost first.
struct Chain {
    levels: Vec<SlotPreimage>,
    root: Root,
}

/// What kind of number the outermost base is, the least likely base first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Root {
    Address,
    Constant,
    Declared,
}

impl Root {
    fn of(base: U256) -> Self {
        match base.bit_len() {
            0..=32 => Self::Declared,
            33..=160 => Self::Address,
            _ => Self::Constant,
        }
    }
}

/// Both readings of a slot's preimages.
struct Readings {
    key_then_base: Chain,
    base_then_key: Chain,
}

impl Readings {
    /// The order that the roots alone make certain.
    fn certain(&self) -> Option<PreimageOrder> {
        let (solidity, vyper) = (self.key_then_base.root, self.base_then_key.root);
        if solidity > vyper {
            Some(PreimageOrder::KeyThenBase)
        } else if (solidity, vyper) == (Root::Address, Root::Declared) {
            Some(PreimageOrder::BaseThenKey)
        } else {
            None
        }
    }

    fn take(self, order: PreimageOrder) -> Vec<SlotPreimage> {
        match order {
            PreimageOrder::KeyThenBase => self.key_then_base.levels,
            PreimageOrder::BaseThenKey => self.base_then_key.levels,
        }
    }
}

/// How many slots of one contract are certainly in the one order, less those in the other.
#[derive(Clone, Copy, Debug, Default)]
struct Votes(i64);

impl Votes {
    const fn add(&mut self, order: PreimageOrder) {
        self.0 += match order {
            PreimageOrder::KeyThenBase => 1,
            PreimageOrder::BaseThenKey => -1,
        };
    }

    const fn order(self) -> PreimageOrder {
        if self.0 < 0 {
            PreimageOrder::BaseThenKey
        } else {
            PreimageOrder::KeyThenBase
        }
    }
}

impl Preimages {
    /// Notes that `preimage` was hashed.
    pub(super) fn insert(&mut self, hash: B256, preimage: [u8; 64]) {
        self.0.insert(hash.into(), preimage);
    }

    /// The preimages of those of the slots that have some.
    pub(super) fn resolve(
        &self,
        slots: impl IntoIterator<Item = (Address, U256)>,
    ) -> HashMap<(Address, U256), Vec<SlotPreimage>> {
        let mut found: HashMap<_, Readings> = HashMap::default();
        let mut votes: AddressMap<Votes> = AddressMap::default();
        for (address, slot) in slots {
            if found.contains_key(&(address, slot)) {
                continue;
            }
            let Some(readings) = self.readings(slot) else {
                continue;
            };
            if let Some(order) = readings.certain() {
                votes.entry(address).or_default().add(order);
            }
            found.insert((address, slot), readings);
        }
        let choose = |((address, slot), readings): ((Address, U256), Readings)| {
            let majority = votes.get(&address).copied().unwrap_or_default();
            let order = readings.certain().unwrap_or(majority.order());
            ((address, slot), readings.take(order))
        };
        found.into_iter().map(choose).collect()
    }

    fn readings(&self, slot: U256) -> Option<Readings> {
        Some(Readings {
            key_then_base: self.chain(slot, PreimageOrder::KeyThenBase)?,
            base_then_key: self.chain(slot, PreimageOrder::BaseThenKey)?,
        })
    }

    fn chain(&self, slot: U256, order: PreimageOrder) -> Option<Chain> {
        let mut levels = Vec::new();
        let mut base = slot;
        while levels.len() < DEPTH_MAX
            && let Some(preimage) = self.leading_to(base)
        {
            let level = split(preimage, order);
            base = level.base;
            levels.push(level);
        }
        levels.reverse();
        (!levels.is_empty()).then(|| Chain {
            levels,
            root: Root::of(base),
        })
    }

    /// The input whose hash is the slot, or lies up to a struct's length before it.
    fn leading_to(&self, slot: U256) -> Option<&[u8; 64]> {
        let (hash, preimage) = self.0.range(..=slot).next_back()?;
        (slot - hash < U256::from(STRUCT_WORDS)).then_some(preimage)
    }
}

fn split(preimage: &[u8; 64], order: PreimageOrder) -> SlotPreimage {
    let (first, second) = preimage.split_at(32);
    let (key, base) = match order {
        PreimageOrder::KeyThenBase => (first, second),
        PreimageOrder::BaseThenKey => (second, first),
    };
    SlotPreimage {
        order,
        key: B256::from_slice(key),
        base: U256::from_be_slice(base),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use PreimageOrder::{BaseThenKey, KeyThenBase};
    use alloy_primitives::keccak256;

    const TOKEN: Address = Address::repeat_byte(0x70);

    /// Hashes as a contract does, and remembers.
    #[derive(Default)]
    struct Contract(Preimages);

    impl Contract {
        fn hash(&mut self, first: U256, second: U256) -> U256 {
            let mut preimage = [0; 64];
            preimage[..32].copy_from_slice(&first.to_be_bytes::<32>());
            preimage[32..].copy_from_slice(&second.to_be_bytes::<32>());
            let hash = keccak256(preimage);
            self.0.insert(hash, preimage);
            hash.into()
        }

        /// Order, bases and keys of one slot, outermost first.
        fn one(&self, slot: U256) -> Vec<(PreimageOrder, U256, U256)> {
            self.resolve(&[slot]).remove(0)
        }

        fn resolve(&self, slots: &[U256]) -> Vec<Vec<(PreimageOrder, U256, U256)>> {
            let found = self.0.resolve(slots.iter().map(|slot| (TOKEN, *slot)));
            let level = |it: &SlotPreimage| (it.order, it.base, it.key.into());
            let levels = |slot| found.get(&(TOKEN, slot)).map_or(&[][..], Vec::as_slice);
            slots
                .iter()
                .map(|slot| levels(*slot).iter().map(level).collect())
                .collect()
        }
    }

    fn n(number: u64) -> U256 {
        U256::from(number)
    }

    fn holder(byte: u8) -> U256 {
        Address::repeat_byte(byte).into_word().into()
    }

    /// A constant, as ERC-7201 makes them.
    fn constant() -> U256 {
        keccak256("storage").into()
    }

    #[test]
    fn neither_compiler_is_taken_for_the_other() {
        let mut contract = Contract::default();
        let solidity = contract.hash(holder(1), n(9));
        let vyper = contract.hash(n(9), holder(1));
        let hashed_key = contract.hash(constant(), n(9));
        let namespaced = contract.hash(holder(1), constant());
        assert_eq!(contract.one(solidity), [(KeyThenBase, n(9), holder(1))]);
        assert_eq!(contract.one(vyper), [(BaseThenKey, n(9), holder(1))]);
        assert_eq!(contract.one(hashed_key), [(KeyThenBase, n(9), constant())]);
        assert_eq!(
            contract.one(namespaced),
            [(KeyThenBase, constant(), holder(1))]
        );
    }

    #[test]
    fn a_nested_mapping_is_not_cut_short() {
        let mut contract = Contract::default();
        let owner = contract.hash(holder(1), n(4));
        let allowance = contract.hash(holder(2), owner);
        let expected = [
            (KeyThenBase, n(4), holder(1)),
            (KeyThenBase, owner, holder(2)),
        ];
        assert_eq!(contract.one(allowance), expected);

        let owner = contract.hash(n(4), holder(1));
        let allowance = contract.hash(owner, holder(2));
        let expected = [
            (BaseThenKey, n(4), holder(1)),
            (BaseThenKey, owner, holder(2)),
        ];
        assert_eq!(contract.one(allowance), expected);
    }

    #[test]
    fn a_struct_ends_where_it_ends() {
        let mut contract = Contract::default();
        let entry = contract.hash(holder(1), n(0));
        let inner = contract.hash(holder(2), entry + n(3));
        let level = (KeyThenBase, n(0), holder(1));
        assert_eq!(contract.one(entry + n(STRUCT_WORDS - 1)), [level]);
        assert_eq!(contract.one(entry + n(STRUCT_WORDS)), []);
        assert_eq!(contract.one(entry - n(1)), []);
        let nested = (KeyThenBase, entry + n(3), holder(2));
        assert_eq!(contract.one(inner + n(2)), [level, nested]);
    }

    #[test]
    fn a_number_as_key_is_read_as_the_contract_reads_its_other_keys() {
        let mut contract = Contract::default();
        let token = contract.hash(n(5), n(2));
        assert_eq!(contract.one(token), [(KeyThenBase, n(2), n(5))]);
        let vyper = contract.hash(n(1), holder(1));
        let read = contract.resolve(&[token, vyper]);
        assert_eq!(read[0], [(BaseThenKey, n(5), n(2))]);
    }

    #[test]
    fn a_plain_slot_has_no_preimages() {
        let mut contract = Contract::default();
        contract.hash(holder(1), n(0));
        for slot in [n(0), n(7), U256::MAX, constant()] {
            assert_eq!(contract.one(slot), []);
        }
    }
}
