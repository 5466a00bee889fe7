//! How a parent names a child: by hash, or by the child's own RLP where that is short.

use alloy_primitives::{B256, keccak256};

/// A reference to a trie node, as it stands in the node's parent: the RLP itself where it is
/// shorter than 32 bytes, its keccak256 otherwise (Yellow Paper, appendix D).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct NodeRef {
    bytes: B256,
    /// 32 for a hash, the length of the RLP (1 to 31) otherwise.
    len: u8,
}

impl NodeRef {
    /// A reference by hash.
    #[inline]
    pub(crate) const fn hash(hash: B256) -> Self {
        Self {
            bytes: hash,
            len: 32,
        }
    }

    /// The reference of a node with this RLP where it is inlined; `None` where its hash is needed.
    #[inline]
    pub(crate) fn inline(rlp: &[u8]) -> Option<Self> {
        if rlp.len() >= 32 {
            return None;
        }
        let mut bytes = B256::ZERO;
        bytes[..rlp.len()].copy_from_slice(rlp);
        Some(Self {
            bytes,
            len: rlp.len() as u8,
        })
    }

    /// Puts the reference back together from [`Self::raw`] and [`Self::is_inline`].
    #[inline]
    pub(crate) fn from_raw(bytes: B256, inline: bool) -> Self {
        // An inlined node is a list of less than 56 bytes: its first byte tells its length.
        let len = if inline { bytes[0] - 0xc0 + 1 } else { 32 };
        Self { bytes, len }
    }

    /// The hash, or the inlined RLP followed by zeros.
    #[inline]
    pub(crate) const fn raw(&self) -> B256 {
        self.bytes
    }

    /// Whether the node is inlined.
    #[inline]
    pub(crate) const fn is_inline(&self) -> bool {
        self.len < 32
    }

    /// Bytes of the reference inside its parent.
    #[inline]
    pub(crate) const fn encoded_len(&self) -> usize {
        if self.is_inline() {
            self.len as usize
        } else {
            33
        }
    }

    /// Appends the reference as an item of its parent.
    #[inline]
    pub(crate) fn encode(&self, out: &mut Vec<u8>) {
        if !self.is_inline() {
            out.push(0xa0);
        }
        out.extend_from_slice(&self.bytes[..self.len as usize]);
    }

    /// The hash of the node where it is the root: roots are hashed whatever their length.
    pub(crate) fn root_hash(&self) -> B256 {
        if self.is_inline() {
            keccak256(&self.bytes[..self.len as usize])
        } else {
            self.bytes
        }
    }
}
