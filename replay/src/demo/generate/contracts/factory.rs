//! A contract that makes vaults with CREATE2, so that one that was wiped can come back at its address.
//!
//! Calldata: salt, number of slots. Slot 0 counts the vaults made. Returns the vault's address; reverts if there is one already.

use super::vault::vault_init;
use crate::demo::generate::asm::Assembler;
use alloy_primitives::{Bytes, U256};
use revm::bytecode::opcode::*;

/// Calldata that makes a vault.
pub(in crate::demo::generate) fn create_call(salt: u64, slots: u64) -> Bytes {
    super::words([U256::from(salt), U256::from(slots)])
}

/// Init code of the factory.
pub(in crate::demo::generate) fn factory_init() -> Bytes {
    Assembler::new().return_code(&factory_runtime()).finish()
}

fn factory_runtime() -> Bytes {
    let init = vault_init();
    Assembler::new()
        .push(init.len())
        .push_label("vault_init")
        .ops(&[PUSH0, CODECOPY])
        .push(32_usize)
        .ops(&[CALLDATALOAD])
        .push(init.len())
        .ops(&[MSTORE]) // the number of slots follows the init code
        .ops(&[PUSH0, SLOAD])
        .push(1_usize)
        .ops(&[ADD, PUSH0, SSTORE])
        .ops(&[PUSH0, CALLDATALOAD]) // salt
        .push(init.len() + 32)
        .ops(&[PUSH0, PUSH0, CREATE2]) // vault, or 0
        .ops(&[DUP1])
        .jump_if("made")
        .ops(&[PUSH0, PUSH0, REVERT])
        .target("made")
        .ops(&[PUSH0, MSTORE])
        .push(32_usize)
        .ops(&[PUSH0, RETURN])
        .place("vault_init")
        .ops(&init)
        .finish()
}
