//! Known layouts: which mapping of which contract holds what, with the source of each entry.
//!
//! A registry is a TOML file; `data/layouts.toml` is the one that comes with the program
//! ([`Registry::builtin`]).
//!
//! ```
//! use thinstate_replay::classify::Registry;
//!
//! let registry = Registry::parse(
//!     r#"
//!     [[contract]]
//!     address = "0xdac17f958d2ee523a2206206994597c13d831ec7"
//!     name = "USDT"
//!     source = "TetherToken.sol"
//!     layouts = [
//!         { kind = "erc20_balance", base = "0x2" },
//!         { kind = "allowance", base = "0x5" },
//!     ]
//!     "#,
//! )?;
//! assert_eq!(registry.contracts(), 1);
//! # Ok::<(), thinstate_replay::classify::RegistryError>(())
//! ```
//!
//! An entry has `kind` and `base`; `scheme` is `solidity` if it is not there, and `offsets` has a
//! number for each key: how many words behind its hash the next mapping, or the slot, lies. The keys
//! are those of the kind, all offsets 0, if it is not there. A position that takes several words has an
//! entry for each of them.

use super::{
    Place, Scheme, SlotKind,
    place::{SOLADY_ALLOWANCE_SEED, SOLADY_BALANCE_SEED},
};
use crate::trace::STRUCT_WORDS;
use alloy_primitives::{Address, U256};
use serde::Deserialize;
use std::{
    collections::BTreeMap,
    io,
    path::{Path, PathBuf},
};

/// Known layouts, by contract.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Registry {
    contracts: BTreeMap<Address, BTreeMap<Place, SlotKind>>,
}

/// A registry cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum RegistryError {
    /// The file cannot be read. Check the path.
    #[error("read {}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The text is no TOML, or names something unknown. The message says what and where.
    #[error("not a registry: {0}")]
    Syntax(#[from] toml::de::Error),
    /// An entry that nobody can check again. Say where it is from.
    #[error("contract {contract}: source is empty, expected where its layouts are from")]
    NoSource {
        /// The contract.
        contract: Address,
    },
    /// A kind that no mapping can be said to hold.
    #[error("contract {contract}: kind {kind} is of no mapping")]
    Kind {
        /// The contract.
        contract: Address,
        /// The kind.
        kind: SlotKind,
    },
    /// Another number of keys than objects of the kind have.
    #[error("contract {contract}: kind {kind} has {expected} keys, got {got} offsets")]
    Keys {
        /// The contract.
        contract: Address,
        /// The kind.
        kind: SlotKind,
        /// What the kind has.
        expected: usize,
        /// How many offsets there are.
        got: usize,
    },
    /// A member too far behind its hash: it would be taken for another mapping's.
    #[error("contract {contract}: offset {got}, expected less than {STRUCT_WORDS}")]
    Offset {
        /// The contract.
        contract: Address,
        /// The offset.
        got: u64,
    },
    /// A base that is not the seed which Solady hashes for this kind.
    #[error("contract {contract}: base {got:#x} of kind {kind}, expected Solady's seed")]
    Seed {
        /// The contract.
        contract: Address,
        /// The kind.
        kind: SlotKind,
        /// The base.
        got: U256,
    },
    /// One mapping cannot hold two things.
    #[error("contract {contract}: {place} is both {first} and {second}")]
    Twice {
        /// The contract.
        contract: Address,
        /// The mapping.
        place: Place,
        /// What it is first said to hold.
        first: SlotKind,
        /// And then.
        second: SlotKind,
    },
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[serde(default)]
    contract: Vec<ContractEntry>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ContractEntry {
    address: Address,
    #[expect(dead_code, reason = "for readers of the file; checked to be a string")]
    name: Option<String>,
    source: String,
    layouts: Vec<LayoutEntry>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct LayoutEntry {
    kind: SlotKind,
    base: U256,
    #[serde(default)]
    scheme: Scheme,
    offsets: Option<Vec<u64>>,
}

impl Registry {
    /// The registry that comes with the program.
    pub fn builtin() -> Self {
        Self::parse(include_str!("../../../data/layouts.toml"))
            .expect("a test parses the registry that comes with the program")
    }

    /// The registry in a file.
    pub fn read(path: &Path) -> Result<Self, RegistryError> {
        let text = std::fs::read_to_string(path).map_err(|source| RegistryError::Io {
            path: path.to_path_buf(),
            source,
        })?;
        Self::parse(&text)
    }

    /// The registry that `text` is.
    pub fn parse(text: &str) -> Result<Self, RegistryError> {
        let file: File = toml::from_str(text)?;
        let mut registry = Self::default();
        for entry in file.contract {
            let contract = entry.address;
            if entry.source.trim().is_empty() {
                return Err(RegistryError::NoSource { contract });
            }
            for layout in entry.layouts {
                let kind = layout.kind;
                let place = layout.place(contract)?;
                registry.insert(contract, place, kind)?;
            }
        }
        Ok(registry)
    }

    /// Number of contracts.
    pub fn contracts(&self) -> usize {
        self.contracts.len()
    }

    /// Number of mappings.
    pub fn layouts(&self) -> usize {
        self.contracts.values().map(BTreeMap::len).sum()
    }

    /// The known mappings of a contract.
    pub fn of(&self, contract: Address) -> impl Iterator<Item = (&Place, SlotKind)> {
        let known = self.contracts.get(&contract).into_iter().flatten();
        known.map(|(place, kind)| (place, *kind))
    }

    fn insert(
        &mut self,
        contract: Address,
        place: Place,
        second: SlotKind,
    ) -> Result<(), RegistryError> {
        let known = self.contracts.entry(contract).or_default();
        match known.get(&place) {
            Some(&first) if first != second => Err(RegistryError::Twice {
                contract,
                place,
                first,
                second,
            }),
            _ => {
                known.insert(place, second);
                Ok(())
            }
        }
    }
}

impl LayoutEntry {
    fn place(self, contract: Address) -> Result<Place, RegistryError> {
        let kind = self.kind;
        let expected = match (kind, kind.keys(), &self.offsets) {
            // Permit2 has the token as a key between owner and spender.
            (SlotKind::Allowance, _, Some(offsets)) if offsets.len() == 3 => 3,
            (_, Some(keys), _) => keys,
            // A position has one key or two, by protocol.
            (SlotKind::Cdp, None, Some(offsets)) if !offsets.is_empty() => offsets.len(),
            (SlotKind::Cdp, None, _) => 1,
            _ => return Err(RegistryError::Kind { contract, kind }),
        };
        let offsets = self.offsets.unwrap_or_else(|| vec![0; expected]);
        let got = offsets.len();
        if got != expected {
            return Err(RegistryError::Keys {
                contract,
                kind,
                expected,
                got,
            });
        }
        if let Some(&got) = offsets.iter().find(|offset| **offset >= STRUCT_WORDS) {
            return Err(RegistryError::Offset { contract, got });
        }
        if self.scheme == Scheme::Solady && Some(self.base) != seed(kind) {
            let got = self.base;
            return Err(RegistryError::Seed {
                contract,
                kind,
                got,
            });
        }
        Ok(Place {
            scheme: self.scheme,
            base: self.base,
            offsets,
        })
    }
}

fn seed(kind: SlotKind) -> Option<U256> {
    match kind {
        SlotKind::Erc20Balance => Some(U256::from(SOLADY_BALANCE_SEED)),
        SlotKind::Allowance => Some(U256::from(SOLADY_ALLOWANCE_SEED)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(source: &str, layouts: &str) -> String {
        let address = Address::repeat_byte(0x70);
        format!(
            "[[contract]]\naddress = \"{address}\"\nsource = \"{source}\"\nlayouts = [{layouts}]"
        )
    }

    #[test]
    fn the_registry_that_comes_with_the_program_is_never_refused() {
        let registry = Registry::builtin();
        assert!(registry.contracts() > 20, "{}", registry.contracts());
        assert!(registry.layouts() >= registry.contracts());
    }

    #[test]
    fn what_contradicts_itself_is_refused_by_name() {
        let balance = "{kind = 'erc20_balance', base = '0x2'}";
        let cases = [
            (entry("", balance), "source is empty"),
            (
                entry("s", "{kind = 'variable', base = '0x2'}"),
                "of no mapping",
            ),
            (
                entry("s", "{kind = 'allowance', base = '0x2', offsets = [0]}"),
                "has 2 keys, got 1",
            ),
            (
                entry("s", "{kind = 'cdp', base = '0x2', offsets = [0, 16]}"),
                "offset 16",
            ),
            (
                entry(
                    "s",
                    "{kind = 'erc20_balance', base = '0x2', scheme = 'solady'}",
                ),
                "Solady's seed",
            ),
            (
                entry(
                    "s",
                    &format!("{balance}, {{kind = 'erc721_count', base = '0x2'}}"),
                ),
                "is both erc20_balance and erc721_count",
            ),
            (
                entry("s", "{kind = 'erc20_balance', bass = '0x2'}"),
                "not a registry",
            ),
            (
                entry("s", "{kind = 'erc20', base = '0x2'}"),
                "not a registry",
            ),
        ];
        for (text, expected) in cases {
            let got = Registry::parse(&text).expect_err(expected).to_string();
            assert!(got.contains(expected), "{got}");
        }
        let twice = format!("{balance}, {balance}");
        let registry = Registry::parse(&entry("s", &twice)).expect("said twice");
        assert_eq!(registry.layouts(), 1);
    }
}
