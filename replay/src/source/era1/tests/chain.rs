//! Generates a short chain: transactions of three types, ommers, receipts of both eras.

use alloy_consensus::{
    BlockBody, Eip658Value, Header, Receipt, ReceiptEnvelope, ReceiptWithBloom,
    SignableTransaction, TxEip1559, TxEip2930, TxEnvelope, TxLegacy, TxReceipt as _, proofs,
};
use alloy_primitives::{Address, B256, Bytes, Log, LogData, Signature, TxKind, U256, keccak256};

use crate::source::era1::{ChainTip, Era1Block};

/// A number that depends on `seed` and looks random.
fn noise(seed: u64) -> B256 {
    keccak256(seed.to_le_bytes())
}

fn signature(seed: u64) -> Signature {
    let half = U256::from_be_bytes(noise(seed).0) >> 1;
    Signature::new(half, half >> 2, seed.is_multiple_of(2))
}

fn transactions(seed: u64) -> Vec<TxEnvelope> {
    let to = TxKind::Call(Address::from_word(noise(seed + 1)));
    let input = Bytes::copy_from_slice(noise(seed + 2).as_slice());
    let value = U256::from(seed) << 40;
    let legacy = TxLegacy {
        nonce: seed,
        gas_limit: 21_000,
        to,
        value,
        ..TxLegacy::default()
    };
    let list = TxEip2930 {
        chain_id: 1,
        nonce: seed,
        input,
        ..TxEip2930::default()
    };
    let fee = TxEip1559 {
        chain_id: 1,
        nonce: seed,
        to,
        value,
        ..TxEip1559::default()
    };
    vec![
        legacy.into_signed(signature(seed)).into(),
        list.into_signed(signature(seed + 1)).into(),
        fee.into_signed(signature(seed + 2)).into(),
    ]
}

fn receipt(status: Eip658Value, seed: u64) -> ReceiptWithBloom<Receipt> {
    let topics = vec![noise(seed), noise(seed + 1)];
    let data = LogData::new(topics, Bytes::from_static(b"data")).unwrap();
    let log = Log {
        address: Address::from_word(noise(seed + 2)),
        data,
    };
    let receipt = Receipt {
        status,
        cumulative_gas_used: 21_000 * seed,
        logs: vec![log],
    };
    let logs_bloom = receipt.bloom();
    ReceiptWithBloom {
        receipt,
        logs_bloom,
    }
}

/// The first receipt has a state root, as before Byzantium, the others a status.
fn receipts(seed: u64) -> Vec<ReceiptEnvelope> {
    vec![
        ReceiptEnvelope::Legacy(receipt(Eip658Value::PostState(noise(seed)), seed)),
        ReceiptEnvelope::Eip2930(receipt(Eip658Value::Eip658(false), seed + 1)),
        ReceiptEnvelope::Eip1559(receipt(Eip658Value::Eip658(true), seed + 2)),
    ]
}

fn ommers(number: u64) -> Vec<Header> {
    let count = number % 3;
    (0..count)
        .map(|n| Header {
            number: number - 1,
            gas_limit: n,
            ..Header::default()
        })
        .collect()
}

/// Makes the header commit to body and receipts, and sets its hash.
pub(super) fn seal(block: &mut Era1Block) {
    block.header.ommers_hash = block.body.calculate_ommers_root();
    block.header.withdrawals_root = block.body.calculate_withdrawals_root();
    block.header.transactions_root = proofs::calculate_transaction_root(&block.body.transactions);
    block.header.receipts_root = proofs::calculate_receipt_root(&block.receipts);
    block.hash = block.header.hash_slow();
}

/// The block after `parent`.
pub(super) fn next_block(parent: &ChainTip, number: u64) -> Era1Block {
    let difficulty = U256::from(0x4_0000_0000_u64 + number);
    let header = Header {
        parent_hash: parent.hash,
        number,
        difficulty,
        state_root: noise(number),
        extra_data: Bytes::from_static(b"generated"),
        ..Header::default()
    };
    let empty = number == 0;
    let seed = 10 * number;
    let body = BlockBody {
        transactions: if empty {
            Vec::new()
        } else {
            transactions(seed)
        },
        ommers: ommers(number),
        withdrawals: None,
    };
    let mut block = Era1Block {
        header,
        hash: B256::ZERO,
        body,
        receipts: if empty { Vec::new() } else { receipts(seed) },
        total_difficulty: parent.total_difficulty + difficulty,
    };
    seal(&mut block);
    block
}

/// `count` blocks from `start` on; block 0 has nothing in it.
pub(super) fn chain(start: u64, count: u64) -> Vec<Era1Block> {
    let mut tip = ChainTip::default();
    if start > 0 {
        tip = ChainTip {
            hash: noise(7),
            total_difficulty: U256::from(1) << 66,
        };
    }
    let mut blocks = Vec::new();
    for number in start..start + count {
        let block = next_block(&tip, number);
        tip = ChainTip::from(&block);
        blocks.push(block);
    }
    blocks
}
