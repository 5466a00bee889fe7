//! Making proofs from a segment.

use super::{cells::Place, fault::Part, fault::SegmentFault, segment::Segment};
use alloy_primitives::B256;
use thinstate_formats::{
    LeafIndex,
    counted::{
        InclusionProof, Leaf, LocationProof, MultiProof, ProofError, Sibling, Side, Subtree,
        page_of, page_siblings,
    },
};

/// A page with all that proofs of its leaves need.
struct Loaded {
    page: u64,
    offset: u64,
    leaves: Vec<Leaf>,
    tree: Subtree,
    /// Siblings of the page itself.
    above: Vec<Sibling>,
    /// Leaves to the left of the page.
    before: u64,
}

/// Makes one proof. A page is read once, however many leaves of it are proven.
struct Prover<'a> {
    segment: &'a Segment,
    loaded: Vec<Loaded>,
}

impl Segment {
    /// Proves what the period has at a location.
    pub(super) fn prove(&self, location: &B256) -> Result<LocationProof, SegmentFault> {
        let proof = Prover::new(self).location(location)?;
        self.check_proof(&proof, location)?;
        Ok(proof)
    }

    /// Proves many leaves by their locations, which ascend; the first that is absent comes back instead.
    pub(super) fn prove_many(
        &self,
        locations: &[B256],
    ) -> Result<Result<(Vec<Leaf>, MultiProof), B256>, SegmentFault> {
        let (mut leaves, mut proofs) = (Vec::new(), Vec::new());
        let mut prover = Prover::new(self);
        for location in locations {
            let Some((leaf, _, proof)) = prover.leaf(location)? else {
                return Ok(Err(*location));
            };
            leaves.push(leaf);
            proofs.push(proof);
        }
        let proof = MultiProof::merge(&proofs).map_err(SegmentFault::Merge)?;
        proof
            .verify(&self.hasher, self.root(), &leaves)
            .map_err(proof_fault)?;
        Ok(Ok((leaves, proof)))
    }

    /// The page of the leaf with an index below the leaf count, and the leaf's place in it.
    pub(super) fn locate(&self, index: LeafIndex) -> Result<(u64, u64), SegmentFault> {
        let (mut node, mut below) = (0, index.0);
        for level in (0..self.header().page_bits).rev() {
            let left = self.node(level, 2 * node)?;
            node *= 2;
            if below >= left.count {
                below -= left.count;
                node += 1;
            }
        }
        Ok((node, below))
    }

    /// Nothing is served that does not verify, whatever the device gave.
    fn check_proof(&self, proof: &LocationProof, location: &B256) -> Result<(), SegmentFault> {
        match proof {
            LocationProof::Included { leaf, index, proof } => {
                let verified = proof.verify(&self.hasher, self.root(), leaf);
                let place = Place {
                    part: Part::Levels,
                    offset: self.footer().levels_at(),
                };
                let proven = verified.map_err(proof_fault)?;
                place.field("leaf index", index.0, proven.0)
            }
            LocationProof::Excluded(proof) => {
                let verified = proof.verify(&self.hasher, self.root(), location);
                verified.map_err(proof_fault)
            }
        }
    }
}

fn proof_fault(error: ProofError) -> SegmentFault {
    SegmentFault::Proof(Box::new(error))
}

impl<'a> Prover<'a> {
    const fn new(segment: &'a Segment) -> Self {
        Self {
            segment,
            loaded: Vec::new(),
        }
    }

    fn location(&mut self, location: &B256) -> Result<LocationProof, SegmentFault> {
        let page = self.page(location)?;
        let (at, before) = match page.search(location) {
            Ok(at) => {
                let (leaf, index, proof) = page.prove(at)?;
                return Ok(LocationProof::included(leaf, index, proof));
            }
            Err(at) => (at, page.before),
        };
        let index = before.saturating_add(at as u64);
        let left = index.checked_sub(1).map(|index| self.neighbour(index));
        let right = (index < self.segment.root().count).then(|| self.neighbour(index));
        LocationProof::excluded(left.transpose()?, right.transpose()?).map_err(SegmentFault::Merge)
    }

    /// The leaf at a location, its index and its proof. Locations asked for ascend, so that pages before
    /// this one are not needed again.
    fn leaf(
        &mut self,
        location: &B256,
    ) -> Result<Option<(Leaf, LeafIndex, InclusionProof)>, SegmentFault> {
        let page = page_of(location, self.segment.header().page_bits);
        self.loaded.retain(|loaded| loaded.page == page);
        let page = self.load(page)?;
        page.search(location)
            .ok()
            .map(|at| page.prove(at))
            .transpose()
    }

    fn neighbour(&mut self, index: u64) -> Result<(Leaf, InclusionProof), SegmentFault> {
        let (page, at) = self.segment.locate(LeafIndex(index))?;
        let (leaf, _, proof) = self.load(page)?.prove(at as usize)?;
        Ok((leaf, proof))
    }

    fn page(&mut self, location: &B256) -> Result<&Loaded, SegmentFault> {
        self.load(page_of(location, self.segment.header().page_bits))
    }

    fn load(&mut self, page: u64) -> Result<&Loaded, SegmentFault> {
        let found = self.loaded.iter().position(|loaded| loaded.page == page);
        let at = match found {
            Some(at) => at,
            None => {
                self.loaded.push(Loaded::read(self.segment, page)?);
                self.loaded.len() - 1
            }
        };
        Ok(&self.loaded[at])
    }
}

impl Loaded {
    fn read(segment: &Segment, page: u64) -> Result<Self, SegmentFault> {
        let node = segment.node(0, page)?;
        let read = segment.page(page, node)?;
        let bits = segment.header().page_bits;
        let above = page_siblings(bits, page, |level, index| segment.node(level, index))?;
        let left = above.iter().filter(|sibling| sibling.side == Side::Left);
        Ok(Self {
            page,
            offset: read.offset,
            tree: segment.tree(&read, node)?,
            leaves: read.leaves,
            before: left.fold(0, |sum, sibling| sibling.node.count.saturating_add(sum)),
            above,
        })
    }

    /// The place of a location among the leaves; where it is absent, the place where it would be.
    fn search(&self, location: &B256) -> Result<usize, usize> {
        { &self.leaves }.binary_search_by(|leaf| leaf.location.cmp(location))
    }

    /// A leaf by its place in the page.
    fn prove(&self, at: usize) -> Result<(Leaf, LeafIndex, InclusionProof), SegmentFault> {
        let found = self.leaves.get(at).copied();
        let siblings = self.tree.siblings(LeafIndex(at as u64));
        let (Some(leaf), Some(mut siblings)) = (found, siblings) else {
            let place = Place {
                part: Part::Page,
                offset: self.offset,
            };
            return Err(place.truncated(at as u64 + 1, self.leaves.len() as u64));
        };
        siblings.extend(&self.above);
        let index = LeafIndex(self.before.saturating_add(at as u64));
        Ok((leaf, index, InclusionProof { siblings }))
    }
}
