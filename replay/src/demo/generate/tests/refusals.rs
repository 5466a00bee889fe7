//! What is refused: by the token, by the generator, by the profile's checks.

use super::*;

#[test]
fn a_token_refuses_what_would_make_money() {
    let accounts = funded(200, 100);
    let mut chain = Chain::new(&accounts);
    let mut generator = BlockGenerator::new(quiet_profile(1), accounts).unwrap();
    let mut last = None;
    while let Some(block) = generator.next().transpose().unwrap() {
        chain.execute(&block);
        last = Some(block);
    }
    let block = last.expect("there is a setup");
    let token = &generator.tokens()[0];
    let (holder, balance) = token.balances().next().expect("the token has holders");
    let nonce = chain.db.cache.accounts[&holder].info.nonce;
    let max_mint = [&token::MINT[..], holder.into_word().as_slice(), &[0xff; 32]].concat();
    for (data, success) in [
        (
            token::call(token::TRANSFER, Address::ZERO, balance + 1),
            false,
        ),
        (token::call(token::TRANSFER, Address::ZERO, balance), true),
        (token::call(token::TRANSFER, holder, balance), true),
        (token::call([1, 2, 3, 4], holder, 1), false),
        (max_mint.into(), false),
        (token::call(token::BALANCE_OF, holder, 0), true),
    ] {
        let to = Some(token.address());
        let tx = GeneratedTx {
            from: holder,
            nonce,
            to,
            value: U256::ZERO,
            data,
            gas_limit: 100_000,
            gas_price: 1,
        };
        let (result, _) = chain.run(&block, &tx);
        assert_eq!(result.is_success(), success, "{:?}: {result:?}", tx.data);
        if tx.data.starts_with(&token::BALANCE_OF) {
            let returned = result.output().map(|output| U256::from_be_slice(output));
            assert_eq!(returned, Some(U256::from(balance)));
        }
    }
}

#[test]
fn senders_who_cannot_pay_are_told_of_and_end_the_chain() {
    let mut poor = BlockGenerator::new(demo_profile(5), funded(200, 0)).unwrap();
    assert!(
        matches!(poor.next(), Some(Err(GenerateError::OutOfFunds { block, .. })) if block.0 == 1)
    );
    assert!(poor.next().is_none());
    let few = BlockGenerator::new(demo_profile(5), funded(149, 100));
    assert!(matches!(
        few,
        Err(GenerateError::TooFewSenders {
            got: 149,
            expected: 150
        })
    ));
}

#[test]
fn a_profile_that_cannot_work_is_refused() {
    let text = std::fs::read_to_string(DEMO).unwrap();
    for (from, to, expected) in [
        ("seed = 1", "sead = 1", "not a profile"),
        ("seed = 1", "", "not a profile"),
        (
            "sweep = 0.1 ",
            "sweep = 1.5 ",
            "shares.sweep is 1.5, expected 0 to 1",
        ),
        (
            "sweep = 0.1 ",
            "sweep = nan ",
            "shares.sweep is NaN, expected 0 to 1",
        ),
        (
            "write_create = 0.15",
            "write_create = 0.92",
            "shares.write_create + write_delete is 1.02",
        ),
        (
            "tokens = 1.0",
            "tokens = -1.0",
            "popularity.tokens is -1, expected 0 to 4",
        ),
        (
            "tokens = 12",
            "tokens = 0",
            "setup.tokens is 0, expected 1 to",
        ),
        (
            "vaults = 48",
            "vaults = 0",
            "setup.vaults is 0, expected 1 to",
        ),
        (
            "vault_slots = [80, 160]",
            "vault_slots = [80, 601]",
            "setup.vault_slots is 601, expected 0 to 600",
        ),
        (
            "vault_slots = [4, 32]",
            "vault_slots = [33, 32]",
            "sizes.vault_slots is 33, expected 0 to 32",
        ),
        (
            "vault_slots = [4, 32]",
            "vault_slots = [4, 601]",
            "sizes.vault_slots is 601, expected 0 to 600",
        ),
        (
            "[100, 6_000]",
            "[100, 24_001]",
            "sizes.creation_code_bytes is 24001",
        ),
        (
            "plain_transfers = 70",
            "plain_transfers = 18_000_000_000_000_000",
            "transactions.plain_transfers is",
        ),
        ("interval_s = 12", "interval_s = 0", "chain.interval_s is 0"),
        (
            "gas_limit = 60_000_000",
            "gas_limit = 30_000_000",
            "expected at most chain.gas_limit, 30000000",
        ),
    ] {
        assert!(text.contains(from), "{from} is not in the profile");
        let error = Profile::parse(&text.replace(from, to))
            .expect_err(to)
            .to_string();
        assert!(
            error.contains(expected),
            "{to}: got {error:?}, expected {expected:?}"
        );
    }
}
