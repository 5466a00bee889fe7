//! Putting new chunks in place of old ones.

use super::super::super::Table;
use super::super::arena::Arena;
use super::super::deltas::{Deltas, Rest};
use super::super::shared::{Core, lock};
use super::super::tree::{Chunk, Epoch, Leaves, State, Tree};
use super::Group;
use std::sync::{Arc, Weak};

/// The chunks of a table once the groups have taken their places.
pub(super) fn leaves(tree: &Tree, groups: &[Group]) -> Vec<Arc<Leaves>> {
    let mut all = Vec::with_capacity(tree.chunks.len());
    let mut at = 0;
    let old = |chunk: &Arc<Chunk>| Arc::clone(&chunk.leaves);
    for group in groups {
        all.extend(tree.chunks[at..group.old.start].iter().map(old));
        all.extend(group.new.iter().cloned());
        at = group.old.end;
    }
    all.extend(tree.chunks[at..].iter().map(old));
    all
}

impl Core {
    /// Installs the groups of all tables in the newest state; gives the epoch that ends with it.
    pub(super) fn install(&self, groups: &[Vec<Group>; Table::ALL.len()]) -> Weak<Epoch> {
        let writer = lock(&self.writer);
        let newest = self.state();
        let trees = Table::ALL.map(|table| {
            let (tree, groups) = (&newest.trees[table as usize], &groups[table as usize]);
            if groups.is_empty() {
                return Arc::clone(tree);
            }
            Arc::new(replace(tree, groups, &newest.active))
        });
        let state = State {
            trees,
            active: Arc::clone(&newest.active),
            frozen: None,
            epoch: Arc::new(Epoch),
        };
        self.publish(state);
        drop(writer);
        Arc::downgrade(&newest.epoch)
    }
}

/// The table with new chunks, which take over the active changes of the old ones.
fn replace(tree: &Tree, groups: &[Group], arena: &Arena) -> Tree {
    let mut chunks = Vec::with_capacity(tree.chunks.len());
    let mut at = 0;
    for group in groups {
        chunks.extend_from_slice(&tree.chunks[at..group.old.start]);
        at = group.old.end;
        let end = tree.end_of(at - 1);
        let old = &tree.chunks[group.old.clone()];
        let all = |chunk: &Arc<Chunk>| chunk.all_active(arena);
        let active: Vec<_> = old.iter().filter_map(all).collect();
        let wipes: Vec<_> = active.iter().flat_map(|d| d.wipes()).copied().collect();
        let mut rest = Rest::new(&active);
        for (index, leaves) in group.new.iter().enumerate() {
            let next = group.new.get(index + 1);
            let next = next.map(|next| next.separators.get(0));
            let end = next.as_deref().or(end);
            let separators = &leaves.separators;
            let active = (!active.is_empty())
                .then(|| Deltas::take(arena, &mut rest, &wipes, separators, end))
                .filter(|deltas| !deltas.is_empty());
            chunks.push(Arc::new(Chunk {
                leaves: Arc::clone(leaves),
                frozen: None,
                active: active.map(Arc::new),
                recent: None,
            }));
        }
    }
    chunks.extend_from_slice(&tree.chunks[at..]);
    Tree::new(chunks)
}
