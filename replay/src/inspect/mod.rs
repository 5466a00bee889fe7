//! Looking into a store: its sizes, proofs from it, an export of its state.
//!
//! | module | what | costs, beside opening |
//! |---|---|---|
//! | [`datadir`] | opens a store that exists, and never makes one | one scan of the accounts, two of the slots |
//! | [`sizes`] | sizes of tables and interiors | one scan of the slots |
//! | [`answer`] | a proof as `eth_getProof` answers it | nothing more |
//! | [`export`] | all accounts and slots, as JSON lines or CSV | one scan of either, constant memory |

pub mod answer;
pub mod datadir;
pub mod export;
pub mod sizes;
