//! Watching a block while it executes: the state of every step, and preimages of slots.
//!
//! Both are paid for only by an observed execution. An ordinary one has no inspector, and commits
//! straight to revm's block cache.

use alloy_primitives::{
    Address, B256, KECCAK256_EMPTY, U256, keccak256,
    map::{AddressMap, B256Map},
};
use core::{cell::RefCell, fmt};
use revm::{
    Database, DatabaseCommit, Inspector,
    bytecode::{Bytecode, opcode::KECCAK256},
    database::State,
    interpreter::{
        Interpreter,
        interpreter::EthInterpreter,
        interpreter_types::{Jumps, MemoryTr},
    },
    state::{Account, AccountInfo, EvmState},
};

/// A step of a block in the numbering of EIP-7928: 0 is what happens before the transactions,
/// 1 to n are the transactions, n + 1 is what happens after them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AccessIndex(pub u64);

impl fmt::Display for AccessIndex {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// Is told what a block does while it executes.
pub trait BlockObserver {
    /// The accounts and slots that one commit of step `index` has loaded, with values before the
    /// commit and after it, untouched ones included.
    ///
    /// A transaction commits once. Steps 0 and n + 1 commit once for each system call, and once for
    /// rewards and withdrawals: there, an account comes as already changed in `info`, and what it
    /// was before in `original_info()`.
    fn on_state(&mut self, index: AccessIndex, state: &EvmState);

    /// Step `index` has loaded code of the state, `length` bytes of it. Called once for each account
    /// whose code a commit loads. Code that the same transaction deployed is not loaded.
    fn on_code(&mut self, index: AccessIndex, code_hash: B256, length: usize) {
        let _ = (index, code_hash, length);
    }

    /// The EVM has hashed 64 bytes of memory, which is how Solidity and Vyper derive the slot of a
    /// mapping's value. Called for each execution of the instruction, also of those that revert.
    fn on_keccak(&mut self, hash: B256, preimage: [u8; 64]);
}

/// The observer, lent to the database and to the inspector of one execution.
pub(super) type Shared<'a> = RefCell<&'a mut dyn BlockObserver>;

/// A database that may want to know which step it is used by.
pub(super) trait Stepped {
    /// What follows belongs to step `index`.
    fn set_step(&mut self, index: AccessIndex);
}

impl<DB> Stepped for &mut State<DB> {
    fn set_step(&mut self, _: AccessIndex) {}
}

/// A block cache whose commits, and loads of code, are shown to an observer.
///
/// The cache gives an account with its code where it holds that already, so that the EVM need not
/// ask for it. Here accounts come without: each step asks for the code that it needs, and is seen
/// to. On commit the accounts get their code back, for the cache counts on it.
pub(super) struct Observed<'a, 'o, DB> {
    state: &'a mut State<DB>,
    observer: &'a Shared<'o>,
    index: AccessIndex,
    codes: B256Map<Bytecode>,
}

impl<'a, 'o, DB> Observed<'a, 'o, DB> {
    pub(super) fn new(state: &'a mut State<DB>, observer: &'a Shared<'o>) -> Self {
        Self {
            state,
            observer,
            index: AccessIndex::default(),
            codes: B256Map::default(),
        }
    }
}

impl<DB> Stepped for Observed<'_, '_, DB> {
    fn set_step(&mut self, index: AccessIndex) {
        self.index = index;
    }
}

impl<DB> fmt::Debug for Observed<'_, '_, DB> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Observed")
            .field("index", &self.index)
            .finish_non_exhaustive()
    }
}

impl<DB: Database> Database for Observed<'_, '_, DB> {
    type Error = <State<DB> as Database>::Error;

    fn basic(&mut self, address: Address) -> Result<Option<AccountInfo>, Self::Error> {
        let mut found = self.state.basic(address)?;
        if let Some(info) = &mut found
            && info.code_hash != KECCAK256_EMPTY
            && let Some(code) = info.code.take()
        {
            self.codes.insert(info.code_hash, code);
        }
        Ok(found)
    }

    fn code_by_hash(&mut self, code_hash: B256) -> Result<Bytecode, Self::Error> {
        let code = match self.codes.get(&code_hash) {
            Some(code) => code.clone(),
            None => self.state.code_by_hash(code_hash)?,
        };
        let mut observer = self.observer.borrow_mut();
        observer.on_code(self.index, code_hash, code.len());
        Ok(code)
    }

    fn storage(&mut self, address: Address, slot: U256) -> Result<U256, Self::Error> {
        Database::storage(self.state, address, slot)
    }

    fn block_hash(&mut self, number: u64) -> Result<B256, Self::Error> {
        self.state.block_hash(number)
    }
}

impl<DB: Database> DatabaseCommit for Observed<'_, '_, DB> {
    fn commit(&mut self, mut changes: AddressMap<Account>) {
        self.observer.borrow_mut().on_state(self.index, &changes);
        for account in changes.values_mut() {
            if account.info.code.is_none() {
                account.info.code = self.codes.get(&account.info.code_hash).cloned();
            }
        }
        self.state.commit(changes);
    }
}

/// Shows the observer each hash of 64 bytes of memory.
pub(super) struct KeccakInspector<'a, 'o>(pub(super) &'a Shared<'o>);

impl<CTX> Inspector<CTX, EthInterpreter> for KeccakInspector<'_, '_> {
    fn step(&mut self, interpreter: &mut Interpreter<EthInterpreter>, _: &mut CTX) {
        if interpreter.bytecode.opcode() != KECCAK256 {
            return;
        }
        if let Some(preimage) = mapping_key(interpreter) {
            self.0.borrow_mut().on_keccak(keccak256(preimage), preimage);
        }
    }
}

/// The memory that the instruction is about to hash, where that is 64 bytes.
///
/// Memory grows with the instruction itself, so its end may not exist yet: it is zero then.
fn mapping_key(interpreter: &Interpreter<EthInterpreter>) -> Option<[u8; 64]> {
    let offset = interpreter.stack.peek(0).ok()?;
    let length = interpreter.stack.peek(1).ok()?;
    if length != U256::from(64) {
        return None;
    }
    let size = interpreter.memory.size();
    let offset = usize::try_from(offset).ok()?.min(size);
    let held = (size - offset).min(64);
    let mut preimage = [0; 64];
    preimage[..held].copy_from_slice(&interpreter.memory.slice_len(offset, held));
    Some(preimage)
}
