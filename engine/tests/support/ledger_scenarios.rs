//! Stories that any world must tell to the same end.

use super::{
    ledger_driver::Driver,
    ledger_host::World,
    ledger_model::{ALICE, BOB, CAROL, DAVE, Op, amount_of, position_of},
};
use thinstate_engine::ledger::{Adjustment, CdpId};
use thinstate_formats::{
    TemporaryRules,
    object::{ObjectKey, Position},
};

/// A balance, a token and a position are left alone for many periods, three versions of the balance
/// among them, while others go on. Then they come back, out of order, and are refused when used
/// again; all of that is undone, and done again.
pub fn a_balance_left_alone_for_many_periods<W: World>(
    world: W,
    rules: TemporaryRules,
) -> Driver<W> {
    let mut driver = Driver::new(world, rules);
    let position = Position::new(70, 7).expect("a small one");
    let cdp = CdpId {
        owner: ALICE,
        id: 0,
    };
    driver.block(&[
        Op::Mint {
            to: ALICE,
            amount: 100,
        },
        Op::Mint {
            to: BOB,
            amount: 1_000,
        },
        Op::MintNft { to: ALICE },
        Op::OpenCdp {
            owner: ALICE,
            position,
        },
    ]);
    for received in [20, 3] {
        idle(&mut driver, rules);
        driver.block(&[Op::Transfer {
            from: BOB,
            to: ALICE,
            amount: received,
        }]);
        // He could not: his own balance sleeps.
        let nth = last_version(&driver, BOB);
        driver.block(&[
            Op::Resurrect { nth },
            Op::Mint {
                to: BOB,
                amount: 500,
            },
        ]);
        driver.block(&[Op::Transfer {
            from: BOB,
            to: ALICE,
            amount: received,
        }]);
    }
    idle(&mut driver, rules);
    let key = ObjectKey::Erc20Balance { owner: ALICE };
    assert_eq!(driver.model.live(key), None);
    let versions = versions_of(&driver, key);
    assert_eq!(versions.len(), 3, "100, then 20, then 3 at a time");
    let sealed: Vec<_> = driver.model.sealed();
    let total: u128 = versions
        .iter()
        .map(|nth| amount_of(&sealed[*nth].object))
        .sum();
    assert_eq!(
        Some(total),
        driver.model.lasting(key).as_ref().map(amount_of)
    );

    let again = bring_back(&mut driver, &versions, cdp);
    driver.undo(again);
    assert_eq!(driver.model.live(key), None);
    bring_back(&mut driver, &versions, cdp);
    assert_eq!(driver.model.live(key), driver.model.lasting(key));
    driver
}

/// Brings everything of Alice's back, the newest version first, and says in how many blocks.
fn bring_back<W: World>(driver: &mut Driver<W>, versions: &[usize], cdp: CdpId) -> usize {
    let depth = driver.model.depth();
    let [oldest, middle, newest] = *versions else {
        panic!("expected three versions, got {versions:?}");
    };
    let nft = versions_of(driver, ObjectKey::Erc721Owner { id: 0 })[0];
    let position = versions_of(driver, cdp.key())[0];
    let before = driver.calls;
    driver.block(&[Op::Resurrect { nth: newest }, Op::Resurrect { nth: newest }]);
    driver.block(&[Op::Resurrect { nth: newest }, Op::Resurrect { nth: oldest }]);
    driver.block(&[
        Op::Resurrect { nth: oldest },
        Op::Resurrect { nth: middle },
        Op::Transfer {
            from: ALICE,
            to: CAROL,
            amount: 100,
        },
        Op::Resurrect { nth: middle },
    ]);
    driver.block(&[Op::Resurrect { nth: nft }, Op::Resurrect { nth: position }]);
    driver.block(&[
        Op::Resurrect { nth: nft },
        Op::Resurrect { nth: position },
        Op::TransferNft {
            from: ALICE,
            to: DAVE,
            id: 0,
        },
        Op::AdjustCdp {
            cdp,
            by: Adjustment {
                repay: 7,
                ..Adjustment::default()
            },
        },
    ]);
    // The token is Dave's now, and the position has changed: what was sealed is stale.
    driver.block(&[Op::Resurrect { nth: nft }, Op::Resurrect { nth: position }]);
    let after = driver.calls;
    assert_eq!(after[2] - before[2], 5, "each version once");
    assert_eq!(after[1] - before[1], 8, "and refused each other time");
    let held = driver.model.live(cdp.key()).map(position_of);
    assert_eq!(held, Position::new(70, 0).ok());
    driver.model.depth() - depth
}

/// Lets all that is live be sealed, and a period end: what follows has a whole one.
fn idle<W: World>(driver: &mut Driver<W>, rules: TemporaryRules) {
    for _ in 0..(rules.periods_readable() + 1) * rules.period_length + rules.seal_delay_blocks {
        driver.block(&[]);
    }
    while !driver.model.next().0.is_multiple_of(rules.period_length) {
        driver.block(&[]);
    }
}

/// The places of an object's versions among the sealed ones, the oldest first.
fn versions_of<W>(driver: &Driver<W>, key: ObjectKey) -> Vec<usize> {
    let sealed = driver.model.sealed();
    let all = sealed.iter().enumerate();
    let its = all.filter(|(_, version)| version.object.key() == key);
    its.map(|(nth, _)| nth).collect()
}

fn last_version<W>(driver: &Driver<W>, owner: alloy_primitives::Address) -> usize {
    let versions = versions_of(driver, ObjectKey::Erc20Balance { owner });
    *versions.last().expect("a sealed balance")
}

/// Someone is sent dust, block after block, and then spends all of it at once.
pub fn dust_without_end<W: World>(world: W, rules: TemporaryRules) -> Driver<W> {
    let mut driver = Driver::new(world, rules);
    for _ in 0..30 {
        driver.block(&[Op::Mint {
            to: ALICE,
            amount: 1,
        }]);
    }
    driver.block(&[Op::Transfer {
        from: ALICE,
        to: BOB,
        amount: 30,
    }]);
    driver.block(&[]);
    assert_eq!(driver.calls, [31, 0, 0], "within a period");
    driver
}
