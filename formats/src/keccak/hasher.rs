//! The batch hasher: what callers use.

use super::{
    order::Order,
    run::Run,
    sponge::RATE,
    width::{Backend, LaneWidth, UnavailableWidth},
};
use alloy_primitives::{Address, B256};
use core::{
    borrow::Borrow,
    ops::{Add, AddAssign},
};
use thiserror::Error;

/// Hashes batches of messages at one lane width.
#[derive(Clone, Copy, Debug)]
pub struct BatchHasher {
    pub(super) backend: Backend,
}

/// Where a message lies in a buffer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Span {
    /// Offset of its first byte.
    pub start: u32,
    /// Its length.
    pub len: u32,
}

impl Span {
    /// The message, `None` where it does not lie in `buffer`.
    pub fn slice(self, buffer: &[u8]) -> Option<&[u8]> {
        buffer.get(self.start as usize..)?.get(..self.len as usize)
    }
}

/// A span does not lie in its buffer: the caller's bookkeeping is wrong, and nothing was hashed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error(
    "span {index} does not lie in the buffer: got {} bytes from offset {}, expected an end within \
     {buffer_len}", .span.len, .span.start
)]
pub struct SpanError {
    /// Index of the span.
    pub index: usize,
    /// The span.
    pub span: Span,
    /// Length of the buffer.
    pub buffer_len: usize,
}

/// What hashing took.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct HashCount {
    /// Messages hashed.
    pub messages: u64,
    /// Permutations that the messages need: their blocks of 136 bytes. The same at every width.
    pub permutations: u64,
    /// Permutations of all lanes that were executed, at widths other than scalar.
    pub vector_permutations: u64,
    /// Permutations that were executed one message at a time.
    pub scalar_permutations: u64,
}

impl Add for HashCount {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self {
            messages: self.messages + other.messages,
            permutations: self.permutations + other.permutations,
            vector_permutations: self.vector_permutations + other.vector_permutations,
            scalar_permutations: self.scalar_permutations + other.scalar_permutations,
        }
    }
}

impl AddAssign for HashCount {
    fn add_assign(&mut self, other: Self) {
        *self = *self + other;
    }
}

impl Default for BatchHasher {
    fn default() -> Self {
        Self::new()
    }
}

impl BatchHasher {
    /// A hasher at the widest width that this CPU offers.
    pub fn new() -> Self {
        let backend = Backend::new(LaneWidth::detect()).unwrap_or(Backend::Scalar);
        Self { backend }
    }

    /// A hasher at a given width.
    pub fn with_width(width: LaneWidth) -> Result<Self, UnavailableWidth> {
        let backend = Backend::new(width).ok_or_else(|| UnavailableWidth {
            got: width,
            widest: LaneWidth::detect(),
        })?;
        Ok(Self { backend })
    }

    /// The width that it hashes at.
    pub fn width(&self) -> LaneWidth {
        self.backend.width()
    }

    /// Hashes the messages that lie in `buffer` at `spans`; `digests` then holds their digests, in
    /// the order of `spans`, and nothing else. Spans may overlap.
    pub fn hash_spans(
        &self,
        buffer: &[u8],
        spans: &[Span],
        digests: &mut Vec<B256>,
    ) -> Result<HashCount, SpanError> {
        for (index, &span) in spans.iter().enumerate() {
            span.slice(buffer).ok_or(SpanError {
                index,
                span,
                buffer_len: buffer.len(),
            })?;
        }
        let message = |index: usize| {
            spans[index]
                .slice(buffer)
                .expect("every span was found to lie in the buffer")
        };
        Ok(self.hash_indexed(spans.len(), message, digests))
    }

    /// Hashes each message; `digests` then holds their digests, in order, and nothing else.
    pub fn hash_each<T: AsRef<[u8]>>(&self, messages: &[T], digests: &mut Vec<B256>) -> HashCount {
        let message = |index: usize| messages[index].as_ref();
        self.hash_indexed(messages.len(), message, digests)
    }

    /// The digest of each message, in order.
    pub fn hash_all<T: AsRef<[u8]>>(&self, messages: &[T]) -> Vec<B256> {
        let mut digests = Vec::new();
        self.hash_each(messages, &mut digests);
        digests
    }

    /// Hashes messages of one length below 136 bytes, such as keys: arrays, `B256`, `Address`.
    /// `digests` then holds their digests, in order, and nothing else.
    pub fn hash_fixed<const LEN: usize, T: Borrow<[u8; LEN]>>(
        &self,
        messages: &[T],
        digests: &mut Vec<B256>,
    ) -> HashCount {
        const { assert!(LEN < RATE, "one block holds the message and its padding") };
        let message = |index: usize| messages[index].borrow().as_slice();
        Run::new(messages.len(), digests).all(self.backend, &Order::AsGiven, message)
    }

    /// Hashes keys of slots, see [`Self::hash_fixed`].
    pub fn hash_fixed32(&self, keys: &[[u8; 32]], digests: &mut Vec<B256>) -> HashCount {
        self.hash_fixed(keys, digests)
    }

    /// Hashes addresses, see [`Self::hash_fixed`].
    pub fn hash_addresses(&self, addresses: &[Address], digests: &mut Vec<B256>) -> HashCount {
        self.hash_fixed::<20, _>(addresses, digests)
    }

    fn hash_indexed<'m>(
        &self,
        messages: usize,
        message: impl Fn(usize) -> &'m [u8],
        digests: &mut Vec<B256>,
    ) -> HashCount {
        let order = match self.width() {
            LaneWidth::Scalar => Order::AsGiven,
            _ => Order::new(messages, |index| message(index).len()),
        };
        Run::new(messages, digests).all(self.backend, &order, message)
    }
}
