//! Many paths at once: level by level in batches, and what paths share only once.

use super::{ListPathError, Sibling, node_message, path_len};
use crate::NodeHasher;
use alloy_primitives::B256;

/// A digest, and what is said about where in a list it is.
#[derive(Clone, Copy, Debug)]
pub struct Placed<'a> {
    /// The list, by a number of the caller's: only paths of the same list can share nodes.
    pub list: u64,
    /// The digest.
    pub digest: B256,
    /// Its index.
    pub index: u64,
    /// Digests in the list.
    pub len: u64,
    /// From the digest up.
    pub siblings: &'a [B256],
}

/// A path on its way up.
struct Climb<'a> {
    list: u64,
    node: B256,
    at: u64,
    width: u64,
    /// Those that are not used yet.
    siblings: &'a [B256],
    /// Whose path this one is from here on.
    same_as: Option<usize>,
}

impl Climb<'_> {
    fn side(&self) -> Option<Sibling> {
        if self.same_as.is_some() || self.width <= 1 {
            return None;
        }
        Some(match (self.at % 2 == 1, self.at + 1 < self.width) {
            (true, _) => Sibling::Left,
            (false, true) => Sibling::Right,
            (false, false) => Sibling::None,
        })
    }
}

/// The roots that paths lead to, as [`root_by_path`](super::root_by_path) computes each, and how many
/// hashes that took. Neighbours that share the upper part of their paths share its hashes, so paths
/// had best be sorted by list and index.
pub fn roots_by_paths(
    hasher: &NodeHasher,
    paths: &[Placed<'_>],
) -> Result<(Vec<B256>, u64), ListPathError> {
    let mut climbs = Vec::with_capacity(paths.len());
    for path in paths {
        climbs.push(begin(path)?);
    }
    let mut messages = Vec::with_capacity(paths.len());
    let mut digests = Vec::with_capacity(paths.len());
    let mut hashes = 0;
    while climbs.iter().any(|climb| climb.side().is_some()) {
        messages.clear();
        digests.clear();
        step(&mut climbs, &mut messages);
        hasher.hash_blocks(&messages, &mut digests);
        hashes += digests.len() as u64;
        arrive(&mut climbs, &digests);
    }
    let mut roots: Vec<B256> = Vec::with_capacity(climbs.len());
    for climb in &climbs {
        // A path is the same as an earlier one, whose root is there.
        roots.push(climb.same_as.map_or(climb.node, |other| roots[other]));
    }
    Ok((roots, hashes))
}

fn begin<'a>(path: &Placed<'a>) -> Result<Climb<'a>, ListPathError> {
    let (index, len) = (path.index, path.len);
    let expected = path_len(index, len).ok_or(ListPathError::Outside { index, len })?;
    let got = path.siblings.len();
    if got != expected {
        return Err(ListPathError::Siblings { got, expected });
    }
    Ok(Climb {
        list: path.list,
        node: path.digest,
        at: index,
        width: len,
        siblings: path.siblings,
        same_as: None,
    })
}

/// The messages of the nodes above, in the order of the paths that go there, after those that go on
/// as their neighbours do are left to these.
fn step(climbs: &mut [Climb<'_>], messages: &mut Vec<[u8; 64]>) {
    let mut last: Option<usize> = None;
    for this in 0..climbs.len() {
        let Some(side) = climbs[this].side() else {
            continue;
        };
        let message = message(&climbs[this], side);
        if let (Some(other), Some(message)) = (last, message)
            && messages.last() == Some(&message)
            && goes_on_alike(&climbs[other], &climbs[this])
        {
            climbs[this].same_as = Some(other);
            continue;
        }
        messages.extend(message);
        last = message.map(|_| this);
    }
}

fn message(climb: &Climb<'_>, side: Sibling) -> Option<[u8; 64]> {
    let sibling = climb.siblings.first().copied();
    match side {
        Sibling::Left => Some(node_message(sibling?, climb.node)),
        Sibling::Right => Some(node_message(climb.node, sibling?)),
        Sibling::None => None,
    }
}

/// Whether two paths that lead to equal nodes have the same rest.
fn goes_on_alike(one: &Climb<'_>, other: &Climb<'_>) -> bool {
    (one.list, one.at / 2, one.width) == (other.list, other.at / 2, other.width)
        && one.siblings.get(1..) == other.siblings.get(1..)
}

/// Goes up by one level.
fn arrive(climbs: &mut [Climb<'_>], digests: &[B256]) {
    let mut digests = digests.iter();
    for climb in climbs {
        let Some(side) = climb.side() else {
            continue;
        };
        if side != Sibling::None {
            climb.node = *digests.next().expect("a digest for each message");
            climb.siblings = &climb.siblings[1..];
        }
        (climb.at, climb.width) = (climb.at / 2, climb.width.div_ceil(2));
    }
}
