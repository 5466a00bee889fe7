//! A node on this machine: HTTP/1.1 and JSON-RPC over plain sockets, with documents given to it, and bad
//! manners on demand.

use serde_json::{Value, json};
use std::{
    collections::BTreeMap,
    io::{BufRead as _, BufReader, Read as _, Write as _},
    net::{SocketAddr, TcpListener, TcpStream},
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicU32, Ordering},
    },
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};

/// What a call is: its method, and its block where it has one.
pub(crate) type Call = (String, Option<u64>);

/// How a request is answered other than it should.
#[derive(Clone, Debug)]
pub(crate) enum Misbehaviour {
    /// With this status, and how many seconds to wait.
    Status(u16, Option<u64>),
    /// With this status, and this in `Retry-After`.
    RetryAfter(u16, &'static str),
    /// The connection closes in the middle of the body.
    CloseInBody,
    /// The connection closes without an answer.
    Close,
    /// The answer has another id.
    WrongId,
    /// The answer is an error.
    Error(i64, &'static str),
    /// The result is null.
    Null,
    /// The JSON ends early.
    TruncatedJson,
    /// The answer is a web page.
    Page,
    /// The length announced is above the body's.
    LengthTooLong,
    /// The length announced is below the body's.
    LengthTooShort,
    /// The answer comes after this many milliseconds.
    Slow(u64),
    /// The result is this.
    Result(Value),
}

type Manners = dyn Fn(&Call, u32) -> Option<Misbehaviour> + Send + Sync;

/// What the node knows, and how it behaves.
pub(crate) struct Chain {
    pub(crate) chain_id: u64,
    pub(crate) latest: u64,
    /// Results by call. The prestate tracer with `diffMode` is called `debug_traceBlockByNumber diff`.
    pub(crate) results: BTreeMap<Call, Value>,
}

/// A node that answers until it is dropped.
pub(crate) struct Node {
    address: SocketAddr,
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
}

struct Shared {
    chain: Chain,
    manners: Box<Manners>,
    /// Requests by call.
    seen: Mutex<BTreeMap<Call, u32>>,
    /// When each request came, and what it was.
    came: Mutex<Vec<(Instant, Call)>>,
    /// Requests that are being answered, and the most that were at once.
    under_way: AtomicU32,
    most_at_once: AtomicU32,
    stop: AtomicBool,
}

impl Node {
    /// A node that behaves.
    pub(crate) fn start(chain: Chain) -> Self {
        Self::with_manners(chain, |_, _| None)
    }

    /// A node that behaves as `manners` says, for a call and how often it was made before.
    pub(crate) fn with_manners(
        chain: Chain,
        manners: impl Fn(&Call, u32) -> Option<Misbehaviour> + Send + Sync + 'static,
    ) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let shared = Arc::new(Shared {
            chain,
            manners: Box::new(manners),
            seen: Mutex::default(),
            came: Mutex::default(),
            under_way: AtomicU32::new(0),
            most_at_once: AtomicU32::new(0),
            stop: AtomicBool::new(false),
        });
        let of_thread = Arc::clone(&shared);
        let thread = thread::spawn(move || {
            for stream in listener.incoming() {
                if of_thread.stop.load(Ordering::SeqCst) {
                    return;
                }
                let shared = Arc::clone(&of_thread);
                thread::spawn(move || {
                    // A client that went away is no matter of the node's.
                    let _ = stream.map(|stream| shared.serve(stream));
                });
            }
        });
        Self {
            address,
            shared,
            thread: Some(thread),
        }
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Requests of a method so far.
    pub(crate) fn requests(&self, method: &str) -> u32 {
        let seen = self.shared.seen.lock().unwrap();
        let of_method = seen.iter().filter(|(call, _)| call.0 == method);
        of_method.map(|(_, count)| count).sum()
    }

    /// When each request came, in the order in which they did.
    pub(crate) fn came(&self) -> Vec<(Instant, Call)> {
        self.shared.came.lock().unwrap().clone()
    }

    /// The most requests that were under way at once.
    pub(crate) fn most_at_once(&self) -> u32 {
        self.shared.most_at_once.load(Ordering::SeqCst)
    }

    /// All requests so far.
    pub(crate) fn all_requests(&self) -> u32 {
        self.shared.seen.lock().unwrap().values().sum()
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        self.shared.stop.store(true, Ordering::SeqCst);
        let _ = TcpStream::connect(self.address);
        self.thread.take().map(JoinHandle::join);
    }
}

impl Shared {
    /// Answers the requests of one connection.
    fn serve(&self, mut stream: TcpStream) -> std::io::Result<()> {
        let mut reader = BufReader::new(stream.try_clone()?);
        while let Some(request) = read_request(&mut reader)? {
            let call = call(&request);
            self.came
                .lock()
                .unwrap()
                .push((Instant::now(), call.clone()));
            let at_once = self.under_way.fetch_add(1, Ordering::SeqCst) + 1;
            self.most_at_once.fetch_max(at_once, Ordering::SeqCst);
            let before = {
                let mut seen = self.seen.lock().unwrap();
                let count = seen.entry(call.clone()).or_default();
                *count += 1;
                *count - 1
            };
            let manners = (self.manners)(&call, before);
            if !self.answer(&mut stream, &request, &call, manners)? {
                return Ok(());
            }
        }
        Ok(())
    }

    /// Whether the connection stays open.
    fn answer(
        &self,
        stream: &mut TcpStream,
        request: &Value,
        call: &Call,
        manners: Option<Misbehaviour>,
    ) -> std::io::Result<bool> {
        use Misbehaviour as M;
        let id = &request["id"];
        let good = || json!({"jsonrpc": "2.0", "id": id, "result": self.result(call)});
        let mut body = match &manners {
            Some(M::WrongId) => {
                json!({"jsonrpc": "2.0", "id": 999_999, "result": self.result(call)})
            }
            Some(M::Error(code, message)) => error(id, *code, message),
            Some(M::Null) => json!({"jsonrpc": "2.0", "id": id, "result": null}),
            Some(M::Result(result)) => json!({"jsonrpc": "2.0", "id": id, "result": result}),
            _ if self.result(call).is_null() => error(id, -32_601, "the method does not exist"),
            _ => good(),
        }
        .to_string()
        .into_bytes();
        let mut announced = body.len();
        let mut status = (200, None);
        match &manners {
            Some(M::Status(code, seconds)) => {
                status = (*code, *seconds);
                body = b"not now".to_vec();
                announced = body.len();
            }
            Some(M::RetryAfter(code, _)) => {
                status = (*code, None);
                body = b"not now".to_vec();
                announced = body.len();
            }
            Some(M::Close) => {
                self.under_way.fetch_sub(1, Ordering::SeqCst);
                return Ok(false);
            }
            Some(M::CloseInBody) => body.truncate(body.len() / 2),
            Some(M::TruncatedJson) => {
                body.truncate(body.len() / 2);
                announced = body.len();
            }
            Some(M::Page) => {
                body = b"<html>gateway</html>".to_vec();
                announced = body.len();
            }
            Some(M::LengthTooLong) => announced += 100,
            Some(M::LengthTooShort) => announced -= 10,
            Some(M::Slow(milliseconds)) => thread::sleep(Duration::from_millis(*milliseconds)),
            _ => {}
        }
        let whole = announced == body.len();
        let wait = match &manners {
            Some(M::RetryAfter(_, text)) => Some((*text).to_owned()),
            _ => status.1.map(|seconds| seconds.to_string()),
        };
        let retry_after = wait.map_or_else(String::new, |it| format!("retry-after: {it}\r\n"));
        let connection = if whole { "keep-alive" } else { "close" };
        let head = format!(
            "HTTP/1.1 {} -\r\ncontent-type: application/json\r\n{retry_after}connection: {connection}\r\n\
             content-length: {announced}\r\n\r\n",
            status.0
        );
        // Whoever has the answer may ask again before this thread goes on.
        self.under_way.fetch_sub(1, Ordering::SeqCst);
        stream.write_all(head.as_bytes())?;
        stream.write_all(&body)?;
        stream.flush()?;
        Ok(whole)
    }

    fn result(&self, call: &Call) -> Value {
        match call.0.as_str() {
            "eth_chainId" => json!(format!("{:#x}", self.chain.chain_id)),
            "eth_blockNumber" => json!(format!("{:#x}", self.chain.latest)),
            _ => self.chain.results.get(call).cloned().unwrap_or_default(),
        }
    }
}

fn error(id: &Value, code: i64, message: &str) -> Value {
    json!({"jsonrpc": "2.0", "id": id, "error": {"code": code, "message": message}})
}

fn call(request: &Value) -> Call {
    let mut method = request["method"].as_str().unwrap().to_owned();
    if request["params"][1]["tracerConfig"]["diffMode"] == json!(true) {
        method += " diff";
    }
    let block = request["params"][0].as_str();
    let block = block.and_then(|it| u64::from_str_radix(it.trim_start_matches("0x"), 16).ok());
    (method, block)
}

/// The JSON of the next request; `None` where the connection ends.
fn read_request(reader: &mut BufReader<TcpStream>) -> std::io::Result<Option<Value>> {
    let mut length = 0;
    let mut line = String::new();
    loop {
        line.clear();
        if reader.read_line(&mut line)? == 0 {
            return Ok(None);
        }
        let line = line.trim().to_ascii_lowercase();
        if line.is_empty() {
            break;
        }
        if let Some(value) = line.strip_prefix("content-length:") {
            length = value.trim().parse().unwrap();
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body)?;
    Ok(Some(serde_json::from_slice(&body).unwrap()))
}
