//! The contracts of the generated chain, assembled by hand, and the calls to them.
//!
//! Comments beside the code show the stack, its top to the left.

mod factory;
mod note;
pub mod token;
pub mod vault;

pub(super) use factory::{create_call, factory_init};
pub(super) use note::note_init;

use alloy_primitives::{Bytes, U256};

/// Calldata made of whole words.
fn words(words: impl IntoIterator<Item = U256>) -> Bytes {
    words
        .into_iter()
        .flat_map(|word| word.to_be_bytes::<32>())
        .collect()
}
