//! One object, one encoding: everything else is refused.

use super::*;
use alloy_primitives::{Address, B256, U256};
use proptest::prelude::*;

fn dictionary() -> ContractDictionary {
    let uses = (0..130u8).flat_map(|n| [Address::repeat_byte(n); 2]);
    ContractDictionary::build(uses)
}

/// Numbers of all lengths.
fn number(bits: usize) -> impl Strategy<Value = U256> {
    (any::<[u64; 4]>(), 0..=bits).prop_map(|(limbs, bits)| {
        U256::from_limbs(limbs)
            .checked_shr(256 - bits)
            .unwrap_or_default()
    })
}

fn nonzero(bits: usize) -> impl Strategy<Value = U256> {
    number(bits).prop_map(|n| if n.is_zero() { U256::from(1) } else { n })
}

fn amount() -> impl Strategy<Value = Amount> {
    nonzero(248).prop_map(|n| Amount::new(n).expect("248 bits"))
}

fn allowed() -> impl Strategy<Value = Allowed> {
    prop_oneof![
        4 => amount().prop_map(Allowed::Limited),
        1 => Just(Allowed::Unlimited)
    ]
}

fn position() -> impl Strategy<Value = Position> {
    (number(120), number(128)).prop_map(|(collateral, debt)| {
        let collateral = if debt.is_zero() && collateral.is_zero() {
            1
        } else {
            collateral.to()
        };
        Position::new(collateral, debt.to()).expect("120 bits")
    })
}

fn address() -> impl Strategy<Value = Address> {
    any::<[u8; 20]>().prop_map(|bytes| Address::from(bytes).max(Address::with_last_byte(1)))
}

fn object() -> impl Strategy<Value = Object> {
    let id = || (any::<u64>(), 0u32..64).prop_map(|(id, shift)| id >> shift);
    prop_oneof![
        (number(256), nonzero(256)).prop_map(|(slot, value)| Object::PlainSlot { slot, value }),
        (address(), amount()).prop_map(|(owner, amount)| Object::Erc20Balance { owner, amount }),
        (id(), address()).prop_map(|(id, owner)| Object::Erc721Owner { id, owner }),
        (address(), number(256), amount()).prop_map(|(owner, id, amount)| Object::Erc1155Balance {
            owner,
            id,
            amount
        }),
        (address(), id(), position()).prop_map(|(owner, id, position)| Object::Cdp {
            owner,
            id,
            position
        }),
        (address(), address(), allowed()).prop_map(|(owner, spender, allowed)| {
            Object::Allowance {
                owner,
                spender,
                allowed,
            }
        }),
    ]
}

fn contract_object() -> impl Strategy<Value = ContractObject> {
    let contract = prop_oneof![address(), (0..130u8).prop_map(Address::repeat_byte)];
    (contract, object()).prop_map(|(contract, object)| ContractObject { contract, object })
}

/// Bytes that are an object but for something, more often than chance would have it.
fn damaged() -> impl Strategy<Value = Vec<u8>> {
    let damage = (any::<prop::sample::Index>(), 0u8..4, any::<u8>());
    (contract_object(), damage).prop_map(|(object, (at, how, byte))| {
        let mut bytes = object.encode(&dictionary()).expect("an object");
        let at = at.index(bytes.len());
        match how {
            0 => bytes[at] = byte,
            1 => bytes.truncate(at),
            2 => bytes.insert(at, byte),
            _ => bytes.insert(at, 0),
        }
        bytes
    })
}

proptest! {
    #[test]
    fn no_object_is_lost_in_its_encoding(object in contract_object()) {
        let dictionary = dictionary();
        let bytes = object.encode(&dictionary).expect("an object");
        prop_assert_eq!(ContractObject::decode(&bytes, &dictionary), Ok(object));
    }

    #[test]
    fn no_object_has_two_encodings(bytes in prop_oneof![
        damaged(),
        proptest::collection::vec(any::<u8>(), 0..64),
    ]) {
        let dictionary = dictionary();
        if let Ok(object) = ContractObject::decode(&bytes, &dictionary) {
            prop_assert_eq!(object.encode(&dictionary), Ok(bytes));
        }
    }

    #[test]
    fn no_object_is_lost_in_a_tier(object in object()) {
        let key = object.key();
        prop_assert_eq!(Object::from_word(key, object.word()), Ok(Some(object)));
        prop_assert!(!object.is_nothing());
        match object.to_record() {
            Ok(record) => {
                prop_assert!(record.payload.len() <= MAX_PAYLOAD_BYTES);
                let class = record.class.id();
                prop_assert_eq!(Object::from_record(class, record.owner, &record.payload), Ok(object));
                let more = [&[1], &record.payload[..]].concat();
                prop_assert_ne!(Object::from_record(class, record.owner, &more), Ok(object));
            }
            Err(error) => {
                let class = object.class();
                prop_assert_eq!(error, NoEncoding::Tier { class, tier: Tier::Utxo });
                prop_assert!(!class.lives_in(Tier::Utxo));
            }
        }
    }

    #[test]
    fn no_word_is_two_objects(object in object(), word: [u8; 32], zeros in 0usize..32) {
        let mut word = word;
        word[..zeros].fill(0);
        let word = B256::from(word);
        if let Ok(Some(other)) = Object::from_word(object.key(), word) {
            prop_assert_eq!(other.word(), word);
            prop_assert_eq!(other.key(), object.key());
        }
    }

    #[test]
    fn no_merge_makes_or_loses_anything(sealed in object(), live in amount()) {
        let lapses = sealed.class().merge_rule() == MergeRule::Lapse;
        match sealed.merge(None) {
            Ok(merged) => prop_assert!(merged == sealed && !lapses),
            Err(error) => {
                prop_assert_eq!(error, MergeError::Lapses { class: sealed.class() });
                prop_assert!(lapses);
            }
        }
        let with_itself = sealed.merge(Some(sealed));
        if let Object::Erc20Balance { owner, amount } = sealed {
            let live_one = Object::Erc20Balance { owner, amount: live };
            let key = sealed.key();
            let expected = match live.checked_add(amount) {
                Some(amount) => Ok(Object::Erc20Balance { owner, amount }),
                None => Err(MergeError::Overflow { key, live, sealed: amount }),
            };
            prop_assert_eq!(sealed.merge(Some(live_one)), expected);
        } else if sealed.class().merge_rule() == MergeRule::Unique {
            prop_assert_eq!(with_itself, Err(MergeError::Live { key: sealed.key() }));
        }
    }
}

fn erc20(amount: u128) -> Object {
    Object::Erc20Balance {
        owner: Address::repeat_byte(9),
        amount: Amount::from(amount),
    }
}

#[test]
fn no_merge_mixes_objects_or_brings_back_nothing() {
    let other = Object::Erc20Balance {
        owner: Address::repeat_byte(8),
        amount: Amount::from(1),
    };
    assert_eq!(
        erc20(1).merge(Some(other)),
        Err(MergeError::OtherObject {
            expected: other.key(),
            got: erc20(1).key()
        })
    );
    let key = erc20(0).key();
    assert_eq!(erc20(0).merge(None), Err(MergeError::Nothing { key }));
    assert_eq!(erc20(100).merge(Some(erc20(50))), Ok(erc20(150)));
}

#[test]
fn no_balance_of_zero_is_encoded() {
    let object = ContractObject {
        contract: Address::ZERO,
        object: erc20(0),
    };
    let class = ObjectClass::Erc20Balance;
    let none = Err(NoEncoding::Nothing { class });
    assert_eq!(object.encode(&ContractDictionary::default()), none);
    assert_eq!(
        Object::from_record(2, Address::ZERO, &[]),
        Err(DecodeError::Nothing { offset: 0, class })
    );
}

/// What each encoding must be refused for, so that nothing is refused for another reason.
#[test]
fn no_forged_encoding_is_accepted() {
    let owner = [9; 20];
    let full = [0xaa; 20];
    let of = |class: u8, contract: &[u8], rest: &[u8]| [&[class], contract, &owner, rest].concat();
    let in_full = [&[0], &full[..]].concat();
    let known = [&[0], &[5; 20][..]].concat();
    let table: [(&str, Vec<u8>, &str); 13] = [
        ("good", of(2, &in_full, &[1, 0]), ""),
        (
            "empty",
            vec![],
            "class at offset 0: expected 1 bytes, got 0",
        ),
        (
            "class",
            of(0, &in_full, &[1]),
            "class at offset 0: expected 1 to 6, got 0",
        ),
        (
            "class",
            of(7, &in_full, &[1]),
            "class at offset 0: expected 1 to 6, got 7",
        ),
        (
            "short address",
            vec![2, 0, 1],
            "contract at offset 2: expected 20 bytes, got 1",
        ),
        (
            "address in full",
            of(2, &known, &[1]),
            "contract at offset 1: expected the number of 0x0505050505050505050505050505050505050505, got the address in full",
        ),
        (
            "number",
            of(2, &[0x83, 1], &[1]),
            "contract at offset 1: expected an entry of 1 to 130, got 131",
        ),
        (
            "long number",
            of(2, &[0x81, 0], &[1]),
            "contract at offset 1: expected a varint of a u64 in as few bytes as possible",
        ),
        (
            "leading zero",
            of(2, &[1], &[0, 1]),
            "amount at offset 22: expected a number without leading zeros",
        ),
        (
            "large",
            of(2, &[1], &[1; 32]),
            "amount at offset 22: expected at most 31 bytes, got 32 bytes",
        ),
        (
            "zero",
            of(2, &[1], &[]),
            "the value at offset 22 says that there is no erc20_balance, expected one",
        ),
        (
            "id cut short",
            of(5, &[1], &[2, 1]),
            "id at offset 23: expected 2 bytes, got 1",
        ),
        (
            "allowance",
            [of(6, &[1], &owner), vec![0xff; 31], vec![0xfe]].concat(),
            "allowance at offset 42: expected at most 31 bytes, or 32 bytes 0xff, got 32 bytes",
        ),
    ];
    for (what, bytes, expected) in table {
        let got = ContractObject::decode(&bytes, &dictionary());
        let got = got.err().map(|error| error.to_string()).unwrap_or_default();
        assert_eq!(got, expected, "{what}");
    }
}

#[test]
fn no_encoding_ever_changes() {
    let owner = Address::repeat_byte(0x11);
    let position = Position::new(0x0102, 0x03).expect("a small one");
    let spender = Address::repeat_byte(0x22);
    let id = U256::from(0x0a0b);
    let amount = Amount::from(0x0c0d);
    let ones = "11".repeat(20);
    let table = [
        (
            Object::Erc20Balance { owner, amount },
            format!("0201{ones}0c0d"),
        ),
        (Object::Erc721Owner { id: 0, owner }, format!("0301{ones}")),
        (
            Object::Erc1155Balance { owner, id, amount },
            format!("0401{ones}020a0b0c0d"),
        ),
        (
            Object::Cdp {
                owner,
                id: 7,
                position,
            },
            format!("0501{ones}010702010203"),
        ),
        (
            Object::Allowance {
                owner,
                spender,
                allowed: Allowed::Unlimited,
            },
            format!("0601{ones}{}{}", "22".repeat(20), "ff".repeat(32)),
        ),
        (
            Object::PlainSlot {
                slot: id,
                value: U256::from(9),
            },
            "0101020a0b09".to_owned(),
        ),
    ];
    let contract = Address::ZERO;
    for (object, expected) in table {
        let object = ContractObject { contract, object };
        let bytes = object.encode(&dictionary()).expect("an object");
        assert_eq!(alloy_primitives::hex::encode(bytes), expected, "{object:?}");
    }
}
