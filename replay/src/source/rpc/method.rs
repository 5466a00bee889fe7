//! By which calls a block's accesses are had.

use super::{CallFault, Client, FetchError, RpcError};
use crate::source::{
    access_list,
    figures::BlockFigures,
    prestate,
    witness::{Fault, json},
};
use core::fmt;
use serde_json::{Value, json};
use std::sync::atomic::AtomicBool;
use thinstate_formats::BlockNumber;

/// By which calls.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FetchMethod {
    /// Execution witnesses: the block is executed here, and its header checked.
    Witness,
    /// The prestate tracer: what each transaction found and changed.
    Prestate,
    /// EIP-7928 lists.
    Bal,
}

impl fmt::Display for FetchMethod {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Witness => "witness",
            Self::Prestate => "prestate",
            Self::Bal => "bal",
        })
    }
}

/// One document of a block: how it is asked for, what it is called, and what it has to be.
#[derive(Clone, Copy, Debug)]
pub(super) struct Document {
    pub(super) method: &'static str,
    /// What stands between the block's number and `.json` in the file's name.
    pub(super) kind: DocumentKind,
    params: fn(&str) -> Value,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum DocumentKind {
    Block,
    Witness,
    Prestate,
    Diff,
    Bal,
}

impl DocumentKind {
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Block => "block",
            Self::Witness => "witness",
            Self::Prestate => "prestate",
            Self::Diff => "diff",
            Self::Bal => "bal",
        }
    }

    /// Whether a document can be what it should be: of its shape, and of the block as far as it says.
    /// What it says beyond that is checked when it is read for a trace.
    pub(super) fn check(self, document: &Value, number: BlockNumber) -> Result<(), CallFault> {
        let fault = |fault: Fault| CallFault::Result(Box::new(fault));
        match self {
            Self::Block => {
                let figures = BlockFigures::from_json(document.clone()).map_err(fault)?;
                if figures.number != number {
                    return Err(CallFault::Unexpected {
                        expected: format!("block {number}"),
                        got: format!("block {}", figures.number),
                    });
                }
                Ok(())
            }
            Self::Witness => {
                let mut object = json::object(document.clone()).map_err(fault)?;
                json::need(&mut object, "state").map_err(fault)?;
                json::need(&mut object, "codes").map(drop).map_err(fault)
            }
            Self::Prestate => {
                let results = prestate::decode_prestates(document.clone());
                results.map(drop).map_err(fault)
            }
            Self::Diff => {
                let results = prestate::decode_diffs(document.clone());
                results.map(drop).map_err(fault)
            }
            Self::Bal => {
                let list = access_list::decode_json(document.clone());
                list.map(drop).map_err(|error| CallFault::Unexpected {
                    expected: "an access list".to_owned(),
                    got: error.to_string(),
                })
            }
        }
    }
}

const RAW_BLOCK: Document = Document {
    method: "debug_getRawBlock",
    kind: DocumentKind::Block,
    params: |block| json!([block]),
};
const BLOCK: Document = Document {
    method: "eth_getBlockByNumber",
    kind: DocumentKind::Block,
    params: |block| json!([block, false]),
};
const WITNESS: Document = Document {
    method: "debug_executionWitness",
    kind: DocumentKind::Witness,
    params: |block| json!([block]),
};
const PRESTATE: Document = Document {
    method: "debug_traceBlockByNumber",
    kind: DocumentKind::Prestate,
    params: |block| json!([block, {"tracer": "prestateTracer"}]),
};
const DIFF: Document = Document {
    method: "debug_traceBlockByNumber",
    kind: DocumentKind::Diff,
    params: |block| json!([block, {"tracer": "prestateTracer", "tracerConfig": {"diffMode": true}}]),
};
const BAL: Document = Document {
    method: "eth_getBlockAccessList",
    kind: DocumentKind::Bal,
    params: |block| json!([block]),
};

impl FetchMethod {
    /// The documents of a block; its own comes first.
    pub(super) const fn documents(self) -> &'static [Document] {
        match self {
            Self::Witness => &[RAW_BLOCK, WITNESS],
            Self::Prestate => &[BLOCK, PRESTATE, DIFF],
            Self::Bal => &[BLOCK, BAL],
        }
    }
}

impl Document {
    /// Asks for the document, and checks that it is one.
    pub(super) fn get(
        &self,
        client: &Client,
        number: BlockNumber,
        stop: &AtomicBool,
    ) -> Result<Value, RpcError> {
        let params = (self.params)(&format!("{:#x}", number.0));
        let result = client.call(self.method, &params, Some(number), stop)?;
        match self.kind.check(&result, number) {
            Ok(()) => Ok(result),
            Err(source) => Err(RpcError {
                method: self.method,
                block: Some(number),
                attempts: 1,
                source,
            }),
        }
    }
}

/// The method that tells most among those that the node offers for `block`: witnesses, then the tracer,
/// then lists. Costs one call for each that is tried.
pub fn choose(
    client: &Client,
    block: BlockNumber,
    stop: &AtomicBool,
) -> Result<FetchMethod, FetchError> {
    let candidates = [
        (FetchMethod::Witness, WITNESS),
        (FetchMethod::Prestate, DIFF),
        (FetchMethod::Bal, BAL),
    ];
    let mut refused = None;
    for (method, document) in candidates {
        match document.get(client, block, stop) {
            Ok(_) => return Ok(method),
            Err(error)
                if matches!(
                    error.source,
                    CallFault::Refused { .. } | CallFault::Status { .. } | CallFault::Null
                ) && !error.source.may_pass() =>
            {
                refused = Some(error);
            }
            Err(error) => return Err(error.into()),
        }
    }
    match refused {
        Some(source) => Err(FetchError::NoMethod { block, source }),
        None => unreachable!("a method was tried"),
    }
}
