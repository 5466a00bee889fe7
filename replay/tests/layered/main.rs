//! Designs with cheap tiers, tested from outside: whatever tier an object is in, it has one version, and that
//! is the one that the blocks left.

#[expect(
    dead_code,
    reason = "what compares with a source's root is not for these designs"
)]
#[path = "../support/design_conformance.rs"]
mod conformance;

mod audit;
mod conforms;
mod filled;
mod interrupted;
mod objects;
mod periods;

use std::path::Path;
use thinstate_engine::leaf_store::StoreKind;
use thinstate_formats::{
    TemporaryRules,
    object::{ObjectClass, Tier},
    temporary::{LiveCommitment, Retention, ZeroRule},
};
use thinstate_replay::design::{DesignSpec, DesignStore, LayeredDesign, builtin};

/// The store of a design in a folder.
fn store(dir: &Path, threads: usize) -> DesignStore {
    DesignStore {
        dir: dir.to_owned(),
        kind: StoreKind::default(),
        cache_bytes: 8 << 20,
        threads: Some(threads),
        direct_io: false,
    }
}

fn opened(spec: &DesignSpec, dir: &Path) -> LayeredDesign {
    LayeredDesign::open(spec, &store(dir, 2)).expect("open")
}

fn spec(name: &str) -> DesignSpec {
    builtin(name).expect("it is built in")
}

/// Periods as short as a store that can undo 128 blocks allows.
fn short_periods() -> TemporaryRules {
    TemporaryRules {
        period_length: 132,
        seal_delay_blocks: 130,
        ..TemporaryRules::default()
    }
}

/// The designs that are built in, with short periods and rings, and some that are not.
fn short_designs() -> Vec<DesignSpec> {
    let short = |mut spec: DesignSpec| {
        spec.temporary = short_periods();
        spec.utxo.ring_length = 64;
        spec.archive = true;
        spec
    };
    let mut designs: Vec<_> = ["temporary", "utxo", "layered"]
        .map(|name| short(spec(name)))
        .into();
    let mut one_period = short(spec("temporary"));
    one_period.name = "one-period".to_owned();
    one_period.temporary.retention = Retention::OnePeriod;
    one_period.temporary.commitment = LiveCommitment::Incremental;
    let mut no_tombstone = short(spec("layered"));
    no_tombstone.name = "no-tombstone".to_owned();
    no_tombstone.temporary.zero_rule = ZeroRule::NoTombstone;
    no_tombstone
        .tiers
        .insert(ObjectClass::Erc1155Balance, Tier::Utxo);
    no_tombstone.utxo.hybrid_window = 5;
    designs.extend([one_period, no_tombstone]);
    designs
}
