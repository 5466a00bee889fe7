//! Where blocks and states come from.

pub mod era1;
pub mod genesis;
pub mod witness;
