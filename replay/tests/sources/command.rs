//! `thinstate trace`, from the command line.

use crate::{
    chain::{self, BLOCKS, chain},
    node_server::{Misbehaviour as M, Node},
    support::mainnet,
};
use assert_cmd::Command;
use serde_json::{Value, json};
use std::{fs, path::Path, process::Output};
use thinstate_replay::trace::TraceReader;

fn thinstate(args: &[&str]) -> Output {
    let mut command = Command::cargo_bin("thinstate").unwrap();
    command.env_remove("ETH_RPC_URL").arg("trace").args(args);
    command.output().unwrap()
}

fn text(output: &Output) -> String {
    let both = [&output.stdout[..], &output.stderr].concat();
    String::from_utf8(both).unwrap()
}

fn ok(args: &[&str]) -> Value {
    let output = thinstate(args);
    assert_eq!(output.status.code(), Some(0), "{}", text(&output));
    serde_json::from_slice(&output.stdout).unwrap()
}

fn path(path: &Path) -> &str {
    path.to_str().unwrap()
}

/// Files of the tiny chain, as a node's answers.
fn files(folder: &Path) {
    for number in BLOCKS {
        let name = |kind: &str| folder.join(format!("{number}.{kind}.json"));
        fs::write(name("block"), chain::block(number).to_string()).unwrap();
        fs::write(name("prestate"), chain::prestate(number).to_string()).unwrap();
        fs::write(name("diff"), chain::diff(number).to_string()).unwrap();
    }
}

#[test]
fn a_trace_of_a_node_is_never_another_than_that_of_its_files() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    let [from_files, from_node] = [at("files.trace"), at("node.trace")];
    fs::create_dir(at("files")).unwrap();
    files(&at("files"));
    let info = ok(&[path(&at("files")), "-o", path(&from_files), "--json"]);
    assert_eq!(info["blocks"], 3);
    assert_eq!(info["values_assumed"], false);

    let node = Node::with_manners(chain(), |_, before| {
        (before == 0).then_some(M::Status(429, Some(0)))
    });
    let url = node.url();
    let fetch = ["--rpc", &url, "--blocks", "-3:", "--rps", "0", "--json"];
    let output = ["-o", path(&from_node)];
    let info = ok(&[&fetch[..], &output].concat());
    assert_eq!(info["blocks"], 3);
    assert!(fs::read(&from_files).unwrap() == fs::read(&from_node).unwrap());
    let requests = node.all_requests();
    let from_env = |args: &[&str]| {
        let mut command = Command::cargo_bin("thinstate").unwrap();
        command.env("ETH_RPC_URL", &url).arg("trace").args(args);
        command.args(output).output().unwrap()
    };
    let output_of_env = from_env(&["--rpc", "--blocks", "-3:", "--rps", "0", "--json"]);
    assert_eq!(
        output_of_env.status.code(),
        Some(0),
        "{}",
        text(&output_of_env)
    );
    assert_eq!(
        node.all_requests() - requests,
        2,
        "chain and latest block alone"
    );
    let of_files = from_env(&[path(&at("files"))]);
    assert_eq!(of_files.status.code(), Some(0), "{}", text(&of_files));
    let requests = node.all_requests();
    ok(&[&fetch[..], &output].concat());
    assert_eq!(
        node.all_requests() - requests,
        2,
        "chain and latest block alone"
    );
    let manifest = fs::read(at("node.trace.fetch").join("fetch.json")).unwrap();
    let manifest: Value = serde_json::from_slice(&manifest).unwrap();
    let expected = json!({"schema": "thinstate-fetch/1", "chain_id": 1, "method": "prestate"});
    assert_eq!(manifest, expected);
}

#[test]
fn a_node_of_another_chain_is_not_asked_for_blocks() {
    let folder = tempfile::tempdir().unwrap();
    let output = folder.path().join("t");
    let node = Node::start(chain());
    let url = node.url();
    let args = [
        "--rpc",
        &url,
        "--blocks",
        "100:103",
        "--chain-id",
        "5",
        "-o",
        path(&output),
    ];
    let output = thinstate(&args);
    assert_eq!(output.status.code(), Some(1));
    let said = text(&output);
    assert!(
        said.contains("the node is on chain 1, expected 5"),
        "{said}"
    );
    assert_eq!(node.all_requests(), 1);
}

#[test]
fn assumed_values_are_never_passed_off_as_the_source_s() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    fs::create_dir(at("lists")).unwrap();
    let list = at("lists").join("100.bal.json");
    fs::write(&list, chain::access_list(100).to_string()).unwrap();
    fs::write(
        at("lists").join("100.block.json"),
        chain::block(100).to_string(),
    )
    .unwrap();
    let (first, second, lists) = (at("first.trace"), at("second.trace"), at("out"));
    let info = ok(&[
        path(&at("lists")),
        "-o",
        path(&first),
        "--lists",
        path(&lists),
        "--json",
    ]);
    assert_eq!(info["values_assumed"], true);
    assert_eq!(info["gas_used"], 42_000);
    // The list that was written makes the same trace but for the header's figures; a copy says the same.
    let again = ok(&[
        path(&lists),
        "--block-folder",
        path(&at("lists")),
        "-o",
        path(&second),
        "--json",
    ]);
    assert_eq!(again, info);
    assert!(fs::read(&first).unwrap() == fs::read(&second).unwrap());
    let copy = ok(&[path(&first), "-o", path(&second), "--force", "--json"]);
    assert_eq!(copy, info);
    assert!(TraceReader::open(&second).unwrap().header().values_assumed);
    let described = thinstate(&["--info", path(&second)]);
    assert!(text(&described).contains("partly assumed"));
}

#[test]
fn only_blocks_that_were_asked_for_are_written() {
    let folder = tempfile::tempdir().unwrap();
    files(folder.path());
    let output = folder.path().join("out.trace");
    let info = ok(&[
        path(folder.path()),
        "--blocks",
        "101:",
        "-o",
        path(&output),
        "--json",
    ]
    .map(|it| if it == "101:" { "101:103" } else { it }));
    assert_eq!((&info["blocks"], &info["first"]), (&json!(2), &json!(101)));
    let copy = folder.path().join("copy.trace");
    let info = ok(&[
        path(&output),
        "--blocks",
        "102",
        "-o",
        path(&copy),
        "--json",
    ]);
    assert_eq!((&info["blocks"], &info["first"]), (&json!(1), &json!(102)));
}

#[test]
fn a_wrong_command_line_is_not_tried() {
    for args in [
        &[][..],
        &["--rpc", "http://localhost:1", "-o", "t"],
        &["--rpc", "http://localhost:1", "--blocks", "5:x", "-o", "t"],
        &["--era1", "x.era1", "-o", "t"],
        &["folder"],
        &[
            "folder",
            "--rpc",
            "http://localhost:1",
            "--blocks",
            "5",
            "-o",
            "t",
        ],
    ] {
        let output = thinstate(args);
        assert_eq!(output.status.code(), Some(2), "{args:?}: {}", text(&output));
    }
}

#[test]
fn the_chain_from_genesis_is_traced_to_its_roots() {
    let (Some(root), Some(era1)) = (mainnet(""), mainnet("era1")) else {
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    let output = folder.path().join("chain.trace");
    let genesis = root.join("genesis.json.zst");
    let file = era1.join("mainnet-00000-5ec1ffb8.era1");
    let args = [
        "--genesis",
        path(&genesis),
        "--era1",
        path(&file),
        "--blocks",
        ":200",
    ];
    let info = ok(&[&args[..], &["-o", path(&output), "--json"]].concat());
    assert_eq!(
        (&info["blocks"], &info["blocks_with_root"]),
        (&json!(200), &json!(200))
    );
    assert!(info["accounts"]["creates"].as_u64() > Some(8_892));
}

#[test]
fn the_same_seed_never_gives_other_blocks() {
    let folder = tempfile::tempdir().unwrap();
    let generate = |name: &str, seed: &str| {
        let output = folder.path().join(name);
        let args = [
            "--generate",
            "mainnet",
            "--accounts",
            "20000",
            "--blocks",
            "5:+3",
        ];
        let info = ok(&[&args[..], &["--seed", seed, "-o", path(&output), "--json"]].concat());
        assert_eq!((&info["blocks"], &info["first"]), (&json!(3), &json!(5)));
        fs::read(output).unwrap()
    };
    let first = generate("one", "7");
    assert!(first == generate("two", "7"));
    assert!(first != generate("three", "8"));
}
