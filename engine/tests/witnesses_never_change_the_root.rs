//! A state that begins as a root alone, and is filled node by node as reads and blocks ask for it,
//! gives the answers and roots of the whole state.

mod support;

use alloy_primitives::{B256, Bytes, U256, keccak256, map::B256Map};
use alloy_trie::nodes::LeafNode;
use nybbles::Nibbles;
use proptest::prelude::*;
use support::{Model, block, strategy};
use thinstate_engine::{
    CommitError, MissingNode, Options, PermanentTier, StateError, StubLocation, Witness,
    WitnessError, leaf_store::MemoryStore,
};
use thinstate_formats::{StateChanges, StateReader};

type Tier = PermanentTier<MemoryStore>;

fn open(store: MemoryStore) -> Tier {
    let options = Options {
        bucket_entries_max: 6,
        threads: Some(1),
        leaf_hash_bytes_max: 64 << 10,
        ..Options::default()
    };
    PermanentTier::open(store, options).expect("open")
}

fn model_of(blocks: &[StateChanges]) -> Model {
    let mut model = Model::default();
    blocks.iter().for_each(|block| model.apply(block));
    model
}

fn by_hash(model: &Model) -> B256Map<Bytes> {
    let nodes = model.nodes();
    nodes
        .into_iter()
        .map(|node| (keccak256(&node), node))
        .collect()
}

/// Inserts the one node that is missing.
fn fetch(tier: &Tier, nodes: &B256Map<Bytes>, missing: &MissingNode) {
    let witness = Witness {
        nodes: vec![nodes[&missing.hash].clone()],
        starts: vec![StubLocation {
            account: missing.trie.0,
            path: missing.path,
        }],
        ..Witness::default()
    };
    let root = tier.head().root;
    tier.insert_witness(&witness).expect("the right node");
    assert_eq!(tier.head().root, root);
}

fn read<T>(
    tier: &Tier,
    nodes: &B256Map<Bytes>,
    read: impl Fn(&Tier) -> Result<T, StateError>,
) -> T {
    loop {
        match read(tier) {
            Ok(value) => return value,
            Err(StateError::Missing(missing)) => fetch(tier, nodes, &missing),
            Err(other) => panic!("{other}"),
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(80))]

    #[test]
    fn a_state_filled_on_demand_never_gives_another_answer(
        before in strategy::blocks(),
        after in strategy::blocks(),
    ) {
        let mut model = model_of(&before);
        let mut nodes = by_hash(&model);
        let mut tier = open(MemoryStore::new());
        tier.adopt_root(block(0), model.root()).expect("empty store");
        for address in strategy::addresses() {
            let account = read(&tier, &nodes, |tier| tier.view().account(address));
            prop_assert_eq!(account, model.accounts.get(&address).map(|(a, _)| *a));
            for (slot, value) in model.accounts.get(&address).into_iter().flat_map(|a| &a.1).take(3) {
                prop_assert_eq!(read(&tier, &nodes, |tier| tier.view().slot(address, *slot)), *value);
            }
        }
        for (number, changes) in (1u64..).zip(&after) {
            loop {
                match tier.prepare(changes) {
                    Ok(prepared) => {
                        model.apply(changes);
                        prop_assert_eq!(prepared.root(), model.root());
                        tier.commit(block(number), prepared).expect("commit");
                        break;
                    }
                    Err(CommitError::State(StateError::Missing(missing))) => fetch(&tier, &nodes, &missing),
                    Err(other) => panic!("{other}"),
                }
            }
            nodes.extend(by_hash(&model));
            if number == 3 {
                tier = open(tier.into_store().reopen());
            }
        }
        tier.verify().expect("verifies");
        for _ in &after {
            tier.undo().expect("undo");
        }
        prop_assert_eq!(tier.head().root, model_of(&before).root());
        tier.verify().expect("verifies");
    }

    #[test]
    fn a_whole_witness_never_leaves_a_stub_and_an_altered_one_is_never_taken(
        blocks in strategy::blocks(),
        altered in any::<prop::sample::Index>(),
        bit in any::<prop::sample::Index>(),
    ) {
        let model = model_of(&blocks);
        let nodes = model.nodes();
        let tier = open(MemoryStore::new());
        tier.adopt_root(block(9), model.root()).expect("empty store");
        if !nodes.is_empty() {
            let mut bad = nodes.clone();
            let mut bytes = altered.get(&bad).to_vec();
            let bit = bit.index(bytes.len() * 8);
            bytes[bit / 8] ^= 1 << (bit % 8);
            bad[altered.index(nodes.len())] = bytes.into();
            let head = tier.head();
            let refused = tier.insert_witness(&Witness { nodes: bad, ..Witness::default() });
            let unmatched = matches!(refused, Err(WitnessError::Unmatched { .. }));
            prop_assert!(unmatched, "{:?}", refused);
            prop_assert_eq!(tier.head(), head);
        }
        let witness = Witness { nodes, ..Witness::default() };
        let report = tier.insert_witness(&witness).expect("the whole state");
        prop_assert_eq!(report.stubs_left, 0);
        model.assert_shown_by(&tier.view(), &strategy::addresses());
        tier.verify().expect("verifies");
        tier.insert_witness(&witness).expect("a second time nothing is left to fill");
        prop_assert_eq!(tier.head().root, model.root());
    }
}

/// Nodes that are none: noise, and real nodes with a byte altered, cut or added.
fn forged_node() -> impl Strategy<Value = Vec<u8>> {
    let altered = (
        strategy::changes(),
        any::<prop::sample::Index>(),
        any::<prop::sample::Index>(),
        0u8..4,
        any::<u8>(),
    );
    let altered = altered.prop_map(|(changes, node, at, how, byte)| {
        let nodes = model_of(&[changes]).nodes();
        let mut node = match nodes.is_empty() {
            true => vec![0x80],
            false => node.get(&nodes).to_vec(),
        };
        let at = at.index(node.len());
        match how {
            0 => node[at] = byte,
            1 => node.truncate(at),
            2 => node.insert(at, byte),
            _ => {}
        }
        node
    });
    prop_oneof![prop::collection::vec(any::<u8>(), 0..600), altered]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn no_forged_node_with_the_right_hash_ever_panics_or_changes_a_thing(
        node in forged_node(),
        in_storage in any::<bool>(),
    ) {
        let tier = open(MemoryStore::new());
        let node = Bytes::from(node);
        let root = keccak256(&node);
        // In the account trie at the root, or as the storage root of an account that is real.
        let (root, nodes) = if in_storage {
            let account = alloy_trie::TrieAccount::new(1, U256::ZERO, root, B256::repeat_byte(1));
            let leaf = LeafNode::new(Nibbles::unpack(B256::repeat_byte(0x5a)), alloy_rlp::encode(account));
            let leaf = Bytes::from(alloy_rlp::encode(leaf));
            (keccak256(&leaf), vec![leaf, node])
        } else {
            (root, vec![node])
        };
        tier.adopt_root(block(0), root).expect("empty store");
        let head = tier.head();
        match tier.insert_witness(&Witness { nodes, ..Witness::default() }) {
            Ok(_) => {
                prop_assert_eq!(tier.head().root, root);
                tier.verify().expect("what was taken is whole");
            }
            Err(_) => prop_assert_eq!(tier.head(), head),
        }
    }
}

#[test]
fn a_root_is_never_given_to_a_store_that_has_one() {
    let tier = open(MemoryStore::new());
    tier.adopt_root(block(1), B256::repeat_byte(1))
        .expect("empty store");
    let again = tier.adopt_root(block(1), B256::repeat_byte(2));
    assert!(matches!(again, Err(WitnessError::NotEmpty { .. })));
}
