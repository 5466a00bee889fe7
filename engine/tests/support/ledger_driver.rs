//! Runs the same calls on ledgers of all tiers at once, and compares them with the model after
//! every block.

use super::{
    ledger_host::World,
    ledger_model::{Asleep, LedgerModel, OWNERS, Op, Step, Verdict, amount, amount_of, pick},
};
use alloy_primitives::Address;
use thinstate_engine::ledger::{
    CdpLedger, LedgerError, LedgerHost, MAX_RECORDS_PER_OWNER, NftLedger, RecordSource, TokenLedger,
};
use thinstate_formats::{
    PeriodId, TemporaryRules,
    object::{Allowed, MergeRule, Object, ObjectClass, ObjectKey, Tier},
    policy::Policy,
};

/// The contracts of one tier.
#[derive(Clone, Debug)]
pub struct Contracts {
    pub tier: Tier,
    policy: Policy,
}

/// The ledgers of one tier, for one block.
#[derive(Debug)]
pub struct Ledgers {
    pub tier: Tier,
    pub token: TokenLedger,
    pub nft: NftLedger,
    pub cdp: CdpLedger,
}

impl Contracts {
    /// Everything that can live in `tier` does.
    pub fn new(tier: Tier) -> Self {
        let mut policy = Policy::permanent(tier.name());
        for class in ObjectClass::ALL {
            if class.lives_in(tier) {
                policy = policy.with(class, tier);
            }
        }
        Self { tier, policy }
    }

    /// The contract of a class. Allowances are the token's.
    pub fn address(&self, class: ObjectClass) -> Address {
        let class = match class {
            ObjectClass::Allowance => ObjectClass::Erc20Balance,
            class => class,
        };
        let mut address = Address::repeat_byte(0xc0);
        address[0] = class.id();
        address[19] = self.tier as u8;
        address
    }

    /// Its ledgers for a block.
    pub fn open(&self) -> Ledgers {
        let at = |class| self.address(class);
        let policy = &self.policy;
        Ledgers {
            tier: self.tier,
            token: TokenLedger::new(at(ObjectClass::Erc20Balance), policy).expect("a policy"),
            nft: NftLedger::new(at(ObjectClass::Erc721Owner), policy).expect("a policy"),
            cdp: CdpLedger::new(at(ObjectClass::Cdp), policy).expect("a policy"),
        }
    }
}

type Outcome<H> = Result<(), LedgerError<<H as RecordSource>::Error>>;

impl Ledgers {
    /// Makes a call. `version` is what it resurrects, with its proof.
    pub fn call<H: LedgerHost>(
        &mut self,
        host: &mut H,
        op: &Op,
        version: Option<&(Object, H::Proof)>,
    ) -> Outcome<H> {
        let Self {
            token, nft, cdp, ..
        } = self;
        match *op {
            Op::Mint { to, amount: n } => token.mint(host, to, amount(n)),
            Op::Burn { from, amount: n } => token.burn(host, from, amount(n)),
            Op::Transfer {
                from,
                to,
                amount: n,
            } => token.transfer(host, from, to, amount(n)),
            Op::Approve {
                owner,
                spender,
                amount: n,
            } => {
                let allowed = n.map_or(Allowed::Unlimited, |n| Allowed::Limited(amount(n)));
                token.approve(host, owner, spender, allowed)
            }
            Op::TransferFrom {
                spender,
                from,
                to,
                amount: n,
            } => token.transfer_from(host, spender, from, to, amount(n)),
            Op::MintNft { to } => nft.mint(host, to).map(drop),
            Op::TransferNft { from, to, id } => nft.transfer(host, from, to, id),
            Op::BurnNft { from, id } => nft.burn(host, from, id),
            Op::OpenCdp { owner, position } => cdp.open(host, owner, position).map(drop),
            Op::AdjustCdp { cdp: which, by } => cdp.adjust(host, which, by).map(drop),
            Op::CloseCdp { cdp: which } => cdp.close(host, which).map(drop),
            Op::Resurrect { .. } => {
                let (object, proof) = version.expect("a version to resurrect");
                self.resurrect(host, *object, proof)
            }
        }
    }

    /// Resurrects a version.
    pub fn resurrect<H: LedgerHost>(
        &mut self,
        host: &mut H,
        version: Object,
        proof: &H::Proof,
    ) -> Outcome<H> {
        match version {
            Object::Erc20Balance { owner, amount } => {
                self.token.resurrect(host, owner, amount, proof)
            }
            Object::Erc721Owner { id, owner } => self.nft.resurrect(host, id, owner, proof),
            Object::Cdp {
                owner,
                id,
                position,
            } => {
                let cdp = thinstate_engine::ledger::CdpId { owner, id };
                self.cdp.resurrect(host, cdp, position, proof)
            }
            other => panic!("no ledger resurrects {other:?}"),
        }
    }

    /// Ends the block.
    pub fn settle<H: LedgerHost>(self, host: &mut H) -> Outcome<H> {
        self.token.settle(host)?;
        self.nft.settle(host)?;
        self.cdp.settle(host)
    }

    /// Compares everything with the model.
    fn check<H>(&self, host: &mut H, model: &LedgerModel)
    where
        H: LedgerHost<Error: core::fmt::Debug>,
    {
        let tier = self.tier;
        let expected = |key| match tier {
            Tier::Temporary => model.live(key),
            Tier::Permanent | Tier::Utxo => model.lasting(key),
        };
        let supply = self.token.total_supply(host).expect("a supply");
        assert_eq!(supply, amount(model.supply()), "{tier}");
        for owner in OWNERS {
            let balance = expected(ObjectKey::Erc20Balance { owner });
            let balance = amount(balance.as_ref().map_or(0, amount_of));
            let got = self.token.balance_of(host, owner).expect("a balance");
            assert_eq!(got, balance, "{owner} in the {tier} tier");
            for spender in OWNERS {
                let got = self
                    .token
                    .allowance(host, owner, spender)
                    .expect("an allowance");
                let allowed = match expected(ObjectKey::Allowance { owner, spender }) {
                    Some(Object::Allowance { allowed, .. }) => allowed,
                    _ => Allowed::Limited(amount(0)),
                };
                assert_eq!(got, allowed, "{owner}, {spender} in the {tier} tier");
            }
        }
        assert_eq!(self.nft.minted(host).expect("a number"), model.nfts());
        for id in 0..=model.nfts() {
            let got = self.nft.owner_of(host, id).expect("an owner or none");
            let owner = expected(ObjectKey::Erc721Owner { id });
            assert_eq!(
                got,
                owner.and_then(|it| it.owner()),
                "{id} in the {tier} tier"
            );
        }
        assert_eq!(
            self.cdp.opened(host).expect("a number"),
            model.cdps().len() as u64
        );
        for cdp in model.cdps() {
            let got = self.cdp.position(host, *cdp).expect("a position or none");
            let position = expected(cdp.key()).map(super::ledger_model::position_of);
            assert_eq!(got, position, "{cdp:?} in the {tier} tier");
        }
    }
}

/// A world, its model, and what has been done to both.
#[derive(Debug)]
pub struct Driver<W> {
    pub world: W,
    pub model: LedgerModel,
    /// Calls that succeeded and failed, in the temporary tier; versions resurrected.
    pub calls: [u64; 3],
}

impl<W: World> Driver<W> {
    pub fn new(world: W, rules: TemporaryRules) -> Self {
        Self {
            world,
            model: LedgerModel::new(rules),
            calls: [0; 3],
        }
    }

    pub fn run(&mut self, steps: &[Step]) {
        for step in steps {
            match step {
                Step::Block(ops) => self.block(ops),
                Step::Idle(blocks) => (0..*blocks).for_each(|_| self.block(&[])),
                Step::Reorg(depth) => self.undo(*depth),
            }
        }
        self.block(&[]);
    }

    pub fn undo(&mut self, depth: usize) {
        let most = self.model.depth().min(self.world.undoable());
        for _ in 0..depth.min(most) {
            self.world.undo();
            self.model.undo();
        }
    }

    /// Makes a block of these calls on the ledgers of all tiers.
    pub fn block(&mut self, ops: &[Op]) {
        let number = self.model.next();
        let contracts = Tier::ALL.map(Contracts::new);
        let sealed = self.model.sealed();
        self.check_versions(&contracts[Tier::Temporary as usize]);
        let versions: Vec<_> = ops
            .iter()
            .map(|op| self.version(&contracts[1], op, &sealed))
            .collect();
        self.model.begin();
        let (model, calls) = (&mut self.model, &mut self.calls);
        self.world.make_block(number, |host| {
            let mut ledgers = contracts.clone().map(|it| it.open());
            for it in &ledgers {
                it.check(host, model);
            }
            check_records(host, &contracts[2]);
            for (op, version) in ops.iter().zip(&versions) {
                if matches!(op, Op::Resurrect { .. }) && version.is_none() {
                    continue;
                }
                let verdict = model.apply(op, &sealed);
                for it in &mut ledgers {
                    call(it, host, op, version.as_ref(), verdict);
                }
                calls[usize::from(!verdict.temporary)] += 1;
                calls[2] += u64::from(matches!(op, Op::Resurrect { .. }) && verdict.temporary);
            }
            for it in &ledgers {
                it.check(host, model);
            }
            for it in ledgers {
                it.settle(host).expect("settled");
            }
        });
        self.model.check();
    }

    fn version(
        &mut self,
        contracts: &Contracts,
        op: &Op,
        sealed: &[Asleep],
    ) -> Option<(Object, W::Proof)> {
        let Op::Resurrect { nth } = *op else {
            return None;
        };
        let Asleep { object, period, .. } = pick(sealed, nth)?;
        Some((*object, self.prove(contracts, *object, *period)))
    }

    /// Proves a sealed version.
    pub fn prove(&mut self, contracts: &Contracts, version: Object, period: PeriodId) -> W::Proof {
        let key = version.key();
        let contract = contracts.address(key.class());
        let (key, value) = (key.temporary_key(), version.word());
        self.world.prove(contract, key, value, period)
    }

    /// No unique object has two versions that can be used: neither two sealed ones, nor a live one
    /// beside a sealed one; and no sealed version says anything that the model does not know.
    fn check_versions(&mut self, contracts: &Contracts) {
        let nfts = (0..self.model.nfts()).map(|id| ObjectKey::Erc721Owner { id });
        let cdps = self.model.cdps().iter().map(|cdp| cdp.key());
        let balances = OWNERS.map(|owner| ObjectKey::Erc20Balance { owner });
        let keys: Vec<_> = nfts.chain(cdps).chain(balances).collect();
        for key in keys {
            let contract = contracts.address(key.class());
            let Some(leaves) = self.world.unspent_leaves(contract, key.temporary_key()) else {
                return;
            };
            let objects = leaves.iter().map(|word| Object::from_word(key, *word));
            let objects = objects.filter_map(|object| object.expect("a word of its class"));
            let sealed: Vec<_> = objects.collect();
            if key.class().merge_rule() == MergeRule::Unique {
                let live = usize::from(self.model.live(key).is_some());
                assert!(sealed.len() + live <= 1, "{key:?}: {sealed:?}, {live} live");
            }
            let all = sealed.iter().copied().chain(self.model.live(key));
            let merged = all.fold(None, |sum, it| Some(it.merge(sum).expect("they merge")));
            assert_eq!(merged, self.model.lasting(key), "{key:?}");
        }
    }
}

/// Makes a call, unless the tiers would drift apart, and compares its outcome.
fn call<H>(
    ledgers: &mut Ledgers,
    host: &mut H,
    op: &Op,
    version: Option<&(Object, H::Proof)>,
    verdict: Verdict,
) where
    H: LedgerHost<Error: core::fmt::Debug>,
{
    let expected = match ledgers.tier {
        Tier::Temporary => verdict.temporary,
        Tier::Permanent | Tier::Utxo if verdict.lasting && !verdict.temporary => return,
        Tier::Permanent | Tier::Utxo => verdict.lasting,
    };
    let got = ledgers.call(host, op, version);
    assert_eq!(
        got.is_ok(),
        expected,
        "{op:?} in the {} tier: {got:?}",
        ledgers.tier
    );
}

/// No owner has more records than the bound.
fn check_records<H>(host: &mut H, contracts: &Contracts)
where
    H: LedgerHost<Error: core::fmt::Debug>,
{
    for owner in OWNERS {
        let key = ObjectKey::Erc20Balance { owner };
        let records = host
            .records(contracts.address(key.class()), key)
            .expect("records");
        assert!(
            records.len() <= MAX_RECORDS_PER_OWNER,
            "{owner}: {records:?}"
        );
    }
}
