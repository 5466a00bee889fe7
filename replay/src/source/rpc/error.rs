//! Why blocks were not fetched.

use super::FetchMethod;
use core::time::Duration;
use std::{io, path::PathBuf};
use thinstate_formats::BlockNumber;

/// A call that did not give what it should.
#[derive(Debug, thiserror::Error)]
#[error("{method}{}{}", of_block(*block), after(*attempts))]
pub struct RpcError {
    /// The method that was called.
    pub method: &'static str,
    /// The block that was asked for, where it was one.
    pub block: Option<BlockNumber>,
    /// How often it was tried.
    pub attempts: u32,
    /// Why the last attempt failed.
    pub source: CallFault,
}

fn of_block(block: Option<BlockNumber>) -> String {
    block.map_or_else(String::new, |number| format!(" of block {number}"))
}

fn after(attempts: u32) -> String {
    if attempts > 1 {
        format!(" failed {attempts} times")
    } else {
        " failed".to_owned()
    }
}

/// What was wrong with one attempt.
#[derive(Debug, thiserror::Error)]
pub enum CallFault {
    /// No answer, or none that ends: no connection, a timeout, one that broke. Passes or does not;
    /// check address and network.
    #[error("no whole answer from the node")]
    Transport(#[source] Box<ureq::Error>),
    /// The node answered with another status than 200. 429 and 5xx pass; of others the status says what
    /// to do (401 and 403: credentials).
    #[error("HTTP status {status}: {text}")]
    Status {
        /// The status.
        status: u16,
        /// How the answer begins.
        text: String,
        /// How long the node says to wait.
        retry_after: Option<Duration>,
    },
    /// The answer is longer than the limit. Raise it, or ask for fewer details.
    #[error("the answer is longer than {limit} bytes")]
    TooLarge {
        /// The limit.
        limit: u64,
    },
    /// The answer is no JSON-RPC response: cut off, or from something else than a node.
    #[error("the answer is no JSON-RPC response")]
    Json(#[source] serde_json::Error),
    /// The answer holds neither result nor error.
    #[error("the answer holds neither a result nor an error")]
    NoResult,
    /// The answer is to another request.
    #[error("the answer has id {got}, expected {expected}")]
    WrongId {
        /// The request's.
        expected: u64,
        /// The answer's.
        got: String,
    },
    /// The node refused: see its message. -32601 and -32004 mean that it does not offer the method; 4444
    /// that it has pruned the history; -32001 and -32000 often that it does not know the block.
    #[error("the node refuses: {message} ({code})")]
    Refused {
        /// The JSON-RPC error code.
        code: i64,
        /// The node's message.
        message: String,
    },
    /// The result is `null`: the node does not know the block, or not yet.
    #[error("the node knows no such block (null)")]
    Null,
    /// The result is not what the method should give.
    #[error("the result is not what it should be")]
    Result(#[source] Box<crate::source::witness::Fault>),
    /// The result is of another block, or of no block.
    #[error("the result is {got}, expected {expected}")]
    Unexpected {
        /// What belongs there.
        expected: String,
        /// What is there.
        got: String,
    },
    /// The run was stopped before the call was done.
    #[error("stopped")]
    Stopped,
}

/// Codes by which nodes and the services in front of them refuse load: -32005 "limit exceeded" (EIP-1474),
/// 429 as some services repeat it, -32097 and -32016 as others number it.
const LOAD_CODES: [i64; 4] = [-32_005, 429, -32_097, -32_016];

impl CallFault {
    /// Whether another attempt may go better.
    pub fn may_pass(&self) -> bool {
        match self {
            Self::Status { status, .. } => matches!(status, 408 | 425 | 429 | 500..=599),
            Self::Refused { code, .. } => LOAD_CODES.contains(code),
            Self::Transport(error) => !matches!(**error, ureq::Error::BadUri(_)),
            Self::Json(_) | Self::NoResult | Self::WrongId { .. } => true,
            Self::TooLarge { .. }
            | Self::Null
            | Self::Result(_)
            | Self::Unexpected { .. }
            | Self::Stopped => false,
        }
    }

    /// How long the node says to wait.
    pub(super) const fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::Status { retry_after, .. } => *retry_after,
            _ => None,
        }
    }

    /// Whether the node does not offer the method at all.
    pub fn is_no_such_method(&self) -> bool {
        match self {
            Self::Refused { code, message } => {
                matches!(code, -32_601 | -32_004)
                    || message.contains("does not exist")
                    || message.contains("not supported")
                    || message.contains("not available")
            }
            Self::Status { status, .. } => matches!(status, 403..=405),
            _ => false,
        }
    }
}

/// Blocks that were not fetched. What was fetched before stays.
#[derive(Debug, thiserror::Error)]
pub enum FetchError {
    /// A call failed.
    #[error(transparent)]
    Call(#[from] RpcError),
    /// A file cannot be written or read. Remove the cause and go on.
    #[error("{operation} {}", path.display())]
    Io {
        /// What was tried.
        operation: &'static str,
        /// On what.
        path: PathBuf,
        /// Why it failed.
        source: io::Error,
    },
    /// The folder was begun for something else. Give another output, or remove the folder.
    #[error("{} holds {got}, expected {expected}", path.display())]
    OtherFolder {
        /// The folder.
        path: PathBuf,
        /// What it would be for now.
        expected: String,
        /// What it was begun for.
        got: String,
    },
    /// The node is on another chain. Check the address, or say `--chain-id`.
    #[error("the node is on chain {got}, expected {expected}")]
    OtherChain {
        /// What was asked for.
        expected: u64,
        /// The node's.
        got: u64,
    },
    /// The node offers none of the methods by which a block's accesses can be had.
    #[error(
        "the node offers neither debug_executionWitness nor the prestate tracer nor \
         eth_getBlockAccessList for block {block}; the last refusal follows"
    )]
    NoMethod {
        /// The block that was tried.
        block: BlockNumber,
        /// Why the last of them was refused.
        source: RpcError,
    },
}

/// What a folder is for, in words.
pub(super) fn purpose(chain_id: u64, method: FetchMethod) -> String {
    format!("blocks of chain {chain_id} by {method}")
}
