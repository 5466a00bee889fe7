//! Every width against the assembly of `alloy_primitives::keccak256`, and the permutation against
//! the known answer for the zero state.

#![expect(clippy::unwrap_used, reason = "a test may panic")]

use super::{BatchHasher, HashCount, LaneWidth, Span, SpanError, scalar};
use alloy_primitives::{Address, B256, keccak256};
use proptest::{prelude::*, test_runner::RngSeed};

/// A hasher at each width of this CPU.
fn hashers() -> impl Iterator<Item = BatchHasher> {
    LaneWidth::available().map(|width| BatchHasher::with_width(width).unwrap())
}

/// Bytes that differ from message to message and from place to place.
fn message(seed: usize, len: usize) -> Vec<u8> {
    let mut x = seed as u64 ^ 0x9E37_79B9_7F4A_7C15;
    let next = || {
        x = x.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        (x >> 56) as u8
    };
    core::iter::repeat_with(next).take(len).collect()
}

fn expected(messages: &[Vec<u8>]) -> Vec<B256> {
    messages.iter().map(keccak256).collect()
}

fn permutations(messages: &[Vec<u8>]) -> u64 {
    messages.iter().map(|m| (m.len() / 136 + 1) as u64).sum()
}

#[test]
fn the_permutation_does_not_depart_from_the_known_answer() {
    let mut state = [[0]; 25];
    scalar::permute_words(&mut state);
    assert_eq!(state[0], [0xF125_8F79_40E1_DDE7]);
    assert_eq!(state[24], [0xEAF1_FF7B_5CEC_A249]);
    scalar::permute_words(&mut state);
    assert_eq!(state[0], [0x2D5C_954D_F96E_CB3C]);
}

#[test]
fn no_lane_departs_from_the_known_answer() {
    for hasher in hashers().filter(|hasher| hasher.width() != LaneWidth::Scalar) {
        let width = hasher.width();
        assert_eq!(hasher.permute_only(1), 0xF125_8F79_40E1_DDE7, "{width}");
        assert_eq!(hasher.permute_only(2), 0x2D5C_954D_F96E_CB3C, "{width}");
    }
}

#[test]
fn the_sponge_does_not_depart_from_the_assembly_at_any_length() {
    for len in 0..=1_100 {
        let message = message(len, len);
        assert_eq!(scalar::hash(&message), keccak256(&message), "length {len}");
    }
}

#[test]
fn no_length_is_hashed_wrongly_at_any_width() {
    for hasher in hashers() {
        for len in 0..=1_100 {
            // 11 messages: full lanes and a remainder at every width.
            let messages: Vec<_> = (0..11).map(|seed| message(seed, len)).collect();
            let got = hasher.hash_all(&messages);
            assert_eq!(got, expected(&messages), "{}, length {len}", hasher.width());
        }
    }
}

#[test]
fn no_mixture_of_neighbouring_lengths_is_hashed_wrongly() {
    for hasher in hashers() {
        for base in 0..=600 {
            let messages: Vec<_> = (0..8).map(|lane| message(lane, base + lane * 67)).collect();
            let got = hasher.hash_all(&messages);
            assert_eq!(got, expected(&messages), "{}, from {base}", hasher.width());
        }
    }
}

#[test]
fn no_batch_size_loses_or_moves_a_digest() {
    for hasher in hashers() {
        for count in 0..=40 {
            let messages: Vec<_> = (0..count).map(|n| message(n, 32)).collect();
            let mut digests = vec![B256::repeat_byte(0xAA); 3];
            let got = hasher.hash_each(&messages, &mut digests);
            assert_eq!(digests, expected(&messages), "{}, {count}", hasher.width());
            assert_eq!(got.messages, count as u64);
            assert_eq!(got.permutations, count as u64);
        }
    }
}

#[test]
fn fixed_keys_are_not_hashed_differently_from_messages() {
    let keys: Vec<[u8; 32]> = (0..37)
        .map(|n| message(n, 32).try_into().unwrap())
        .collect();
    let addresses: Vec<_> = keys
        .iter()
        .map(|key| Address::from_slice(&key[12..]))
        .collect();
    let wide: Vec<[u8; 135]> = (0..9)
        .map(|n| message(n, 135).try_into().unwrap())
        .collect();
    for hasher in hashers() {
        let mut digests = Vec::new();
        let count = hasher.hash_fixed32(&keys, &mut digests);
        assert_eq!(digests, keys.iter().map(keccak256).collect::<Vec<_>>());
        assert_eq!((count.messages, count.permutations), (37, 37));
        hasher.hash_addresses(&addresses, &mut digests);
        assert_eq!(digests, addresses.iter().map(keccak256).collect::<Vec<_>>());
        hasher.hash_fixed(&wide, &mut digests);
        assert_eq!(digests, wide.iter().map(keccak256).collect::<Vec<_>>());
    }
}

#[test]
fn one_code_among_leaves_does_not_run_in_idle_lanes() {
    let mut messages: Vec<_> = (0..64).map(|n| message(n, 110)).collect();
    messages.push(message(64, 24 * 1024));
    let mut digests = Vec::new();
    for hasher in hashers().filter(|hasher| hasher.width() != LaneWidth::Scalar) {
        let count = hasher.hash_each(&messages, &mut digests);
        let expected = HashCount {
            messages: 65,
            permutations: 64 + 181,
            vector_permutations: 64 / hasher.width().lanes() as u64,
            scalar_permutations: 181,
        };
        assert_eq!(count, expected, "{}", hasher.width());
    }
}

#[test]
fn a_span_outside_its_buffer_is_not_hashed() {
    let buffer = message(1, 100);
    let cases = [(0, 101), (100, 1), (101, 0), (50, 51), (u32::MAX, u32::MAX)];
    for hasher in hashers() {
        for (start, len) in cases {
            let spans = [Span { start: 0, len: 100 }, Span { start, len }];
            let mut digests = vec![B256::ZERO];
            let got = hasher.hash_spans(&buffer, &spans, &mut digests);
            let expected = SpanError {
                index: 1,
                span: spans[1],
                buffer_len: 100,
            };
            assert_eq!(got, Err(expected));
            assert_eq!(digests, [B256::ZERO]);
        }
    }
}

#[test]
fn a_width_that_the_cpu_lacks_is_not_given() {
    for width in LaneWidth::ALL {
        let hasher = BatchHasher::with_width(width);
        assert_eq!(hasher.is_ok(), width.is_available(), "{width}");
        assert!(hasher.is_err() || width <= LaneWidth::detect());
    }
    assert_eq!(BatchHasher::new().width(), LaneWidth::detect());
    assert!(LaneWidth::Scalar.is_available());
}

/// Lengths of what a block hashes: keys, leaves, branches, code.
fn lengths() -> impl Strategy<Value = Vec<usize>> {
    let length = prop_oneof![
        8 => 0..136usize,
        8 => 0..700usize,
        2 => prop_oneof![Just(135), Just(136), Just(137), Just(271), Just(272), Just(532)],
        1 => 0..=24_576usize,
        1 => Just(24_576),
    ];
    prop::collection::vec(length, 0..60)
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 200,
        rng_seed: RngSeed::Fixed(0x6B65_6363),
        ..ProptestConfig::default()
    })]

    #[test]
    fn no_mixed_batch_differs_from_one_at_a_time(lengths in lengths(), seed in 0..1_000usize) {
        let messages: Vec<_> =
            lengths.iter().enumerate().map(|(n, &len)| message(seed + n, len)).collect();
        // Messages back to back in one buffer, from an odd offset.
        let mut buffer = vec![0xEE];
        let mut spans = Vec::new();
        for message in &messages {
            spans.push(Span { start: buffer.len() as u32, len: message.len() as u32 });
            buffer.extend(message);
        }
        let expected = expected(&messages);
        let mut digests = Vec::new();
        for hasher in hashers() {
            let count = hasher.hash_spans(&buffer, &spans, &mut digests).unwrap();
            prop_assert_eq!(&digests, &expected);
            prop_assert_eq!(count.permutations, permutations(&messages));
            prop_assert_eq!(&hasher.hash_all(&messages), &expected);
        }
    }
}
