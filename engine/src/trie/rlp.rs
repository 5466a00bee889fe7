//! RLP of trie nodes, written straight from packed paths and child references.

use super::{node_ref::NodeRef, path::Path};

/// Payload length from which a string or list needs a length of its own.
const LONG: usize = 56;
/// Bytes of a hash as an RLP string.
pub(super) const HASH_LEN: usize = 33;

/// Appends a list header for `payload` bytes.
#[inline]
pub(super) fn list_header(payload: usize, out: &mut Vec<u8>) {
    long_or_short(payload, 0xc0, out);
}

#[inline]
fn long_or_short(payload: usize, offset: u8, out: &mut Vec<u8>) {
    if payload < LONG {
        out.push(offset + payload as u8);
    } else {
        let be = payload.to_be_bytes();
        let digits = &be[payload.leading_zeros() as usize / 8..];
        out.push(offset + 55 + digits.len() as u8);
        out.extend_from_slice(digits);
    }
}

#[inline]
fn header_len(payload: usize) -> usize {
    if payload < LONG {
        1
    } else {
        1 + (usize::BITS - payload.leading_zeros()).div_ceil(8) as usize
    }
}

/// Bytes of an RLP string.
#[inline]
pub(super) fn string_len(bytes: &[u8]) -> usize {
    if bytes.len() == 1 && bytes[0] < 0x80 {
        1
    } else {
        header_len(bytes.len()) + bytes.len()
    }
}

/// Appends an RLP string.
#[inline]
pub(crate) fn string(bytes: &[u8], out: &mut Vec<u8>) {
    if !(bytes.len() == 1 && bytes[0] < 0x80) {
        long_or_short(bytes.len(), 0x80, out);
    }
    out.extend_from_slice(bytes);
}

/// Bytes of the hex-prefix encoding (Yellow Paper, appendix C) of `nibbles` nibbles.
#[inline]
const fn hex_prefix_len(nibbles: usize) -> usize {
    nibbles / 2 + 1
}

/// Appends the hex-prefix encoding of the nibbles `from..to` of `path`, as an RLP string.
#[inline]
fn hex_prefix(path: &Path, from: usize, to: usize, leaf: bool, out: &mut Vec<u8>) {
    let odd = !(to - from).is_multiple_of(2);
    let flag = 0x20 * u8::from(leaf) + 0x10 * u8::from(odd);
    let len = hex_prefix_len(to - from);
    if len > 1 {
        out.push(0x80 + len as u8);
    }
    let first = if odd { path.nibble(from) } else { 0 };
    out.push(flag + first);
    let even_from = from + usize::from(odd);
    if even_from.is_multiple_of(2) {
        out.extend_from_slice(&path.bytes()[even_from / 2..to / 2]);
    } else {
        (even_from..to)
            .step_by(2)
            .for_each(|i| out.push(path.nibble(i) << 4 | path.nibble(i + 1)));
    }
}

/// RLP length of a hex-prefixed path: a single byte is below 0x80, so it stands for itself.
#[inline]
const fn hex_prefix_string_len(nibbles: usize) -> usize {
    let len = hex_prefix_len(nibbles);
    if len == 1 { 1 } else { 1 + len }
}

/// Appends a leaf: the nibbles of `path` from `depth` on, and `value`, which is RLP itself.
#[inline]
pub(crate) fn leaf(path: &Path, depth: usize, value: &[u8], out: &mut Vec<u8>) {
    let payload = hex_prefix_string_len(path.len() - depth) + string_len(value);
    list_header(payload, out);
    hex_prefix(path, depth, path.len(), true, out);
    string(value, out);
}

/// Appends an extension over the nibbles `from..to` of `path`.
#[inline]
pub(crate) fn extension(path: &Path, from: usize, to: usize, child: &NodeRef, out: &mut Vec<u8>) {
    let payload = hex_prefix_string_len(to - from) + child.encoded_len();
    list_header(payload, out);
    hex_prefix(path, from, to, false, out);
    child.encode(out);
}

/// Appends a branch without a value; `children` are in ascending order of their nibbles.
#[inline]
pub(crate) fn branch<'a, I>(children: I, out: &mut Vec<u8>)
where
    I: Iterator<Item = (u8, &'a NodeRef)> + Clone,
{
    let held: usize = children.clone().map(|(_, c)| c.encoded_len() - 1).sum();
    list_header(17 + held, out);
    let mut next = 0;
    for (nibble, child) in children {
        out.resize(out.len() + usize::from(nibble - next), 0x80);
        child.encode(out);
        next = nibble + 1;
    }
    out.resize(out.len() + usize::from(17 - next), 0x80);
}
