//! A block's ancestors: headers that hash, link by link, to the block's parent hash.

use super::{Fault, json};
use crate::exec::BlockHashes;
use alloy_consensus::Header;
use alloy_primitives::{B256, Sealed, keccak256};
use alloy_rlp::Decodable;
use core::cmp::Reverse;
use serde_json::Value;

/// Fields of a header of the newest known fork (Amsterdam).
const FIELDS_MAX: usize = 23;

/// What the headers of a witness say, all of it following from the block's parent hash.
#[derive(Debug)]
pub(super) struct Ancestors {
    /// The parent's header, where it is held.
    pub(super) parent: Option<Header>,
    /// Hashes of the ancestors by number.
    pub(super) hashes: BlockHashes,
}

/// Checks headers, in whatever order they come, as a chain that ends in the parent of `block`.
pub(super) fn ancestors(block: &Header, headers: Vec<Value>) -> Result<Ancestors, Fault> {
    let mut links = headers
        .into_iter()
        .enumerate()
        .map(|(i, header)| link(header, format!("headers[{i}]")))
        .collect::<Result<Vec<_>, _>>()?;
    links.sort_by_key(|(_, header)| Reverse(header.number));

    let mut hashes = BlockHashes::new();
    let mut child = block;
    if let Some(parent) = block.number.checked_sub(1) {
        hashes.insert(parent, block.parent_hash);
    }
    for (field, header) in &links {
        let expected = child.number.saturating_sub(1);
        if header.number != expected {
            let field = format!("{field}.number");
            return Err(Fault::Number {
                field,
                expected,
                got: header.number,
            });
        }
        json::same_hash(field, child.parent_hash, header.hash())?;
        hashes.insert(header.number, header.hash());
        if let Some(older) = header.number.checked_sub(1) {
            hashes.insert(older, header.parent_hash);
        }
        child = header;
    }
    let parent = links
        .into_iter()
        .next()
        .map(|(_, header)| header.into_inner());
    Ok(Ancestors { parent, hashes })
}

/// A header given as RLP or as the JSON of an RPC, with the hash that it really has.
fn link(value: Value, field: String) -> Result<(String, Sealed<Header>), Fault> {
    let header = if value.is_object() {
        let header: Header = json::described(value, &field, "a block header")?;
        let hash = header.hash_slow();
        Sealed::new_unchecked(header, hash)
    } else {
        let raw = json::bytes(&value, &field)?;
        whole(&raw, &field)?
    };
    Ok((field, header))
}

/// A header and nothing behind it.
fn whole(raw: &[u8], field: &str) -> Result<Sealed<Header>, Fault> {
    let mut rest = raw;
    let header = decode(&mut rest, field)?;
    if !rest.is_empty() {
        return Err(Fault::Trailing {
            field: field.into(),
            left: rest.len(),
        });
    }
    Ok(header)
}

/// Decodes a header and hashes the very bytes it was decoded from.
pub(in crate::source) fn decode(buf: &mut &[u8], field: &str) -> Result<Sealed<Header>, Fault> {
    let start = *buf;
    match Header::decode(buf) {
        Ok(header) => {
            let hash: B256 = keccak256(&start[..start.len() - buf.len()]);
            Ok(Sealed::new_unchecked(header, hash))
        }
        Err(source) => Err(match count_fields(start) {
            Some(got) if got > FIELDS_MAX => Fault::UnknownHeader {
                field: field.into(),
                got,
                known: FIELDS_MAX,
            },
            _ => Fault::Rlp {
                field: field.into(),
                expected: "a block header",
                source,
            },
        }),
    }
}

/// Items of the RLP list at the beginning of `buf`.
fn count_fields(mut buf: &[u8]) -> Option<usize> {
    let mut payload = alloy_rlp::Header::decode_bytes(&mut buf, true).ok()?;
    let mut items = 0;
    while !payload.is_empty() {
        let item = alloy_rlp::Header::decode(&mut payload).ok()?;
        payload = payload.get(item.payload_length..)?;
        items += 1;
    }
    Some(items)
}
