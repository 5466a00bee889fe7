//! A slot whose origin the execution shows must not be recorded as a plain one, and a block's steps
//! must not run together in its trace.
//!
//! The contract is made by hand: each run of it writes an entry of a mapping, one of a mapping in a
//! mapping, a member of a struct in a mapping, and a plain slot, as Solidity lays them out.

#![expect(clippy::unwrap_used, reason = "a test may fail by panicking")]

use alloy_consensus::{Block, BlockBody, Header, Signed, TxEnvelope, TxLegacy};
use alloy_hardforks::EthereumHardfork;
use alloy_primitives::{Address, B256, Bytes, Signature, U256, keccak256, uint};
use revm::bytecode::opcode::{ADD, KECCAK256, MSTORE, PUSH1, PUSH32, SSTORE, STOP, SWAP1};
use std::convert::Infallible;
use thinstate_formats::{
    Account, StateReader,
    trace::{
        AccountAccess, BlockTrace, PreimageOrder, SlotAccess, SlotAccessKind, SlotPreimage,
        decode_frame, encode_frame,
    },
};
use thinstate_replay::{
    exec::{BlockHashes, ChainSpec},
    trace::{STRUCT_WORDS, record_block},
};

const CONTRACT: Address = Address::repeat_byte(0xcc);
const MINER: Address = Address::repeat_byte(0x11);
const OWNER: Address = Address::repeat_byte(0xa1);
const SPENDER: Address = Address::repeat_byte(0xa2);
const POSITION: u8 = 5;
const BALANCES: u8 = 1;
const ALLOWANCES: u8 = 2;
const POSITIONS: u8 = 3;
const MEMBER: u8 = 2;
const WEI_OF_REWARD: u64 = 2_000_000_000_000_000_000;

/// Code, one statement after another.
#[derive(Default)]
struct Code(Vec<u8>);

impl Code {
    fn ops(mut self, bytes: &[u8]) -> Self {
        self.0.extend_from_slice(bytes);
        self
    }

    fn push(self, word: B256) -> Self {
        self.ops(&[PUSH32]).ops(word.as_slice())
    }

    /// Puts the hash of `key`, then the word on the stack, onto the stack.
    fn entry(self, key: B256) -> Self {
        self.ops(&[PUSH1, 32, MSTORE])
            .push(key)
            .ops(&[PUSH1, 0, MSTORE, PUSH1, 64, PUSH1, 0, KECCAK256])
    }

    /// Stores at the slot on the stack.
    fn store(self, value: u8) -> Self {
        self.ops(&[PUSH1, value, SWAP1, SSTORE])
    }
}

fn contract() -> Bytes {
    Code::default()
        .ops(&[PUSH1, 0])
        .store(1)
        .ops(&[PUSH1, BALANCES])
        .entry(OWNER.into_word())
        .store(7)
        .ops(&[PUSH1, ALLOWANCES])
        .entry(OWNER.into_word())
        .entry(SPENDER.into_word())
        .store(9)
        .ops(&[PUSH1, POSITIONS])
        .entry(B256::with_last_byte(POSITION))
        .ops(&[PUSH1, MEMBER, ADD])
        .store(11)
        .ops(&[STOP])
        .0
        .into()
}

/// A state that holds nothing but the contract.
struct OneContract(Bytes);

impl StateReader for OneContract {
    type Error = Infallible;

    fn account(&self, address: Address) -> Result<Option<Account>, Infallible> {
        Ok((address == CONTRACT).then(|| Account {
            nonce: 1,
            balance: U256::ZERO,
            code_hash: keccak256(&self.0),
        }))
    }

    fn slot(&self, _: Address, _: U256) -> Result<U256, Infallible> {
        Ok(U256::ZERO)
    }

    fn code(&self, code_hash: B256) -> Result<Option<Bytes>, Infallible> {
        Ok((code_hash == keccak256(&self.0)).then(|| self.0.clone()))
    }
}

/// A call of the contract, from whatever account the signature happens to be of.
fn call(gas_limit: u64) -> TxEnvelope {
    const SOME_POINT: U256 =
        uint!(0x79be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798_U256);
    let tx = TxLegacy {
        gas_limit,
        to: CONTRACT.into(),
        ..TxLegacy::default()
    };
    let signature = Signature::new(SOME_POINT, U256::ONE, false);
    TxEnvelope::Legacy(Signed::new_unhashed(tx, signature))
}

fn record() -> BlockTrace {
    let block = Block {
        header: Header {
            number: 1,
            gas_limit: 30_000_000,
            beneficiary: MINER,
            ..Header::default()
        },
        body: BlockBody {
            transactions: vec![call(1_000_000), call(1_000_001)],
            ..BlockBody::default()
        },
    };
    let spec = ChainSpec::from_genesis(1, EthereumHardfork::Istanbul);
    let state = OneContract(contract());
    let hash = block.header.hash_slow();
    let (trace, outcome) = record_block(&state, &block, hash, &BlockHashes::new(), &spec).unwrap();
    assert!(outcome.receipts.iter().all(|receipt| receipt.status()));
    trace
}

fn level(key: B256, base: U256) -> SlotPreimage {
    SlotPreimage {
        order: PreimageOrder::KeyThenBase,
        key,
        base,
    }
}

fn written(trace: &BlockTrace, value: u8) -> &SlotAccess {
    let slots = &trace.accesses[0].slots;
    let found = slots.iter().find(|it| it.after() == U256::from(value));
    found.unwrap()
}

#[test]
fn no_level_of_a_mapping_is_lost() {
    let trace = record();
    assert_eq!(trace.accesses[0].slots.len(), 4);

    let balance = written(&trace, 7);
    let of_owner = |base: u8| level(OWNER.into_word(), U256::from(base));
    assert_eq!(balance.preimages, [of_owner(BALANCES)]);
    assert_eq!(balance.member_offset(STRUCT_WORDS), Some(0));

    let allowance = written(&trace, 9);
    let outer = of_owner(ALLOWANCES);
    let inner = level(SPENDER.into_word(), outer.hash());
    assert_eq!(allowance.preimages, [outer, inner]);
    assert_eq!(allowance.member_offset(STRUCT_WORDS), Some(0));

    let member = written(&trace, 11);
    let entry = level(B256::with_last_byte(POSITION), U256::from(POSITIONS));
    assert_eq!(member.preimages, [entry]);
    assert_eq!(member.member_offset(STRUCT_WORDS), Some(MEMBER.into()));

    let plain = written(&trace, 1);
    assert_eq!((plain.slot, plain.preimages.len()), (U256::ZERO, 0));
}

#[test]
fn a_step_does_not_inherit_the_former_ones_accesses() {
    let trace = record();
    let indexes: Vec<_> = trace.accesses.iter().map(|it| it.index.get()).collect();
    assert_eq!(indexes, [1, 2, 3]);
    let [first, second, last] = &trace.accesses[..] else {
        unreachable!("three groups, as was just seen")
    };
    for (one, two) in first.slots.iter().zip(&second.slots) {
        assert_eq!(one.before(), U256::ZERO);
        let value = one.after();
        assert_eq!(two.kind, SlotAccessKind::Read { value });
        assert_eq!(one.preimages, two.preimages);
    }
    // The cache holds the code by then; the second call needs it no less.
    assert_eq!(first.code_reads, second.code_reads);
    assert_eq!(first.code_reads[0].length as usize, contract().len());

    let reward = Account {
        balance: U256::from(WEI_OF_REWARD),
        ..Account::default()
    };
    let rewarded = AccountAccess::write(MINER, None, Some(reward), false);
    assert_eq!(last.accounts, [rewarded]);
}

#[test]
fn no_recorded_block_breaks_the_rules_of_the_record() {
    let trace = record();
    let frame = encode_frame(&trace).unwrap();
    assert_eq!(decode_frame(&frame, 0).unwrap(), trace);
}
