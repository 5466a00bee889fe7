//! Varints: LEB128, seven bits to a byte, the lowest first, the top bit set on all but the last.
//!
//! Each format reads them with its own errors and bounds; what they write is the same.

/// Appends a number in its shortest form: 1 to 10 bytes.
pub fn put(out: &mut Vec<u8>, mut number: u64) {
    while number >= 0x80 {
        out.push(number as u8 | 0x80);
        number >>= 7;
    }
    out.push(number as u8);
}
