//! One batch on its way through the lanes.

use super::{
    hasher::HashCount,
    order::{Order, scalar_head},
    sponge::{Lanes, Window, blocks},
    width::Backend,
};
use alloy_primitives::{B256, keccak256};
use core::ops::Range;

/// One batch on its way.
pub(super) struct Run<'d> {
    digests: &'d mut [B256],
    count: HashCount,
}

impl<'d> Run<'d> {
    /// A run whose digests are those of `messages` messages and nothing else.
    pub(super) fn new(messages: usize, digests: &'d mut Vec<B256>) -> Self {
        digests.clear();
        digests.resize(messages, B256::ZERO);
        let count = HashCount {
            messages: messages as u64,
            ..HashCount::default()
        };
        Self { digests, count }
    }

    /// Hashes all messages at the backend's width; returns what it took.
    pub(super) fn all<'m>(
        &mut self,
        backend: Backend,
        order: &Order,
        message: impl Fn(usize) -> &'m [u8],
    ) -> HashCount {
        match backend {
            Backend::Scalar => self.one_by_one(0..self.digests.len(), &Order::AsGiven, message),
            #[cfg(target_arch = "aarch64")]
            Backend::X2(lanes) => self.in_lanes(lanes, order, message),
            #[cfg(target_arch = "x86_64")]
            Backend::X4(lanes) => self.in_lanes(lanes, order, message),
            #[cfg(target_arch = "x86_64")]
            Backend::X8(lanes) => self.in_lanes(lanes, order, message),
        }
        self.count
    }

    /// Hashes all messages in windows of `N`.
    fn in_lanes<'m, const N: usize, L: Lanes<N>>(
        &mut self,
        lanes: L,
        order: &Order,
        message: impl Fn(usize) -> &'m [u8],
    ) {
        let total = self.digests.len();
        let mut next = 0;
        while next < total {
            let held = N.min(total - next);
            let mut messages: [&[u8]; N] = [&[]; N];
            for (offset, lane) in messages.iter_mut().take(held).enumerate() {
                *lane = message(order.at(next + offset));
            }
            let window = Window::new(messages);
            let head = match window.blocks {
                // Full and even, as most are: nothing is cheaper.
                blocks if held == N && blocks[0] == blocks[N - 1] => 0,
                blocks => scalar_head(&blocks[..held], next + held < total, L::COST),
            };
            if head == 0 {
                self.window(lanes, &window, (next..next + held).map(|at| order.at(at)));
                next += held;
            } else {
                self.one_by_one(next..next + head, order, &message);
                next += head;
            }
        }
    }

    /// Hashes the messages of one window, whose first lanes are those of `indices`.
    fn window<const N: usize, L: Lanes<N>>(
        &mut self,
        lanes: L,
        window: &Window<'_, N>,
        indices: impl Iterator<Item = usize>,
    ) {
        let mut digests = [B256::ZERO; N];
        self.count.vector_permutations += lanes.hash(window, &mut digests) as u64;
        for ((index, digest), blocks) in indices.zip(digests).zip(window.blocks) {
            self.digests[index] = digest;
            self.count.permutations += blocks as u64;
        }
    }

    /// Hashes the messages at `positions` one at a time.
    fn one_by_one<'m>(
        &mut self,
        positions: Range<usize>,
        order: &Order,
        message: impl Fn(usize) -> &'m [u8],
    ) {
        for index in positions.map(|position| order.at(position)) {
            let message = message(index);
            self.digests[index] = keccak256(message);
            let blocks = blocks(message.len()) as u64;
            self.count.permutations += blocks;
            self.count.scalar_permutations += blocks;
        }
    }
}
