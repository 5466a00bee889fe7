//! Policies: those that the project ships, and those that are refused.

use super::*;
use crate::temporary::{LiveCommitment, Retention, ZeroRule};

/// Blocks that a store undoes unless told otherwise.
const UNDO_BLOCKS: u64 = 128;

fn shipped(name: &str) -> Policy {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../data/policies");
    let text = std::fs::read_to_string(format!("{folder}/{name}.toml")).expect("a policy");
    let policy = Policy::parse(&text).expect("a policy that can be followed");
    policy.check(UNDO_BLOCKS).expect("by any store");
    assert_eq!(policy.name, name);
    policy
}

/// The tiers of ERC-20, ERC-721, ERC-1155, CDP, allowance, plain slot.
fn tiers(policy: &Policy) -> [Tier; 6] {
    use ObjectClass::*;
    [
        Erc20Balance,
        Erc721Owner,
        Erc1155Balance,
        Cdp,
        Allowance,
        PlainSlot,
    ]
    .map(|class| policy.tier(class))
}

#[test]
fn no_shipped_policy_means_something_else_than_it_says() {
    use Tier::*;
    let permanent = shipped("permanent");
    assert_eq!(tiers(&permanent), [Permanent; 6]);
    assert!(!permanent.uses(Temporary) && !permanent.uses(Utxo));

    let temporary = shipped("temporary");
    assert_eq!(
        tiers(&temporary),
        [
            Temporary, Temporary, Temporary, Temporary, Temporary, Permanent
        ]
    );
    assert_eq!(temporary.temporary, TemporaryRules::default());
    assert_eq!(temporary.temporary.retention, Retention::CurrentAndPrevious);
    assert_eq!(temporary.temporary.zero_rule, ZeroRule::DeleteBoth);
    assert_eq!(temporary.temporary.commitment, LiveCommitment::Deferred);
    assert_eq!(temporary.temporary.hash, HashKind::Blake3);
    assert_eq!(temporary.temporary.period_length * 12, 30 * 86_400);
    assert_eq!(temporary.temporary.seal_delay_blocks * 12, 86_400);

    let utxo = shipped("utxo");
    assert_eq!(tiers(&utxo), [Utxo, Utxo, Utxo, Utxo, Permanent, Permanent]);
    assert_eq!(utxo.utxo, UtxoParameters::default());
    assert_eq!((utxo.utxo.ring_length, utxo.utxo.hybrid_window), (8_192, 0));

    let mixed = shipped("mixed");
    assert_eq!(
        tiers(&mixed),
        [Utxo, Utxo, Utxo, Temporary, Temporary, Permanent]
    );
    assert_eq!(mixed.utxo.hybrid_window, 32);
    assert_eq!(mixed.temporary, TemporaryRules::default());
}

#[test]
fn no_policy_gets_lost_when_it_is_written_down() {
    for name in ["permanent", "temporary", "utxo", "mixed"] {
        let policy = shipped(name);
        let text = toml::to_string(&policy).expect("TOML");
        assert_eq!(Policy::parse(&text), Ok(policy));
    }
}

#[test]
fn no_policy_that_cannot_be_followed_is_accepted() {
    let table = [
        ("", "missing field `name`"),
        (
            "name = ''",
            "name is empty, expected at least one character",
        ),
        ("name = 'a'\nsize = 1", "unknown field `size`"),
        (
            "name = 'a'\n[tiers]\nerc721 = 'utxo'",
            "unknown variant `erc721`",
        ),
        (
            "name = 'a'\n[tiers]\ncdp = 'cheap'",
            "unknown variant `cheap`",
        ),
        (
            "name = 'a'\n[temporary]\nperiod_length = 1",
            "unknown field `period_length`",
        ),
        ("name = 'a'\n[utxo]\nring = 1", "unknown field `ring`"),
        (
            "name = 'a'\n[tiers]\nallowance = 'utxo'",
            "class allowance cannot live in the utxo tier, expected permanent or temporary",
        ),
        (
            "name = 'a'\n[tiers]\nplain_slot = 'utxo'",
            "class plain_slot cannot live in the utxo tier, expected permanent or temporary",
        ),
        (
            "name = 'a'\n[tiers]\nunclassified = 'temporary'",
            "class unclassified cannot live in the temporary tier, expected permanent",
        ),
        (
            "name = 'a'\n[temporary]\nperiod-length = 0",
            "temporary: period-length is 0, expected at least 1",
        ),
        (
            "name = 'a'\n[temporary]\nperiod-length = 7199",
            "temporary: seal-delay-blocks is 7200",
        ),
        (
            "name = 'a'\n[utxo]\nring-length = 0",
            "utxo: ring-length is 0, expected at least 1",
        ),
        (
            "name = 'a'\n[utxo]\nring-length = 8\nhybrid-window = 8",
            "utxo: hybrid-window is 8, expected less than 8 (ring-length)",
        ),
    ];
    for (text, expected) in table {
        let error = Policy::parse(text).expect_err(text).to_string();
        assert!(error.contains(expected), "{text}: {error}");
    }
}

#[test]
fn no_period_is_sealed_while_its_end_can_be_undone() {
    let policy = shipped("temporary");
    assert!(matches!(
        policy.check(7_200),
        Err(PolicyError::Temporary(RulesError::SealDelay { .. }))
    ));
}
