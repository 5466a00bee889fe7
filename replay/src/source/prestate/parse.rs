//! The documents that hold pre-states.

use super::account::{self, PreState};
use crate::source::witness::{Fault, json};
use alloy_primitives::B256;
use serde_json::Value;

/// What the tracer says of one transaction.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TxResult<T> {
    /// The transaction, where the node says so.
    pub hash: Option<B256>,
    /// The result.
    pub result: T,
}

/// What a transaction changed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TxDiff {
    /// What is changed, as it was.
    pub pre: PreState,
    /// What is changed, as it is left.
    pub post: PreState,
}

/// The accounts that a whole block touches.
pub fn decode_whole(document: Value) -> Result<PreState, Fault> {
    account::state(json::unwrap_response(document), "pre_state")
}

/// What each transaction found: the tracer's result without `diffMode`, bare or as the whole response.
pub fn decode_prestates(document: Value) -> Result<Vec<TxResult<PreState>>, Fault> {
    results(document, account::state)
}

/// What each transaction changed: the tracer's result with `diffMode`, bare or as the whole response.
pub fn decode_diffs(document: Value) -> Result<Vec<TxResult<TxDiff>>, Fault> {
    results(document, diff)
}

fn results<T>(
    document: Value,
    result: impl Fn(Value, &str) -> Result<T, Fault>,
) -> Result<Vec<TxResult<T>>, Fault> {
    let list = json::list(json::unwrap_response(document), "result")?;
    let one = |(at, value): (usize, Value)| {
        let field = format!("result[{at}]");
        let Value::Object(mut object) = value else {
            return Err(json::wrong_type(&field, "an object"));
        };
        let hash = json::take(&mut object, "txHash");
        let inner = format!("{field}.result");
        let value = object.remove("result");
        let value = value.ok_or_else(|| Fault::Missing {
            field: inner.clone(),
        })?;
        Ok(TxResult {
            hash: hash.map(|it| json::hash(&it, &field)).transpose()?,
            result: result(value, &inner)?,
        })
    };
    list.into_iter().enumerate().map(one).collect()
}

fn diff(value: Value, field: &str) -> Result<TxDiff, Fault> {
    let Value::Object(mut object) = value else {
        return Err(json::wrong_type(field, "an object of `pre` and `post`"));
    };
    let mut half = |name: &str| {
        let field = format!("{field}.{name}");
        let value = object.remove(name);
        let value = value.ok_or_else(|| Fault::Missing {
            field: field.clone(),
        })?;
        account::state(value, &field)
    };
    Ok(TxDiff {
        pre: half("pre")?,
        post: half("post")?,
    })
}
