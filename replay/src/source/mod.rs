//! Where blocks and states come from.
//!
//! | module | source | what a trace of it holds |
//! |---|---|---|
//! | [`witness`] | blocks with execution witnesses | everything: the block is executed, and its header checked |
//! | [`era1`], [`genesis`] | a chain from its first block | everything, in the same way |
//! | [`access_list`] | EIP-7928 lists | keys, order, values after; values before where [`known`] has them |
//! | [`prestate`] | the prestate tracer's results, pre-states of whole blocks | what was read; what was written too, with `diffMode` |
//! | [`rpc`] | a node | any of the three above, fetched into files that the readers above take |
//! | `parquet` | the community's extracts, behind the feature of that name | slots whole; of accounts what was extracted |
//!
//! [`range`] is the syntax in which blocks are named, [`input`] tells the files of these sources from
//! each other, [`figures`] are a block's own figures where it is not executed.

pub mod access_list;
pub mod era1;
pub mod figures;
mod file;
pub mod genesis;
pub mod input;
pub mod known;
#[cfg(feature = "parquet")]
pub mod parquet;
pub mod prestate;
pub mod range;
pub mod rpc;
pub mod witness;
