//! A Bloom filter for the keys of one page.
//!
//! One byte says how many bits each key sets; the bits follow. No bytes at all is a filter that
//! knows nothing. With 10 bits for each key an absent key passes in about one of 100 cases.

const ODD: u64 = 0x9e37_79b9_7f4a_7c15;

/// The hash that filters are made of; part of the format of files.
#[inline]
pub(super) fn hash(key: &[u8]) -> u64 {
    let mix = |hash: u64, word: u64| {
        let product = u128::from(hash ^ word) * u128::from(ODD);
        product as u64 ^ (product >> 64) as u64
    };
    let mut hash = mix(ODD, key.len() as u64 + 1);
    let (words, rest) = key.as_chunks::<8>();
    for word in words {
        hash = mix(hash.rotate_left(23), u64::from_le_bytes(*word));
    }
    if !rest.is_empty() {
        let mut word = [0; 8];
        word[..rest.len()].copy_from_slice(rest);
        hash = mix(hash.rotate_left(23), u64::from_le_bytes(word));
    }
    mix(hash, ODD >> 7)
}

/// Bits to set for a key in a filter of `bits` bits: the i-th is `(low + i * high) * bits >> 32`.
fn positions(hash: u64, bits: u32, count: u8) -> impl Iterator<Item = usize> {
    let (low, high) = (hash as u32, (hash >> 32) as u32 | 1);
    (0..u32::from(count)).map(move |i| {
        let at = low.wrapping_add(high.wrapping_mul(i));
        ((u64::from(at) * u64::from(bits)) >> 32) as usize
    })
}

/// Appends the filter for keys with these hashes to `out`.
pub(super) fn build(hashes: &[u64], bits_per_key: u32, out: &mut Vec<u8>) {
    if bits_per_key == 0 || hashes.is_empty() {
        return;
    }
    // ln 2 bits for each key at most a sixteenth off.
    let count = ((bits_per_key * 11).div_ceil(16)).clamp(1, 16) as u8;
    let bytes = (hashes.len() * bits_per_key as usize).div_ceil(8).max(8);
    out.push(count);
    let start = out.len();
    out.resize(start + bytes, 0);
    for hash in hashes {
        for bit in positions(*hash, bytes as u32 * 8, count) {
            out[start + bit / 8] |= 1 << (bit % 8);
        }
    }
}

/// Whether the key with this hash may be among those that the filter was built for.
#[inline]
pub(super) fn may_contain(filter: &[u8], hash: u64) -> bool {
    let Some((count, bits)) = filter.split_first() else {
        return true;
    };
    positions(hash, bits.len() as u32 * 8, *count).all(|bit| bits[bit / 8] & (1 << (bit % 8)) != 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_that_is_there_always_passes_and_an_absent_one_rarely() {
        let hashes: Vec<_> = (0..60_u64)
            .map(|i| hash(&i.to_be_bytes().repeat(8)))
            .collect();
        let mut filter = Vec::new();
        build(&hashes, 10, &mut filter);
        assert!(hashes.iter().all(|hash| may_contain(&filter, *hash)));
        let absent = (60..10_060_u64).map(|i| hash(&i.to_be_bytes().repeat(8)));
        let passed = absent.filter(|hash| may_contain(&filter, *hash)).count();
        assert!(passed < 200, "{passed} of 10,000");
    }

    #[test]
    fn the_hash_is_the_one_that_files_were_written_with() {
        assert_eq!(hash(b""), HASH_OF_NOTHING);
        assert_ne!(hash(&[0; 8]), hash(&[0; 9]));
        assert!(may_contain(&[], 7));
    }

    const HASH_OF_NOTHING: u64 = 0x9b21_9ac9_109a_fb2f;
}
