//! A contract with plain slots of its own, that can be told to read, to write and to die.
//!
//! The constructor takes the number of slots `n`, one word after the init code, and writes slot `i` of `0..n` to
//! `block number << 64 | i + 1`: the same vault, made again in another block, holds other values.
//!
//! | calldata | what it does |
//! |---|---|
//! | empty | SELFDESTRUCT in favour of the caller |
//! | `r`, `r` keys, then pairs of key and value | reads the keys, then writes the pairs |

use crate::demo::generate::asm::Assembler;
use alloy_primitives::{Bytes, U256};
use revm::bytecode::opcode::*;

/// What the constructor writes into slot `index` in block `number`.
pub fn initial_value(number: u64, index: u64) -> U256 {
    (U256::from(number) << 64) | (U256::from(index) + U256::from(1))
}

/// Calldata that reads and writes slots.
pub(in crate::demo::generate) fn batch_call(reads: &[u64], writes: &[(u64, U256)]) -> Bytes {
    let keys = reads.iter().map(|&key| U256::from(key));
    let pairs = writes
        .iter()
        .flat_map(|&(key, value)| [U256::from(key), value]);
    super::words(
        [U256::from(reads.len())]
            .into_iter()
            .chain(keys)
            .chain(pairs),
    )
}

/// Init code of the vault, to be followed by the number of slots.
pub(in crate::demo::generate) fn vault_init() -> Bytes {
    Assembler::new()
        .push(32_usize)
        .ops(&[DUP1, CODESIZE, SUB, PUSH0, CODECOPY])
        .ops(&[PUSH0, MLOAD]) // i, counting down
        .target("fill")
        .ops(&[DUP1, ISZERO])
        .jump_if("filled")
        .push(1_usize)
        .ops(&[SWAP1, SUB]) // i-1
        .ops(&[NUMBER])
        .push(64_usize)
        .ops(&[SHL, DUP2]) // i number<<64 i
        .push(1_usize)
        .ops(&[ADD, OR, DUP2, SSTORE]) // i
        .jump("fill")
        .target("filled")
        .return_code(&vault_runtime())
        .finish()
}

/// Init code of a vault of `slots` slots, whole.
pub(in crate::demo::generate) fn vault_init_with(slots: u64) -> Bytes {
    [&vault_init()[..], &U256::from(slots).to_be_bytes::<32>()]
        .concat()
        .into()
}

fn vault_runtime() -> Bytes {
    Assembler::new()
        .ops(&[CALLDATASIZE])
        .jump_if("batch")
        .ops(&[CALLER, SELFDESTRUCT])
        .target("batch")
        .ops(&[PUSH0, CALLDATALOAD])
        .push(5_usize)
        .ops(&[SHL])
        .push(32_usize)
        .ops(&[ADD]) // end of the keys
        .push(32_usize) // at end
        .target("read")
        .ops(&[DUP2, DUP2, EQ])
        .jump_if("write")
        .ops(&[DUP1, CALLDATALOAD, SLOAD, POP])
        .push(32_usize)
        .ops(&[ADD])
        .jump("read")
        .target("write")
        .ops(&[CALLDATASIZE, DUP2, LT, ISZERO]) // at>=size at end
        .jump_if("stop")
        .ops(&[DUP1, CALLDATALOAD, DUP2]) // at key at end
        .push(32_usize)
        .ops(&[ADD, CALLDATALOAD]) // value key at end
        .ops(&[SWAP1, SSTORE])
        .push(64_usize)
        .ops(&[ADD])
        .jump("write")
        .target("stop")
        .ops(&[STOP])
        .finish()
}
