//! Slots whose number says that they are a contract's own: variables, arrays, known constants.

use super::SlotKind;
use alloy_primitives::{B256, U256, keccak256};
use std::{collections::BTreeSet, sync::LazyLock};

/// Declared variables have numbers below this: contracts with large arrays of fixed length come
/// near, hashes do not.
const DECLARED_BITS: usize = 32;

/// Variables whose arrays are recognised.
const ARRAYS: u64 = 1_024;

/// Elements of an array that are recognised, in words.
const ARRAY_WORDS: u64 = 1 << 32;

/// Words behind a constant that belong to it, as the members of a struct in unstructured storage do.
const CONSTANT_WORDS: u64 = 16;

/// Names whose hash, less one, is a slot (ERC-1967).
const HASHED_LESS_ONE: [&str; 4] = [
    "eip1967.proxy.implementation",
    "eip1967.proxy.admin",
    "eip1967.proxy.beacon",
    "eip1967.proxy.rollback",
];

/// Names whose hash is a slot: ERC-1822, and proxies from before ERC-1967.
const HASHED: [&str; 8] = [
    "PROXIABLE",
    "org.zeppelinos.proxy.implementation",
    "org.zeppelinos.proxy.admin",
    "org.zeppelinos.proxy.owner",
    "org.zeppelinos.proxy.pendingOwner",
    "diamond.standard.diamond.storage",
    "matic.network.proxy.implementation",
    "matic.network.proxy.owner",
];

/// Namespaces of OpenZeppelin's upgradeable contracts (ERC-7201), version 5.
const NAMESPACES: [&str; 14] = [
    "openzeppelin.storage.AccessControl",
    "openzeppelin.storage.AccessControlEnumerable",
    "openzeppelin.storage.EIP712",
    "openzeppelin.storage.ERC20",
    "openzeppelin.storage.ERC20Votes",
    "openzeppelin.storage.ERC4626",
    "openzeppelin.storage.ERC721",
    "openzeppelin.storage.Initializable",
    "openzeppelin.storage.Nonces",
    "openzeppelin.storage.Ownable",
    "openzeppelin.storage.Ownable2Step",
    "openzeppelin.storage.Pausable",
    "openzeppelin.storage.ReentrancyGuard",
    "openzeppelin.storage.Votes",
];

static CONSTANTS: LazyLock<BTreeSet<U256>> = LazyLock::new(|| {
    let hash = |name: &str| U256::from_be_bytes(keccak256(name).0);
    let less_one = HASHED_LESS_ONE.map(|name| hash(name) - U256::ONE);
    less_one
        .into_iter()
        .chain(HASHED.map(hash))
        .chain(NAMESPACES.map(namespace))
        .collect()
});

static FIRST_ELEMENTS: LazyLock<BTreeSet<U256>> = LazyLock::new(|| {
    let first = |slot| U256::from_be_bytes(keccak256(B256::from(U256::from(slot))).0);
    (0..ARRAYS).map(first).collect()
});

/// The first slot of a namespace (ERC-7201):
/// `keccak256(abi.encode(uint256(keccak256(id)) - 1)) & ~0xff`.
pub(super) fn namespace(id: &str) -> U256 {
    let inner = U256::from_be_bytes(keccak256(id).0) - U256::ONE;
    let outer = U256::from_be_bytes(keccak256(B256::from(inner)).0);
    outer & !U256::from(0xff)
}

/// What a slot is by its number alone, if that says anything.
pub(super) fn by_number(slot: U256) -> Option<SlotKind> {
    if slot.bit_len() <= DECLARED_BITS {
        Some(SlotKind::Variable)
    } else if lies_behind(&FIRST_ELEMENTS, slot, ARRAY_WORDS) {
        Some(SlotKind::ArrayElement)
    } else if lies_behind(&CONSTANTS, slot, CONSTANT_WORDS) {
        Some(SlotKind::Constant)
    } else {
        None
    }
}

/// Whether the slot is one of `starts`, or less than `words` behind one.
fn lies_behind(starts: &BTreeSet<U256>, slot: U256, words: u64) -> bool {
    let before = starts.range(..=slot).next_back();
    before.is_some_and(|start| slot - *start < U256::from(words))
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloy_primitives::b256;

    #[test]
    fn a_contracts_own_slots_are_not_taken_for_entries() {
        let implementation =
            b256!("360894a13ba1a3210667c828492db98dca3e2076cc3735a920a3ca505d382bbc");
        let erc20 = b256!("52c63247e1f47db19d5ce0460030c497f067ca4cebf71ba98eeadabe20bace00");
        let array = b256!("290decd9548b62a8d60345a988386fc84ba6bc95484008f6362f93160ef3e563");
        let number = |word: B256| by_number(U256::from_be_bytes(word.0));
        assert_eq!(number(implementation), Some(SlotKind::Constant));
        assert_eq!(number(erc20), Some(SlotKind::Constant));
        assert_eq!(
            number(array),
            Some(SlotKind::ArrayElement),
            "keccak256 of 32 zeros"
        );
        assert_eq!(
            namespace("openzeppelin.storage.ERC20"),
            U256::from_be_bytes(erc20.0)
        );
        for slot in [U256::ZERO, U256::from(51), U256::from(u32::MAX)] {
            assert_eq!(by_number(slot), Some(SlotKind::Variable));
        }
    }

    #[test]
    fn an_entry_of_a_mapping_is_not_taken_for_a_contracts_own() {
        for seed in 0..10_000_u64 {
            let slot = U256::from_be_bytes(keccak256(seed.to_be_bytes()).0);
            assert_eq!(by_number(slot), None, "{seed}");
        }
    }
}
