//! A contract that is made once and never called: a constructor that writes a few slots, and code unlike any other's.

use crate::demo::generate::asm::Assembler;
use alloy_primitives::{Bytes, U256};
use revm::bytecode::opcode::{SSTORE, STOP};

/// Init code that writes `values` to the slots from 0 on and leaves `STOP` and `tail` as the code.
pub(in crate::demo::generate) fn note_init(values: &[U256], tail: &[u8]) -> Bytes {
    values
        .iter()
        .enumerate()
        .fold(Assembler::new(), |code, (slot, &value)| {
            code.push(value).push(slot).ops(&[SSTORE])
        })
        .return_code(&[&[STOP], tail].concat())
        .finish()
}
