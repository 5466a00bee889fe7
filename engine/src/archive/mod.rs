//! The archive: what has left the live state. Nothing here is needed to verify a block, only to serve
//! the witnesses that transactions bring. A node may keep all of it, some, or none.
//!
//! | folder | what | made by |
//! |---|---|---|
//! | [`periods`] | leaves of sealed periods | the temporary tier's seal |
//! | [`records`] | records of the UTXO tier, by index | each block that makes records |
//! | [`expired`] | leaves cut from the permanent tier | expiry in place |
//!
//! Files here are written and synced before the batch that names them is committed. What a file has
//! beyond the committed state, because of a crash in between, is cut off when it is opened again.

pub mod expired;
pub mod periods;
pub mod records;
