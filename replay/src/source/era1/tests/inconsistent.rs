//! Files whose bytes are sound and whose contents contradict each other.

use alloy_consensus::Header;
use alloy_primitives::{B256, U256};

use super::{
    chain::{chain, seal},
    writer::{Writer, compressed, file},
};
use crate::source::era1::{BLOCKS_MAX, Era1, Era1Block, Era1Error, Era1Fault, RecordKind};

fn verify(bytes: Vec<u8>) -> Era1Fault {
    let error = Era1::from_bytes(bytes, "memory")
        .and_then(|file| file.verify())
        .unwrap_err();
    let Era1Error::Invalid { fault, .. } = error else {
        panic!("{error}")
    };
    *fault
}

/// The fault of a file whose second block of three was changed and, if so wished, sealed again.
fn fault_of(sealed: bool, change: impl FnOnce(&mut Era1Block)) -> Era1Fault {
    let mut blocks = chain(100, 3);
    change(&mut blocks[1]);
    if sealed {
        seal(&mut blocks[1]);
    }
    verify(file(&blocks))
}

#[test]
fn a_header_does_not_pass_with_foreign_contents() {
    let fault = fault_of(false, |block| drop(block.body.transactions.pop()));
    assert!(
        matches!(fault, Era1Fault::TransactionsRoot { number: 101, .. }),
        "{fault}"
    );
    let fault = fault_of(false, |block| block.body.ommers.push(Header::default()));
    assert!(
        matches!(fault, Era1Fault::OmmersHash { number: 101, .. }),
        "{fault}"
    );
    let fault = fault_of(false, |block| {
        block.body.withdrawals = Some(Vec::new().into())
    });
    assert!(
        matches!(fault, Era1Fault::WithdrawalsRoot { number: 101, .. }),
        "{fault}"
    );
    let fault = fault_of(false, |block| block.receipts.swap(0, 1));
    assert!(
        matches!(fault, Era1Fault::ReceiptsRoot { number: 101, .. }),
        "{fault}"
    );
}

#[test]
fn a_transaction_does_not_pass_without_its_receipt() {
    let fault = fault_of(true, |block| drop(block.receipts.pop()));
    assert_eq!(
        fault,
        Era1Fault::ReceiptCount {
            number: 101,
            expected: 3,
            got: 2
        }
    );
}

#[test]
fn a_gap_in_the_chain_does_not_pass() {
    let fault = fault_of(true, |block| block.header.number += 1);
    assert_eq!(
        fault,
        Era1Fault::BlockNumber {
            expected: 101,
            got: 102
        }
    );
    let fault = fault_of(true, |block| block.header.parent_hash = B256::ZERO);
    assert!(
        matches!(fault, Era1Fault::ParentHash { number: 101, .. }),
        "{fault}"
    );
    // The second block itself is sound; the third does not continue it.
    let fault = fault_of(true, |block| block.header.state_root = B256::ZERO);
    assert!(
        matches!(fault, Era1Fault::ParentHash { number: 102, .. }),
        "{fault}"
    );
}

#[test]
fn a_wrong_total_difficulty_does_not_pass() {
    let fault = fault_of(false, |block| block.total_difficulty += U256::from(1));
    assert!(
        matches!(fault, Era1Fault::TotalDifficulty { number: 101, .. }),
        "{fault}"
    );
    let fault = fault_of(false, |block| block.total_difficulty = U256::from(1));
    assert!(
        matches!(fault, Era1Fault::TotalDifficultyRange { number: 101, .. }),
        "{fault}"
    );
    let mut blocks = chain(100, 2);
    blocks[0].total_difficulty = U256::MAX;
    let fault = verify(file(&blocks));
    assert!(
        matches!(fault, Era1Fault::TotalDifficultyRange { number: 101, .. }),
        "{fault}"
    );
}

#[test]
fn genesis_does_not_continue_anything() {
    let mut blocks = chain(0, 2);
    blocks[0].header.parent_hash = B256::repeat_byte(1);
    assert!(matches!(
        verify(file(&blocks)),
        Era1Fault::ParentHash { number: 0, .. }
    ));
    let mut blocks = chain(0, 2);
    blocks[0].total_difficulty += U256::from(1);
    assert!(matches!(
        verify(file(&blocks)),
        Era1Fault::TotalDifficulty { number: 0, .. }
    ));
}

#[test]
fn a_wrong_accumulator_is_not_found_before_the_last_block_nor_forgotten() {
    let blocks = chain(100, 3);
    let mut writer = Writer::new();
    blocks.iter().for_each(|block| writer.block(block));
    let era1 = Era1::from_bytes(writer.finish_with(100, B256::ZERO), "memory").unwrap();
    let mut read = era1.blocks();
    assert_eq!(
        read.by_ref()
            .take(3)
            .filter_map(Result::ok)
            .collect::<Vec<_>>(),
        blocks
    );
    let error = read.next().unwrap().unwrap_err();
    assert!(matches!(
        error.fault(),
        Some(Era1Fault::Accumulator {
            got: B256::ZERO,
            ..
        })
    ));
    assert!(read.next().is_none());
}

#[test]
fn reading_does_not_go_on_after_an_error() {
    let mut blocks = chain(100, 3);
    blocks[1].body.transactions.clear();
    let era1 = Era1::from_bytes(file(&blocks), "memory").unwrap();
    let read: Vec<_> = era1.blocks().map(|block| block.is_ok()).collect();
    assert_eq!(read, [true, false]);
}

#[test]
fn records_out_of_order_do_not_pass() {
    let block = &chain(0, 1)[0];
    let write = |kinds: &[RecordKind]| {
        let mut writer = Writer::default();
        kinds.iter().for_each(|kind| match *kind {
            RecordKind::TOTAL_DIFFICULTY => writer.total_difficulty(block.total_difficulty),
            RecordKind::VERSION => writer.record(*kind, &[]),
            kind => writer.record(kind, &compressed(b"not looked at")),
        });
        verify(writer.finish(0))
    };
    let [version, header, body, receipts, difficulty] = [
        RecordKind::VERSION,
        RecordKind::COMPRESSED_HEADER,
        RecordKind::COMPRESSED_BODY,
        RecordKind::COMPRESSED_RECEIPTS,
        RecordKind::TOTAL_DIFFICULTY,
    ];
    let (foreign, accumulator) = (RecordKind(0x99), RecordKind::ACCUMULATOR);
    let either = "CompressedHeader or Accumulator";
    let tuple = [version, header, body, receipts, difficulty];
    let table: [(Vec<RecordKind>, &str, RecordKind); 8] = [
        (vec![], "Version", accumulator),
        (vec![header], "Version", header),
        (vec![version], "CompressedHeader", accumulator),
        (vec![version, foreign, header], "CompressedHeader", foreign),
        (vec![version, header, receipts], "CompressedBody", receipts),
        (
            vec![version, header, body, receipts, header],
            "TotalDifficulty",
            header,
        ),
        ([tuple.as_slice(), &[version]].concat(), either, version),
        (
            [tuple.as_slice(), &[foreign, header]].concat(),
            either,
            header,
        ),
    ];
    for (kinds, expected, got) in table {
        assert_eq!(
            write(&kinds),
            Era1Fault::RecordUnexpected { expected, got },
            "{kinds:?}"
        );
    }
}

#[test]
fn an_era_of_more_blocks_than_the_accumulator_holds_does_not_pass() {
    let mut writer = Writer::new();
    let block = &chain(0, 1)[0];
    (0..=BLOCKS_MAX).for_each(|_| writer.block(block));
    assert_eq!(
        verify(writer.finish(0)),
        Era1Fault::TooManyBlocks { max: BLOCKS_MAX }
    );
}

#[test]
fn an_index_that_overflows_does_not_pass() {
    let mut writer = Writer::new();
    chain(0, 2).iter().for_each(|block| writer.block(block));
    let fault = Era1Fault::IndexStart {
        got: u64::MAX - 1,
        count: 2,
    };
    assert_eq!(verify(writer.finish(u64::MAX - 1)), fault);
}

#[test]
fn two_files_in_one_do_not_pass() {
    let one = file(&chain(0, 1));
    let fault = verify([one.as_slice(), &one].concat());
    assert_eq!(
        fault,
        Era1Fault::TrailingBytes {
            got: one.len() as u64
        }
    );
}
