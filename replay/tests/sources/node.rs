//! Whatever a node does, a trace of what was fetched must be the one of the files, or there must be none.

use crate::{
    chain::{self, BLOCKS, chain},
    node_server::{Call, Chain, Misbehaviour as M, Node},
    support::mainnet,
};
use alloy_primitives::hex;
use serde_json::json;
use std::{
    collections::BTreeMap, fs, num::NonZeroUsize, path::Path, sync::atomic::AtomicBool,
    time::Duration,
};
use thinstate_formats::{BlockNumber, trace::BlockTrace};
use thinstate_replay::{
    exec::ChainSpec,
    source::{
        access_list, input,
        known::KnownState,
        prestate,
        rpc::{
            Backoff, CallFault, Client, ClientOptions, FetchError, FetchFolder, FetchMethod,
            FetchPlan, FetchReport, RpcError, choose, fetch,
        },
        witness,
    },
    trace::record_witness,
};

const METHODS: [FetchMethod; 2] = [FetchMethod::Prestate, FetchMethod::Bal];

fn options() -> ClientOptions {
    ClientOptions {
        rps: 0.0,
        retries: 3,
        backoff: Backoff {
            first: Duration::from_millis(2),
            longest: Duration::from_millis(10),
        },
        timeout: Duration::from_secs(20),
        ..ClientOptions::default()
    }
}

fn client(node: &Node) -> Client {
    Client::new(node.url(), options())
}

fn numbers(blocks: &[u64]) -> Vec<BlockNumber> {
    blocks.iter().copied().map(BlockNumber).collect()
}

fn fetch_into(
    folder: &Path,
    client: &Client,
    method: FetchMethod,
    blocks: &[u64],
) -> Result<FetchReport, FetchError> {
    let folder = FetchFolder::open(folder, 1, method)?;
    let blocks = numbers(blocks);
    let plan = FetchPlan {
        blocks: &blocks,
        folder: &folder,
        max_concurrent: NonZeroUsize::new(2).unwrap(),
    };
    fetch(client, &plan, &AtomicBool::new(false), &|_, _| {})
}

/// The traces of a folder's files.
fn traces(folder: &Path, method: FetchMethod) -> Vec<BlockTrace> {
    let mut known = KnownState::new();
    let inputs = input::find(&[folder.into()]).unwrap().into_iter();
    inputs
        .map(|it| match method {
            FetchMethod::Prestate => {
                let (state, figures) = prestate::read(&it.path).unwrap();
                prestate::to_trace(&state, &figures).unwrap()
            }
            FetchMethod::Bal => {
                let file = access_list::read(&it.path, &Default::default()).unwrap();
                let listed = access_list::to_trace(&file.list, &file.figures, &mut known);
                listed.unwrap().trace
            }
            FetchMethod::Witness => {
                let witness = witness::read(&it.path).unwrap();
                let dir = tempfile::tempdir().unwrap();
                let spec = ChainSpec::mainnet();
                let recorded = record_witness(dir.path(), &witness, &spec, Default::default());
                recorded.unwrap().trace
            }
        })
        .collect()
}

/// The same documents as files, by hand.
fn by_hand(folder: &Path, chain: &Chain) {
    for ((method, block), result) in &chain.results {
        let number = block.unwrap();
        let kind = match method.as_str() {
            "eth_getBlockByNumber" => "block",
            "debug_traceBlockByNumber" => "prestate",
            "debug_traceBlockByNumber diff" => "diff",
            _ => continue,
        };
        let path = folder.join(format!("{number}.{kind}.json"));
        fs::write(path, json!({"id": 1, "result": result}).to_string()).unwrap();
    }
}

#[test]
fn a_fetched_trace_is_never_another_than_that_of_the_files() {
    let files = tempfile::tempdir().unwrap();
    by_hand(files.path(), &chain());
    let expected = traces(files.path(), FetchMethod::Prestate);
    assert_eq!(expected.len(), BLOCKS.len());

    let misbehaviours = [
        M::Status(429, Some(0)),
        M::Status(500, None),
        M::Status(503, Some(0)),
        M::CloseInBody,
        M::Close,
        M::WrongId,
        M::Error(-32_005, "limit exceeded"),
        M::TruncatedJson,
        M::Page,
        M::LengthTooLong,
        M::LengthTooShort,
        M::Slow(20),
    ];
    for manners in misbehaviours {
        let what = format!("{manners:?}");
        let answers_late = matches!(manners, M::Slow(_));
        let node = Node::with_manners(chain(), move |_, before| {
            (before == 0).then(|| manners.clone())
        });
        let client = client(&node);
        for method in METHODS {
            let folder = tempfile::tempdir().unwrap();
            let report = fetch_into(folder.path(), &client, method, &BLOCKS).expect(&what);
            assert_eq!(report.new, BLOCKS.len(), "{what}");
            let got = traces(folder.path(), method);
            if method == FetchMethod::Prestate {
                assert!(got == expected, "{what}");
                assert_eq!(client.retried() == 0, answers_late, "{what}");
            }
        }
    }
}

/// Three small blocks of mainnet, as `debug_getRawBlock` and `debug_executionWitness` would give them.
fn mainnet_chain(folder: &Path) -> (Chain, Vec<u64>) {
    let mut results = BTreeMap::new();
    let mut blocks = Vec::new();
    for path in witness::find(folder).unwrap() {
        let it = witness::read(&path).unwrap();
        if it.parent_header.is_none() || it.state.len() > 400 || blocks.len() == 3 {
            continue;
        }
        let number = it.number().0;
        let mut parent = Vec::new();
        alloy_rlp::Encodable::encode(it.parent_header.as_ref().unwrap(), &mut parent);
        let document = json!({
            "state": it.state, "codes": it.codes, "keys": [],
            "headers": [format!("0x{}", hex::encode(parent))],
        });
        let raw = json!(it.raw_block);
        results.insert(("debug_getRawBlock".to_owned(), Some(number)), raw);
        results.insert(
            ("debug_executionWitness".to_owned(), Some(number)),
            document,
        );
        blocks.push(number);
    }
    let latest = *blocks.iter().max().unwrap();
    let chain = Chain {
        chain_id: 1,
        latest,
        results,
    };
    (chain, blocks)
}

#[test]
fn a_fetched_witness_never_leads_to_another_trace() {
    let Some(folder) = mainnet("witness") else {
        return;
    };
    let (chain, blocks) = mainnet_chain(&folder);
    let node = Node::with_manners(chain, |call, before| {
        let bad = [M::CloseInBody, M::Status(502, None), M::WrongId];
        let at = usize::try_from(before).unwrap() + usize::from(call.0.ends_with("Block"));
        bad.get(at).cloned()
    });
    let into = tempfile::tempdir().unwrap();
    let client = client(&node);
    fetch_into(into.path(), &client, FetchMethod::Witness, &blocks).unwrap();
    assert!(client.retried() >= 12, "{}", client.retried());
    let got = traces(into.path(), FetchMethod::Witness);
    let files = tempfile::tempdir().unwrap();
    for number in &blocks {
        let name = format!("{number}.json.zst");
        fs::copy(folder.join(&name), files.path().join(&name)).unwrap();
    }
    assert!(got == traces(files.path(), FetchMethod::Witness));
}

/// Fetches from a node that answers every call for block 101 like this.
fn refused(manners: M) -> (RpcError, u32) {
    let node = Node::with_manners(chain(), move |call, _| {
        (call.1 == Some(101)).then(|| manners.clone())
    });
    let folder = tempfile::tempdir().unwrap();
    let client = client(&node);
    match fetch_into(folder.path(), &client, FetchMethod::Bal, &[101]) {
        Err(FetchError::Call(error)) => (error, node.all_requests()),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_refusal_that_stays_is_not_asked_for_again() {
    for (code, message) in [
        (4_444, "pruned history unavailable"),
        (-32_001, "resource not found"),
        (-32_601, "the method does not exist"),
    ] {
        let (error, requests) = refused(M::Error(code, message));
        assert_eq!(requests, 1);
        assert_eq!(
            error.to_string(),
            "eth_getBlockByNumber of block 101 failed"
        );
        assert_eq!(
            error.source.to_string(),
            format!("the node refuses: {message} ({code})")
        );
    }
    let (error, requests) = refused(M::Null);
    assert_eq!((requests, error.block), (1, Some(BlockNumber(101))));
    assert!(matches!(error.source, CallFault::Null));
    let (error, requests) = refused(M::Status(401, None));
    assert_eq!(requests, 1);
    assert!(matches!(
        error.source,
        CallFault::Status { status: 401, .. }
    ));
    let (error, _) = refused(M::Result(chain::block(100)));
    let text = error.source.to_string();
    assert_eq!(text, "the result is block 100, expected block 101");
    let (error, _) = refused(M::Result(json!({"number": "0x65"})));
    assert!(matches!(error.source, CallFault::Result(_)), "{error:?}");
}

#[test]
fn attempts_do_not_go_on_forever() {
    for manners in [M::Status(500, None), M::WrongId, M::CloseInBody, M::Page] {
        let (error, requests) = refused(manners);
        assert_eq!((requests, error.attempts), (4, 4), "{error:?}");
        assert_eq!(
            error.to_string(),
            "eth_getBlockByNumber of block 101 failed 4 times"
        );
    }
}

#[test]
fn no_answer_is_larger_than_the_limit() {
    let node = Node::start(chain());
    let options = ClientOptions {
        response_bytes_max: 200,
        ..options()
    };
    let client = Client::new(node.url(), options);
    let folder = tempfile::tempdir().unwrap();
    let error = fetch_into(folder.path(), &client, FetchMethod::Bal, &[100]).unwrap_err();
    let FetchError::Call(error) = error else {
        panic!("{error:?}")
    };
    assert!(
        matches!(error.source, CallFault::TooLarge { limit: 200 }),
        "{error:?}"
    );
    assert_eq!(node.all_requests(), 1);
}

#[test]
fn an_answer_that_does_not_come_is_not_waited_for() {
    let node = Node::with_manners(chain(), |_, before| (before == 0).then_some(M::Slow(3_000)));
    let options = ClientOptions {
        timeout: Duration::from_millis(300),
        ..options()
    };
    let client = Client::new(node.url(), options);
    let folder = tempfile::tempdir().unwrap();
    fetch_into(folder.path(), &client, FetchMethod::Bal, &[100]).unwrap();
    assert_eq!(client.retried(), 2);
}

#[test]
fn nothing_is_fetched_twice() {
    let pruned = |call: &Call, _| {
        (call.1 == Some(102)).then_some(M::Error(4_444, "pruned history unavailable"))
    };
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    for method in METHODS {
        let path = path.join(method.to_string());
        let node = Node::with_manners(chain(), pruned);
        fetch_into(&path, &client(&node), method, &[100, 101]).unwrap();
        fetch_into(&path, &client(&node), method, &BLOCKS).unwrap_err();

        let node = Node::start(chain());
        let report = fetch_into(&path, &client(&node), method, &BLOCKS).unwrap();
        assert_eq!((report.new, report.kept), (1, 2));
        let documents = if method == FetchMethod::Bal { 2 } else { 3 };
        assert_eq!(node.all_requests(), documents);

        let block = path.join("100.block.json.zst");
        let mut bytes = fs::read(&block).unwrap();
        let middle = bytes.len() / 2;
        bytes[middle] ^= 0x40;
        fs::write(&block, bytes).unwrap();
        fs::copy(
            path.join("102.block.json.zst"),
            path.join("101.block.json.zst"),
        )
        .unwrap();
        let node = Node::start(chain());
        let report = fetch_into(&path, &client(&node), method, &BLOCKS).unwrap();
        assert_eq!((report.new, report.kept), (2, 1));
        assert_eq!(node.requests("eth_getBlockByNumber"), 2);
        assert_eq!(node.all_requests(), 2);
        assert_eq!(traces(&path, method).len(), 3);
    }
}

#[test]
fn a_folder_of_another_fetch_is_not_gone_on_with() {
    let folder = tempfile::tempdir().unwrap();
    FetchFolder::open(folder.path(), 1, FetchMethod::Bal).unwrap();
    assert_eq!(
        FetchFolder::method_of(folder.path()),
        Some(FetchMethod::Bal)
    );
    FetchFolder::open(folder.path(), 1, FetchMethod::Bal).unwrap();
    for (chain_id, method) in [(1, FetchMethod::Prestate), (5, FetchMethod::Bal)] {
        let error = FetchFolder::open(folder.path(), chain_id, method).unwrap_err();
        assert!(matches!(error, FetchError::OtherFolder { .. }), "{error}");
    }
}

#[test]
fn a_method_that_the_node_lacks_is_not_chosen() {
    let stop = AtomicBool::new(false);
    let chosen = |lacks: &'static [&'static str]| {
        let mut chain = chain();
        let witness = json!({"state": [], "codes": []});
        let key = ("debug_executionWitness".to_owned(), Some(100));
        chain.results.insert(key, witness);
        chain
            .results
            .retain(|(method, _), _| !lacks.contains(&method.as_str()));
        let node = Node::start(chain);
        choose(&client(&node), BlockNumber(100), &stop)
    };
    const LACKS: [&str; 3] = [
        "debug_executionWitness",
        "debug_traceBlockByNumber diff",
        "eth_getBlockAccessList",
    ];
    assert_eq!(chosen(&[]).unwrap(), FetchMethod::Witness);
    assert_eq!(chosen(&LACKS[..1]).unwrap(), FetchMethod::Prestate);
    assert_eq!(chosen(&LACKS[..2]).unwrap(), FetchMethod::Bal);
    let error = chosen(&LACKS).unwrap_err();
    assert!(matches!(error, FetchError::NoMethod { .. }), "{error}");
}

#[test]
fn a_stopped_fetch_does_not_go_on() {
    let node = Node::start(chain());
    let folder = tempfile::tempdir().unwrap();
    let folder = FetchFolder::open(folder.path(), 1, FetchMethod::Bal).unwrap();
    let blocks = numbers(&BLOCKS);
    let plan = FetchPlan {
        blocks: &blocks,
        folder: &folder,
        max_concurrent: NonZeroUsize::MIN,
    };
    let stop = AtomicBool::new(true);
    let report = fetch(&client(&node), &plan, &stop, &|_, _| {}).unwrap();
    assert_eq!((report, node.all_requests()), (FetchReport::default(), 0));
}
