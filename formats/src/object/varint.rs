//! Varints: seven bits to a byte, the lowest first, the top bit set on all but the last.

/// Bytes of the longest one.
pub(super) const MAX_VARINT_BYTES: usize = 10;

/// Appends the varint of `number`.
pub(super) fn write(number: u64, out: &mut Vec<u8>) {
    crate::varint::put(out, number);
}

/// What the bytes begin with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Read {
    /// A number, and the bytes it takes.
    Number(u64, usize),
    /// A varint that does not end.
    Truncated,
    /// One that is too long.
    Long,
}

/// Reads the varint that `bytes` begin with.
pub(super) fn read(bytes: &[u8]) -> Read {
    let mut number = 0u64;
    for (at, byte) in bytes.iter().take(MAX_VARINT_BYTES).enumerate() {
        let bits = u64::from(byte & 0x7f);
        if at == MAX_VARINT_BYTES - 1 && bits > 1 {
            return Read::Long;
        }
        number |= bits << (7 * at);
        if byte & 0x80 == 0 {
            let minimal = at == 0 || bits != 0;
            return if minimal {
                Read::Number(number, at + 1)
            } else {
                Read::Long
            };
        }
    }
    if bytes.len() < MAX_VARINT_BYTES {
        Read::Truncated
    } else {
        Read::Long
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn no_number_has_two_varints(bytes in proptest::collection::vec(any::<u8>(), 0..12), shift in 0u32..64, number: u64) {
            if let Read::Number(number, used) = read(&bytes) {
                let mut out = Vec::new();
                write(number, &mut out);
                prop_assert_eq!(&out[..], &bytes[..used]);
            }
            let number = number >> shift;
            let mut out = Vec::new();
            write(number, &mut out);
            prop_assert_eq!(read(&out), Read::Number(number, out.len()));
            prop_assert_eq!(read(&out[..out.len() - 1]), Read::Truncated);
        }
    }

    #[test]
    fn no_varint_is_longer_than_it_need_be() {
        assert_eq!(read(&[0x80, 0]), Read::Long);
        assert_eq!(read(&[0xff; 11]), Read::Long);
        assert_eq!(read(&[0xff; 9]), Read::Truncated);
        let past_the_end = [&[0xff; 9][..], &[2]].concat();
        assert_eq!(read(&past_the_end), Read::Long);
    }
}
