//! What ledgers refuse, and that a refused call changes nothing.

mod support;

use alloy_primitives::{Address, B256, U256};
use support::{
    ledger_driver::{Contracts, Ledgers},
    ledger_host::{MemoryWorld, Refusal, World},
    ledger_model::{ALICE, BOB, CAROL, amount},
};
use thinstate_engine::ledger::{
    Adjustment, CdpId, LedgerError, LedgerHost, NftLedger, RecordSource, TokenLedger,
};
use thinstate_formats::{
    BlockNumber, PeriodId, TemporaryRules,
    object::{
        Allowed, Amount, MergeError, NOTHING, Object, ObjectClass, ObjectKey, ObjectValue,
        Position, Tier,
    },
    policy::{Policy, PolicyError},
};

type Error = LedgerError<Refusal>;

fn world() -> MemoryWorld {
    MemoryWorld::new(TemporaryRules {
        period_length: 4,
        seal_delay_blocks: 1,
        ..TemporaryRules::default()
    })
}

/// Runs on the ledgers of each tier, in one block.
fn on_each_tier(run: impl Fn(&mut Ledgers, &mut MemoryWorld)) {
    for tier in Tier::ALL {
        world().make_block(BlockNumber(1), |host| {
            let mut ledgers = Contracts::new(tier).open();
            run(&mut ledgers, host);
            ledgers.settle(host).expect("settled");
        });
    }
}

#[test]
fn no_token_is_moved_that_is_not_there_or_not_allowed() {
    on_each_tier(|Ledgers { token, .. }, host| {
        token.mint(host, ALICE, amount(10)).expect("minted");
        let short = Error::Balance {
            owner: ALICE,
            expected: amount(11),
            got: amount(10),
        };
        assert_eq!(
            token.transfer(host, ALICE, BOB, amount(11)),
            Err(short.clone())
        );
        assert_eq!(
            token.transfer(host, ALICE, ALICE, amount(11)),
            Err(short.clone())
        );
        assert_eq!(token.burn(host, ALICE, amount(11)), Err(short.clone()));
        let zero = Err(Error::ZeroAddress);
        assert_eq!(token.transfer(host, ALICE, Address::ZERO, amount(1)), zero);
        assert_eq!(token.mint(host, Address::ZERO, amount(1)), zero);
        assert_eq!(
            token.approve(host, ALICE, Address::ZERO, Allowed::Unlimited),
            zero
        );
        let more = Amount::MAX;
        let overflow = Error::Overflow {
            amount: amount(10),
            more,
        };
        assert_eq!(token.mint(host, BOB, more), Err(overflow));

        token
            .approve(host, ALICE, BOB, Allowed::Limited(amount(4)))
            .expect("approved");
        let not_allowed = |expected, got| Error::Allowance {
            owner: ALICE,
            spender: BOB,
            expected: amount(expected),
            got: amount(got),
        };
        let refused = token.transfer_from(host, BOB, ALICE, CAROL, amount(5));
        assert_eq!(refused, Err(not_allowed(5, 4)));
        token
            .transfer_from(host, BOB, ALICE, CAROL, amount(3))
            .expect("allowed");
        let refused = token.transfer_from(host, BOB, ALICE, CAROL, amount(2));
        assert_eq!(refused, Err(not_allowed(2, 1)));
        token
            .approve(host, ALICE, BOB, Allowed::Unlimited)
            .expect("approved");
        let short = Error::Balance {
            owner: ALICE,
            expected: amount(8),
            got: amount(7),
        };
        let refused = token.transfer_from(host, BOB, ALICE, CAROL, amount(8));
        assert_eq!(refused, Err(short));
        let balances = [ALICE, BOB, CAROL].map(|owner| token.balance_of(host, owner));
        assert_eq!(balances, [7, 0, 3].map(|n| Ok(amount(n))));
        assert_eq!(token.total_supply(host), Ok(amount(10)));
    });
}

#[test]
fn no_nft_is_moved_by_someone_else_or_made_again() {
    on_each_tier(|Ledgers { nft, .. }, host| {
        let id = nft.mint(host, ALICE).expect("minted");
        let key = ObjectKey::Erc721Owner { id };
        let not_hers = Error::NotOwner {
            id,
            expected: BOB,
            got: ALICE,
        };
        assert_eq!(nft.transfer(host, BOB, CAROL, id), Err(not_hers.clone()));
        assert_eq!(nft.burn(host, BOB, id), Err(not_hers));
        assert_eq!(
            nft.transfer(host, ALICE, Address::ZERO, id),
            Err(Error::ZeroAddress)
        );
        nft.burn(host, ALICE, id).expect("hers");
        assert_eq!(
            nft.transfer(host, ALICE, BOB, id),
            Err(Error::NotLive { key })
        );
        assert_eq!(nft.burn(host, ALICE, id), Err(Error::NotLive { key }));
        assert_eq!(nft.mint(host, ALICE), Ok(id + 1));
    });
}

#[test]
fn no_position_holds_less_than_nothing_or_goes_with_debt() {
    on_each_tier(|Ledgers { cdp: cdps, .. }, host| {
        let position = Position::new(5, 2).expect("small");
        let cdp = cdps.open(host, ALICE, position).expect("opened");
        let by = Adjustment::default();
        let field = |field, got, add, take| Error::Adjustment {
            field,
            got,
            add,
            take,
        };
        let table = [
            (
                Adjustment { withdraw: 6, ..by },
                field("collateral", 5, 0, 6),
            ),
            (
                Adjustment {
                    deposit: u128::MAX,
                    ..by
                },
                field("collateral", 5, u128::MAX, 0),
            ),
            (Adjustment { repay: 3, ..by }, field("debt", 2, 0, 3)),
            (
                Adjustment {
                    withdraw: 5,
                    repay: 2,
                    ..by
                },
                Error::EmptyPosition,
            ),
        ];
        for (by, expected) in table {
            assert_eq!(cdps.adjust(host, cdp, by), Err(expected), "{by:?}");
        }
        let large = Adjustment {
            deposit: u128::MAX >> 7,
            ..by
        };
        assert!(matches!(
            cdps.adjust(host, cdp, large),
            Err(Error::Collateral(_))
        ));
        let empty = Position::default();
        assert_eq!(cdps.open(host, ALICE, empty), Err(Error::EmptyPosition));
        let key = cdp.key();
        assert_eq!(cdps.close(host, cdp), Err(Error::Debt { key, debt: 2 }));
        assert_eq!(cdps.position(host, cdp), Ok(Some(position)));
        let stranger = CdpId { owner: BOB, ..cdp };
        let key = stranger.key();
        assert_eq!(cdps.adjust(host, stranger, by), Err(Error::NotLive { key }));
    });
}

#[test]
fn nothing_is_resurrected_that_was_never_sealed_or_is_live() {
    on_each_tier(
        |Ledgers {
             tier, token, nft, ..
         },
         host| {
            let id = nft.mint(host, ALICE).expect("minted");
            let got = nft.resurrect(host, id, ALICE, &PeriodId(0));
            let balance = token.resurrect(host, ALICE, amount(1), &PeriodId(0));
            if *tier == Tier::Temporary {
                let key = ObjectKey::Erc721Owner { id };
                assert_eq!(got, Err(Error::Merge(Box::new(MergeError::Live { key }))));
                let period = PeriodId(0);
                assert_eq!(balance, Err(Error::Host(Refusal::NoLeaf { period })));
            } else {
                let never = Err(Error::NeverSealed { tier: *tier });
                assert_eq!((got, balance), (never.clone(), never));
            }
            let none = token.resurrect(host, ALICE, amount(0), &PeriodId(0));
            assert!(none.is_err());
            assert_eq!(nft.owner_of(host, id), Ok(Some(ALICE)));
            assert_eq!(token.balance_of(host, ALICE), Ok(amount(0)));
        },
    );
}

/// A removal that was sealed is a leaf like any other, but holds nothing that a ledger could name.
#[test]
fn no_removal_is_resurrected_as_a_value() {
    let named = [
        Amount::MAX.to_word(),
        Address::repeat_byte(0xff).to_word(),
        Position::new(Position::MAX_COLLATERAL, u128::MAX)
            .expect("the largest")
            .to_word(),
    ];
    assert!(named.iter().all(|word| word[0] == 0 && *word != NOTHING));
    let key = ObjectKey::Erc20Balance { owner: ALICE };
    assert_eq!(Object::from_word(key, NOTHING), Ok(None));
}

#[test]
fn no_foreign_word_is_taken_for_a_value() {
    let contracts = Contracts::new(Tier::Temporary);
    let contract = contracts.address(ObjectClass::Erc20Balance);
    world().make_block(BlockNumber(1), |host| {
        let Ledgers {
            mut token, mut nft, ..
        } = contracts.open();
        let key = ObjectKey::Erc20Balance { owner: ALICE };
        let word = B256::repeat_byte(0xff);
        host.set_temporary(contract, key.temporary_key(), word)
            .expect("set");
        assert!(matches!(
            token.balance_of(host, ALICE),
            Err(Error::Word { .. })
        ));
        assert!(matches!(
            token.mint(host, ALICE, amount(1)),
            Err(Error::Word { .. })
        ));
        assert_eq!(token.total_supply(host), Ok(amount(0)));
        host.set_slot(contract, U256::from(2), U256::MAX)
            .expect("set");
        assert!(matches!(token.total_supply(host), Err(Error::Hub { .. })));
        let contract = contracts.address(ObjectClass::Erc721Owner);
        host.set_slot(contract, U256::from(6), U256::from(u64::MAX) + U256::ONE)
            .expect("set");
        assert!(matches!(
            nft.mint(host, ALICE),
            Err(Error::NoMoreIds { .. })
        ));
    });
}

#[test]
fn no_second_version_of_a_token_is_ever_used() {
    let contracts = Contracts::new(Tier::Utxo);
    let contract = contracts.address(ObjectClass::Erc721Owner);
    let mut world = world();
    let key = ObjectKey::Erc721Owner { id: 0 };
    world.make_block(BlockNumber(1), |host| {
        for owner in [ALICE, BOB] {
            let record = Object::Erc721Owner { id: 0, owner }
                .to_record()
                .expect("a record");
            host.append(contract, record).expect("appended");
        }
    });
    world.make_block(BlockNumber(2), |host| {
        let Ledgers { mut nft, .. } = contracts.open();
        let twice = Error::Records { key, got: 2 };
        assert_eq!(nft.owner_of(host, 0), Err(twice.clone()));
        assert_eq!(nft.transfer(host, ALICE, CAROL, 0), Err(twice.clone()));
        assert_eq!(nft.mint(host, CAROL), Err(twice));
        assert_eq!(nft.minted(host), Ok(0));
    });
}

#[test]
fn no_change_is_carried_into_another_block() {
    let contracts = Contracts::new(Tier::Utxo);
    let mut world = world();
    let mut ledgers = contracts.open();
    world.make_block(BlockNumber(1), |host| {
        ledgers.token.mint(host, ALICE, amount(1)).expect("minted");
        ledgers.nft.mint(host, ALICE).expect("minted");
    });
    world.make_block(BlockNumber(2), |host| {
        let (expected, got) = (BlockNumber(1), BlockNumber(2));
        let other = Error::OtherBlock { expected, got };
        let balance = ledgers.token.balance_of(host, ALICE);
        assert_eq!(balance, Err(other.clone()));
        assert_eq!(ledgers.nft.owner_of(host, 0), Err(other.clone()));
        assert_eq!(ledgers.settle(host), Err(other));
    });
}

/// What goes in and out within a block leaves no record.
#[test]
fn no_record_is_made_for_what_passes_through() {
    let contracts = Contracts::new(Tier::Utxo);
    let mut world = world();
    let balance = |owner| ObjectKey::Erc20Balance { owner };
    world.make_block(BlockNumber(1), |host| {
        let mut ledgers = contracts.open();
        ledgers.token.mint(host, ALICE, amount(9)).expect("minted");
        ledgers
            .token
            .transfer(host, ALICE, BOB, amount(9))
            .expect("moved");
        ledgers
            .token
            .transfer(host, BOB, CAROL, amount(4))
            .expect("moved");
        ledgers
            .token
            .transfer(host, BOB, ALICE, amount(5))
            .expect("moved");
        let id = ledgers.nft.mint(host, ALICE).expect("minted");
        ledgers.nft.burn(host, ALICE, id).expect("burned");
        ledgers.settle(host).expect("settled");
    });
    world.make_block(BlockNumber(2), |host| {
        let token = contracts.address(ObjectClass::Erc20Balance);
        let records = [ALICE, BOB, CAROL].map(|owner| host.records(token, balance(owner)));
        assert_eq!(
            records.map(|records| records.map(|all| all.len())),
            [Ok(1), Ok(0), Ok(1)]
        );
        let nft = contracts.address(ObjectClass::Erc721Owner);
        assert_eq!(
            host.records(nft, ObjectKey::Erc721Owner { id: 0 }),
            Ok(vec![])
        );
    });
}

#[test]
fn no_ledger_follows_a_policy_that_breaks_the_rules() {
    let class = ObjectClass::Allowance;
    let policy = Policy::permanent("bad").with(class, Tier::Utxo);
    let refused = Err(PolicyError::NotAllowed {
        class,
        got: Tier::Utxo,
    });
    assert_eq!(TokenLedger::new(ALICE, &policy).map(drop), refused);
    assert_eq!(NftLedger::new(ALICE, &policy).map(drop), refused);
}
