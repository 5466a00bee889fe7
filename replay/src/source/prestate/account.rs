//! Accounts as the tracer and the pre-states describe them.

use crate::source::witness::{Fault, json};
use alloy_primitives::{Address, B256, KECCAK256_EMPTY, U256, keccak256};
use serde_json::Value;
use std::collections::BTreeMap;
use thinstate_formats::{Account, trace::CodeRead};

/// Accounts by address.
pub type PreState = BTreeMap<Address, PreAccount>;

/// What is said of an account. In the `post` of a difference a field that is `None` stays as it was.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PreAccount {
    /// Balance in wei.
    pub balance: Option<U256>,
    /// Nonce.
    pub nonce: Option<u64>,
    /// Hash of the code.
    pub code_hash: Option<B256>,
    /// Length of the code, where its bytes were given.
    pub code_length: Option<u32>,
    /// Slots, zero ones included where they were named.
    pub storage: BTreeMap<U256, U256>,
}

impl PreAccount {
    /// The account itself; `None` where it is empty (EIP-161).
    pub fn account(&self) -> Option<Account> {
        self.over(Account::default())
    }

    /// The account with these fields, and those of `before` where nothing is said.
    pub fn over(&self, before: Account) -> Option<Account> {
        let account = Account {
            nonce: self.nonce.unwrap_or(before.nonce),
            balance: self.balance.unwrap_or(before.balance),
            code_hash: self.code_hash.unwrap_or(before.code_hash),
        };
        (!account.is_empty()).then_some(account)
    }

    /// The code, where it is known how long it is.
    pub fn code(&self) -> Option<CodeRead> {
        let (hash, length) = (self.code_hash?, self.code_length?);
        (length > 0).then_some(CodeRead { hash, length })
    }
}

/// Accounts of a JSON object.
pub(super) fn state(value: Value, field: &str) -> Result<PreState, Fault> {
    let Value::Object(accounts) = value else {
        return Err(json::wrong_type(field, "an object of accounts"));
    };
    let mut state = PreState::new();
    for (key, value) in accounts {
        let field = format!("{field}.{key}");
        let address = key.parse().map_err(|_| Fault::Hex {
            field: field.clone(),
            expected: "an address",
        })?;
        state.insert(address, account(value, &field)?);
    }
    Ok(state)
}

fn account(value: Value, field: &str) -> Result<PreAccount, Fault> {
    let Value::Object(mut object) = value else {
        return Err(json::wrong_type(field, "an account"));
    };
    let at = |name: &str| format!("{field}.{name}");
    let balance = json::take(&mut object, "balance");
    let nonce = json::take(&mut object, "nonce");
    let hash = json::take(&mut object, "codeHash").or_else(|| json::take(&mut object, "code_hash"));
    let code = json::take(&mut object, "code");
    let code = code.map(|it| json::bytes(&it, &at("code"))).transpose()?;
    let given = hash
        .map(|it| json::hash(&it, &at("codeHash")))
        .transpose()?;
    let code_hash = match (&code, given) {
        (Some(code), given) => {
            let hash = if code.is_empty() {
                KECCAK256_EMPTY
            } else {
                keccak256(code)
            };
            json::same_hash(&at("code"), given.unwrap_or(hash), hash)?;
            Some(hash)
        }
        (None, given) => given,
    };
    let code_length = code.map(|it| u32::try_from(it.len()).unwrap_or(u32::MAX));
    let storage = json::take(&mut object, "storage");
    let storage = storage.map_or(Ok(BTreeMap::new()), |it| slots(it, &at("storage")))?;
    Ok(PreAccount {
        balance: balance.map(|it| word(&it, &at("balance"))).transpose()?,
        nonce: nonce
            .map(|it| json::number(&it, &at("nonce")))
            .transpose()?,
        code_hash,
        code_length,
        storage,
    })
}

fn slots(value: Value, field: &str) -> Result<BTreeMap<U256, U256>, Fault> {
    let Value::Object(slots) = value else {
        return Err(json::wrong_type(field, "an object of slots"));
    };
    let mut storage = BTreeMap::new();
    for (key, value) in slots {
        let field = format!("{field}.{key}");
        let slot = parse_word(&key, &field)?;
        storage.insert(slot, word(&value, &field)?);
    }
    Ok(storage)
}

/// A number of 256 bits, as a quantity or padded.
fn word(value: &Value, field: &str) -> Result<U256, Fault> {
    match value {
        Value::String(text) => parse_word(text, field),
        Value::Number(number) => number
            .as_u64()
            .map(U256::from)
            .ok_or_else(|| json::wrong_type(field, "a number of 256 bits")),
        _ => Err(json::wrong_type(field, "a number of 256 bits")),
    }
}

fn parse_word(text: &str, field: &str) -> Result<U256, Fault> {
    text.strip_prefix("0x")
        .and_then(|digits| U256::from_str_radix(digits, 16).ok())
        .ok_or_else(|| Fault::Hex {
            field: field.into(),
            expected: "a number of 256 bits",
        })
}
