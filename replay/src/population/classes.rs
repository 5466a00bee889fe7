//! What lives in a slot, and where that puts it.

use super::{Population, SlotId, keys};
use alloy_primitives::U256;
use thinstate_formats::object::{ObjectClass, ObjectKey};

/// Slots at which contracts declare the mapping of each class.
const BASE: u64 = 3;
/// Keys of plain slots are numbers above this one, as hashes are.
const PLAIN: u64 = 1 << 32;

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

    /// The kind of a contract.
    fn kind_of(&self, contract: u64) -> Option<&super::ContractKind> {
        let mut at = keys::unit(self.spec.seed ^ keys::KIND, contract, 0);
        self.spec.kinds.iter().find(|kind| {
            let is_it = at < kind.share;
            at -= kind.share;
            is_it
        })
    }

    /// Class, object and key of a slot.
    pub(super) fn key(&self, id: SlotId) -> (ObjectClass, Option<ObjectKey>, U256) {
        let class = self.class_of(id);
        let owner = |at: u64| self.address(self.owner(id.contract, at));
        let object = match class {
            ObjectClass::Erc20Balance => ObjectKey::Erc20Balance {
                owner: owner(id.local),
            },
            ObjectClass::Erc721Owner => ObjectKey::Erc721Owner { id: id.local },
            ObjectClass::Erc1155Balance => ObjectKey::Erc1155Balance {
                owner: owner(id.local),
                id: U256::from(id.local % 64),
            },
            ObjectClass::Cdp => ObjectKey::Cdp {
                owner: owner(id.local),
                id: id.local,
            },
            ObjectClass::Allowance => ObjectKey::Allowance {
                owner: owner(id.local),
                spender: self.address(id.local % self.contracts.max(1)),
            },
            ObjectClass::Unclassified | ObjectClass::PlainSlot => {
                let key = keys::word(
                    self.spec.seed ^ keys::PLAIN_KEY ^ id.contract.rotate_left(32),
                    id.local,
                );
                return (class, None, U256::from_be_bytes(key.0) | U256::from(PLAIN));
            }
        };
        (class, Some(object), object.slot(U256::from(BASE)))
    }

    /// The account that owns what is in a slot: another one for each slot of a contract.
    fn owner(&self, contract: u64, local: u64) -> u64 {
        let accounts = self.accounts().max(1);
        if local >= accounts {
            return local + accounts;
        }
        let offset = keys::number(self.spec.seed ^ keys::OWNER, contract, 0) % accounts;
        let stride = stride(accounts);
        let at =
            (u128::from(local) * u128::from(stride) + u128::from(offset)) % u128::from(accounts);
        at as u64
    }
}

/// A number without a divisor in common with `of`, so that its multiples go through all of them.
fn stride(of: u64) -> u64 {
    let mut stride = (of as f64 * 0.618_033_988_749) as u64 | 1;
    while gcd(stride, of) != 1 {
        stride += 2;
    }
    stride
}

const fn gcd(a: u64, b: u64) -> u64 {
    let (mut a, mut b) = (a, b);
    while b != 0 {
        (a, b) = (b, a % b);
    }
    a
}
