//! An assembler for the EVM: opcodes, pushes of the shortest form, and labels.
//!
//! Labels are two-byte pushes, resolved by [`Assembler::finish`]; a program is at most 65,535 bytes, above the limit on code.

use alloy_primitives::{Bytes, U256};
use revm::bytecode::opcode;
use std::collections::BTreeMap;

/// A program in the making. Methods take and return it, so that a contract reads as one chain.
#[derive(Debug, Default)]
pub(super) struct Assembler {
    code: Vec<u8>,
    labels: BTreeMap<&'static str, u16>,
    /// Offsets of two bytes to be filled with a label's position.
    references: Vec<(usize, &'static str)>,
}

impl Assembler {
    pub(super) fn new() -> Self {
        Self::default()
    }

    /// Appends opcodes as they are.
    pub(super) fn ops(mut self, opcodes: &[u8]) -> Self {
        self.code.extend_from_slice(opcodes);
        self
    }

    /// Appends the shortest push of `value`; PUSH0 (EIP-3855, Shanghai) for zero.
    pub(super) fn push(mut self, value: impl Into<PushValue>) -> Self {
        let bytes = value.into().0.to_be_bytes_trimmed_vec();
        let width = u8::try_from(bytes.len()).expect("a word has at most 32 bytes");
        self.code.push(opcode::PUSH0 + width);
        self.code.extend_from_slice(&bytes);
        self
    }

    /// Pushes the position of `label`, which may come later.
    pub(super) fn push_label(mut self, label: &'static str) -> Self {
        self.code.push(opcode::PUSH2);
        self.references.push((self.code.len(), label));
        self.code.extend_from_slice(&[0; 2]);
        self
    }

    /// Jumps to `label`.
    pub(super) fn jump(self, label: &'static str) -> Self {
        self.push_label(label).ops(&[opcode::JUMP])
    }

    /// Jumps to `label` if the word on top of the stack is not zero.
    pub(super) fn jump_if(self, label: &'static str) -> Self {
        self.push_label(label).ops(&[opcode::JUMPI])
    }

    /// Names this position, without an instruction: for data.
    pub(super) fn place(mut self, label: &'static str) -> Self {
        let at = u16::try_from(self.code.len()).expect("a program is shorter than 64 KiB");
        let former = self.labels.insert(label, at);
        assert!(former.is_none(), "label {label} is placed twice");
        self
    }

    /// Names this position and makes it a jump's target.
    pub(super) fn target(self, label: &'static str) -> Self {
        self.place(label).ops(&[opcode::JUMPDEST])
    }

    /// The code, with every label resolved.
    pub(super) fn finish(mut self) -> Bytes {
        for (at, label) in self.references {
            let position = self
                .labels
                .get(label)
                .expect("every label that is used is placed");
            self.code[at..at + 2].copy_from_slice(&position.to_be_bytes());
        }
        self.code.into()
    }

    /// Ends an init code: returns `runtime`, which becomes the contract's code.
    pub(super) fn return_code(self, runtime: &[u8]) -> Self {
        self.push(runtime.len())
            .ops(&[opcode::DUP1])
            .push_label("runtime")
            .push(0_usize)
            .ops(&[opcode::CODECOPY, opcode::PUSH0, opcode::RETURN])
            .place("runtime")
            .ops(runtime)
    }
}

/// What can be pushed: numbers and words.
pub(super) struct PushValue(U256);

impl From<usize> for PushValue {
    fn from(value: usize) -> Self {
        Self(U256::from(value))
    }
}

impl From<U256> for PushValue {
    fn from(value: U256) -> Self {
        Self(value)
    }
}

impl From<[u8; 4]> for PushValue {
    fn from(selector: [u8; 4]) -> Self {
        Self(U256::from(u32::from_be_bytes(selector)))
    }
}

impl From<alloy_primitives::B256> for PushValue {
    fn from(word: alloy_primitives::B256) -> Self {
        Self(word.into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloy_primitives::hex;

    #[test]
    fn pushes_take_the_shortest_form() {
        let code = Assembler::new()
            .push(0_usize)
            .push(0x7f_usize)
            .push(0x100_usize)
            .push(U256::MAX)
            .finish();
        assert_eq!(code[..6], hex!("5f 60 7f 61 01 00"));
        assert_eq!(code[6], opcode::PUSH32);
        assert_eq!(code.len(), 6 + 33);
    }

    #[test]
    fn labels_are_resolved_forwards_and_backwards() {
        let code = Assembler::new()
            .target("loop")
            .jump_if("end")
            .jump("loop")
            .target("end")
            .finish();
        assert_eq!(code[..], hex!("5b 61 0009 57 61 0000 56 5b"));
    }

    #[test]
    fn init_code_returns_what_follows_it() {
        let code = Assembler::new().return_code(&[0xfe]).finish();
        assert_eq!(code[..], hex!("60 01 80 61 000a 5f 39 5f f3 fe"));
    }

    #[test]
    #[should_panic(expected = "every label that is used is placed")]
    fn a_label_that_is_nowhere_is_not_accepted() {
        Assembler::new().jump("nowhere").finish();
    }
}
