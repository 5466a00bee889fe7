//! All tiers behind one block and one commitment.
//!
//! [`Store`] holds the permanent tier, the temporary tier, the UTXO tier and the spent bits of both,
//! over one leaf store. [`Store::apply`] takes what a block does to all of them ([`BlockChanges`]) and
//! makes all of it durable in one batch, or nothing; [`Store::undo`] takes the last block back from
//! all of them. After each block [`Store::commitment`] is one root for each tier and one hash over them.
//!
//! ```text
//! Store::apply
//!   permanent    prepare: read buckets, hash                            no change in memory
//!   temporary    stage: entries, log, tree or chain, what is due of seals   memory shows the block
//!   utxo         stage: paths, bits, records' tree, ring                    memory shows the block
//!   spent        stage: words and nodes, beside what is mapped              no change
//!   archive      records of the block: appended and synced
//!   leaf store   ONE batch, one sync ------------------------------------- the block exists
//!   spent        the words are written into the mapped files
//!   temporary    the next step of sealing begins on its thread
//! ```
//!
//! An error before the batch, or the batch's own, rolls memory back; the archive is cut. A process
//! that ends anywhere finds, on opening, the last block whose batch was durable: the temporary tier
//! replays its logs, spent bits are redone from their journal, the archive of records is cut to the
//! head, and all roots must be those of the recorded commitment.
//!
//! What nodes agree on is in [`StoreRules`], recorded in the store; everything else in
//! [`StoreOptions`] is a node's own choice and changes no commitment.

mod builder;
mod changes;
mod cheap;
mod error;
mod history;
mod host;
mod lookup;
mod options;
mod past;
mod report;
mod sizes;
#[expect(
    clippy::module_inception,
    reason = "the type gives the module its name"
)]
mod store;

pub use builder::BlockBuilder;
pub use changes::BlockChanges;
pub use error::{ApplyError, BuildError, HostError, StoreBulkError, StoreOpenError, UndoError};
pub use host::{BlockHost, Followed, SealedProof};
pub use lookup::{RecordProofError, RecordRoot, recorded_rules};
pub use options::{ArchiveOptions, StoreOptions, StoreRules};
pub use past::{Past, PastError};
pub use report::{BlockReport, CheapReport};
pub use sizes::{StoreSizes, TierSize};
pub use store::Store;
