//! Amplification: how one slot of time gets to carry several blocks' worth of accesses.
//!
//! A gas multiple `m` is reached in two ways, or both at once ([`Amplify`]):
//!
//! | method | one slot is | users | keys per gas |
//! |---|---|---|---|
//! | `merge` | `m` consecutive blocks | the same, who do more | fall: what several blocks touch is read and written once |
//! | `clone` | `m` copies of one block | `m` times as many, with the same habits | fall less: only hubs are shared |
//! | `mixed` | `a` copies of `b` consecutive blocks, `m = a * b` | `a` times as many | between the two |
//!
//! What each does to every field of a load is specified in `docs/amplification.md`; [`Merged`] and
//! [`Cloner`] are its implementation. The truth of a network with `m` times the gas lies between the two, so
//! results always say which was used.
//!
//! # Sources
//!
//! A [`LoadSource`] yields the loads of slots. [`TraceSource`] makes them of a trace: it collapses blocks
//! ([`load`](crate::load)), watches that each finds what the ones before left ([`Continuity`]), merges, and
//! clones. Who is a user and what is a hub is decided once for a whole trace ([`Census`]), so that a key is
//! never remapped in one block and shared in the next, and so is which object lives in a slot ([`Objects`]). [`preload_of`] says what an amplified trace finds.

mod census;
mod cloner;
mod continuity;
mod generated;
mod merged;
mod method;
mod numbered;
mod objects;
mod origin;
mod preload;
mod source;
#[cfg(test)]
mod tests;
mod trace_source;

pub use census::{Census, Role};
pub use cloner::{Cloner, address_of_copy, token_of_copy};
pub use continuity::{Bridged, Continuity, Gaps};
pub use generated::GeneratedSource;
pub use merged::Merged;
pub(crate) use method::balanced;
pub use method::{Amplify, AmplifyError, Method};
pub use numbered::Numbered;
pub use objects::Objects;
pub use origin::{Origins, SlotOrigin};
pub use preload::preload_of;
pub use source::{LoadSource, SourceError};
pub use trace_source::TraceSource;
