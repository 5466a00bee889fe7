//! What a block's logs say about tokens: who has them, how many moved, who may move them.

use super::BlockLogs;
use alloy_primitives::{Address, B256, Log, U256, keccak256};
use std::{collections::BTreeMap, sync::LazyLock};

/// The index of a block at which something was logged.
type Index = u64;

/// What the logs of one contract say, by index.
#[derive(Clone, Debug, Default)]
pub(super) struct ContractEvents {
    /// ERC-20: what holders' balances moved by.
    pub(super) flows: BTreeMap<(Index, Address), Flow>,
    /// ERC-721: the tokens that moved, from the first holder to the last.
    pub(super) tokens: BTreeMap<(Index, B256), (Address, Address)>,
    /// ERC-721: what the number of a holder's tokens moved by.
    pub(super) counts: BTreeMap<(Index, Address), U256>,
    /// ERC-1155 and ERC-6909: what a holder's balance of an id moved by.
    pub(super) multi: BTreeMap<(Index, Address, B256), U256>,
    /// ERC-20: amounts that were allowed.
    pub(super) approvals: BTreeMap<(Index, Address, Address), Vec<U256>>,
    /// ERC-721 and ERC-1155: operators that were let or no longer.
    pub(super) operators: BTreeMap<(Index, Address, Address), U256>,
}

/// What a holder's balance moved by at one index.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Flow {
    /// What came in, wrapping.
    pub(super) received: U256,
    /// What went out, wrapping.
    pub(super) sent: U256,
    /// Whether a `Transfer` says so. `Deposit` and `Withdrawal` are WETH's words for minting and
    /// burning, but vaults that are no tokens use them as well.
    pub(super) transfer: bool,
}

impl Flow {
    /// What the balance moves by, modulo 2^256.
    pub(super) fn delta(&self) -> U256 {
        self.received.wrapping_sub(self.sent)
    }
}

/// What the logs of a block say, by contract.
#[derive(Clone, Debug, Default)]
pub(super) struct Events {
    contracts: BTreeMap<Address, ContractEvents>,
}

struct Topics {
    transfer: B256,
    approval: B256,
    approval_for_all: B256,
    single: B256,
    batch: B256,
    multi: B256,
    deposit: B256,
    withdrawal: B256,
}

static TOPICS: LazyLock<Topics> = LazyLock::new(|| Topics {
    transfer: keccak256("Transfer(address,address,uint256)"),
    approval: keccak256("Approval(address,address,uint256)"),
    approval_for_all: keccak256("ApprovalForAll(address,address,bool)"),
    single: keccak256("TransferSingle(address,address,address,uint256,uint256)"),
    batch: keccak256("TransferBatch(address,address,address,uint256[],uint256[])"),
    multi: keccak256("Transfer(address,address,address,uint256,uint256)"),
    deposit: keccak256("Deposit(address,uint256)"),
    withdrawal: keccak256("Withdrawal(address,uint256)"),
});

impl Events {
    /// Reads the logs. Those that say nothing about tokens, or not in a known form, are passed over.
    pub(super) fn read(logs: &BlockLogs) -> Self {
        let mut events = Self::default();
        for (index, log) in logs.iter() {
            let contract = events.contracts.entry(log.address).or_default();
            // What cannot be read is of another event with the same name.
            let _ = contract.add(index.get(), log);
        }
        events
    }

    pub(super) fn of(&self, contract: Address) -> Option<&ContractEvents> {
        self.contracts.get(&contract)
    }

    /// Every address that a log names as a holder, and every contract that logged.
    pub(super) fn addresses(&self) -> impl Iterator<Item = Address> {
        self.contracts
            .iter()
            .flat_map(|(address, events)| events.holders().chain([*address]))
    }
}

impl ContractEvents {
    /// Holders that the logs name.
    pub(super) fn holders(&self) -> impl Iterator<Item = Address> {
        let flows = self.flows.keys().map(|key| key.1);
        let counts = self.counts.keys().map(|key| key.1);
        let multi = self.multi.keys().map(|key| key.1);
        let approvals = self.approvals.keys().flat_map(|key| [key.1, key.2]);
        let operators = self.operators.keys().flat_map(|key| [key.1, key.2]);
        flows
            .chain(counts)
            .chain(multi)
            .chain(approvals)
            .chain(operators)
    }

    /// Reads a log of the contract; `None` where it is of no known form.
    fn add(&mut self, index: Index, log: &Log) -> Option<()> {
        let topics = log.topics();
        let words = Words(&log.data.data);
        let (first, rest) = topics.split_first()?;
        let known = &*TOPICS;
        match rest {
            [from, to, id] if *first == known.transfer => {
                self.token(index, address(*from)?, address(*to)?, *id);
            }
            [from, to] if *first == known.transfer => {
                self.flow(index, address(*from)?, address(*to)?, words.number(0)?);
            }
            // Before ERC-20 was settled nothing was indexed. Whether the number is an amount or an
            // id, the values tell.
            [] if *first == known.transfer => {
                let (from, to) = (address(words.word(0)?)?, address(words.word(1)?)?);
                self.flow(index, from, to, words.number(2)?);
                self.token(index, from, to, words.word(2)?);
            }
            [owner, spender] if *first == known.approval => {
                let key = (index, address(*owner)?, address(*spender)?);
                self.approvals
                    .entry(key)
                    .or_default()
                    .push(words.number(0)?);
            }
            [owner, operator] if *first == known.approval_for_all => {
                let key = (index, address(*owner)?, address(*operator)?);
                self.operators.insert(key, words.number(0)?);
            }
            [_, from, to] if *first == known.single => {
                let (from, to) = (address(*from)?, address(*to)?);
                self.multi(index, from, to, words.word(0)?, words.number(1)?);
            }
            [_, from, to] if *first == known.batch => {
                let (from, to) = (address(*from)?, address(*to)?);
                for (id, amount) in words.pairs()? {
                    self.multi(index, from, to, id, amount);
                }
            }
            [from, to, id] if *first == known.multi => {
                let (from, to) = (address(*from)?, address(*to)?);
                self.multi(index, from, to, *id, words.number(1)?);
            }
            [holder] if *first == known.deposit => {
                let (holder, amount) = (address(*holder)?, words.number(0)?);
                let flow = self.flows.entry((index, holder)).or_default();
                flow.received = flow.received.wrapping_add(amount);
            }
            [holder] if *first == known.withdrawal => {
                let (holder, amount) = (address(*holder)?, words.number(0)?);
                let flow = self.flows.entry((index, holder)).or_default();
                flow.sent = flow.sent.wrapping_add(amount);
            }
            _ => return None,
        }
        Some(())
    }

    fn flow(&mut self, index: Index, from: Address, to: Address, amount: U256) {
        let source = self.flows.entry((index, from)).or_default();
        source.sent = source.sent.wrapping_add(amount);
        source.transfer = true;
        let target = self.flows.entry((index, to)).or_default();
        target.received = target.received.wrapping_add(amount);
        target.transfer = true;
    }

    fn token(&mut self, index: Index, from: Address, to: Address, id: B256) {
        let moved = self.tokens.entry((index, id)).or_insert((from, to));
        moved.1 = to;
        let source = self.counts.entry((index, from)).or_default();
        *source = source.wrapping_sub(U256::ONE);
        let target = self.counts.entry((index, to)).or_default();
        *target = target.wrapping_add(U256::ONE);
    }

    fn multi(&mut self, index: Index, from: Address, to: Address, id: B256, amount: U256) {
        let source = self.multi.entry((index, from, id)).or_default();
        *source = source.wrapping_sub(amount);
        let target = self.multi.entry((index, to, id)).or_default();
        *target = target.wrapping_add(amount);
    }
}

fn address(word: B256) -> Option<Address> {
    word[..12]
        .iter()
        .all(|byte| *byte == 0)
        .then(|| Address::from_word(word))
}

/// A log's data as words.
struct Words<'a>(&'a [u8]);

impl Words<'_> {
    fn word(&self, at: usize) -> Option<B256> {
        let start = at.checked_mul(32)?;
        let word = self.0.get(start..start.checked_add(32)?)?;
        Some(B256::from_slice(word))
    }

    fn number(&self, at: usize) -> Option<U256> {
        self.word(at).map(|word| U256::from_be_bytes(word.0))
    }

    /// Two arrays of one length, as pairs.
    fn pairs(&self) -> Option<Vec<(B256, U256)>> {
        let at = |head: usize| {
            let offset = usize::try_from(self.number(head)?).ok()?;
            (offset % 32 == 0).then_some(offset / 32)
        };
        let (ids, amounts) = (at(0)?, at(1)?);
        let length = usize::try_from(self.number(ids)?).ok()?;
        if self.number(amounts)? != U256::from(length) || length > self.0.len() / 32 {
            return None;
        }
        (1..=length)
            .map(|n| Some((self.word(ids + n)?, self.number(amounts + n)?)))
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloy_primitives::{Bytes, b256};
    use thinstate_formats::trace::BlockAccessIndex;

    const TOKEN: Address = Address::repeat_byte(0x70);
    const A: Address = Address::repeat_byte(0xa1);
    const B: Address = Address::repeat_byte(0xb2);

    fn events(topics: &[B256], data: &[U256]) -> ContractEvents {
        let data: Vec<u8> = data.iter().flat_map(|it| it.to_be_bytes::<32>()).collect();
        let mut logs = BlockLogs::default();
        let log = Log::new_unchecked(TOKEN, topics.to_vec(), Bytes::from(data));
        logs.push(BlockAccessIndex::from_tx_index(0), log);
        Events::read(&logs).of(TOKEN).cloned().unwrap_or_default()
    }

    fn n(number: u64) -> U256 {
        U256::from(number)
    }

    #[test]
    fn no_event_has_another_topic_than_on_mainnet() {
        let transfer = b256!("ddf252ad1be2c89b69c2b068fc378daa952ba7f163c4a11628f55a4df523b3ef");
        let approval = b256!("8c5be1e5ebec7d5bd14f71427d1e84f3dd0314c0f7b2291e5b200ac8c7c3b925");
        let single = b256!("c3d58168c5ae7397731d063d5bbf3d657854427343f4c083240f7aacaa2d0f62");
        let batch = b256!("4a39dc06d4c0dbc64b70af90fd698a233a518aa5d07e595d983b8c0526c8f7fb");
        let deposit = b256!("e1fffcc4923d04b559f4d29a8bfc6cda04eb5b0d3c460751c2402c5c5cc9109c");
        assert_eq!(TOPICS.transfer, transfer);
        assert_eq!(TOPICS.approval, approval);
        assert_eq!(TOPICS.single, single);
        assert_eq!(TOPICS.batch, batch);
        assert_eq!(TOPICS.deposit, deposit);
    }

    #[test]
    fn a_token_is_not_taken_for_an_amount() {
        let head = [TOPICS.transfer, A.into_word(), B.into_word()];
        let amount = events(&head, &[n(7)]);
        assert_eq!(amount.flows[&(1, A)].delta(), U256::ZERO.wrapping_sub(n(7)));
        assert_eq!(amount.flows[&(1, B)].delta(), n(7));
        assert!(amount.tokens.is_empty());
        let id = B256::with_last_byte(7);
        let token = events(&[head[0], head[1], head[2], id], &[]);
        assert_eq!(token.tokens[&(1, id)], (A, B));
        assert_eq!(token.counts[&(1, B)], U256::ONE);
        assert!(token.flows.is_empty());
    }

    #[test]
    fn what_is_sent_to_oneself_does_not_move() {
        let own = events(&[TOPICS.transfer, A.into_word(), A.into_word()], &[n(7)]);
        assert_eq!(own.flows[&(1, A)].delta(), U256::ZERO);
    }

    #[test]
    fn a_batch_is_not_read_beyond_its_end() {
        let head = [TOPICS.batch, A.into_word(), A.into_word(), B.into_word()];
        let whole = events(&head, &[n(64), n(160), n(2), n(8), n(9), n(2), n(3), n(4)]);
        let of = |id, holder| whole.multi[&(1, holder, B256::with_last_byte(id))];
        assert_eq!([of(8, B), of(9, B)], [n(3), n(4)]);
        assert_eq!(of(9, A), U256::ZERO.wrapping_sub(n(4)));
        for data in [
            vec![n(64), n(160), n(2), n(8), n(9), n(2), n(3)],
            vec![n(64), n(160), U256::MAX, n(8), n(9), U256::MAX],
            vec![U256::MAX, n(160)],
            vec![n(65), n(160), n(0), n(0), n(0), n(0)],
        ] {
            assert!(events(&head, &data).multi.is_empty(), "{data:?}");
        }
    }

    #[test]
    fn a_word_that_is_no_address_names_nobody() {
        let odd = B256::repeat_byte(0xff);
        let events = events(&[TOPICS.transfer, odd, B.into_word()], &[n(1)]);
        assert_eq!(events.holders().count(), 0);
    }
}
