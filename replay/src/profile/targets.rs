//! Mainnet's numbers, and where a profile and generated blocks have them.

use super::{
    ClassShares, DAYS, MAINNET_BLOCKS_PER_DAY, Observed, Profile, disk,
    population::Shape,
    thousandfold::{Held, Thousandfold},
};
use thinstate_formats::object::ObjectClass;

/// Bytes of a slot, and of an account, in "raw leaf bytes" of state growth (weiihann/xatu-analysis): key and
/// value of 32 bytes each; what an account has beside its hashes.
const RAW_SLOT_BYTES: f64 = 64.0;
const RAW_ACCOUNT_BYTES: f64 = 24.0;
const BLOCKS_PER_DAY: f64 = MAINNET_BLOCKS_PER_DAY as f64;
const MIB: f64 = 1_048_576.0;
const GIB: f64 = 1_073_741_824.0;

const SIZES: &str = "EIP-7928, size analysis at 60 M";
const XATU: &str = "weiihann/xatu-analysis";
const ANATOMY: &str = "ethresear.ch 25317";
const STATELESS: &str = "stateless.fyi";
const WITNESSES: &str = "20 witness blocks, 2024 to 2026";
const EIP_8037: &str = "EIP-8037";
const FIXED_MIX: &str = "EIP-7928, size analysis at 60 M, times 1,000";
const REAL: &str = "real blocks, 2022 to 2026";

/// One of mainnet's numbers.
#[derive(Clone, Copy, Debug)]
pub(super) struct Target {
    pub(super) name: &'static str,
    pub(super) unit: &'static str,
    pub(super) mainnet: f64,
    pub(super) source: &'static str,
    /// What the profile says, where it says it.
    pub(super) profile: fn(&Profile) -> Option<f64>,
    /// What the generated blocks have.
    pub(super) generated: fn(&Generated) -> f64,
    /// Why the model does not meet it, where it does not.
    pub(super) exception: Option<&'static str>,
}

/// What was generated.
#[derive(Debug)]
pub(super) struct Generated {
    pub(super) observed: Observed,
    pub(super) shape: Shape,
    pub(super) thousandfold: Thousandfold,
    /// Bytes of code that a block adds: of codes that it deploys and that were not there.
    pub(super) code_added: f64,
}

impl Generated {
    /// How many times a state of mainnet's size is this one, by their days.
    fn scale(&self) -> f64 {
        BLOCKS_PER_DAY / self.observed.blocks_per_day
    }

    /// What the blocks add in a day of mainnet's, in Geth's form, in MiB: leaves and nodes at the bytes that those of
    /// the whole state have.
    fn disk_growth(&self) -> f64 {
        let [slots, accounts] = [self.observed.slots_net[0], self.observed.accounts_net[0]];
        let all = self.shape.accounts * self.scale();
        let of_slots = slots * disk::per_slot(self.shape.slots_per_account, &self.shape);
        let of_accounts = accounts * disk::per_account(all, &self.shape);
        (of_slots + of_accounts + self.code_added) * BLOCKS_PER_DAY / MIB
    }

    /// The same as raw leaf bytes, and code.
    fn raw_growth(&self) -> f64 {
        let [slots, accounts] = [self.observed.slots_net[0], self.observed.accounts_net[0]];
        raw_growth(slots, accounts, self.code_added)
    }
}

/// A number of each window of days.
macro_rules! locality {
    ($name:literal, $field:ident, $observed:ident, $at:literal, $mainnet:literal) => {
        percent($name, $mainnet, ANATOMY)
            .profile(|it| Some(100.0 * it.$field.locality.0[$at]))
            .generated(|it| 100.0 * it.observed.$observed[$at])
    };
}

/// All numbers of mainnet that are compared.
pub(super) fn targets() -> Vec<Target> {
    let mut list = per_block();
    list.extend(mix());
    list.extend(windows());
    list.extend(state());
    list.extend(thousandfold());
    list
}

fn per_block() -> Vec<Target> {
    vec![
        count("gas of the fullest block (the limit)", "gas", 60e6, SIZES)
            .profile(|it| Some(it.block.gas_limit as f64))
            .generated(|it| {
                let quantiles = &it.observed.block.gas_used.quantiles;
                quantiles.last().map_or(0.0, |last| last[1])
            }),
        count("gas used in a block", "gas", 30.3e6, XATU)
            .profile(|it| Some(it.block.gas_used.mean))
            .generated(|it| it.observed.block.gas_used.mean),
        count("transactions in a block", "", 229.0, SIZES)
            .profile(|it| Some(it.block.txs.mean))
            .generated(|it| it.observed.block.txs.mean),
        count("accounts touched", "", 603.0, SIZES)
            .profile(|it| Some(it.block.accounts_touched.mean))
            .generated(|it| it.observed.block.accounts_touched.mean),
        count("accounts touched, median", "", 600.0, SIZES)
            .profile(|it| Some(it.block.accounts_touched.at(0.5)))
            .generated(|it| it.observed.block.accounts_touched.at(0.5)),
        count("slots written", "", 700.0, SIZES)
            .profile(|it| Some(it.block.slots_written.mean))
            .generated(|it| it.observed.block.slots_written.mean),
        count("slots written, median", "", 667.0, SIZES)
            .profile(|it| Some(it.block.slots_written.at(0.5)))
            .generated(|it| it.observed.block.slots_written.at(0.5)),
        count("slots only read", "", 982.0, SIZES)
            .profile(|it| Some(it.block.slots_read.mean))
            .generated(|it| it.observed.block.slots_read.mean),
        count("slots only read, median", "", 922.0, SIZES)
            .profile(|it| Some(it.block.slots_read.at(0.5)))
            .generated(|it| it.observed.block.slots_read.at(0.5)),
        count("slots added, net", "", 114.2, XATU)
            .profile(|it| Some(it.block.slots_created.mean - it.block.slots_deleted.mean))
            .generated(|it| it.observed.slots_net[0]),
        count("slots added, net, median", "", 63.0, XATU).generated(|it| it.observed.slots_net[1]),
        count("accounts added, net", "", 45.9, XATU)
            .profile(|it| Some(it.block.accounts_created.mean))
            .generated(|it| it.observed.accounts_net[0]),
        count("accounts added, net, median", "", 32.0, XATU)
            .profile(|it| Some(it.block.accounts_created.at(0.5)))
            .generated(|it| it.observed.accounts_net[1]),
        count(
            "growth, raw leaf bytes a day",
            "MiB",
            326.0 / 5.0,
            "EIP-8037, a fifth of 326 MiB",
        )
        .profile(|it| {
            let slots = it.block.slots_created.mean - it.block.slots_deleted.mean;
            // It does not say how much of the code that blocks deploy is new.
            Some(raw_growth(slots, it.block.accounts_created.mean, 0.0))
        })
        .generated(Generated::raw_growth),
        count("growth, bytes on disk a day", "MiB", 326.0, EIP_8037)
            .generated(Generated::disk_growth)
            .exception("296 B for each key added; the whole state, 390 GiB, has 217 B for each"),
    ]
}

fn mix() -> Vec<Target> {
    vec![
        percent("slot writes that update", 66.4, ANATOMY)
            .profile(|it| {
                let (created, deleted) = write_shares(it);
                Some(100.0 - created - deleted)
            })
            .generated(|it| {
                let block = &it.observed.block;
                let others = block.slots_created.mean + block.slots_deleted.mean;
                100.0 * (1.0 - others / block.slots_written.mean)
            }),
        percent("slot writes that create", 25.3, ANATOMY)
            .profile(|it| Some(write_shares(it).0))
            .generated(|it| {
                let block = &it.observed.block;
                100.0 * block.slots_created.mean / block.slots_written.mean
            }),
        percent("slot writes that delete", 8.3, ANATOMY)
            .profile(|it| Some(write_shares(it).1))
            .generated(|it| {
                let block = &it.observed.block;
                100.0 * block.slots_deleted.mean / block.slots_written.mean
            }),
        percent("reads of slots only read that find zero", 28.1, WITNESSES)
            .profile(|it| Some(100.0 * it.slots.absent_reads))
            .generated(|it| 100.0 * it.observed.slots_read_zero),
        percent("slots written: ERC-20 balances (34 to 44)", 39.0, REAL)
            .profile(|it| Some(100.0 * ClassShares::share(&it.classes.written, ERC20)))
            .generated(|it| 100.0 * class(&it.observed.written, ERC20)),
        percent("slots touched: ERC-20 balances (20 to 27)", 23.5, REAL)
            .profile(|it| {
                let (written, read) = (it.block.slots_written.mean, it.block.slots_read.mean);
                let of = |shares| 100.0 * ClassShares::share(shares, ERC20);
                let sum = of(&it.classes.written) * written + of(&it.classes.read) * read;
                Some(sum / (written + read))
            })
            .generated(|it| 100.0 * class(&it.observed.touched, ERC20)),
        percent("slots touched: NFT owners and balances", 2.0, REAL).generated(|it| {
            let nfts = [ObjectClass::Erc721Owner, ObjectClass::Erc1155Balance];
            100.0
                * nfts
                    .map(|it2| class(&it.observed.touched, it2))
                    .iter()
                    .sum::<f64>()
        }),
        percent("slots touched: allowances", 1.0, REAL)
            .generated(|it| 100.0 * class(&it.observed.touched, ObjectClass::Allowance)),
    ]
}

fn windows() -> Vec<Target> {
    vec![
        locality!("slot updates hitting 1 day", slots, slot_locality, 0, 85.2),
        locality!("slot updates hitting 7 days", slots, slot_locality, 1, 91.2),
        locality!(
            "slot updates hitting 30 days",
            slots,
            slot_locality,
            2,
            94.1
        ),
        locality!(
            "slot updates hitting 90 days",
            slots,
            slot_locality,
            3,
            95.7
        ),
        locality!(
            "slot updates hitting 365 days",
            slots,
            slot_locality,
            4,
            97.7
        ),
        locality!(
            "account updates hitting 1 day",
            accounts,
            account_locality,
            0,
            92.0
        ),
        locality!(
            "account updates hitting 7 days",
            accounts,
            account_locality,
            1,
            95.1
        ),
        locality!(
            "account updates hitting 30 days",
            accounts,
            account_locality,
            2,
            97.0
        ),
        locality!(
            "account updates hitting 90 days",
            accounts,
            account_locality,
            3,
            98.0
        ),
        locality!(
            "account updates hitting 365 days",
            accounts,
            account_locality,
            4,
            99.0
        ),
        percent("top 1 % of slots, of slot writes", 62.0, ANATOMY)
            .generated(|it| 100.0 * it.observed.slot_writes.top),
        percent("top 1 % of slots, of slot reads", 84.0, ANATOMY)
            .generated(|it| 100.0 * it.observed.slot_reads.top),
        percent("top 1 % of accounts, of account writes", 61.0, ANATOMY)
            .generated(|it| 100.0 * it.observed.account_writes.top),
        percent("top 1 % of accounts, of account reads", 96.0, ANATOMY)
            .generated(|it| 100.0 * it.observed.account_reads.top),
        percent("slots only read in 30 days that are zero", 82.5, ANATOMY)
            .generated(|it| 100.0 * it.observed.slots_zero_distinct),
        percent(
            "slots never touched again",
            63.3,
            "ethereum-magicians 25508",
        )
        .generated(|it| 100.0 * it.observed.never_again),
        count("different slots written in 30 days", "per Mgas", 6.94, XATU).generated(|it| {
            let gas = it.observed.block.gas_used.mean * it.observed.blocks as f64;
            it.observed.slot_writes.keys as f64 / (gas / 1e6)
        }),
    ]
}

fn state() -> Vec<Target> {
    vec![
        count(
            "accounts of the state, at mainnet's scale",
            "",
            379.6e6,
            XATU,
        )
        .generated(|it| it.shape.accounts * it.scale()),
        count(
            "slots of the state, at mainnet's scale",
            "",
            1_552.6e6,
            XATU,
        )
        .generated(|it| it.shape.slots * it.scale()),
        count(
            "Geth's state database, at mainnet's scale",
            "GiB",
            390.0,
            EIP_8037,
        )
        .generated(|it| {
            let [accounts, slots] = [it.shape.accounts, it.shape.slots].map(|all| all * it.scale());
            disk::bytes(accounts, slots, &it.shape) / GIB
        }),
        count("slots for each account", "", 4.09, XATU).generated(|it| it.shape.slots_per_account),
        count("slots per contract", "", 26.0, STATELESS)
            .generated(|it| it.shape.slots_per_contract),
        count("slots per contract, median", "", 0.0, STATELESS)
            .generated(|it| it.shape.slots_median),
        count("slots per contract, p99", "", 47.0, STATELESS).generated(|it| it.shape.slots_p99),
        percent("slots of the largest contract (68.8 M)", 5.34, STATELESS)
            .generated(|it| 100.0 * it.shape.largest),
        count(
            "bytes of a slot's value, snapshot",
            "B",
            12.4,
            "ethresear.ch 25119",
        )
        .generated(|it| it.shape.slot_bytes),
        count(
            "bytes of an account, snapshot",
            "B",
            16.4,
            "ethresear.ch 25119",
        )
        .generated(|it| it.shape.account_bytes),
        count("codes read", "", 249.0, WITNESSES)
            .profile(|it| Some(it.block.code_reads.mean))
            .generated(|it| it.observed.block.code_reads.mean),
        count("bytes of a code read", "B", 9_434.0, WITNESSES)
            .profile(|it| Some(it.code.read_bytes.mean))
            .generated(|it| it.observed.code_read_bytes.mean),
    ]
}

/// What one slot of time holds at 1,000 times the gas. Mainnet's numbers are those of a fixed mix, a thousand times a
/// block's; what is shared is one key.
fn thousandfold() -> Vec<Target> {
    const SHARED: &str = "keys that blocks or copies share are counted once";
    let row = |name, mainnet, generated| {
        let row = count(name, "", mainnet, FIXED_MIX).generated(generated);
        row.exception(SHARED)
    };
    fn merged(it: &Generated) -> Held {
        it.thousandfold.merged
    }
    fn mixed(it: &Generated) -> Held {
        it.thousandfold.mixed
    }
    vec![
        count("1,000x merge: transactions", "", 229e3, FIXED_MIX).generated(|it| merged(it).txs),
        row("1,000x merge: accounts touched", 603e3, |it| {
            merged(it).accounts
        }),
        row("1,000x merge: slots written", 700e3, |it| {
            merged(it).slots_written
        }),
        row("1,000x merge: slots only read", 982e3, |it| {
            merged(it).slots_read
        }),
        count("1,000x mixed: transactions", "", 229e3, FIXED_MIX).generated(|it| mixed(it).txs),
        row("1,000x mixed: accounts touched", 603e3, |it| {
            mixed(it).accounts
        }),
        row("1,000x mixed: slots written", 700e3, |it| {
            mixed(it).slots_written
        }),
        row("1,000x mixed: slots only read", 982e3, |it| {
            mixed(it).slots_read
        }),
    ]
}

const ERC20: ObjectClass = ObjectClass::Erc20Balance;

const fn count(
    name: &'static str,
    unit: &'static str,
    mainnet: f64,
    source: &'static str,
) -> Target {
    Target {
        name,
        unit,
        mainnet,
        source,
        profile: |_| None,
        generated: |_| 0.0,
        exception: None,
    }
}

const fn percent(name: &'static str, mainnet: f64, source: &'static str) -> Target {
    count(name, "%", mainnet, source)
}

impl Target {
    const fn profile(mut self, profile: fn(&Profile) -> Option<f64>) -> Self {
        self.profile = profile;
        self
    }

    const fn generated(mut self, generated: fn(&Generated) -> f64) -> Self {
        self.generated = generated;
        self
    }

    const fn exception(mut self, why: &'static str) -> Self {
        self.exception = Some(why);
        self
    }
}

/// Shares of the writes that create and delete, in percent.
fn write_shares(profile: &Profile) -> (f64, f64) {
    let block = &profile.block;
    let of = |part: f64| 100.0 * part / block.slots_written.mean;
    (of(block.slots_created.mean), of(block.slots_deleted.mean))
}

fn class(shares: &std::collections::BTreeMap<ObjectClass, f64>, class: ObjectClass) -> f64 {
    shares.get(&class).copied().unwrap_or_default()
}

/// MiB a day, of what a block adds: slots, accounts, bytes of code.
fn raw_growth(slots: f64, accounts: f64, code: f64) -> f64 {
    (slots * RAW_SLOT_BYTES + accounts * RAW_ACCOUNT_BYTES + code) * BLOCKS_PER_DAY / MIB
}

// Windows have names in the list above.
const _: () = assert!(DAYS[0] == 1 && DAYS[4] == 365);
