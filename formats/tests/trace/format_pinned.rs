//! The bytes of version 1 must not change under the files that hold them. The record is laid out by
//! hand here, from the format's documentation, as the oracle of what the codec writes.

use crate::blocks::every_variant;
use alloy_primitives::{B256, U256, b256, keccak256};
use thinstate_formats::BlockNumber;
use thinstate_formats::trace::{
    IndexEntry, ObjectClass, PreimageOrder, SlotAccess, SlotPreimage, TRACE_HEADER_BYTES,
    TraceHeader, encode_frame, encode_record, encode_tail,
};

/// Appends the record's primitive types.
#[derive(Default)]
struct ByHand(Vec<u8>);

impl ByHand {
    fn u64(&mut self, value: u64) -> &mut Self {
        self.bytes(&value.to_le_bytes())
    }

    fn u32(&mut self, value: u32) -> &mut Self {
        self.bytes(&value.to_le_bytes())
    }

    fn byte(&mut self, value: u8) -> &mut Self {
        self.bytes(&[value])
    }

    fn fill(&mut self, value: u8) -> &mut Self {
        self.bytes(&[value; 32])
    }

    fn number(&mut self, value: u16) -> &mut Self {
        self.bytes(&[0; 30]).bytes(&value.to_be_bytes())
    }

    fn address(&mut self, last: u8) -> &mut Self {
        self.bytes(&[0; 19]).byte(last)
    }

    fn account(&mut self, nonce: u64) -> &mut Self {
        self.byte(1).u64(nonce).number(0x0102).fill(0xcc)
    }

    fn bytes(&mut self, bytes: &[u8]) -> &mut Self {
        self.0.extend(bytes);
        self
    }
}

/// `every_variant`, by the tables of the format's documentation.
fn every_variant_by_hand() -> Vec<u8> {
    let mut record = ByHand::default();
    record
        .u64(0x1122)
        .u64(0x3344)
        .u64(0x5566)
        .u64(0x7788)
        .u32(1);
    record.fill(0xaa).fill(0xbb).byte(1).fill(0xdd);
    record.u64(2);
    record.u64(0).u64(0).u64(7);
    for class in 0u16..7 {
        record.address(7).number(class);
        match class / 2 {
            3 => record.u32(0).number(3),
            before => record.u32(1).number(before).number(3),
        };
        record.u32(class.into());
        match class {
            1 => {
                record.u64(2);
                record.u32(0).number(1).number(9);
                record.u32(1).number(2).number(9)
            }
            _ => record.u64(0),
        };
    }
    record.u64(0).u64(0);
    record.u64(1).u64(4);
    record.address(1).u32(0).byte(0);
    record.address(2).u32(0).account(1);
    record.address(3).u32(1).byte(0).account(1).byte(0);
    record.address(4).u32(1).account(5).byte(0).byte(1);
    record.u64(0);
    record.u64(1).fill(0xcc).u32(24_576);
    record.u64(1).fill(0xcd).u32(45);
    record.0
}

#[test]
fn the_record_does_not_leave_its_documentation() {
    let record = encode_record(&every_variant()).expect("a block that keeps the rules");
    assert_eq!(record, every_variant_by_hand());
}

/// The same, should both change together.
#[test]
fn the_record_does_not_change() {
    let record = encode_record(&every_variant()).expect("a block that keeps the rules");
    assert_eq!(
        keccak256(record),
        b256!("f49a68b06d8a7140bb09441685bd19098a6b2e8ab870a1b4ca93ccbe3ad87e72")
    );
}

#[test]
fn the_headers_do_not_change() {
    let header = TraceHeader::new(1).encode();
    let mut expected = b"THSTRACE\x01\x00\0\0\0\0\0\0\x01\0\0\0\0\0\0\0\0\0\0\0".to_vec();
    let crc = crc32fast::hash(&expected);
    expected.extend(crc.to_le_bytes());
    assert_eq!(header[..], expected);

    let header = TraceHeader::new(1).with_values_assumed(true).encode();
    expected[10] = 1;
    let (fields, crc) = expected.split_at_mut(28);
    crc.copy_from_slice(&crc32fast::hash(fields).to_le_bytes());
    assert_eq!(header[..], expected);

    let block = every_variant();
    let frame = encode_frame(&block).expect("a block that keeps the rules");
    let record_len = every_variant_by_hand().len() as u32;
    let (start, payload) = frame.split_at(32);
    let mut expected = b"BLCK\0\0\0\0\x22\x11\0\0\0\0\0\0".to_vec();
    expected.extend((payload.len() as u32).to_le_bytes());
    expected.extend(record_len.to_le_bytes());
    expected.extend(crc32fast::hash(payload).to_le_bytes());
    expected.extend(crc32fast::hash(&expected).to_le_bytes());
    assert_eq!(start, expected);
}

#[test]
fn the_tail_does_not_change() {
    let entry = |number, offset| IndexEntry {
        number: BlockNumber(number),
        offset,
    };
    let tail = encode_tail(&[entry(5, TRACE_HEADER_BYTES as u64), entry(9, 200)], 300);
    let mut index = b"INDX\0\0\0\0\x02\0\0\0\0\0\0\0".to_vec();
    index.extend(b"\x05\0\0\0\0\0\0\0\x20\0\0\0\0\0\0\0\x09\0\0\0\0\0\0\0\xc8\0\0\0\0\0\0\0");
    let mut footer = Vec::new();
    footer.extend(300u64.to_le_bytes());
    footer.extend(2u64.to_le_bytes());
    footer.extend((300u64 + 48 + 40).to_le_bytes());
    footer.extend(crc32fast::hash(&index).to_le_bytes());
    footer.extend(crc32fast::hash(&footer).to_le_bytes());
    footer.extend(b"THSTREND");
    assert_eq!(tail, [index, footer].concat());
}

#[test]
fn the_classes_keep_their_names() {
    let names = ObjectClass::ALL.map(ObjectClass::name);
    let expected = [
        "unclassified",
        "plain_slot",
        "erc20_balance",
        "erc721_owner",
        "erc1155_balance",
        "cdp",
        "allowance",
    ];
    assert_eq!(names, expected);
}

/// The entry of key 0 in a mapping at slot 0, as every Solidity tutorial prints it.
#[test]
fn a_preimage_leads_where_the_compiler_put_the_entry() {
    let preimage = |order, key, base| SlotPreimage { order, key, base };
    let outer = preimage(PreimageOrder::KeyThenBase, B256::ZERO, U256::ZERO);
    let at = b256!("ad3228b676f7d3cd4284a5443f17f1962b36e491b30a40b2405849e597ba5fb5");
    assert_eq!(outer.hash(), U256::from_be_bytes(at.0));

    let (key, base) = (B256::with_last_byte(1), U256::from(2));
    let hashed = |order| B256::from(preimage(order, key, base).hash());
    let pair = [key.0, base.to_be_bytes()].concat();
    let reversed = [base.to_be_bytes(), key.0].concat();
    assert_eq!(hashed(PreimageOrder::KeyThenBase), keccak256(pair));
    assert_eq!(hashed(PreimageOrder::BaseThenKey), keccak256(reversed));
}

#[test]
fn a_chain_of_preimages_that_does_not_lead_to_the_slot_is_noticed() {
    let level = |key, base| SlotPreimage {
        order: PreimageOrder::KeyThenBase,
        key: B256::with_last_byte(key),
        base,
    };
    let outer = level(1, U256::from(5));
    let inner = level(2, outer.hash());
    let third = U256::from(2).wrapping_add(inner.hash());
    let mut access = SlotAccess::read(Default::default(), third, U256::ZERO);
    assert_eq!(access.member_offset(16), None);
    access.preimages = vec![outer, inner];
    assert_eq!(access.member_offset(16), Some(2));
    assert_eq!(access.member_offset(2), None, "the struct ends before");
    access.preimages = vec![inner, outer];
    assert_eq!(access.member_offset(16), None);
    access.preimages = vec![level(3, U256::from(5)), inner];
    assert_eq!(access.member_offset(16), None, "the outer key is another");
}
