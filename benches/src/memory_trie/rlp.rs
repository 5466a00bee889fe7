//! RLP of nodes whose references are hashes and whose values are strings of 32 bytes.

use alloy_primitives::B256;

/// Nibbles of a key.
pub(super) const KEY_NIBBLES: usize = 64;
/// Bytes of a reference or a value: a string of 32 bytes.
const STRING: usize = 33;

/// The nibble of a key at `depth`.
pub(super) fn nibble(key: &B256, depth: usize) -> usize {
    let byte = key[depth / 2];
    usize::from(if depth.is_multiple_of(2) {
        byte >> 4
    } else {
        byte & 0x0f
    })
}

/// Leading nibbles that two keys have in common.
pub(super) fn common_nibbles(a: &B256, b: &B256) -> usize {
    let differs = a.iter().zip(b.iter()).position(|(a, b)| a != b);
    differs.map_or(KEY_NIBBLES, |byte| {
        2 * byte + usize::from((a[byte] ^ b[byte]) < 0x10)
    })
}

fn list(payload: usize, out: &mut Vec<u8>) {
    match payload {
        0..56 => out.push(0xc0 + payload as u8),
        56..256 => out.extend([0xf8, payload as u8]),
        _ => out.extend([0xf9, (payload >> 8) as u8, payload as u8]),
    }
}

fn string(bytes: &B256, out: &mut Vec<u8>) {
    out.push(0xa0);
    out.extend_from_slice(bytes.as_slice());
}

/// The nibbles `from..to` of a key with their flags (Yellow Paper, appendix C).
fn hex_prefix(key: &B256, from: usize, to: usize, leaf: bool) -> ([u8; STRING], usize) {
    let odd = (to - from) % 2;
    let mut bytes = [0; STRING];
    bytes[0] = 0x20 * u8::from(leaf) + 0x10 * odd as u8;
    if odd == 1 {
        bytes[0] += nibble(key, from) as u8;
    }
    let first = from + odd;
    let whole = (to - first) / 2;
    if first.is_multiple_of(2) {
        bytes[1..=whole].copy_from_slice(&key[first / 2..first / 2 + whole]);
    } else {
        for (at, byte) in bytes[1..=whole].iter_mut().enumerate() {
            *byte = (nibble(key, first + 2 * at) << 4 | nibble(key, first + 2 * at + 1)) as u8;
        }
    }
    (bytes, whole + 1)
}

/// A node of two items: a path, and a value or a reference. A value is a string inside a string: the trie
/// holds the RLP of what is stored.
fn pair(path: &[u8], item: &B256, leaf: bool, out: &mut Vec<u8>) {
    let path_len = if path.len() == 1 { 1 } else { 1 + path.len() };
    list(path_len + STRING + usize::from(leaf), out);
    if path.len() > 1 {
        out.push(0x80 + path.len() as u8);
    }
    out.extend_from_slice(path);
    if leaf {
        out.push(0x80 + STRING as u8);
    }
    string(item, out);
}

/// Appends the leaf of a key from `depth` on.
pub(super) fn leaf(key: &B256, depth: usize, value: &B256, out: &mut Vec<u8>) {
    let (path, len) = hex_prefix(key, depth, KEY_NIBBLES, true);
    pair(&path[..len], value, true, out);
}

/// Appends an extension over the nibbles `from..to` of a key.
pub(super) fn extension(key: &B256, from: usize, to: usize, child: &B256, out: &mut Vec<u8>) {
    let (path, len) = hex_prefix(key, from, to, false);
    pair(&path[..len], child, false, out);
}

/// Appends a branch with the references of the children in `mask`, in order.
pub(super) fn branch<'a>(
    mask: u16,
    mut children: impl Iterator<Item = &'a B256>,
    out: &mut Vec<u8>,
) {
    list(17 + (STRING - 1) * mask.count_ones() as usize, out);
    for nibble in 0..16 {
        let child = if mask >> nibble & 1 == 1 {
            children.next()
        } else {
            None
        };
        match child {
            Some(child) => string(child, out),
            None => out.push(0x80),
        }
    }
    out.push(0x80);
}
