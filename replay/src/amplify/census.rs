//! Who is a user, and what is a hub that all users share.

use alloy_primitives::{
    Address, B256, KECCAK256_EMPTY, address,
    map::{AddressMap, B256Set, HashMap},
};
use thinstate_formats::trace::BlockTrace;

/// Length of the code of an account that delegates (EIP-7702): `0xef0100` and an address.
const DELEGATION_BYTES: u32 = 23;
/// Transactions that a block must have before its fee recipient can be told.
const TXS_MIN: usize = 4;
/// Addresses below this one belong to nobody: precompiles, and numbers that people burn to (`0xdead`).
const RESERVED: u64 = 1 << 16;
/// Who calls system contracts (EIP-4788 and others).
const SYSTEM: Address = address!("0xfffffffffffffffffffffffffffffffffffffffe");

/// What an address is to a clone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// Each copy has its own.
    User,
    /// All copies share it.
    Hub,
    /// No block of the trace touches it as an account.
    Unknown,
}

/// The accounts of a trace, by what they are to a clone.
///
/// An account is a *user* if the first block that touches it finds it without code, or not there at all: a
/// contract that a block of the trace creates belongs to whoever creates it. Code of 23 bytes is a delegation
/// (EIP-7702) and makes no contract. All other accounts are *hubs*, and so are
///
/// - reserved addresses: those below 2^16, and the system's;
/// - fee recipients: accounts that more than half of all indexes of some block touch, where at least four
///   transactions of it touch anything. Whoever sends most of a block's transactions is a hub by the same rule.
///
/// An address that is no account in the trace, but stands in the key of an object, is a user.
#[derive(Clone, Debug, Default)]
pub struct Census {
    roles: AddressMap<Role>,
}

/// A census under way.
#[derive(Debug, Default)]
pub(super) struct Counting {
    /// The code that each account is first found with.
    found: AddressMap<B256>,
    busy: AddressMap<()>,
    delegations: B256Set,
}

impl Census {
    /// What the address is.
    pub fn role(&self, address: Address) -> Role {
        if is_reserved(address) {
            return Role::Hub;
        }
        self.roles.get(&address).copied().unwrap_or(Role::Unknown)
    }

    /// Users among the accounts.
    pub fn users(&self) -> usize {
        let roles = self.roles.values();
        roles.filter(|role| **role == Role::User).count()
    }

    /// Hubs among the accounts.
    pub fn hubs(&self) -> usize {
        self.roles.len() - self.users()
    }
}

impl FromIterator<(Address, Role)> for Census {
    fn from_iter<I: IntoIterator<Item = (Address, Role)>>(roles: I) -> Self {
        Self {
            roles: roles.into_iter().collect(),
        }
    }
}

fn is_reserved(address: Address) -> bool {
    let (high, low) = address.as_slice().split_at(12);
    let low = low
        .iter()
        .fold(0, |number, byte| number << 8 | u64::from(*byte));
    address == SYSTEM || (high.iter().all(|byte| *byte == 0) && low < RESERVED)
}

impl Counting {
    /// Counts a block; blocks come in order.
    pub(super) fn add(&mut self, block: &BlockTrace) {
        let mut indexes: HashMap<Address, usize> = HashMap::default();
        for group in &block.accesses {
            let reads = group.code_reads.iter().map(|it| (it.hash, it.length));
            let writes = group.code_writes.iter().map(|it| (it.hash, it.length));
            for (hash, length) in reads.chain(writes) {
                if length == DELEGATION_BYTES {
                    self.delegations.insert(hash);
                }
            }
            for access in &group.accounts {
                let code = access.before().map_or(KECCAK256_EMPTY, |it| it.code_hash);
                self.found.entry(access.address).or_insert(code);
                *indexes.entry(access.address).or_default() += 1;
            }
        }
        if block.accesses.len() >= TXS_MIN {
            let busy = indexes
                .into_iter()
                .filter(|(_, count)| *count * 2 > block.accesses.len());
            self.busy.extend(busy.map(|(address, _)| (address, ())));
        }
    }

    /// The census of the blocks so far.
    pub(super) fn finish(self) -> Census {
        let role = |(address, code): (Address, B256)| {
            let codeless = code == KECCAK256_EMPTY || self.delegations.contains(&code);
            let user = codeless && !self.busy.contains_key(&address) && !is_reserved(address);
            (address, if user { Role::User } else { Role::Hub })
        };
        self.found.into_iter().map(role).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloy_primitives::U256;
    use thinstate_formats::{
        Account, BlockNumber,
        trace::{AccountAccess, BlockAccessIndex, CodeRead, TxAccesses},
    };

    fn with_code(code: u8) -> Option<Account> {
        Some(Account {
            nonce: 1,
            balance: U256::from(5),
            code_hash: match code {
                0 => KECCAK256_EMPTY,
                code => B256::repeat_byte(code),
            },
        })
    }

    fn block(groups: Vec<(Vec<AccountAccess>, Vec<CodeRead>)>) -> BlockTrace {
        let group = |(at, (accounts, code_reads))| TxAccesses {
            accounts,
            code_reads,
            ..TxAccesses::new(BlockAccessIndex::new(at as u64 + 1))
        };
        BlockTrace {
            number: BlockNumber(1),
            timestamp: 0,
            gas_used: 0,
            gas_limit: 0,
            tx_count: 9,
            hash: B256::ZERO,
            parent_hash: B256::ZERO,
            state_root: None,
            accesses: groups.into_iter().enumerate().map(group).collect(),
        }
    }

    #[test]
    fn no_account_changes_its_role_within_a_trace() {
        let [user, created, contract, delegates] = [1, 2, 3, 4].map(Address::repeat_byte);
        let delegation = CodeRead {
            hash: B256::repeat_byte(9),
            length: DELEGATION_BYTES,
        };
        let mut counting = Counting::default();
        counting.add(&block(vec![(
            vec![
                AccountAccess::read(user, with_code(0)),
                AccountAccess::write(created, None, with_code(7), false),
                AccountAccess::read(contract, with_code(8)),
                AccountAccess::read(delegates, with_code(9)),
            ],
            vec![],
        )]));
        counting.add(&block(vec![(
            vec![
                AccountAccess::read(created, with_code(7)),
                AccountAccess::read(delegates, with_code(9)),
            ],
            vec![delegation],
        )]));
        let census = counting.finish();
        assert_eq!(
            [user, created, contract, delegates].map(|it| census.role(it)),
            [Role::User, Role::User, Role::Hub, Role::User]
        );
        assert_eq!(census.role(Address::repeat_byte(5)), Role::Unknown);
        assert_eq!((census.users(), census.hubs()), (3, 1));
    }

    #[test]
    fn no_fee_recipient_is_taken_for_a_user() {
        let [recipient, sender] = [1, 2].map(Address::repeat_byte);
        let read = |address| AccountAccess::read(address, with_code(0));
        let mut counting = Counting::default();
        let mut groups = vec![(vec![read(recipient)], vec![]); 3];
        groups.push((vec![read(sender)], vec![]));
        counting.add(&block(groups));
        let census = counting.finish();
        assert_eq!(census.role(recipient), Role::Hub);
        assert_eq!(census.role(sender), Role::User);
    }

    #[test]
    fn nobody_owns_a_reserved_address() {
        let census = Census::default();
        assert_eq!(census.role(Address::ZERO), Role::Hub);
        assert_eq!(census.role(Address::with_last_byte(0x11)), Role::Hub);
        assert_eq!(census.role(SYSTEM), Role::Hub);
        let free = Address::left_padding_from(&[1, 0, 0]);
        assert_eq!(census.role(free), Role::Unknown);
    }
}
