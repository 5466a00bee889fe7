//! Hashing nodes, one at a time and in batches.

use super::HashKind;
use crate::keccak::BatchHasher;
use alloy_primitives::{B256, keccak256};
use blake3::{IncrementCounter, platform::Platform};
use sha2::{Digest, Sha256};

/// The initial chaining value of unkeyed BLAKE3 (the same words as SHA-256's).
const BLAKE3_IV: [u32; 8] = [
    0x6A09_E667,
    0xBB67_AE85,
    0x3C6E_F372,
    0xA54F_F53A,
    0x510E_527F,
    0x9B05_688C,
    0x1F83_D9AB,
    0x5BE0_CD19,
];
const CHUNK_START: u8 = 1;
const CHUNK_END: u8 = 2;
const ROOT: u8 = 8;
/// Messages whose references are collected at a time.
const STRIDE: usize = 64;

/// Hashes messages with one hash function. Cheap to copy.
#[derive(Clone, Copy, Debug)]
pub struct NodeHasher {
    kind: HashKind,
    keccak: BatchHasher,
    blake3: Platform,
}

impl Default for NodeHasher {
    fn default() -> Self {
        Self::new(HashKind::default())
    }
}

impl NodeHasher {
    /// A hasher with the widest lanes that this CPU offers.
    pub fn new(kind: HashKind) -> Self {
        Self {
            kind,
            keccak: BatchHasher::new(),
            blake3: Platform::detect(),
        }
    }

    /// The hash function.
    pub const fn kind(&self) -> HashKind {
        self.kind
    }

    /// The digest of one message of any length.
    pub fn hash(&self, message: &[u8]) -> B256 {
        match self.kind {
            HashKind::Blake3 => B256::from(*blake3::hash(message).as_bytes()),
            HashKind::Keccak256 => keccak256(message),
            HashKind::Sha256 => B256::from_slice(&Sha256::digest(message)),
        }
    }

    /// The digests of messages of `LEN` bytes each, in order, appended to `digests`. `LEN` is a
    /// multiple of 64, at most 1,024.
    pub fn hash_blocks<const LEN: usize>(&self, messages: &[[u8; LEN]], digests: &mut Vec<B256>) {
        const { assert!(LEN > 0 && LEN.is_multiple_of(64) && LEN <= 1024) };
        let first = digests.len();
        digests.resize(first + messages.len(), B256::ZERO);
        let out = &mut digests[first..];
        match self.kind {
            HashKind::Blake3 => self.blake3_blocks(messages, out),
            HashKind::Keccak256 => {
                let mut batch = Vec::new();
                self.keccak.hash_each(messages, &mut batch);
                out.copy_from_slice(&batch);
            }
            HashKind::Sha256 => {
                for (message, digest) in messages.iter().zip(out) {
                    *digest = self.hash(message);
                }
            }
        }
    }

    /// One chunk each: its blocks are chained, and the last one is the root.
    fn blake3_blocks<const LEN: usize>(&self, messages: &[[u8; LEN]], out: &mut [B256]) {
        for (messages, out) in messages.chunks(STRIDE).zip(out.chunks_mut(STRIDE)) {
            let mut inputs = [&messages[0]; STRIDE];
            for (input, message) in inputs.iter_mut().zip(messages) {
                *input = message;
            }
            let mut bytes = [0; 32 * STRIDE];
            self.blake3.hash_many(
                &inputs[..messages.len()],
                &BLAKE3_IV,
                0,
                IncrementCounter::No,
                0,
                CHUNK_START,
                CHUNK_END | ROOT,
                &mut bytes[..32 * messages.len()],
            );
            for (digest, bytes) in out.iter_mut().zip(bytes.chunks_exact(32)) {
                *digest = B256::from_slice(bytes);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn messages<const LEN: usize>(count: usize, seed: u8) -> Vec<[u8; LEN]> {
        let byte = |m: usize, at: usize| (m * 131 + at * 7) as u8 ^ seed;
        (0..count)
            .map(|m| core::array::from_fn(|at| byte(m, at)))
            .collect()
    }

    fn check<const LEN: usize>(count: usize, seed: u8) {
        for kind in HashKind::ALL {
            let hasher = NodeHasher::new(kind);
            let messages = messages::<LEN>(count, seed);
            let mut digests = vec![B256::repeat_byte(1)];
            hasher.hash_blocks(&messages, &mut digests);
            assert_eq!(digests.len(), count + 1);
            assert_eq!(digests[0], B256::repeat_byte(1), "{kind}");
            for (message, digest) in messages.iter().zip(&digests[1..]) {
                assert_eq!(hasher.hash(message), *digest, "{kind}, {LEN} bytes");
            }
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(32))]
        #[test]
        fn no_batch_differs_from_hashing_one_by_one(count in 0usize..200, seed: u8) {
            check::<64>(count, seed);
            check::<128>(count, seed);
            check::<1024>(count, seed);
        }
    }

    #[test]
    fn no_function_is_mistaken_for_another() {
        let abc = |kind| NodeHasher::new(kind).hash(b"abc").to_string();
        let expected = [
            "0x6437b3ac38465133ffb63b75273a8db548c558465d79db03fd359c6cd5bd9d85",
            "0x4e03657aea45a94fc7d47ba826c8d667c0d1e6e33a64a036ec44f58fa12d6c45",
            "0xba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
        ];
        for (kind, expected) in HashKind::ALL.into_iter().zip(expected) {
            assert_eq!(abc(kind), expected);
            assert_eq!(HashKind::from_id(kind.id()), Some(kind));
            assert_eq!(kind.name().parse(), Ok(kind));
        }
        assert!("md5".parse::<HashKind>().is_err());
    }
}
