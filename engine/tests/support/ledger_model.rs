//! What ledgers must do, in plain maps: twice, once for tiers where objects last, once for the
//! temporary tier, where they fall asleep and lapse.

use alloy_primitives::{Address, U256};
use proptest::{collection::vec, prelude::*, sample::select};
use std::collections::BTreeMap;
use thinstate_engine::ledger::{Adjustment, CdpId};
use thinstate_formats::{
    BlockNumber, PeriodId, TemporaryRules,
    object::{Allowed, Amount, MergeRule, Object, ObjectKey, Position},
};

pub const ALICE: Address = Address::with_last_byte(1);
pub const BOB: Address = Address::with_last_byte(2);
pub const CAROL: Address = Address::with_last_byte(3);
pub const DAVE: Address = Address::with_last_byte(4);
/// Who takes part.
pub const OWNERS: [Address; 4] = [ALICE, BOB, CAROL, DAVE];

/// A call.
#[derive(Clone, Debug)]
pub enum Op {
    Mint {
        to: Address,
        amount: u128,
    },
    Burn {
        from: Address,
        amount: u128,
    },
    Transfer {
        from: Address,
        to: Address,
        amount: u128,
    },
    /// Without a number: unlimited.
    Approve {
        owner: Address,
        spender: Address,
        amount: Option<u128>,
    },
    TransferFrom {
        spender: Address,
        from: Address,
        to: Address,
        amount: u128,
    },
    MintNft {
        to: Address,
    },
    TransferNft {
        from: Address,
        to: Address,
        id: u64,
    },
    BurnNft {
        from: Address,
        id: u64,
    },
    OpenCdp {
        owner: Address,
        position: Position,
    },
    AdjustCdp {
        cdp: CdpId,
        by: Adjustment,
    },
    CloseCdp {
        cdp: CdpId,
    },
    /// Resurrects one of the versions that were sealed before this block, used or not.
    Resurrect {
        nth: usize,
    },
}

/// What happens to the chain.
#[derive(Clone, Debug)]
pub enum Step {
    Block(Vec<Op>),
    /// So many blocks in which nobody does anything.
    Idle(u64),
    /// So many blocks are undone.
    Reorg(usize),
}

/// A version of an object that has left the live state.
#[derive(Clone, Debug)]
pub struct Asleep {
    pub object: Object,
    pub period: PeriodId,
    pub used: bool,
}

/// Whether a call must succeed: in the temporary tier, and in the two others. Where it must succeed
/// in these alone, it is not to be made there: the tiers would drift apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Verdict {
    pub temporary: bool,
    pub lasting: bool,
}

type Objects = BTreeMap<ObjectKey, Object>;
type Writes = Vec<(ObjectKey, Option<Object>)>;

#[derive(Clone, Debug, Default)]
struct State {
    /// As if nothing ever fell asleep.
    lasting: Objects,
    /// What is live in the temporary tier, and the period that it was last written in.
    live: BTreeMap<ObjectKey, (Object, PeriodId)>,
    asleep: Vec<Asleep>,
    supply: u128,
    nfts: u64,
    cdps: Vec<CdpId>,
}

/// The model, with every state since the first block.
#[derive(Debug)]
pub struct LedgerModel {
    rules: TemporaryRules,
    block: BlockNumber,
    state: State,
    before: Vec<(BlockNumber, State)>,
}

impl LedgerModel {
    pub fn new(rules: TemporaryRules) -> Self {
        Self {
            rules,
            block: BlockNumber(0),
            state: State::default(),
            before: Vec::new(),
        }
    }

    /// The number of the next block.
    pub fn next(&self) -> BlockNumber {
        self.block.next().expect("few blocks")
    }

    /// Blocks that can be undone.
    pub fn depth(&self) -> usize {
        self.before.len()
    }

    /// Begins the next block.
    pub fn begin(&mut self) {
        self.before.push((self.block, self.state.clone()));
        self.block = self.next();
        let Some(frozen) = self.rules.freezes(self.block) else {
            return;
        };
        let live = core::mem::take(&mut self.state.live);
        for (key, (object, period)) in live {
            if period != frozen {
                self.state.live.insert(key, (object, period));
            } else if key.class().merge_rule() != MergeRule::Lapse {
                let used = false;
                self.state.asleep.push(Asleep {
                    object,
                    period,
                    used,
                });
            }
        }
    }

    /// Undoes the last block.
    pub fn undo(&mut self) {
        (self.block, self.state) = self.before.pop().expect("a block to undo");
    }

    /// Versions that were sealed before the next block, used or not.
    pub fn sealed(&self) -> Vec<Asleep> {
        let sealed = |it: &&Asleep| self.rules.sealed_at(it.period) <= self.block;
        self.state.asleep.iter().filter(sealed).cloned().collect()
    }

    /// Makes a call. `sealed` is what [`Self::sealed`] was before the block.
    pub fn apply(&mut self, op: &Op, sealed: &[Asleep]) -> Verdict {
        if let Op::Resurrect { nth } = op {
            let temporary = pick(sealed, *nth).is_some_and(|version| self.resurrect(version));
            return Verdict {
                temporary,
                lasting: false,
            };
        }
        let live = |key: &ObjectKey| self.state.live.get(key).map(|(object, _)| *object);
        let in_temporary = self.attempt(op, &live);
        let in_others = self.attempt(op, &|key| self.state.lasting.get(key).copied());
        let verdict = Verdict {
            temporary: in_temporary.is_some(),
            lasting: in_others.is_some(),
        };
        if let (Some(in_temporary), Some(in_others)) = (in_temporary, in_others) {
            self.write(in_temporary, in_others);
            self.count(op);
        }
        verdict
    }

    /// The object, in tiers where it lasts.
    pub fn lasting(&self, key: ObjectKey) -> Option<Object> {
        self.state.lasting.get(&key).copied()
    }

    /// The object, in the temporary tier.
    pub fn live(&self, key: ObjectKey) -> Option<Object> {
        self.state.live.get(&key).map(|(object, _)| *object)
    }

    /// What was minted and not burned.
    pub fn supply(&self) -> u128 {
        self.state.supply
    }

    /// Tokens ever minted.
    pub fn nfts(&self) -> u64 {
        self.state.nfts
    }

    /// Positions ever opened.
    pub fn cdps(&self) -> &[CdpId] {
        &self.state.cdps
    }

    /// What is live and what sleeps unused is what lasts, object by object.
    pub fn check(&self) {
        let state = &self.state;
        let mut sum = Objects::new();
        let asleep = state
            .asleep
            .iter()
            .filter(|it| !it.used)
            .map(|it| it.object);
        for object in asleep.chain(state.live.values().map(|(object, _)| *object)) {
            let merged = match object.class().merge_rule() {
                MergeRule::Lapse => continue,
                _ => object.merge(sum.get(&object.key()).copied()),
            };
            sum.insert(object.key(), merged.expect("one version of what is unique"));
        }
        let mut lasting = state.lasting.clone();
        lasting.retain(|key, _| key.class().merge_rule() != MergeRule::Lapse);
        assert_eq!(sum, lasting);
        let balances = lasting.values().map(amount_of).sum::<u128>();
        assert_eq!(balances, state.supply);
    }

    fn resurrect(&mut self, version: &Asleep) -> bool {
        let period = self.rules.period(self.block);
        let same = |it: &&mut Asleep| {
            it.period == version.period && it.object.key() == version.object.key()
        };
        let Some(it) = self.state.asleep.iter_mut().find(same) else {
            return false;
        };
        let key = it.object.key();
        let live = self.state.live.get(&key).map(|(object, _)| *object);
        match it.object.merge(live) {
            Ok(merged) if !it.used => {
                it.used = true;
                self.state.live.insert(key, (merged, period));
                true
            }
            _ => false,
        }
    }

    fn write(&mut self, in_temporary: Writes, in_others: Writes) {
        let period = self.rules.period(self.block);
        for (key, object) in in_temporary {
            match object.filter(|object| !object.is_nothing()) {
                Some(object) => self.state.live.insert(key, (object, period)),
                None => self.state.live.remove(&key),
            };
        }
        for (key, object) in in_others {
            match object.filter(|object| !object.is_nothing()) {
                Some(object) => self.state.lasting.insert(key, object),
                None => self.state.lasting.remove(&key),
            };
        }
    }

    fn count(&mut self, op: &Op) {
        match *op {
            Op::Mint { amount, .. } => self.state.supply += amount,
            Op::Burn { amount, .. } => self.state.supply -= amount,
            Op::MintNft { .. } => self.state.nfts += 1,
            Op::OpenCdp { owner, .. } => self.state.cdps.push(self.next_cdp(owner)),
            _ => {}
        }
    }

    fn next_cdp(&self, owner: Address) -> CdpId {
        let id = self.state.cdps.len() as u64;
        CdpId { owner, id }
    }

    /// What a call writes, `None` where it must fail.
    fn attempt(&self, op: &Op, get: &impl Fn(&ObjectKey) -> Option<Object>) -> Option<Writes> {
        let nft = |id, owner| {
            let key = ObjectKey::Erc721Owner { id };
            (get(&key)? == Object::Erc721Owner { id, owner }).then_some(key)
        };
        match *op {
            Op::Mint { to, amount } => Some(moved(get, None, Some(to), amount)?),
            Op::Burn { from, amount } => Some(moved(get, Some(from), None, amount)?),
            Op::Transfer { from, to, amount } => moved(get, Some(from), Some(to), amount),
            Op::Approve {
                owner,
                spender,
                amount,
            } => {
                let allowed = amount.map_or(Allowed::Unlimited, |a| Allowed::Limited(a.into()));
                Some(vec![allowance(owner, spender, allowed)])
            }
            Op::TransferFrom {
                spender,
                from,
                to,
                amount,
            } => {
                let key = ObjectKey::Allowance {
                    owner: from,
                    spender,
                };
                let mut writes = moved(get, Some(from), Some(to), amount)?;
                let allowed = match get(&key) {
                    Some(Object::Allowance { allowed, .. }) => allowed,
                    _ => Allowed::Limited(Amount::ZERO),
                };
                if let Allowed::Limited(limit) = allowed {
                    let left = Allowed::Limited(limit.checked_sub(amount.into())?);
                    writes.extend((amount > 0).then(|| allowance(from, spender, left)));
                }
                Some(writes)
            }
            Op::MintNft { to } => Some(vec![owned(self.state.nfts, to)]),
            Op::TransferNft { from, to, id } => nft(id, from).map(|_| vec![owned(id, to)]),
            Op::BurnNft { from, id } => nft(id, from).map(|key| vec![(key, None)]),
            Op::OpenCdp { owner, position } => {
                let cdp = self.next_cdp(owner);
                (!position.is_empty()).then(|| vec![holding(cdp, position)])
            }
            Op::AdjustCdp { cdp, by } => {
                let live = position_of(get(&cdp.key())?);
                let position = adjusted(live, by)?;
                let changes = position != live;
                Some(
                    changes
                        .then(|| holding(cdp, position))
                        .into_iter()
                        .collect(),
                )
            }
            Op::CloseCdp { cdp } => {
                let debt = position_of(get(&cdp.key())?).debt();
                (debt == 0).then(|| vec![(cdp.key(), None)])
            }
            Op::Resurrect { .. } => None,
        }
    }
}

/// The version that a [`Op::Resurrect`] means.
pub fn pick(sealed: &[Asleep], nth: usize) -> Option<&Asleep> {
    sealed.get(nth.checked_rem(sealed.len())?)
}

fn moved(
    get: &impl Fn(&ObjectKey) -> Option<Object>,
    from: Option<Address>,
    to: Option<Address>,
    amount: u128,
) -> Option<Writes> {
    let balance = |owner| {
        let key = ObjectKey::Erc20Balance { owner };
        get(&key).as_ref().map_or(0, amount_of)
    };
    let left = match from {
        Some(from) => Some((from, balance(from).checked_sub(amount)?)),
        None => None,
    };
    if from == to || amount == 0 {
        return Some(Vec::new());
    }
    let more = to.map(|to| (to, balance(to) + amount));
    let write = |(owner, amount): (Address, u128)| {
        let amount = Amount::from(amount);
        let key = ObjectKey::Erc20Balance { owner };
        (key, Some(Object::Erc20Balance { owner, amount }))
    };
    Some(left.into_iter().chain(more).map(write).collect())
}

/// The amount of a balance, zero of anything else.
pub fn amount_of(object: &Object) -> u128 {
    match object {
        Object::Erc20Balance { amount, .. } => amount.get().to(),
        _ => 0,
    }
}

fn allowance(owner: Address, spender: Address, allowed: Allowed) -> (ObjectKey, Option<Object>) {
    let object = Object::Allowance {
        owner,
        spender,
        allowed,
    };
    (object.key(), Some(object))
}

fn owned(id: u64, owner: Address) -> (ObjectKey, Option<Object>) {
    let object = Object::Erc721Owner { id, owner };
    (object.key(), Some(object))
}

fn holding(cdp: CdpId, position: Position) -> (ObjectKey, Option<Object>) {
    let CdpId { owner, id } = cdp;
    (
        cdp.key(),
        Some(Object::Cdp {
            owner,
            id,
            position,
        }),
    )
}

/// The position of a CDP.
pub fn position_of(object: Object) -> Position {
    match object {
        Object::Cdp { position, .. } => position,
        other => panic!("expected a CDP, got {other:?}"),
    }
}

fn adjusted(position: Position, by: Adjustment) -> Option<Position> {
    let collateral = (position.collateral() + by.deposit).checked_sub(by.withdraw)?;
    let debt = (position.debt() + by.borrow).checked_sub(by.repay)?;
    let position = Position::new(collateral, debt).ok()?;
    (!position.is_empty()).then_some(position)
}

fn owner() -> impl Strategy<Value = Address> {
    select(&OWNERS[..])
}

fn cdp() -> impl Strategy<Value = CdpId> {
    (owner(), 0u64..6).prop_map(|(owner, id)| CdpId { owner, id })
}

fn position() -> impl Strategy<Value = Position> {
    let position = |(collateral, debt)| Position::new(collateral, debt).expect("a small one");
    (0u128..9, 0u128..3).prop_map(position)
}

fn adjustment() -> impl Strategy<Value = Adjustment> {
    let small = || prop_oneof![2 => Just(0u128), 1 => 1u128..6];
    (small(), small(), small(), small()).prop_map(|(deposit, withdraw, borrow, repay)| Adjustment {
        deposit,
        withdraw,
        borrow,
        repay,
    })
}

/// Calls, most of them of tokens, some bound to fail.
pub fn op() -> impl Strategy<Value = Op> {
    let amount = || prop_oneof![1 => Just(0u128), 6 => 1u128..20, 2 => 20u128..80];
    let limit = prop_oneof![1 => Just(None), 6 => (0u128..60).prop_map(Some)];
    prop_oneof![
        6 => (owner(), amount()).prop_map(|(to, amount)| Op::Mint { to, amount }),
        2 => (owner(), amount()).prop_map(|(from, amount)| Op::Burn { from, amount }),
        8 => (owner(), owner(), amount())
            .prop_map(|(from, to, amount)| Op::Transfer { from, to, amount }),
        3 => (owner(), owner(), limit)
            .prop_map(|(owner, spender, amount)| Op::Approve { owner, spender, amount }),
        4 => (owner(), owner(), owner(), amount()).prop_map(|(spender, from, to, amount)| {
            Op::TransferFrom { spender, from, to, amount }
        }),
        3 => owner().prop_map(|to| Op::MintNft { to }),
        5 => (owner(), owner(), 0u64..6)
            .prop_map(|(from, to, id)| Op::TransferNft { from, to, id }),
        1 => (owner(), 0u64..6).prop_map(|(from, id)| Op::BurnNft { from, id }),
        2 => (owner(), position()).prop_map(|(owner, position)| Op::OpenCdp { owner, position }),
        4 => (cdp(), adjustment()).prop_map(|(cdp, by)| Op::AdjustCdp { cdp, by }),
        1 => cdp().prop_map(|cdp| Op::CloseCdp { cdp }),
        8 => (0usize..64).prop_map(|nth| Op::Resurrect { nth }),
    ]
}

/// Chains of this many steps, in which periods go by.
pub fn steps(
    count: core::ops::Range<usize>,
    max_idle: u64,
    max_undo: usize,
) -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        8 => vec(op(), 0..12).prop_map(Step::Block),
        3 => (1..=max_idle).prop_map(Step::Idle),
        2 => (1..=max_undo).prop_map(Step::Reorg),
    ];
    vec(step, count)
}

/// A number as an amount.
pub fn amount(number: u128) -> Amount {
    Amount::new(U256::from(number)).expect("a small one")
}
