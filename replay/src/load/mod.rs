//! What a slot asks of the state: the net accesses of one block, or of several in one.
//!
//! A [`BlockTrace`](thinstate_formats::trace::BlockTrace) says what each transaction touched, in order. A state backend sees less: each
//! key is read at most once, before the first transaction, and written at most once, after the last.
//! [`BlockLoad`] is that. It is what [`amplify`](crate::amplify) multiplies and what a
//! [`StateDesign`](crate::design::StateDesign) carries out.
//!
//! # Invariants
//!
//! Accounts ascend by address, slots by address and slot, codes by hash, each key once
//! ([`BlockLoad::check`]). A key whose value after is the value before, is only read. Every written key
//! also was read: a client needs the value before for gas, refunds or the diff.
//!
//! Where an account's storage is wiped, what its slots hold afterwards is what they hold in the end; one
//! that has the value that it had is a read by its values, and among
//! [`changes`](BlockLoad::changes) all the same.

mod block;
mod collapse;
mod error;
#[cfg(test)]
mod tests;

pub(crate) use collapse::object_of;

pub use block::{AccountLoad, BlockLoad, SlotLoad};
pub(crate) use collapse::address_in;
pub use error::{LoadFault, SlotFault};
