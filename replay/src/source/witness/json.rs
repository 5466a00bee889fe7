//! Fields of a JSON document, with errors that name them.

use super::Fault;
use alloy_primitives::{B256, Bytes, hex, keccak256};
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

pub(in crate::source) type Object = Map<String, Value>;

/// The document's object; of a JSON-RPC response, its result.
pub(in crate::source) fn object(document: Value) -> Result<Object, Fault> {
    match unwrap_response(document) {
        Value::Object(object) => Ok(object),
        _ => Err(wrong_type("document", "an object")),
    }
}

/// The result of a JSON-RPC response; any other document as it is.
pub(in crate::source) fn unwrap_response(document: Value) -> Value {
    match document {
        Value::Object(mut object) => match object.remove("result") {
            Some(result) => result,
            None => Value::Object(object),
        },
        other => other,
    }
}

/// A field under its name, or under its name with a capital, as some clients write it. `null` is
/// the same as absent.
pub(in crate::source) fn take(object: &mut Object, field: &str) -> Option<Value> {
    let value = object
        .remove(field)
        .or_else(|| object.remove(&capitalised(field)));
    value.filter(|value| !value.is_null())
}

/// A field that must be there.
pub(in crate::source) fn need(object: &mut Object, field: &str) -> Result<Value, Fault> {
    take(object, field).ok_or_else(|| Fault::Missing {
        field: field.into(),
    })
}

/// A number, decimal or as a hex quantity.
pub(in crate::source) fn number(value: &Value, field: &str) -> Result<u64, Fault> {
    let parsed = match value {
        Value::Number(number) => number.as_u64(),
        Value::String(text) => text
            .strip_prefix("0x")
            .and_then(|digits| u64::from_str_radix(digits, 16).ok()),
        _ => None,
    };
    parsed.ok_or_else(|| wrong_type(field, "a number of 64 bits"))
}

/// Bytes as 0x-hex.
pub(in crate::source) fn bytes(value: &Value, field: &str) -> Result<Bytes, Fault> {
    let text = value
        .as_str()
        .ok_or_else(|| wrong_type(field, "a hex string"))?;
    from_hex(text, field)
}

/// Bytes of 0x-hex.
pub(in crate::source) fn from_hex(text: &str, field: &str) -> Result<Bytes, Fault> {
    let fault = || Fault::Hex {
        field: field.into(),
        expected: "bytes",
    };
    let digits = text.strip_prefix("0x").ok_or_else(fault)?;
    hex::decode(digits).map(Bytes::from).map_err(|_| fault())
}

/// 32 bytes as 0x-hex.
pub(in crate::source) fn hash(value: &Value, field: &str) -> Result<B256, Fault> {
    let raw = bytes(value, field)?;
    B256::try_from(&raw[..]).map_err(|_| Fault::Hex {
        field: field.into(),
        expected: "32 bytes",
    })
}

/// A list.
pub(in crate::source) fn list(value: Value, field: &str) -> Result<Vec<Value>, Fault> {
    match value {
        Value::Array(items) => Ok(items),
        _ => Err(wrong_type(field, "a list")),
    }
}

/// Byte strings as a list, or as a map from their hash, which is checked.
pub(in crate::source) fn preimages(value: Value, field: &str) -> Result<Vec<Bytes>, Fault> {
    match value {
        Value::Array(items) => {
            let item = |(i, item): (usize, &Value)| bytes(item, &format!("{field}[{i}]"));
            items.iter().enumerate().map(item).collect()
        }
        Value::Object(items) => items
            .iter()
            .map(|(key, item)| hashed(key, item, &format!("{field}[{key}]")))
            .collect(),
        _ => Err(wrong_type(field, "a list or a map")),
    }
}

fn hashed(key: &str, item: &Value, field: &str) -> Result<Bytes, Fault> {
    let expected = from_hex(key, field)?;
    let expected = B256::try_from(&expected[..]).map_err(|_| Fault::Hex {
        field: field.into(),
        expected: "32 bytes",
    })?;
    let item = bytes(item, field)?;
    same_hash(field, expected, keccak256(&item))?;
    Ok(item)
}

/// An error where two hashes differ.
pub(in crate::source) fn same_hash(field: &str, expected: B256, got: B256) -> Result<(), Fault> {
    if expected == got {
        return Ok(());
    }
    Err(Fault::Hash {
        field: field.into(),
        expected,
        got,
    })
}

/// An object by its serde description.
pub(in crate::source) fn described<T: DeserializeOwned>(
    value: Value,
    field: &str,
    expected: &'static str,
) -> Result<T, Fault> {
    serde_json::from_value(value).map_err(|source| Fault::Object {
        field: field.into(),
        expected,
        source,
    })
}

pub(in crate::source) fn wrong_type(field: &str, expected: &'static str) -> Fault {
    Fault::Type {
        field: field.into(),
        expected,
    }
}

fn capitalised(field: &str) -> String {
    let mut chars = field.chars();
    chars.next().map_or_else(String::new, |first| {
        first.to_uppercase().chain(chars).collect()
    })
}
