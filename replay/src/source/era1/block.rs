//! One block of an era1 file, and the checks that need nothing but the block.
//!
//! A block is handed out only if body and receipts are those that its header commits to: the
//! transactions root, ommers hash, withdrawals root and receipts root are computed again. The hash
//! is that of the header's bytes as stored.

use alloy_consensus::{BlockBody, Header, ReceiptEnvelope, TxEnvelope, proofs};
use alloy_primitives::{B256, U256, keccak256};
use alloy_rlp::Decodable;

use super::{
    e2store::Record,
    error::{Era1Fault, Located},
    frame,
    layout::BlockRecords,
};

/// Most bytes that a header may have. Proof-of-work headers have about 540, of which at most 32
/// are free (extra data).
pub const HEADER_BYTES_MAX: usize = 16 << 10;

/// Most bytes that a body may have. Calldata costs at least 4 gas a byte, so the largest block
/// limit before the merge (30 M gas) bounds it to 7.5 MB.
pub const BODY_BYTES_MAX: usize = 32 << 20;

/// Most bytes that a block's receipts may have. Log data costs 8 gas a byte and a receipt's 256
/// byte bloom at least 21,000 gas, so 30 M gas bound them to about 4 MB.
pub const RECEIPTS_BYTES_MAX: usize = 32 << 20;

/// A block with its receipts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Era1Block {
    /// The header.
    pub header: Header,
    /// Hash of the header.
    pub hash: B256,
    /// Transactions and ommers.
    pub body: BlockBody<TxEnvelope>,
    /// One receipt per transaction; before Byzantium each holds the state root after it.
    pub receipts: Vec<ReceiptEnvelope>,
    /// Sum of the difficulties of all blocks up to this one.
    pub total_difficulty: U256,
}

impl Era1Block {
    /// Decodes the block and checks all that can be checked without its parent.
    pub(super) fn decode(records: &BlockRecords<'_>, number: u64) -> Result<Self, Located> {
        let (header, hash) = decode_header(&records.header, number)?;
        let body = decode_body(&records.body, &header)?;
        let receipts = decode_receipts(&records.receipts, &header, body.transactions.len())?;
        let total_difficulty = decode_total_difficulty(&records.total_difficulty, &header)?;
        Ok(Self {
            header,
            hash,
            body,
            receipts,
            total_difficulty,
        })
    }
}

fn decode_header(record: &Record<'_>, expected: u64) -> Result<(Header, B256), Located> {
    let rlp = frame::decompress(record, HEADER_BYTES_MAX)?;
    let header = decode_rlp::<Header>(record, &rlp)?;
    if header.number != expected {
        return Err(Era1Fault::BlockNumber {
            expected,
            got: header.number,
        }
        .at(record.offset));
    }
    Ok((header, keccak256(&rlp)))
}

fn decode_body(record: &Record<'_>, header: &Header) -> Result<BlockBody<TxEnvelope>, Located> {
    let rlp = frame::decompress(record, BODY_BYTES_MAX)?;
    let body = decode_rlp::<BlockBody<TxEnvelope>>(record, &rlp)?;
    check_body(header, &body).map_err(|fault| fault.at(record.offset))?;
    Ok(body)
}

/// Compares the body with the header's three commitments to it.
pub(super) fn check_body(header: &Header, body: &BlockBody<TxEnvelope>) -> Result<(), Era1Fault> {
    let number = header.number;
    let (expected, got) = (header.ommers_hash, body.calculate_ommers_root());
    if expected != got {
        return Err(Era1Fault::OmmersHash {
            number,
            expected,
            got,
        });
    }
    let (expected, got) = (header.withdrawals_root, body.calculate_withdrawals_root());
    if expected != got {
        return Err(Era1Fault::WithdrawalsRoot {
            number,
            expected,
            got,
        });
    }
    let expected = header.transactions_root;
    let got = proofs::calculate_transaction_root(&body.transactions);
    if expected != got {
        return Err(Era1Fault::TransactionsRoot {
            number,
            expected,
            got,
        });
    }
    Ok(())
}

fn decode_receipts(
    record: &Record<'_>,
    header: &Header,
    transactions: usize,
) -> Result<Vec<ReceiptEnvelope>, Located> {
    let rlp = frame::decompress(record, RECEIPTS_BYTES_MAX)?;
    let receipts = decode_rlp::<Vec<ReceiptEnvelope>>(record, &rlp)?;
    let number = header.number;
    if receipts.len() != transactions {
        let (expected, got) = (transactions as u64, receipts.len() as u64);
        return Err(Era1Fault::ReceiptCount {
            number,
            expected,
            got,
        }
        .at(record.offset));
    }
    let (expected, got) = (
        header.receipts_root,
        proofs::calculate_receipt_root(&receipts),
    );
    if expected != got {
        return Err(Era1Fault::ReceiptsRoot {
            number,
            expected,
            got,
        }
        .at(record.offset));
    }
    Ok(receipts)
}

fn decode_total_difficulty(record: &Record<'_>, header: &Header) -> Result<U256, Located> {
    let got = U256::from_le_bytes(record.payload_exact::<32>()?);
    let (number, difficulty) = (header.number, header.difficulty);
    if got < difficulty {
        let fault = Era1Fault::TotalDifficultyRange {
            number,
            difficulty,
            got,
        };
        return Err(fault.at(record.offset));
    }
    Ok(got)
}

/// Decodes an item that must take all of the bytes.
fn decode_rlp<T: Decodable>(record: &Record<'_>, mut rlp: &[u8]) -> Result<T, Located> {
    let kind = record.kind;
    let item = T::decode(&mut rlp);
    let item = item.map_err(|source| Era1Fault::Rlp { kind, source }.at(record.offset))?;
    if rlp.is_empty() {
        return Ok(item);
    }
    Err(Era1Fault::RlpTrailing {
        kind,
        got: rlp.len() as u64,
    }
    .at(record.offset))
}
