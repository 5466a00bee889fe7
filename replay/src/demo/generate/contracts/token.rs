//! A token in the manner of ERC-20.
//!
//! Slot 0 is the mapping of balances, laid out as Solidity does it: a holder's balance is at `keccak256(pad32(holder) ||
//! pad32(0))`. Slot 1 is the total supply. `transfer` and `mint` emit `Transfer` and return true; `mint` is open to everybody; a transfer of more than
//! the balance, a supply above 2^256 - 1 and an unknown selector revert. A balance cannot overflow, as it is part of the supply.

use crate::demo::generate::asm::Assembler;
use alloy_primitives::{Address, B256, Bytes, U256, b256, keccak256};
use revm::bytecode::opcode::*;

/// `transfer(address,uint256)`
pub const TRANSFER: [u8; 4] = [0xa9, 0x05, 0x9c, 0xbb];
/// `mint(address,uint256)`
pub const MINT: [u8; 4] = [0x40, 0xc1, 0x0f, 0x19];
/// `balanceOf(address)`
pub const BALANCE_OF: [u8; 4] = [0x70, 0xa0, 0x82, 0x31];
/// The topic of `Transfer(address,address,uint256)`.
pub const TRANSFER_TOPIC: B256 =
    b256!("ddf252ad1be2c89b69c2b068fc378daa952ba7f163c4a11628f55a4df523b3ef");
/// The slot of the total supply.
pub const SUPPLY_SLOT: usize = 1;

/// Where the first and the second argument lie in the calldata.
const FIRST: usize = 4;
const SECOND: usize = 36;

/// The slot that holds the balance of `holder`.
pub fn balance_slot(holder: Address) -> U256 {
    let mut preimage = [0; 64];
    preimage[12..32].copy_from_slice(holder.as_slice());
    keccak256(preimage).into()
}

/// Calldata of a call with an address and an amount.
pub(in crate::demo::generate) fn call(selector: [u8; 4], to: Address, amount: u128) -> Bytes {
    let words = super::words([to.into_word().into(), U256::from(amount)]);
    [&selector[..], &words].concat().into()
}

/// Init code of the token.
pub(in crate::demo::generate) fn token_init() -> Bytes {
    Assembler::new().return_code(&token_runtime()).finish()
}

fn token_runtime() -> Bytes {
    let code = Assembler::new()
        .push(0_usize)
        .ops(&[CALLDATALOAD])
        .push(0xe0_usize)
        .ops(&[SHR]); // selector
    let code = [
        (TRANSFER, "transfer"),
        (MINT, "mint"),
        (BALANCE_OF, "balance_of"),
    ]
    .into_iter()
    .fold(code, |code, (selector, label)| {
        code.ops(&[DUP1]).push(selector).ops(&[EQ]).jump_if(label)
    })
    .target("revert")
    .ops(&[PUSH0, PUSH0, REVERT]);
    balance_of(credit(mint(transfer(code)))).finish()
}

/// Takes the amount from the caller, and falls to `credit` with the caller as the event's sender.
fn transfer(code: Assembler) -> Assembler {
    let code = code
        .target("transfer")
        .push(SECOND)
        .ops(&[CALLDATALOAD, CALLER]); // holder amount
    slot_of_holder(code)
        .ops(&[DUP1, SLOAD]) // balance slot amount
        .ops(&[DUP3, DUP2, LT]) // balance<amount balance slot amount
        .jump_if("revert")
        .ops(&[DUP3, SWAP1, SUB]) // balance-amount slot amount
        .ops(&[SWAP1, SSTORE, CALLER]) // sender amount
        .jump("credit")
}

/// Adds the amount to the supply, and falls to `credit` with no sender.
fn mint(code: Assembler) -> Assembler {
    code.target("mint")
        .push(SECOND)
        .ops(&[CALLDATALOAD])
        .push(SUPPLY_SLOT)
        .ops(&[SLOAD, DUP2, ADD]) // supply amount
        .ops(&[DUP2, DUP2, LT]) // supply<amount supply amount
        .jump_if("revert")
        .push(SUPPLY_SLOT)
        .ops(&[SSTORE, PUSH0]) // sender amount
}

/// Adds the amount to the first argument's balance and emits the event.
fn credit(code: Assembler) -> Assembler {
    let code = code.target("credit").push(FIRST).ops(&[CALLDATALOAD]); // holder sender amount
    slot_of_holder(code)
        .ops(&[DUP1, SLOAD, DUP4, ADD, SWAP1, SSTORE]) // sender amount
        .ops(&[SWAP1, PUSH0, MSTORE]) // sender
        .push(FIRST)
        .ops(&[CALLDATALOAD, SWAP1]) // sender holder
        .push(TRANSFER_TOPIC)
        .push(32_usize)
        .ops(&[PUSH0, LOG3])
        .push(1_usize)
        .jump("return_word")
}

fn balance_of(code: Assembler) -> Assembler {
    let code = code.target("balance_of").push(FIRST).ops(&[CALLDATALOAD]); // holder
    slot_of_holder(code)
        .ops(&[SLOAD])
        .target("return_word") // word
        .ops(&[PUSH0, MSTORE])
        .push(32_usize)
        .ops(&[PUSH0, RETURN])
}

/// `holder` becomes `slot`. The second word of memory is the mapping's slot, 0, and is never written.
fn slot_of_holder(code: Assembler) -> Assembler {
    code.ops(&[PUSH0, MSTORE])
        .push(64_usize)
        .ops(&[PUSH0, KECCAK256])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn selectors_and_topic_are_those_of_the_signatures() {
        let selector = |signature: &str| -> [u8; 4] {
            keccak256(signature).0[..4].try_into().expect("four bytes")
        };
        assert_eq!(TRANSFER, selector("transfer(address,uint256)"));
        assert_eq!(MINT, selector("mint(address,uint256)"));
        assert_eq!(BALANCE_OF, selector("balanceOf(address)"));
        assert_eq!(
            TRANSFER_TOPIC,
            keccak256("Transfer(address,address,uint256)")
        );
    }
}
