//! Looking into a store: its sizes, proofs from it, an export of its state.
//!
//! | module | what | costs, beside opening |
//! |---|---|---|
//! | [`datadir`] | opens a store that exists, and never makes one | one scan of the accounts, two of the slots |
//! | [`sizes`] | sizes of tables and interiors | one scan of the slots |
//! | [`answer`] | a proof as `eth_getProof` answers it | nothing more |
//! | [`object`] | names of objects, and what they hold | nothing more |
//! | [`entry`] | proof of a temporary entry, live or sealed | a page of the archive for each period asked |
//! | [`record`] | proof of a record | a block's records, once also the block roots of a batch |
//! | [`resurrect`] | a block that resurrects an object: the one that changes the store | a block |
//! | [`export`] | all accounts and slots, as JSON lines or CSV | one scan of either, constant memory |

pub mod answer;
pub mod datadir;
pub mod entry;
pub mod export;
pub mod object;
pub mod record;
pub mod resurrect;
pub mod sizes;
