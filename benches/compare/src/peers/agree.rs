//! Whether stores with Ethereum's root have the same one after the same blocks.

use super::{DrawsFound, StoreFound};
use alloy_primitives::B256;
use std::collections::BTreeMap;

/// Stores whose root differs from the first one's, a sentence for each.
pub fn disagreements(stores: &[StoreFound]) -> Vec<String> {
    let mut first = BTreeMap::new();
    let mut wrong = Vec::new();
    for store in stores.iter().filter(|it| it.is_ethereum) {
        let name = &store.name;
        for (blocks, root) in roots(&store.draws) {
            let (reference, expected) = *first.entry(blocks).or_insert((name, root));
            if root != expected {
                let (draws, size) = blocks;
                wrong.push(format!(
                    "{name}, {draws}, blocks of {size}: expected the root {expected} of {reference}, got {root}"
                ));
            }
        }
    }
    wrong
}

/// Roots after all blocks of a size, by distribution and size.
fn roots(draws: &[DrawsFound]) -> impl Iterator<Item = ((&str, u64), B256)> {
    draws.iter().flat_map(|draws| {
        let sizes = draws.blocks.sizes.iter();
        sizes.filter_map(|it| {
            let root = it.figures.root?;
            Some(((draws.draws.as_str(), it.size.block), root))
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::peers::tables::tests::example;

    #[test]
    fn no_other_root_goes_unseen() {
        let store = example();
        let mut other = store.clone();
        other.name = "other".to_owned();
        let mut stores = vec![store, other];
        assert_eq!(disagreements(&stores), Vec::<String>::new());
        let figures = &mut stores[1].draws[0].blocks.sizes[0].figures;
        figures.root = Some(B256::repeat_byte(9));
        let wrong = disagreements(&stores);
        assert_eq!(wrong.len(), 1);
        let begins = wrong[0].starts_with("other, uniform, blocks of 1000");
        assert!(begins, "{wrong:?}");
        stores[1].is_ethereum = false;
        assert_eq!(disagreements(&stores), Vec::<String>::new());
    }
}
