//! No bytes decode but those that the encoder writes, and none of them proves what is not so.

use super::model;
use alloy_primitives::B256;
use proptest::prelude::*;
use thinstate_formats::{
    LeafIndex, NodeHasher,
    counted::{
        DecodeError, ExclusionProof, InclusionProof, Leaf, LeafBytes, LocationProof, MultiProof,
        Subtree,
    },
};

fn single() -> Vec<u8> {
    let leaves = model::leaves(0..12);
    let tree = Subtree::build(&NodeHasher::default(), &leaves).expect("sorted");
    tree.prove(LeafIndex(5))
        .expect("a leaf of the tree")
        .encode()
}

fn many() -> Vec<u8> {
    let leaves = model::leaves(0..12);
    let tree = Subtree::build(&NodeHasher::default(), &leaves).expect("sorted");
    let single = |index: u64| tree.prove(LeafIndex(index)).expect("a leaf of the tree");
    MultiProof::merge(&[2, 3, 9].map(single))
        .expect("in order")
        .encode()
}

fn absent(location: B256) -> Vec<u8> {
    let leaves = model::leaves(0..12);
    let tree = Subtree::build(&NodeHasher::default(), &leaves).expect("sorted");
    match tree.prove_location(&leaves, &location) {
        LocationProof::Excluded(proof) => proof.encode(),
        LocationProof::Included { .. } => panic!("no leaf lies there"),
    }
}

/// Decodes bytes and writes what they hold.
type Rewrite = fn(&[u8]) -> Result<Vec<u8>, DecodeError>;

fn cases() -> Vec<(Vec<u8>, Rewrite)> {
    let inclusion: Rewrite = |bytes| InclusionProof::decode(bytes).map(|proof| proof.encode());
    let multi: Rewrite = |bytes| MultiProof::decode(bytes).map(|proof| proof.encode());
    let exclusion: Rewrite = |bytes| ExclusionProof::decode(bytes).map(|proof| proof.encode());
    let places = [B256::ZERO, B256::repeat_byte(0x80), B256::repeat_byte(0xff)];
    let mut cases = vec![(single(), inclusion), (many(), multi), (vec![0], exclusion)];
    cases.extend(places.map(|location| (absent(location), exclusion)));
    cases
}

#[test]
fn no_cut_or_trailing_byte_is_accepted() {
    for (bytes, rewrite) in cases() {
        assert_eq!(rewrite(&bytes), Ok(bytes.clone()));
        for len in 0..bytes.len() {
            let error = rewrite(&bytes[..len]);
            assert!(
                matches!(error, Err(DecodeError::Truncated { .. })),
                "{error:?}"
            );
        }
        for extra in [&[0][..], &[1, 2, 3]] {
            let error = rewrite(&[&bytes, extra].concat());
            let (offset, got) = (bytes.len() as u64, extra.len() as u64);
            assert_eq!(error, Err(DecodeError::Trailing { offset, got }));
        }
    }
}

#[test]
fn no_flipped_bit_gives_a_second_form() {
    for (bytes, rewrite) in cases() {
        for bit in 0..bytes.len() * 8 {
            let mut altered = bytes.clone();
            altered[bit / 8] ^= 1 << (bit % 8);
            if let Ok(rewritten) = rewrite(&altered) {
                assert_eq!(rewritten, altered, "bit {bit}");
            }
        }
    }
}

#[test]
fn no_form_but_the_shortest_is_accepted() {
    let form = |bytes: &[u8]| InclusionProof::decode(bytes).expect_err("another form");
    let long_zero = form(&[0x80, 0]);
    assert_eq!(
        long_zero.to_string(),
        "siblings at offset 1: expected the shortest form, got 0x00"
    );
    let many = form(&[0x81, 2]);
    let (part, offset, limit, got) = ("siblings", 0, 256, 257);
    assert_eq!(
        many,
        DecodeError::TooLarge {
            part,
            offset,
            limit,
            got
        }
    );
    let huge = form(&[0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1]);
    let got = u64::MAX;
    assert_eq!(
        huge,
        DecodeError::TooLarge {
            part,
            offset,
            limit,
            got
        }
    );
    let above = form(&[0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 2]);
    assert!(
        matches!(
            above,
            DecodeError::Form {
                offset: 9,
                got: 2,
                ..
            }
        ),
        "{above}"
    );
    let padding = form(&[1, 0b10]);
    assert!(
        matches!(
            padding,
            DecodeError::Form {
                part: "sides",
                offset: 1,
                ..
            }
        ),
        "{padding}"
    );
    let empty = form(&[&[1, 1][..], &[9; 32], &[0]].concat());
    assert!(
        matches!(
            empty,
            DecodeError::Form {
                part: "count",
                offset: 34,
                ..
            }
        ),
        "{empty}"
    );
    let code = MultiProof::decode(&[1, 3]).expect_err("no such step");
    assert!(
        matches!(
            code,
            DecodeError::Form {
                part: "codes",
                offset: 1,
                got: 3,
                ..
            }
        ),
        "{code}"
    );
    let steps = MultiProof::decode(&[0x80, 0x80, 0x80, 8]).expect_err("too many steps");
    assert!(
        matches!(steps, DecodeError::TooLarge { part: "steps", .. }),
        "{steps}"
    );
    let kind = ExclusionProof::decode(&[4]).expect_err("no such kind");
    assert!(
        matches!(
            kind,
            DecodeError::Form {
                part: "kind",
                got: 4,
                ..
            }
        ),
        "{kind}"
    );
}

#[test]
fn no_value_has_two_forms() {
    let proof = |value: &[u8]| {
        let bytes = [&[1][..], &[7; 32], value, &[0]].concat();
        ExclusionProof::decode(&bytes)
    };
    assert!(proof(&[0]).is_ok());
    assert!(proof(&[2, 1, 0]).is_ok());
    let zero = proof(&[1, 0]).expect_err("a leading zero");
    assert!(
        matches!(
            zero,
            DecodeError::Form {
                part: "value",
                offset: 34,
                ..
            }
        ),
        "{zero}"
    );
    let long = proof(&[33]).expect_err("too long");
    let (part, offset, limit, got) = ("value length", 33, 32, 33);
    assert_eq!(
        long,
        DecodeError::TooLarge {
            part,
            offset,
            limit,
            got
        }
    );
    for zeros in 0..=32 {
        let mut value = B256::repeat_byte(0xa5);
        value[..zeros].fill(0);
        let location = B256::repeat_byte(3);
        let leaf = Leaf { location, value };
        let bytes = LeafBytes::new(&leaf);
        assert_eq!(bytes.as_slice().len(), LeafBytes::MAX - zeros);
        assert_eq!(
            LeafBytes::read(bytes.as_slice(), 9),
            Ok((leaf, LeafBytes::MAX - zeros))
        );
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]
    #[test]
    fn no_random_bytes_panic_or_have_two_forms(
        which in 0usize..6,
        at in any::<prop::sample::Index>(),
        bytes in proptest::collection::vec(any::<u8>(), 0..40),
    ) {
        let (mut input, rewrite) = cases().swap_remove(which);
        let at = at.index(input.len() + 1);
        let end = (at + bytes.len()).min(input.len());
        input.splice(at..end, bytes);
        if let Ok(rewritten) = rewrite(&input) {
            prop_assert_eq!(rewritten, input);
        }
    }
}
