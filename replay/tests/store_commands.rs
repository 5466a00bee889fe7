//! `thinstate store` shows what a store holds, names what is wrong with it, and makes none.
#![expect(
    clippy::unwrap_used,
    reason = "a test fails where something that it relies on does"
)]

use alloy_primitives::{Address, B256, Bytes, U256, keccak256};
use alloy_trie::{HashBuilder, TrieAccount};
use assert_cmd::Command;
use nybbles::Nibbles;
use rand::{RngExt as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;
use serde_json::Value;
use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
};
use tempfile::TempDir;
use thinstate_engine::{
    BlockId, Head, Options, PermanentTier, Witness,
    leaf_store::{Batch, LeafStore as _, RocksOptions, RocksStore, Table},
};
use thinstate_formats::{
    Account, AccountChange, AccountUpdate, BlockNumber, StateChanges, proof::AccountProof,
};
use thinstate_replay::inspect::export::Record;

const ACCOUNTS: u64 = 300;
/// The account with more slots than fit into a bucket.
const LARGE: u64 = 7;
const LARGE_SLOTS: u64 = 200;

/// A store of some hundred accounts, and what it holds.
struct Fixture {
    dir: TempDir,
    changes: StateChanges,
    head: Head,
}

fn address(n: u64) -> Address {
    Address::from_word(keccak256(n.to_be_bytes()))
}

fn code(n: u64) -> Bytes {
    Bytes::from(vec![n as u8; 10 + n as usize])
}

fn changes() -> StateChanges {
    let mut rng = ChaCha8Rng::seed_from_u64(2);
    let mut changes = StateChanges::default();
    for n in 0..ACCOUNTS {
        let slots = match n {
            LARGE => LARGE_SLOTS,
            _ if n % 3 == 0 => n % 11,
            _ => 0,
        };
        let mut account = Account {
            nonce: n,
            balance: U256::from(rng.random::<u128>()),
            ..Account::default()
        };
        if slots > 0 {
            account.code_hash = keccak256(code(n));
            changes.code.insert(account.code_hash, code(n));
        }
        let mut value = || U256::from(rng.random::<u64>() >> 1) + U256::from(1);
        let change = AccountChange {
            account: AccountUpdate::Set(account),
            storage: (0..slots).map(|s| (U256::from(s), value())).collect(),
            ..AccountChange::default()
        };
        changes.accounts.insert(address(n), change);
    }
    changes
}

fn open(dir: &Path) -> PermanentTier<RocksStore> {
    let store = RocksStore::open(dir, RocksOptions::default()).unwrap();
    PermanentTier::open(store, Options::default()).unwrap()
}

const BLOCK: BlockId = BlockId {
    number: BlockNumber(1234),
    hash: B256::repeat_byte(0xb1),
};

fn fixture() -> Fixture {
    let dir = TempDir::new().unwrap();
    let tier = open(dir.path());
    let changes = changes();
    tier.apply(BLOCK, &changes).unwrap();
    tier.compact().unwrap();
    let head = tier.head();
    Fixture { dir, changes, head }
}

impl Fixture {
    fn path(&self) -> &Path {
        self.dir.path()
    }

    fn slots(&self) -> usize {
        self.changes.slots_written()
    }
}

/// What a command printed, and its exit status.
struct Run {
    stdout: String,
    stderr: String,
    status: Option<i32>,
}

fn thinstate(arguments: &[&str]) -> Run {
    let output = Command::cargo_bin("thinstate")
        .unwrap()
        .args(arguments)
        .output()
        .unwrap();
    Run {
        stdout: String::from_utf8(output.stdout).unwrap(),
        stderr: String::from_utf8(output.stderr).unwrap(),
        status: output.status.code(),
    }
}

/// `thinstate store COMMAND --datadir DIR MORE...`
fn store(command: &str, dir: &Path, more: &[&str]) -> Run {
    let dir = dir.to_str().unwrap();
    thinstate(&[&["store", command, "--datadir", dir], more].concat())
}

/// The same, which must succeed.
fn store_ok(command: &str, dir: &Path, more: &[&str]) -> Run {
    let run = store(command, dir, more);
    assert_eq!(run.status, Some(0), "{command} {more:?}: {}", run.stderr);
    run
}

fn assert_narrow(text: &str) {
    for line in text.lines() {
        assert!(line.chars().count() <= 80, "over 80 columns: {line}");
    }
}

#[test]
fn stats_do_not_differ_from_what_was_written() {
    let fixture = fixture();
    let json: Value =
        serde_json::from_str(&store_ok("stats", fixture.path(), &["--json"]).stdout).unwrap();
    assert_eq!(json["head"]["block_number"], 1234);
    assert_eq!(json["head"]["block_hash"], BLOCK.hash.to_string());
    assert_eq!(json["head"]["state_root"], fixture.head.root.to_string());
    let tier = &json["tiers"][0];
    assert_eq!(tier["tier"], "permanent");
    let table = |name: &str| {
        let tables = tier["tables"].as_array().unwrap();
        tables.iter().find(|t| t["table"] == name).unwrap()
    };
    assert_eq!(table("accounts")["entries"], ACCOUNTS);
    assert_eq!(table("storage")["entries"], fixture.slots());
    assert_eq!(table("storage")["entries_exact"], true);
    assert_eq!(table("code")["entries"], fixture.changes.code.len());
    assert_eq!(table("code")["entries_exact"], false);
    let files = table("storage")["file_bytes"].as_u64().unwrap();
    assert!(files > 32 * fixture.slots() as u64, "{files} bytes");
    let [accounts, storage] = [&tier["interior"][0], &tier["interior"][1]];
    let mean = |tries: &Value| tries["entries_per_bucket"].as_f64().unwrap();
    let buckets = |tries: &Value| tries["buckets"].as_f64().unwrap();
    assert_eq!(
        (mean(accounts) * buckets(accounts)).round(),
        ACCOUNTS as f64
    );
    assert_eq!(
        (mean(storage) * buckets(storage)).round(),
        LARGE_SLOTS as f64
    );
    assert_eq!(storage["with_interior"], 1);
    let with_slots = |c: &&AccountChange| !c.storage.is_empty();
    let tries = fixture.changes.accounts.values().filter(with_slots).count();
    assert_eq!(storage["count"], tries);
}

#[test]
fn tables_are_not_wider_than_a_terminal() {
    let fixture = fixture();
    let stats = store_ok("stats", fixture.path(), &[]).stdout;
    assert_narrow(&stats);
    assert!(stats.contains(&fixture.head.root.to_string()));
    let accounts = |line: &str| line.starts_with("| accounts ") && line.contains("|     300 |");
    assert!(stats.lines().any(accounts), "{stats}");
    let verify = store_ok("verify", fixture.path(), &[]);
    assert_narrow(&verify.stdout);
    assert!(verify.stdout.contains("| accounts "), "{}", verify.stdout);
    for command in ["stats", "verify", "prove", "export", "resurrect"] {
        let help = thinstate(&["store", command, "--help"]);
        assert_eq!(help.status, Some(0));
        assert_narrow(&help.stdout);
    }
    assert_narrow(&thinstate(&["store", "--help"]).stdout);
}

#[test]
fn verify_leaves_nothing_out() {
    let fixture = fixture();
    let run = store_ok("verify", fixture.path(), &["--json"]);
    let json: Value = serde_json::from_str(&run.stdout).unwrap();
    assert_eq!(json["verified"], "whole");
    assert_eq!(json["head"]["state_root"], fixture.head.root.to_string());
    assert_eq!(json["accounts"], ACCOUNTS);
    assert_eq!(json["slots"], fixture.slots());
    assert_eq!(json["stubs"], 0);
}

/// Writes past the engine.
fn tamper(dir: &Path, change: impl FnOnce(&mut Batch)) {
    let store = RocksStore::open(dir, RocksOptions::default()).unwrap();
    let mut batch = Batch::default();
    change(&mut batch);
    store.commit(batch).unwrap();
}

fn slot_key(account: u64, slot: u64) -> Vec<u8> {
    let slot = keccak256(U256::from(slot).to_be_bytes::<32>());
    [keccak256(address(account)), slot].concat()
}

#[test]
fn verify_does_not_miss_a_changed_added_or_removed_slot() {
    let cases: [(u64, Vec<u8>, Option<Vec<u8>>); 5] = [
        (LARGE, slot_key(LARGE, 3), Some(vec![1, 0x77])),
        (LARGE, slot_key(LARGE, 3), None),
        (LARGE, slot_key(LARGE, LARGE_SLOTS), Some(vec![1, 1])),
        (9, slot_key(9, 1), Some(vec![1, 0x77])),
        (1, slot_key(1, 0), Some(vec![1, 1])),
    ];
    for (account, key, value) in cases {
        let fixture = fixture();
        tamper(fixture.path(), |batch| match value {
            Some(value) => batch.put(Table::Storage, key, value),
            None => batch.delete(Table::Storage, key),
        });
        let run = store("verify", fixture.path(), &["--json"]);
        assert_eq!(run.status, Some(1));
        let account = keccak256(address(account)).to_string();
        let expected = format!("the slots of account {account} hash to 0x");
        assert!(run.stderr.contains(&expected), "{}", run.stderr);
        let json: Value = serde_json::from_str(&run.stdout).unwrap();
        assert_eq!(json["verified"], "damaged");
        assert!(json["error"].as_str().unwrap().contains(&account));
    }
}

#[test]
fn verify_does_not_miss_a_changed_account() {
    let fixture = fixture();
    let key = keccak256(address(5)).to_vec();
    // Nonce 1, balance 1.
    let leaf = vec![1 << 2, 1, 1, 1];
    tamper(fixture.path(), |batch| {
        batch.put(Table::Accounts, key, leaf)
    });
    let run = store("verify", fixture.path(), &["--json"]);
    assert_eq!(run.status, Some(1));
    let expected = format!("but the committed root is {}", fixture.head.root);
    assert!(run.stderr.contains(&expected), "{}", run.stderr);
    let json: Value = serde_json::from_str(&run.stdout).unwrap();
    assert_eq!(json["verified"], "damaged");
    for command in ["stats", "export"] {
        assert_eq!(store(command, fixture.path(), &[]).status, Some(1));
    }
}

/// Table files, largest first.
fn table_files(dir: &Path) -> Vec<PathBuf> {
    let files = fs::read_dir(dir).unwrap().map(|e| e.unwrap().path());
    let mut files: Vec<_> = files
        .filter(|path| path.extension().is_some_and(|e| e == "sst"))
        .collect();
    files.sort_by_key(|path| std::cmp::Reverse(path.metadata().unwrap().len()));
    files
}

#[test]
fn verify_does_not_miss_a_flipped_byte_in_the_data_of_a_table_file() {
    let fixture = fixture();
    // The slots, with 64 bytes of key each, make the largest file.
    let file = table_files(fixture.path()).swap_remove(0);
    let mut bytes = fs::read(&file).unwrap();
    bytes[1000] ^= 0x10;
    fs::write(&file, bytes).unwrap();
    let run = store("verify", fixture.path(), &[]);
    assert_eq!(run.status, Some(1));
    assert_eq!(run.stdout, "");
    assert!(run.stderr.contains("is corrupt"), "{}", run.stderr);
    let name = file.file_name().unwrap().to_str().unwrap();
    assert!(run.stderr.contains(name), "{}", run.stderr);
}

#[test]
fn no_proof_is_printed_in_another_shape_or_does_not_verify() {
    let fixture = fixture();
    let word = format!("0x{:064x}", 5);
    let absent = "123456789";
    for account in [LARGE, 9, 1, ACCOUNTS] {
        let account_address = address(account);
        let slots = ["0", "0x3", &word, absent];
        let text = account_address.to_string();
        let arguments = [&[&*text], &slots[..]].concat();
        let run = store_ok("prove", fixture.path(), &arguments);
        let json: Value = serde_json::from_str(&run.stdout).unwrap();
        let keys: Vec<_> = json["storageProof"].as_array().unwrap().iter().collect();
        let keys: Vec<_> = keys.iter().map(|s| s["key"].as_str().unwrap()).collect();
        assert_eq!(keys, ["0x0", "0x3", &word, "0x75bcd15"]);
        let proof: AccountProof = serde_json::from_str(&run.stdout).unwrap();
        proof.verify(fixture.head.root).unwrap();
        assert_eq!(proof.address, account_address);
        let change = fixture.changes.accounts.get(&account_address);
        for slot in &proof.storage_proof {
            let value = change.and_then(|c| c.storage.get(&slot.key));
            assert_eq!(slot.value, value.copied().unwrap_or_default());
        }
        match change.map(|c| c.account) {
            Some(AccountUpdate::Set(account)) => {
                assert_eq!(proof.balance, account.balance);
                assert_eq!(json["nonce"], format!("{:#x}", account.nonce));
            }
            _ => assert_eq!(json["balance"], "0x0"),
        }
        assert!(run.stderr.contains(&fixture.head.root.to_string()));
        let file = fixture.path().join("proof.json");
        let to_file = [&arguments[..], &["-o", file.to_str().unwrap()]].concat();
        assert_eq!(store_ok("prove", fixture.path(), &to_file).stdout, "");
        assert_eq!(fs::read_to_string(&file).unwrap(), run.stdout);
    }
}

#[test]
fn no_wrong_argument_is_taken_for_another() {
    let fixture = fixture();
    let account = address(1).to_string();
    for arguments in [&["0x12"][..], &[&account, "0xg"], &[&account, "-5"], &[]] {
        assert_eq!(store("prove", fixture.path(), arguments).status, Some(2));
    }
    let csv_to_stdout = store("export", fixture.path(), &["--format", "csv"]);
    assert_eq!(csv_to_stdout.status, Some(2));
    assert!(csv_to_stdout.stderr.contains("--output"));
}

fn records(jsonl: &str) -> Vec<Record> {
    let lines = jsonl.lines();
    lines.map(|l| serde_json::from_str(l).unwrap()).collect()
}

/// The state root of exported records, by alloy-trie; each storage root is checked on the way.
fn root_of(records: &[Record]) -> B256 {
    let mut accounts = HashBuilder::default();
    let mut storage = BTreeMap::<B256, HashBuilder>::new();
    for record in records {
        if let Record::Slot {
            address_hash,
            slot_hash,
            value,
            ..
        } = record
        {
            let trie = storage.entry(*address_hash).or_default();
            trie.add_leaf(Nibbles::unpack(slot_hash), &alloy_rlp::encode(value));
        }
    }
    for record in records {
        if let Record::Account {
            address_hash,
            nonce,
            balance,
            storage_hash,
            code_hash,
            ..
        } = record
        {
            let root = storage.remove(address_hash).unwrap_or_default().root();
            assert_eq!(root, *storage_hash);
            let account = TrieAccount::new(nonce.to(), *balance, root, *code_hash);
            accounts.add_leaf(Nibbles::unpack(address_hash), &alloy_rlp::encode(account));
        }
    }
    assert!(storage.is_empty());
    accounts.root()
}

#[test]
fn no_export_makes_another_state() {
    let fixture = fixture();
    let run = store_ok("export", fixture.path(), &["--code"]);
    let exported = records(&run.stdout);
    assert_eq!(exported.len(), 1 + 300 + fixture.slots());
    assert_eq!(root_of(&exported), fixture.head.root);
    assert_eq!(exported[0], Record::head(&fixture.head));
    let code_bytes: u64 = exported
        .iter()
        .filter_map(|record| match record {
            Record::Account { code_bytes, .. } => Some(code_bytes.expect("--code was given")),
            _ => None,
        })
        .sum();
    let expected: usize = fixture.changes.code.values().map(|code| code.len()).sum();
    assert_eq!(code_bytes, expected as u64);
    let file = fixture.path().join("state.jsonl");
    let to_file = ["--code", "-o", file.to_str().unwrap()];
    assert_eq!(store_ok("export", fixture.path(), &to_file).stdout, "");
    assert_eq!(fs::read_to_string(&file).unwrap(), run.stdout);
    let without_code = store_ok("export", fixture.path(), &[]).stdout;
    assert!(!without_code.contains("codeBytes"));
    assert_eq!(root_of(&records(&without_code)), fixture.head.root);
}

#[test]
fn a_reader_that_has_read_enough_is_no_error() {
    let fixture = fixture();
    let datadir = fixture.path().to_str().unwrap();
    let mut child = std::process::Command::new(assert_cmd::cargo::cargo_bin("thinstate"))
        .args(["store", "export", "--datadir", datadir])
        .stdout(std::process::Stdio::piped())
        .stderr(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    // More than a pipe holds is to come, so that the program is still writing when it closes.
    drop(child.stdout.take());
    let output = child.wait_with_output().unwrap();
    let stderr = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(0), "{stderr}");
    assert!(
        stderr.contains("the reader has closed the pipe"),
        "{stderr}"
    );
}

/// The records in a CSV file, with the columns as names.
fn csv(file: &Path) -> Vec<BTreeMap<String, String>> {
    let text = fs::read_to_string(file).unwrap();
    let mut lines = text.lines().map(|line| line.split(','));
    let columns: Vec<&str> = lines.next().unwrap().collect();
    let row = |line: std::str::Split<'_, char>| {
        let fields: Vec<_> = line.collect();
        assert_eq!(fields.len(), columns.len());
        let named = columns.iter().zip(fields);
        named
            .map(|(c, f)| ((*c).to_owned(), f.to_owned()))
            .collect()
    };
    lines.map(row).collect()
}

#[test]
fn csv_does_not_differ_from_json_lines() {
    let fixture = fixture();
    let folder = fixture.path().join("csv");
    let arguments = ["--format", "csv", "--code", "-o", folder.to_str().unwrap()];
    assert_eq!(store_ok("export", fixture.path(), &arguments).stdout, "");
    let json = store_ok("export", fixture.path(), &["--code"]).stdout;
    let mut from_csv = Vec::new();
    for (name, kind) in [
        ("accounts", "account"),
        ("slots", "slot"),
        ("stubs", "stub"),
    ] {
        for mut row in csv(&folder.join(format!("{name}.csv"))) {
            let code_bytes = row.remove("codeBytes");
            let mut value = serde_json::json!(row);
            value["type"] = kind.into();
            if let Some(bytes) = code_bytes {
                value["codeBytes"] = bytes.parse::<u64>().unwrap().into();
            }
            from_csv.push(serde_json::from_value::<Record>(value).unwrap());
        }
    }
    let expected = records(&json);
    assert_eq!(from_csv, expected[1..]);
    let head = fs::read_to_string(folder.join("head.json")).unwrap();
    assert_eq!(serde_json::from_str::<Record>(&head).unwrap(), expected[0]);
    let names = fs::read_dir(&folder)
        .unwrap()
        .map(|e| e.unwrap().file_name());
    assert_eq!(names.count(), 4, "nothing partial is left behind");
}

#[test]
fn a_partial_state_does_not_hide_its_stubs() {
    let whole = fixture();
    let tier = open(whole.path());
    let proof = tier.view().prove(address(LARGE), &[U256::ZERO]).unwrap();
    let slots = proof.storage_proof.iter().flat_map(|slot| &slot.proof);
    let witness = Witness {
        nodes: proof.account_proof.iter().chain(slots).cloned().collect(),
        ..Witness::default()
    };
    let dir = TempDir::new().unwrap();
    let part = open(dir.path());
    part.adopt_root(BLOCK, whole.head.root).unwrap();
    part.insert_witness(&witness).unwrap();
    let head = part.head();
    drop(part);
    assert!(head.stubs > 20);
    let exported = records(&store_ok("export", dir.path(), &["--code"]).stdout);
    let stubs = exported.iter().filter(|r| matches!(r, Record::Stub { .. }));
    assert_eq!(stubs.count() as u64, head.stubs);
    let stats: Value =
        serde_json::from_str(&store_ok("stats", dir.path(), &["--json"]).stdout).unwrap();
    let tables = stats["tiers"][0]["tables"].as_array().unwrap();
    let stubs: u64 = tables.iter().map(|t| t["stubs"].as_u64().unwrap()).sum();
    assert_eq!(stubs, head.stubs);
    assert_eq!(store_ok("verify", dir.path(), &[]).status, Some(0));
    let held = address(LARGE).to_string();
    store_ok("prove", dir.path(), &[&held, "0"]);
    let run = store("prove", dir.path(), &[&address(9).to_string()]);
    assert_eq!((run.status, run.stdout.as_str()), (Some(1), ""));
    assert!(run.stderr.contains("missing node 0x"), "{}", run.stderr);
}

const COMMANDS: [(&str, &[&str]); 4] = [
    ("stats", &[]),
    ("verify", &[]),
    ("prove", &["0x0000000000000000000000000000000000000001"]),
    ("export", &[]),
];

#[test]
fn no_command_makes_a_store() {
    let dir = TempDir::new().unwrap();
    let missing = dir.path().join("missing");
    let (empty, file) = (dir.path().join("empty"), dir.path().join("file"));
    fs::create_dir(&empty).unwrap();
    fs::write(&file, "text").unwrap();
    for (command, more) in COMMANDS {
        for (path, expected) in [
            (&missing, "there is no store at"),
            (
                &empty,
                "is not a thinstate store: there is neither a file CURRENT nor a file pages in it",
            ),
            (&file, "is not a thinstate store: it is no folder"),
        ] {
            let run = store(command, path, more);
            assert_eq!((run.status, run.stdout.as_str()), (Some(1), ""));
            assert!(run.stderr.contains(expected), "{}", run.stderr);
        }
    }
    assert!(!missing.exists());
    assert_eq!(fs::read_dir(&empty).unwrap().count(), 0);
}

fn listing(dir: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let files = fs::read_dir(dir).unwrap().map(|e| e.unwrap().path());
    files.map(|f| (f.clone(), fs::read(f).unwrap())).collect()
}

#[test]
fn no_database_of_another_program_is_touched() {
    let dir = TempDir::new().unwrap();
    drop(rocksdb::DB::open_default(dir.path()).unwrap());
    let before = listing(dir.path());
    for (command, more) in COMMANDS {
        let run = store(command, dir.path(), more);
        assert_eq!(run.status, Some(1));
        let expected = "it has no table accounts, but default";
        assert!(run.stderr.contains(expected), "{}", run.stderr);
    }
    assert!(listing(dir.path()) == before, "files have changed");
}

#[test]
fn no_store_is_opened_that_another_process_holds() {
    let fixture = fixture();
    let held = open(fixture.path());
    for (command, more) in COMMANDS {
        let run = store(command, fixture.path(), more);
        assert_eq!((run.status, run.stdout.as_str()), (Some(1), ""));
        let expected = "is held by another process";
        assert!(run.stderr.contains(expected), "{}", run.stderr);
    }
    drop(held);
    store_ok("stats", fixture.path(), &[]);
}

#[test]
fn no_command_is_without_a_manual_page() {
    let dir = TempDir::new().unwrap();
    let run = thinstate(&["man", "-o", dir.path().to_str().unwrap()]);
    assert_eq!(run.status, Some(0), "{}", run.stderr);
    for page in [
        "",
        "-verify",
        "-trace",
        "-store",
        "-demo",
        "-completions",
        "-man",
    ]
    .into_iter()
    .chain([
        "-store-stats",
        "-store-verify",
        "-store-prove",
        "-store-export",
        "-store-resurrect",
    ]) {
        let text = fs::read_to_string(dir.path().join(format!("thinstate{page}.1"))).unwrap();
        assert!(text.contains(".SH SYNOPSIS"), "thinstate{page}.1");
    }
    assert!(thinstate(&["man"]).stdout.contains(".TH thinstate 1"));
    for shell in ["bash", "zsh", "fish"] {
        let run = thinstate(&["completions", shell]);
        assert!(run.stdout.contains("datadir"), "{shell}");
    }
}
