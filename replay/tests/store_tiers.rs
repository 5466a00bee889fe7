//! `thinstate store` on all tiers: nothing is proved that does not hold, nothing resurrected twice.
#![expect(
    clippy::unwrap_used,
    reason = "a test fails where something that it relies on does"
)]

use alloy_primitives::{Address, B256, Bytes, keccak256};
use assert_cmd::Command;
use serde_json::Value;
use std::{
    fs,
    path::{Path, PathBuf},
};
use tempfile::TempDir;
use thinstate_engine::{
    BlockId, Options, PermanentTier, Store, StoreOptions, StoreRules,
    archive::periods::{Check, PeriodArchive},
    leaf_store::{Batch, LeafStore as _, RocksOptions, RocksStore, Table},
    ledger::{NftLedger, TokenLedger, WalletIndex},
    store::{ArchiveOptions, BlockHost},
};
use thinstate_formats::{
    Account, BlockNumber, NodeHasher, PeriodId, StateChanges,
    counted::{ExclusionProof, InclusionProof, Leaf, Node},
    object::{Amount, ObjectKey},
    policy::Policy,
};

/// Balances are temporary, tokens are records. Period 0 is blocks 0 to 3, sealed in block 10; period 1
/// in block 14.
const POLICY: &str = r#"
name = "test"

[tiers]
erc20_balance = "temporary"
erc721_owner = "utxo"
cdp = "temporary"

[temporary]
period-length = 4
seal-delay-blocks = 2

[utxo]
ring-length = 4
"#;

const TOKEN: Address = Address::repeat_byte(0x70);
const NFTS: Address = Address::repeat_byte(0x71);
const ALICE: Address = Address::repeat_byte(0xa1);
const BOB: Address = Address::repeat_byte(0xb0);
const CAROL: Address = Address::repeat_byte(0xca);
const DAVE: Address = Address::repeat_byte(0xda);
const HEAD: u64 = 14;

/// A store of all tiers: 1,000 and 500 and 7 of a token are sealed with period 0, 9 with period 1, and 5
/// more of the first owner live; of four tokens that are records the first is burned.
struct Fixture {
    dir: TempDir,
    policy: PathBuf,
}

type Host<'a> = BlockHost<'a, 'a, RocksStore>;

fn amount(number: u128) -> Amount {
    Amount::from(number)
}

fn make_block(host: &mut Host<'_>, policy: &Policy, block: u64) {
    if block == 0 {
        for contract in [TOKEN, NFTS] {
            let account = Account {
                nonce: 1,
                ..Account::default()
            };
            host.builder().set_account(contract, account);
        }
    }
    let mut token = TokenLedger::new(TOKEN, policy).unwrap();
    let mut nfts = NftLedger::new(NFTS, policy).unwrap();
    match block {
        0 => {
            for (owner, number) in [(ALICE, 1_000), (BOB, 500), (CAROL, 7)] {
                token.mint(host, owner, amount(number)).unwrap();
            }
            nfts.mint(host, ALICE).unwrap();
            nfts.mint(host, BOB).unwrap();
        }
        1 | 13 => assert!(nfts.mint(host, CAROL).unwrap() > 1),
        5 => token.mint(host, DAVE, amount(9)).unwrap(),
        9 => {
            token.mint(host, ALICE, amount(5)).unwrap();
            nfts.burn(host, ALICE, 0).unwrap();
        }
        _ => {}
    }
    token.settle(host).unwrap();
    nfts.settle(host).unwrap();
}

fn open(dir: &Path, policy: &Policy) -> Store<RocksStore> {
    let options = StoreOptions {
        permanent: Options {
            undo_blocks: 1,
            ..Options::default()
        },
        rules: StoreRules::from(policy),
        dir: Some(dir.to_owned()),
        archive: ArchiveOptions::ALL,
        ..StoreOptions::default()
    };
    let store = RocksStore::open(dir, RocksOptions::default()).unwrap();
    Store::open(store, options).unwrap()
}

fn fixture() -> Fixture {
    let dir = TempDir::new().unwrap();
    let policy = Policy::parse(POLICY).unwrap();
    let datadir = dir.path().join("store");
    fs::create_dir(&datadir).unwrap();
    let store = open(&datadir, &policy);
    let mut wallet = WalletIndex::new(8);
    for block in 0..=HEAD {
        let (changes, followed) = {
            let mut host = BlockHost::new(store.next_block(BlockNumber(0)), &wallet);
            make_block(&mut host, &policy, block);
            host.finish()
        };
        let number = BlockNumber(block);
        let hash = keccak256(block.to_be_bytes());
        let report = store.apply(BlockId { number, hash }, &changes).unwrap();
        let first = report.cheap.first_record;
        followed.follow(&mut wallet, number, first).unwrap();
    }
    drop(store);
    let policy = dir.path().join("policy.toml");
    fs::write(&policy, POLICY).unwrap();
    Fixture { dir, policy }
}

impl Fixture {
    fn datadir(&self) -> PathBuf {
        self.dir.path().join("store")
    }

    /// `thinstate store COMMAND --datadir DIR MORE...`
    fn store(&self, command: &str, more: &[&str]) -> Run {
        store(&self.datadir(), command, more, None)
    }

    /// The same, which must succeed, and what it printed.
    fn json(&self, command: &str, more: &[&str]) -> Value {
        let run = self.store(command, more);
        assert_eq!(run.status, Some(0), "{command} {more:?}: {}", run.stderr);
        serde_json::from_str(&run.stdout).unwrap()
    }

    fn prove(&self, owner: Address, more: &[&str]) -> Value {
        self.json("prove", &[&balance(owner)[..], more].concat())
    }

    fn resurrect(&self, owner: Address, more: &[&str], stdin: Option<&str>) -> Run {
        let policy = self.policy.to_str().unwrap();
        let options = [&balance(owner)[..], &["--policy", policy], more].concat();
        store(&self.datadir(), "resurrect", &options, stdin)
    }

    fn head(&self) -> Value {
        self.json("stats", &["--json"])["head"]["block_number"].clone()
    }
}

fn balance(owner: Address) -> [&'static str; 6] {
    let leak = |address: Address| &*address.to_string().leak();
    let (token, owner) = (leak(TOKEN), leak(owner));
    let class = "erc20-balance";
    ["--contract", token, "--class", class, "--owner", owner]
}

struct Run {
    stdout: String,
    stderr: String,
    status: Option<i32>,
}

impl Run {
    fn assert_refused(&self, status: i32, expected: &str) {
        assert_eq!(self.status, Some(status), "{}", self.stderr);
        assert_eq!(self.stdout, "");
        assert!(self.stderr.contains(expected), "{}", self.stderr);
    }
}

fn store(dir: &Path, command: &str, more: &[&str], stdin: Option<&str>) -> Run {
    let output = Command::cargo_bin("thinstate")
        .unwrap()
        .args(["store", command, "--datadir", dir.to_str().unwrap()])
        .args(more)
        .write_stdin(stdin.unwrap_or_default())
        .output()
        .unwrap();
    Run {
        stdout: String::from_utf8(output.stdout).unwrap(),
        stderr: String::from_utf8(output.stderr).unwrap(),
        status: output.status.code(),
    }
}

fn hash(value: &Value) -> B256 {
    value.as_str().unwrap().parse().unwrap()
}

fn bytes(value: &Value) -> Bytes {
    value.as_str().unwrap().parse().unwrap()
}

fn root(sealed: &Value) -> Node {
    Node {
        hash: hash(&sealed["root"]),
        count: sealed["leaves"].as_u64().unwrap(),
    }
}

/// The index that the proof of an answer proves, without the store.
fn verified_index(answer: &Value) -> u64 {
    let sealed = &answer["sealed"];
    let proof = InclusionProof::decode(&bytes(&sealed["proof"])).unwrap();
    let leaf = Leaf {
        location: hash(&answer["location"]),
        value: hash(&sealed["value"]),
    };
    let hasher = NodeHasher::default();
    proof.verify(&hasher, root(sealed), &leaf).unwrap().0
}

#[test]
fn no_tier_is_left_out_of_the_sizes() {
    let fixture = fixture();
    let json = fixture.json("stats", &["--json"]);
    assert_eq!(json["version"], 2);
    let names: Vec<_> = json["tiers"].as_array().unwrap().iter().collect();
    let names: Vec<_> = names.iter().map(|t| t["tier"].as_str().unwrap()).collect();
    assert_eq!(names, ["permanent", "temporary", "utxo"]);
    let [permanent, temporary, utxo] = [0, 1, 2].map(|at| &json["tiers"][at]["objects"]);
    let counts = |tier: &Value| ["live", "dead", "spent"].map(|of| tier[of].as_u64().unwrap());
    // Two accounts, total supply and next id.
    assert_eq!(counts(permanent), [4, 0, 0]);
    assert_eq!(counts(temporary), [1, 4, 0]);
    assert_eq!(counts(utxo), [3, 1, 1]);
    for tier in [temporary, utxo] {
        let number = |name: &str| tier[name].as_u64().unwrap();
        assert!(number("archive_bytes") > 0);
        assert!(number("bitfield_bytes") > 0);
        assert!(number("permanent_bytes") > number("bitfield_bytes"));
        let dead = tier["dead"].as_f64().unwrap();
        let each = tier["permanent_bytes_per_dead_object"].as_f64().unwrap();
        assert_eq!((each * dead).round() as u64, number("permanent_bytes"));
    }
    assert!(temporary["bits_per_spent_object"].is_null());
    assert!(utxo["bits_per_spent_object"].as_f64().unwrap() > 0.0);
    let text = fixture.store("stats", &[]).stdout;
    for line in text.lines() {
        assert!(line.chars().count() <= 80, "over 80 columns: {line}");
    }
    for name in names {
        assert!(text.contains(&format!("## {name} tier")), "{text}");
    }
}

#[test]
fn a_permanent_tier_alone_is_no_error_and_gains_no_files() {
    let dir = TempDir::new().unwrap();
    let store_files = RocksStore::open(dir.path(), RocksOptions::default()).unwrap();
    let tier = PermanentTier::open(store_files, Options::default()).unwrap();
    let id = BlockId {
        number: BlockNumber(1),
        hash: B256::repeat_byte(1),
    };
    tier.apply(id, &StateChanges::default()).unwrap();
    drop(tier);
    let run = store(dir.path(), "stats", &["--json"], None);
    let json: Value = serde_json::from_str(&run.stdout).unwrap();
    for at in [1, 2] {
        let objects = &json["tiers"][at]["objects"];
        for name in ["live", "dead", "spent", "permanent_bytes", "archive_bytes"] {
            assert_eq!(objects[name], 0, "{name}");
        }
    }
    let alone = "has a permanent tier alone";
    store(dir.path(), "prove", &balance(ALICE), None).assert_refused(1, alone);
    store(dir.path(), "prove", &["--record", "0"], None).assert_refused(1, alone);
    assert!(!dir.path().join("spent").exists() && !dir.path().join("archive").exists());
}

#[test]
fn no_entry_is_proved_that_is_not_there_or_hidden_that_is() {
    let fixture = fixture();
    let alice = fixture.prove(ALICE, &[]);
    assert_eq!(alice["live"]["period"], 2);
    assert_eq!(alice["live"]["object"]["amount"], "0x5");
    assert_eq!(alice["sealed"]["period"], 0);
    assert_eq!(alice["sealed"]["sealedAt"], 10);
    assert_eq!(alice["sealed"]["object"]["amount"], "0x3e8");
    assert_eq!(alice["sealed"]["resurrected"], false);
    let bob = fixture.prove(BOB, &[]);
    assert!(bob["live"].is_null());
    let carol = fixture.prove(CAROL, &["--period", "0"]);
    let mut indexes = [&alice, &bob, &carol].map(|answer| {
        let index = verified_index(answer);
        assert_eq!(answer["sealed"]["index"], index);
        index
    });
    indexes.sort_unstable();
    assert_eq!(indexes, [0, 1, 2]);
    assert_eq!(fixture.prove(DAVE, &[])["sealed"]["period"], 1);
    let absent = fixture.prove(BOB, &["--period", "1"]);
    let sealed = &absent["sealed"];
    assert_eq!(sealed["found"], "excluded");
    let proof = ExclusionProof::decode(&bytes(&sealed["proof"])).unwrap();
    let location = hash(&absent["location"]);
    proof
        .verify(&NodeHasher::default(), root(sealed), &location)
        .unwrap();
    let nobody = fixture.prove(Address::repeat_byte(9), &[]);
    assert!(nobody["live"].is_null() && nobody["sealed"].is_null());
    let key = ObjectKey::Erc20Balance { owner: BOB }.temporary_key();
    let (token, key) = (TOKEN.to_string(), key.to_string());
    let raw = fixture.json("prove", &["--contract", &token, "--key", &key]);
    assert_eq!(raw["sealed"]["proof"], bob["sealed"]["proof"]);
    assert!(raw["sealed"]["object"].is_null());
    let later = [&balance(BOB)[..], &["--period", "2"]].concat();
    fixture
        .store("prove", &later)
        .assert_refused(1, "period 2 is not sealed");
}

#[test]
fn no_record_is_proved_that_is_not_there_or_unspent_that_is_spent() {
    let fixture = fixture();
    let table = [
        (0, ALICE, true, "batch", 0),
        (1, BOB, false, "batch", 0),
        (2, CAROL, false, "batch", 1),
        (3, CAROL, false, "ring", 13),
    ];
    for (index, owner, spent, into, block) in table {
        let record = fixture.json("prove", &["--record", &index.to_string()]);
        assert_eq!(record["owner"], format!("{owner:?}"));
        assert_eq!(record["contract"], format!("{NFTS:?}"));
        assert_eq!(record["object"]["class"], "erc721_owner");
        assert_eq!(record["object"]["id"], index);
        assert_eq!(record["spent"], spent);
        assert_eq!(record["path"]["into"], into);
        assert_eq!(record["path"]["block"], block);
        assert!(!bytes(&record["path"]["bytes"]).is_empty());
    }
    let none = fixture.store("prove", &["--record", "4"]);
    none.assert_refused(1, "there is no record 4, expected an index below 4");
}

#[test]
fn no_balance_is_resurrected_twice_or_lost() {
    let fixture = fixture();
    let run = fixture.resurrect(ALICE, &["--period", "0"], None);
    assert_eq!(run.status, Some(0), "{}", run.stderr);
    let answer: Value = serde_json::from_str(&run.stdout).unwrap();
    assert_eq!(answer["blockNumber"], HEAD + 1);
    assert_eq!(answer["sealed"]["amount"], "0x3e8");
    assert_eq!(answer["live"]["amount"], "0x3ed");
    let after = fixture.prove(ALICE, &["--period", "0"]);
    assert_eq!(after["commitment"], answer["commitment"]);
    assert_eq!(after["live"]["object"]["amount"], "0x3ed");
    assert_eq!(after["sealed"]["resurrected"], true);
    let again = fixture.resurrect(ALICE, &["--period", "0"], None);
    again.assert_refused(1, "of period 0 was resurrected before");
    let stats = fixture.json("stats", &["--json"]);
    assert_eq!(stats["head"]["block_number"], HEAD + 1);
    assert_eq!(stats["tiers"][1]["objects"]["spent"], 1);
    // Another's, by a proof from elsewhere.
    let proof = fixture.prove(BOB, &[]).to_string();
    let options = ["--period", "0", "--proof", "-"];
    let run = fixture.resurrect(BOB, &options, Some(&proof));
    assert_eq!(run.status, Some(0), "{}", run.stderr);
    let again = fixture.resurrect(BOB, &options, Some(&proof));
    again.assert_refused(1, "of period 0 was resurrected before");
    assert_eq!(fixture.prove(BOB, &[])["live"]["object"]["amount"], "0x1f4");
}

#[test]
fn no_damaged_or_foreign_proof_changes_the_store() {
    let fixture = fixture();
    let good = fixture.prove(BOB, &[]);
    let with = |change: &dyn Fn(&mut Value)| {
        let mut proof = good.clone();
        change(&mut proof);
        proof.to_string()
    };
    let flipped = |at: usize| {
        with(&|proof| {
            let mut damaged = bytes(&proof["sealed"]["proof"]).to_vec();
            let at = at.min(damaged.len() - 1);
            damaged[at] ^= 1;
            proof["sealed"]["proof"] = Bytes::from(damaged).to_string().into();
        })
    };
    let carol = fixture.prove(CAROL, &[]).to_string();
    let table = [
        (flipped(usize::MAX), "proof"),
        (flipped(10), "proof"),
        (flipped(0), "proof"),
        (
            with(&|p| p["sealed"]["proof"] = "0x".into()),
            "does not decode",
        ),
        (
            with(&|p| p["sealed"]["value"] = B256::with_last_byte(9).to_string().into()),
            "proof for period 0",
        ),
        (
            with(&|p| p["sealed"]["value"] = B256::ZERO.to_string().into()),
            "was removed",
        ),
        (
            with(&|p| p["sealed"]["period"] = 1.into()),
            "is not of period 0",
        ),
        (with(&|p| p["sealed"] = Value::Null), "is not of period 0"),
        (carol, "the proof is of key"),
        ("{}".to_owned(), "is no proof of an object"),
        (" ".repeat(2 << 20), "it is too long"),
    ];
    for (proof, expected) in table {
        let options = ["--period", "0", "--proof", "-"];
        let run = fixture.resurrect(BOB, &options, Some(&proof));
        run.assert_refused(1, expected);
    }
    let dave = fixture.resurrect(DAVE, &["--period", "0"], None);
    dave.assert_refused(1, "period 0 has no such object");
    assert_eq!(fixture.head(), HEAD);
    let file = fixture.dir.path().join("proof.json");
    fs::write(&file, good.to_string()).unwrap();
    let options = ["--period", "0", "--proof", file.to_str().unwrap()];
    assert_eq!(fixture.resurrect(BOB, &options, None).status, Some(0));
    assert_eq!(fixture.head(), HEAD + 1);
}

#[test]
fn no_deleted_archive_is_taken_for_an_empty_one() {
    let fixture = fixture();
    let proof = fixture.prove(BOB, &[]).to_string();
    let periods = fixture.datadir().join("archive/periods");
    let hash = Policy::parse(POLICY).unwrap().temporary.hash;
    let archive = PeriodArchive::open(&periods, hash, Check::Everything).unwrap();
    archive.delete(PeriodId(0)).unwrap();
    drop(archive);
    let asked = [&balance(BOB)[..], &["--period", "0"]].concat();
    let refused = fixture.store("prove", &asked);
    refused.assert_refused(1, "period 0 is not archived here");
    let refused = fixture.store("prove", &balance(BOB));
    refused.assert_refused(1, "no live value, and period 0 is not archived here");
    let alice = fixture.prove(ALICE, &[]);
    assert_eq!(alice["live"]["object"]["amount"], "0x5");
    assert_eq!(alice["notArchived"], serde_json::json!([0]));
    let refused = fixture.resurrect(BOB, &["--period", "0"], None);
    refused.assert_refused(1, "period 0 is not archived here");
    fs::remove_dir_all(fixture.datadir().join("archive")).unwrap();
    let refused = fixture.store("prove", &asked);
    refused.assert_refused(1, "period 0 is not archived here: there is no archive");
    let refused = fixture.store("prove", &["--record", "1"]);
    refused.assert_refused(1, "record 1 is not archived here: there is no archive");
    let options = ["--period", "0", "--proof", "-"];
    let run = fixture.resurrect(BOB, &options, Some(&proof));
    assert_eq!(run.status, Some(0), "{}", run.stderr);
}

#[test]
fn no_damaged_archive_is_served_from() {
    let fixture = fixture();
    for folder in ["archive/periods", "archive/records"] {
        let files = fs::read_dir(fixture.datadir().join(folder)).unwrap();
        let files = files.map(|file| file.unwrap().path());
        let longest = files.max_by_key(|file| file.metadata().unwrap().len());
        let longest = longest.unwrap();
        let before = fs::read(&longest).unwrap();
        let mut damaged = before.clone();
        let middle = damaged.len() / 2;
        damaged[middle] ^= 1;
        overwrite(&longest, &damaged);
        let name = longest.file_name().unwrap().to_str().unwrap();
        let statuses = [
            fixture.store("prove", &balance(BOB)).status,
            fixture.store("prove", &["--record", "0"]).status,
        ];
        assert!(statuses.contains(&Some(1)), "{name}: {statuses:?}");
        overwrite(&longest, &before);
    }
}

#[test]
fn verify_does_not_miss_a_damaged_tier() {
    let period_key = [&b"t"[..], &1u64.to_be_bytes()].concat();
    let ring_key = [&b"r"[..], &1u32.to_be_bytes()].concat();
    let table: [(Table, Vec<u8>, Option<Vec<u8>>); 3] = [
        (Table::Periods, period_key, None),
        (Table::Utxo, ring_key, Some(vec![1; 40])),
        (Table::Meta, b"rules".to_vec(), Some(b"\x01{".to_vec())),
    ];
    for (table, key, value) in table {
        let fixture = fixture();
        let whole = fixture.json("verify", &["--json"]);
        assert_eq!(whole["verified"], "whole");
        let store = RocksStore::open(fixture.datadir(), RocksOptions::default()).unwrap();
        let mut batch = Batch::default();
        match value {
            Some(value) => batch.put(table, key, value),
            None => batch.delete(table, key),
        }
        store.commit(batch).unwrap();
        drop(store);
        let run = fixture.store("verify", &["--json"]);
        assert_eq!(run.status, Some(1), "{table:?}");
        assert!(
            run.stderr.contains("the store is damaged"),
            "{}",
            run.stderr
        );
        let json: Value = serde_json::from_str(&run.stdout).unwrap();
        assert_eq!(json["verified"], "damaged");
    }
}

/// Segments are read-only files.
fn overwrite(file: &Path, bytes: &[u8]) {
    fs::remove_file(file).unwrap();
    fs::write(file, bytes).unwrap();
}

#[test]
fn no_other_policy_class_or_store_is_accepted() {
    let fixture = fixture();
    let other = fixture.dir.path().join("other.toml");
    fs::write(
        &other,
        POLICY.replace("period-length = 4", "period-length = 5"),
    )
    .unwrap();
    let (other, policy) = (other.to_str().unwrap(), fixture.policy.to_str().unwrap());
    let options = [&balance(BOB)[..], &["--policy", other, "--period", "0"]].concat();
    let refused = fixture.store("resurrect", &options);
    refused.assert_refused(1, "expected those of the store");
    let permanent = fixture.dir.path().join("permanent.toml");
    let text = POLICY.replace(
        "erc20_balance = \"temporary\"",
        "erc20_balance = \"permanent\"",
    );
    fs::write(&permanent, text).unwrap();
    let permanent = permanent.to_str().unwrap();
    let options = [&balance(BOB)[..], &["--policy", permanent, "--period", "0"]].concat();
    fixture
        .store("resurrect", &options)
        .assert_refused(1, "permanent");
    let (token, bob) = (TOKEN.to_string(), BOB.to_string());
    let contract = ["--contract", &token, "--owner", &bob];
    let common = [&contract[..], &["--policy", policy, "--period", "0"]].concat();
    for (class, status) in [("cdp", 2), ("erc721-owner", 2), ("nothing", 2)] {
        let options = [&common[..], &["--class", class]].concat();
        assert_eq!(fixture.store("resurrect", &options).status, Some(status));
    }
    for arguments in [
        &contract[..2],
        &contract,
        &["--record", "0", "--contract", &token],
        &["--class", "cdp"],
        &[&bob, "--record", "0"],
    ] {
        assert_eq!(
            fixture.store("prove", arguments).status,
            Some(2),
            "{arguments:?}"
        );
    }
    let policy = ["--policy", policy, "--period", "0"];
    let options = [&balance(BOB)[..], &policy].concat();
    let (missing, empty) = (fixture.dir.path().join("missing"), TempDir::new().unwrap());
    let absent = store(&missing, "resurrect", &options, None);
    absent.assert_refused(1, "there is no store at");
    let foreign = store(empty.path(), "resurrect", &options, None);
    foreign.assert_refused(1, "is not a thinstate store");
    assert!(!missing.exists() && fs::read_dir(empty.path()).unwrap().next().is_none());
    assert_eq!(fixture.head(), HEAD);
}
