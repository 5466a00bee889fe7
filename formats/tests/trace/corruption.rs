//! No damage to a frame may pass, no rule of the record may be broken by what decodes, and no
//! claimed length may take memory that the bytes do not justify.

use crate::blocks::every_variant;
use alloy_primitives::{Address, B256, U256};
use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use thinstate_formats::BlockNumber;
use thinstate_formats::trace::{
    AccountAccess, AccountAccessKind, BlockAccessIndex, BlockTrace, EncodeError, MAX_FRAME_BYTES,
    SlotAccess, SlotAccessKind, TraceError, TraceFault, TraceHeader, TxAccesses, decode_frame,
    decode_record, encode_frame, encode_record,
};

thread_local! {
    static LARGEST: Cell<usize> = const { Cell::new(0) };
}

/// Remembers the largest piece of memory that a thread asked for.
struct Watching;

// SAFETY: each call is handed on to `System` as it came.
unsafe impl GlobalAlloc for Watching {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        LARGEST.set(LARGEST.get().max(layout.size()));
        // SAFETY: the caller keeps the contract of `alloc`, which is `System`'s too.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, at: *mut u8, layout: Layout) {
        // SAFETY: `at` came from `System.alloc` with this layout.
        unsafe { System.dealloc(at, layout) }
    }
}

#[global_allocator]
static MEMORY: Watching = Watching;

fn frame() -> Vec<u8> {
    encode_frame(&every_variant()).expect("a block that keeps the rules")
}

fn record() -> Vec<u8> {
    encode_record(&every_variant()).expect("a block that keeps the rules")
}

#[test]
fn no_flipped_bit_of_a_frame_passes() {
    let frame = frame();
    for at in 0..frame.len() {
        for bit in 0..8 {
            let mut damaged = frame.clone();
            damaged[at] ^= 1 << bit;
            assert!(decode_frame(&damaged, 0).is_err(), "byte {at}, bit {bit}");
        }
    }
}

#[test]
fn no_cut_and_no_appendix_passes() {
    let mut frame = frame();
    for len in 0..frame.len() {
        let error = decode_frame(&frame[..len], 64).expect_err("cut");
        assert!(
            matches!(error, TraceError::Truncated { .. }),
            "{len}: {error}"
        );
    }
    frame.push(0);
    let error = decode_frame(&frame, 64).expect_err("one byte too many");
    assert!(
        matches!(error, TraceError::Field { offset: 96, .. }),
        "{error}"
    );

    let mut record = record();
    for len in 0..record.len() {
        assert!(decode_record(&record[..len], 0).is_err(), "cut at {len}");
    }
    record.push(0);
    let error = decode_record(&record, 0).expect_err("one byte too many");
    let TraceError::Record { source, .. } = error else {
        panic!("{error}")
    };
    assert!(matches!(source, wincode::ReadError::TrailingBytes));
}

/// A frame whose header has other bytes at `at`, under a checksum that agrees with them.
fn forged(at: usize, bytes: &[u8]) -> TraceError {
    let mut frame = frame();
    frame[at..at + bytes.len()].copy_from_slice(bytes);
    let crc = crc32fast::hash(&frame[..28]);
    frame[28..32].copy_from_slice(&crc.to_le_bytes());
    decode_frame(&frame, 0).expect_err("forged")
}

#[test]
fn no_forged_header_passes() {
    let above = (MAX_FRAME_BYTES + 1).to_le_bytes();
    let table = [
        (forged(0, b"INDX"), "expected magic \"BLCK\", got \"INDX\""),
        (forged(4, &[1]), "expected reserved 0, got 1"),
        (forged(8, &[0x23]), "expected block number 4387, got 4386"),
        (forged(16, &[0, 0]), "expected length 0, got"),
        (
            forged(16, &above),
            "expected a payload of at most 536870912 bytes",
        ),
        (
            forged(20, &above),
            "expected a record of at most 536870912 bytes",
        ),
        (forged(20, &[0, 0]), "expected a zstd frame of 0 bytes"),
        (
            forged(20, &MAX_FRAME_BYTES.to_le_bytes()),
            "expected record length 536870912",
        ),
    ];
    for (error, expected) in table {
        assert!(error.to_string().contains(expected), "{expected}: {error}");
    }
}

#[test]
fn no_other_version_is_read() {
    let mut header = TraceHeader::new(1).encode();
    header[8] = 2;
    let error = TraceHeader::decode(&header).expect_err("version 2");
    assert!(matches!(
        error,
        TraceError::Version {
            expected: 1,
            got: 2
        }
    ));
    for (at, field) in [(10, "flags"), (12, "reserved"), (24, "reserved")] {
        let mut header = TraceHeader::new(1).encode();
        header[at] = 2;
        let crc = crc32fast::hash(&header[..28]);
        header[28..].copy_from_slice(&crc.to_le_bytes());
        let error = TraceHeader::decode(&header).expect_err(field);
        assert!(error.to_string().contains(field), "{error}");
    }
}

/// Every list's count in the record, replaced by what no memory holds.
#[test]
fn no_claimed_count_takes_memory() {
    let record = record();
    for at in 0..record.len() - 8 {
        for claim in [u64::MAX, 1 << 40, 1 << 24] {
            let mut hostile = record.clone();
            hostile[at..at + 8].copy_from_slice(&claim.to_le_bytes());
            LARGEST.set(0);
            let _ = decode_record(&hostile, 0);
            let largest = LARGEST.get();
            assert!(largest < 64 << 10, "{claim} at {at} took {largest} bytes");
        }
    }
}

#[test]
fn no_byte_but_0_and_1_is_a_truth_or_an_option() {
    let record = record();
    let state_root = 4 * 8 + 4 + 2 * 32;
    let mut other = record.clone();
    other[state_root] = 2;
    assert!(decode_record(&other, 0).is_err(), "option 2");

    // The wipe of the last account: before an empty list of slots, one code read, one code write.
    let wiped = record.len() - 2 * (8 + 32 + 4) - 8 - 1;
    assert_eq!(record[wiped], 1);
    let mut other = record.clone();
    other[wiped] = 3;
    assert!(decode_record(&other, 0).is_err(), "bool 3");
}

/// Breaks a block and says by which fault.
type Case = (fn(&mut BlockTrace), fn(&TraceFault) -> bool);

fn twice<T: Clone>(list: &mut Vec<T>) {
    list.extend_from_within(..1);
}

const CASES: [Case; 10] = [
    (
        |block| block.accesses.swap(0, 1),
        |fault| matches!(fault, TraceFault::IndexOrder { .. }),
    ),
    (
        |block| block.accesses[1].index = BlockAccessIndex::PRE_EXECUTION,
        |fault| matches!(fault, TraceFault::IndexOrder { .. }),
    ),
    (
        |block| block.accesses[1].index = BlockAccessIndex::new(3),
        |fault| matches!(fault, TraceFault::IndexRange { .. }),
    ),
    (
        |block| block.accesses[0] = TxAccesses::default(),
        |fault| matches!(fault, TraceFault::EmptyGroup { .. }),
    ),
    (
        |block| twice(&mut block.accesses[1].accounts),
        |fault| matches!(fault, TraceFault::AccountOrder { .. }),
    ),
    (
        |block| block.accesses[0].slots.swap(0, 1),
        |fault| matches!(fault, TraceFault::SlotOrder { .. }),
    ),
    (
        |block| twice(&mut block.accesses[1].code_reads),
        |fault| matches!(fault, TraceFault::CodeOrder { .. }),
    ),
    (
        |block| twice(&mut block.accesses[1].code_writes),
        |fault| matches!(fault, TraceFault::CodeOrder { .. }),
    ),
    (
        |block| {
            block.accesses[1].accounts[0].kind = AccountAccessKind::Write {
                before: None,
                after: None,
                storage_wiped: false,
            }
        },
        |fault| matches!(fault, TraceFault::AccountUnchanged { .. }),
    ),
    (
        |block| {
            block.accesses[0].slots[0].kind = SlotAccessKind::Write {
                before: U256::ONE,
                after: U256::ONE,
            }
        },
        |fault| matches!(fault, TraceFault::SlotUnchanged { .. }),
    ),
];

/// wincode alone writes what the codec refuses to; reading must refuse it just so.
#[test]
fn no_broken_rule_is_written_or_read() {
    for (case, (break_it, expected)) in CASES.iter().enumerate() {
        let mut block = every_variant();
        break_it(&mut block);
        let error = encode_record(&block).expect_err("a broken rule");
        assert!(
            matches!(&error, EncodeError::Fault { source, .. } if expected(source)),
            "case {case}, written: {error:?}"
        );
        let record = wincode::serialize(&block).expect("wincode knows no rules");
        let error = decode_record(&record, 0).expect_err("a broken rule");
        assert!(
            matches!(&error, TraceError::Fault { source, .. } if expected(source)),
            "case {case}, read: {error:?}"
        );
    }
}

#[test]
fn no_write_without_a_change_is_made() {
    let account = AccountAccess::write(Address::ZERO, None, None, false);
    assert_eq!(account, AccountAccess::read(Address::ZERO, None));
    let wiped = AccountAccess::write(Address::ZERO, None, None, true);
    assert!(matches!(wiped.kind, AccountAccessKind::Write { .. }));
    let slot = SlotAccess::write(Address::ZERO, U256::ONE, U256::ONE, U256::ONE);
    assert_eq!(slot, SlotAccess::read(Address::ZERO, U256::ONE, U256::ONE));
}

/// What compresses a thousandfold is held to the length it declares.
#[test]
fn no_bomb_goes_past_its_declared_length() {
    let mut block = every_variant();
    block.number = BlockNumber(1);
    block.hash = B256::ZERO;
    let payload = zstd::bulk::compress(&vec![0; 64 << 20], 3).expect("zeros compress");
    let mut frame = encode_frame(&block).expect("a block that keeps the rules");
    frame.truncate(16);
    frame.extend((payload.len() as u32).to_le_bytes());
    frame.extend(1_000u32.to_le_bytes());
    frame.extend(crc32fast::hash(&payload).to_le_bytes());
    frame.extend(crc32fast::hash(&frame).to_le_bytes());
    frame.extend(payload);
    LARGEST.set(0);
    let error = decode_frame(&frame, 0).expect_err("a bomb");
    assert!(matches!(error, TraceError::Decompress { .. }), "{error}");
    assert!(LARGEST.get() < 1 << 20, "took {} bytes", LARGEST.get());
}
