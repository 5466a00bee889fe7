//! A node is never asked for more than it was promised: by how many requests it sees at once, how many have come by
//! when, and when one comes again.

use crate::{
    chain,
    node_server::{Call, Chain, Misbehaviour as M, Node},
};
use assert_cmd::Command;
use std::{
    num::NonZeroUsize,
    sync::atomic::AtomicBool,
    time::{Duration, Instant},
};
use thinstate_formats::BlockNumber;
use thinstate_replay::source::rpc::{
    Backoff, Client, ClientOptions, FetchFolder, FetchMethod, FetchPlan, fetch,
};

const BLOCKS: core::ops::Range<u64> = 100..112;
const DOCUMENTS: u32 = 2;

/// The tiny chain, with more blocks.
fn longer() -> Chain {
    let mut chain = chain::chain();
    for number in BLOCKS {
        let mut list = chain::access_list(number);
        if number > BLOCKS.start {
            // The last account is one that comes to be.
            list.as_array_mut().unwrap().pop();
        }
        for (method, result) in [
            ("eth_getBlockByNumber", chain::block(number)),
            ("eth_getBlockAccessList", list),
        ] {
            chain
                .results
                .insert((method.to_owned(), Some(number)), result);
        }
    }
    chain.latest = BLOCKS.end - 1;
    chain
}

fn options(rps: f64) -> ClientOptions {
    ClientOptions {
        rps,
        retries: 3,
        backoff: Backoff {
            first: Duration::from_millis(2),
            longest: Duration::from_millis(10),
        },
        timeout: Duration::from_secs(20),
        ..ClientOptions::default()
    }
}

/// Fetches these blocks on so many threads.
fn fetched(node: &Node, options: ClientOptions, blocks: &[u64], max_concurrent: usize) -> Client {
    let client = Client::new(node.url(), options);
    let folder = tempfile::tempdir().unwrap();
    let folder = FetchFolder::open(folder.path(), 1, FetchMethod::Bal).unwrap();
    let blocks: Vec<_> = blocks.iter().copied().map(BlockNumber).collect();
    let plan = FetchPlan {
        blocks: &blocks,
        folder: &folder,
        max_concurrent: NonZeroUsize::new(max_concurrent).unwrap(),
    };
    let report = fetch(&client, &plan, &AtomicBool::new(false), &|_, _| {}).unwrap();
    assert_eq!(report.new, blocks.len());
    client
}

/// The first answer to each call takes long enough for all threads to ask, and every third is refused once: what is
/// tried again counts like any other.
fn slow_and_refusing(call: &Call, before: u32) -> Option<M> {
    match before {
        0 if call.1.is_some_and(|block| block % 3 == 0) => Some(M::Status(503, None)),
        0 | 1 => Some(M::Slow(60)),
        _ => None,
    }
}

#[test]
fn no_more_requests_are_under_way_than_allowed() {
    let blocks: Vec<u64> = BLOCKS.collect();
    for most in [1, 2, 5] {
        let node = Node::with_manners(longer(), slow_and_refusing);
        let client = fetched(&node, options(0.0), &blocks, most);
        assert!(client.retried() >= 4, "{}", client.retried());
        // As many as allowed do come: none waits without need.
        assert_eq!(node.most_at_once() as usize, most);
    }
}

/// Requests that have come after `t` seconds: one, and `rps * t` more. What comes late only makes them fewer, so that
/// a busy machine cannot fail this.
fn assert_paced(node: &Node, started: Instant, rps: f64) {
    for (before, (at, call)) in node.came().iter().enumerate() {
        let earliest = before as f64 / rps;
        let came = at.duration_since(started).as_secs_f64();
        assert!(
            came >= earliest,
            "{call:?}, {before} before it, after {came} s"
        );
    }
}

#[test]
fn no_more_requests_come_than_the_rate_allows() {
    let blocks: Vec<u64> = (100..106).collect();
    let rps = 25.0;
    // Every call fails once. The waits between are far shorter than the rate allows.
    let refusing = |_: &Call, before| (before == 0).then_some(M::Status(503, None));
    for threads in [1, 4] {
        let node = Node::with_manners(longer(), refusing);
        let started = Instant::now();
        let client = fetched(&node, options(rps), &blocks, threads);
        let calls = blocks.len() as u32 * DOCUMENTS;
        assert_eq!(
            (node.all_requests(), client.retried()),
            (2 * calls, u64::from(calls))
        );
        assert_paced(&node, started, rps);
    }
}

/// When the calls for a block came.
fn came_for(node: &Node, method: &str, block: u64) -> Vec<Instant> {
    let calls = node.came().into_iter();
    let of_block = calls.filter(|(_, call)| *call == (method.to_owned(), Some(block)));
    of_block.map(|(at, _)| at).collect()
}

#[test]
fn nothing_is_asked_for_again_before_the_node_said() {
    for status in [429, 503] {
        let node = Node::with_manners(longer(), move |call, before| {
            let busy = call.1 == Some(101) && before == 0;
            busy.then_some(M::Status(status, Some(1)))
        });
        fetched(&node, options(0.0), &[100, 101], 2);
        let came = came_for(&node, "eth_getBlockByNumber", 101);
        assert_eq!(came.len(), 2, "{status}");
        let waited = came[1] - came[0];
        assert!(waited >= Duration::from_secs(1), "{status}: {waited:?}");
        // One block's wait is no other's.
        let others = node
            .came()
            .into_iter()
            .filter(|(_, call)| call.1 == Some(100));
        assert!(others.into_iter().all(|(at, _)| at < came[1]), "{status}");
    }
}

/// A date, which clocks may disagree on, and what is no time at all, leave the wait to the client.
#[test]
fn no_unreadable_wait_ends_a_fetch() {
    for text in ["Fri, 31 Dec 2100 23:59:59 GMT", "soon", "-5", ""] {
        let node = Node::with_manners(longer(), move |_, before| {
            (before == 0).then_some(M::RetryAfter(503, text))
        });
        let client = fetched(&node, options(0.0), &[100], 1);
        assert_eq!(client.retried(), u64::from(DOCUMENTS), "{text:?}");
    }
}

/// The same from the command line, whose flags these are.
#[test]
fn no_flag_of_a_node_lacks_its_effect() {
    let folder = tempfile::tempdir().unwrap();
    let trace = |node: &Node, name: &str, flags: &[&str]| {
        let mut command = Command::cargo_bin("thinstate").unwrap();
        command.env_remove("ETH_RPC_URL").args(["trace", "--rpc"]);
        command
            .arg(node.url())
            .args(["--blocks", "100:112", "--method", "bal", "-o"]);
        command.arg(folder.path().join(name)).args(flags);
        command.assert().success();
    };
    let slow = |_: &Call, _| Some(M::Slow(60));
    let node = Node::with_manners(longer(), slow);
    trace(
        &node,
        "three.trace",
        &["--max-concurrent", "3", "--rps", "0"],
    );
    assert_eq!(node.most_at_once(), 3);

    let node = Node::start(longer());
    let started = Instant::now();
    trace(
        &node,
        "paced.trace",
        &["--max-concurrent", "8", "--rps", "40"],
    );
    assert!(node.all_requests() >= 12 * DOCUMENTS);
    assert_paced(&node, started, 40.0);
}
