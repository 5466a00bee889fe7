//! One JSON-RPC call, tried until it succeeds or cannot.

use super::{
    Backoff, CallFault, RpcError,
    pace::{self, Pace},
};
use serde_json::{Value, json};
use std::{
    fmt,
    sync::atomic::{AtomicBool, AtomicU64, Ordering},
    time::Duration,
};
use thinstate_formats::BlockNumber;
use ureq::{Agent, http::Response};

/// Bytes of a refusal's body that are shown.
const REFUSAL_BYTES: usize = 200;

/// How calls are made.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ClientOptions {
    /// Requests a second, over all threads; 0 is without limit.
    pub rps: f64,
    /// How often a request is tried again.
    pub retries: u32,
    /// The waits in between.
    pub backoff: Backoff,
    /// How long one attempt may take, its answer included.
    pub timeout: Duration,
    /// Most bytes of an answer.
    pub response_bytes_max: u64,
}

impl Default for ClientOptions {
    fn default() -> Self {
        Self {
            rps: 10.0,
            retries: 6,
            backoff: Backoff::default(),
            timeout: Duration::from_secs(120),
            response_bytes_max: 1 << 30,
        }
    }
}

/// A node, to which calls can be made from any thread.
pub struct Client {
    agent: Agent,
    url: String,
    options: ClientOptions,
    pace: Pace,
    next_id: AtomicU64,
    retried: AtomicU64,
}

impl fmt::Debug for Client {
    /// Without the address, which may hold a key.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client")
            .field("options", &self.options)
            .field("retried", &self.retried)
            .finish_non_exhaustive()
    }
}

impl Client {
    /// A client of the node at an `http` or `https` address. Nothing is asked of it yet.
    pub fn new(url: impl Into<String>, options: ClientOptions) -> Self {
        let config = Agent::config_builder()
            .http_status_as_error(false)
            .timeout_global(Some(options.timeout))
            .user_agent(concat!("thinstate/", env!("CARGO_PKG_VERSION")));
        Self {
            agent: config.build().into(),
            url: url.into(),
            options,
            pace: Pace::new(options.rps),
            next_id: AtomicU64::new(1),
            retried: AtomicU64::new(0),
        }
    }

    /// How many attempts were made again so far.
    pub fn retried(&self) -> u64 {
        self.retried.load(Ordering::Relaxed)
    }

    /// The result of a method, which must not be `null`. `block` is for the error.
    pub fn call(
        &self,
        method: &'static str,
        params: &Value,
        block: Option<BlockNumber>,
        stop: &AtomicBool,
    ) -> Result<Value, RpcError> {
        let id = self.next_id.fetch_add(1, Ordering::Relaxed);
        let error = |attempts, source| RpcError {
            method,
            block,
            attempts,
            source,
        };
        for attempts in 1.. {
            if !self.pace.turn(stop) {
                return Err(error(attempts, CallFault::Stopped));
            }
            let fault = match self.attempt(id, method, params) {
                Ok(result) => return Ok(result),
                Err(fault) => fault,
            };
            if !fault.may_pass() || attempts > self.options.retries {
                return Err(error(attempts, fault));
            }
            self.retried.fetch_add(1, Ordering::Relaxed);
            let wait = self.options.backoff.wait(id, attempts, fault.retry_after());
            if !pace::sleep(wait, stop) {
                return Err(error(attempts, CallFault::Stopped));
            }
        }
        unreachable!("attempts end before they cannot be counted")
    }

    fn attempt(&self, id: u64, method: &str, params: &Value) -> Result<Value, CallFault> {
        let transport = |error| CallFault::Transport(Box::new(error));
        let request = json!({"jsonrpc": "2.0", "id": id, "method": method, "params": params});
        let mut response = self
            .agent
            .post(&self.url)
            .header("content-type", "application/json")
            .send(request.to_string())
            .map_err(transport)?;
        let limit = self.options.response_bytes_max;
        let status = response.status().as_u16();
        let retry_after = retry_after(&response);
        let body = response.body_mut().with_config().limit(limit).read_to_vec();
        let body = match body {
            // A refusal is one whether its text arrives or not.
            Err(_) if status != 200 => Vec::new(),
            Err(ureq::Error::BodyExceedsLimit(_)) => return Err(CallFault::TooLarge { limit }),
            body => body.map_err(transport)?,
        };
        if status != 200 {
            // Some nodes give JSON-RPC errors a status of their own.
            return Err(match refusal(&body) {
                Some(refused) if !is_load(status) => refused,
                _ => CallFault::Status {
                    status,
                    text: start_of(&body),
                    retry_after,
                },
            });
        }
        result(id, &body)
    }
}

const fn is_load(status: u16) -> bool {
    matches!(status, 408 | 425 | 429 | 502 | 503 | 504)
}

/// The result in an answer.
fn result(id: u64, body: &[u8]) -> Result<Value, CallFault> {
    let mut answer: Value = serde_json::from_slice(body).map_err(CallFault::Json)?;
    if let Some(refused) = refused(&answer) {
        return Err(refused);
    }
    let got = answer.get("id").unwrap_or(&Value::Null);
    if got.as_u64() != Some(id) {
        return Err(CallFault::WrongId {
            expected: id,
            got: got.to_string(),
        });
    }
    match answer.get_mut("result").map(Value::take) {
        None => Err(CallFault::NoResult),
        Some(Value::Null) => Err(CallFault::Null),
        Some(result) => Ok(result),
    }
}

/// The error in a body, if it is one.
fn refusal(body: &[u8]) -> Option<CallFault> {
    refused(&serde_json::from_slice(body).ok()?)
}

fn refused(answer: &Value) -> Option<CallFault> {
    let error = answer.get("error").filter(|error| !error.is_null())?;
    Some(CallFault::Refused {
        code: error.get("code").and_then(Value::as_i64).unwrap_or(0),
        message: match error.get("message").and_then(Value::as_str) {
            Some(message) => message.to_owned(),
            None => error.to_string(),
        },
    })
}

/// How long the answer says to wait, if it says so in seconds.
fn retry_after<B>(response: &Response<B>) -> Option<Duration> {
    let seconds = response.headers().get("retry-after")?.to_str().ok()?;
    seconds.trim().parse().ok().map(Duration::from_secs)
}

fn start_of(body: &[u8]) -> String {
    let start = &body[..body.len().min(REFUSAL_BYTES)];
    String::from_utf8_lossy(start).trim().to_owned()
}
