//! The endpoint: `GET /metrics`, one request to a connection.

use super::Exporter;
use core::{
    sync::atomic::{AtomicBool, Ordering::Relaxed},
    time::Duration,
};
use std::{
    io::{self, Read as _, Write as _},
    net::{SocketAddr, TcpListener, TcpStream},
    sync::Arc,
    thread::{self, JoinHandle},
    time::Instant,
};

/// A request that takes longer to arrive is dropped, and so is a reader that is slower.
const PATIENCE: Duration = Duration::from_secs(2);

/// No request of a scraper is longer.
const REQUEST_BYTES_MAX: usize = 8192;

/// The endpoint. It is closed when this is dropped.
#[derive(Debug)]
pub struct Server {
    address: SocketAddr,
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

/// Answers on this address, on a thread of its own; port 0 takes one that is free.
pub fn serve(address: SocketAddr, exporter: Arc<Exporter>) -> io::Result<Server> {
    let listener = TcpListener::bind(address)?;
    let address = listener.local_addr()?;
    let stop = Arc::new(AtomicBool::new(false));
    let stopped = Arc::clone(&stop);
    let thread = thread::Builder::new().name("metrics".to_owned());
    let thread = thread.spawn(move || {
        for connection in listener.incoming() {
            if stopped.load(Relaxed) {
                break;
            }
            // A scraper that goes away, or talks nonsense, is no concern of the run's.
            let _ = connection.and_then(|stream| answer(stream, &exporter));
        }
    })?;
    Ok(Server {
        address,
        stop,
        thread: Some(thread),
    })
}

impl Server {
    /// Where it answers.
    pub const fn address(&self) -> SocketAddr {
        self.address
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.stop.store(true, Relaxed);
        let mut own = self.address;
        if own.ip().is_unspecified() {
            own.set_ip(match own {
                SocketAddr::V4(_) => core::net::Ipv4Addr::LOCALHOST.into(),
                SocketAddr::V6(_) => core::net::Ipv6Addr::LOCALHOST.into(),
            });
        }
        // The thread waits for a connection: this is one.
        let woken = TcpStream::connect_timeout(&own, PATIENCE).is_ok();
        if let Some(thread) = self.thread.take().filter(|_| woken) {
            // It has nothing to say, not even that it panicked.
            let _ = thread.join();
        }
    }
}

fn answer(mut stream: TcpStream, exporter: &Exporter) -> io::Result<()> {
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.set_write_timeout(Some(PATIENCE))?;
    let request = request_line(&mut stream)?;
    let mut words = request.split(' ');
    let (method, path) = (words.next(), words.next());
    let path = path.and_then(|path| path.split('?').next());
    let (status, body) = match (method, path) {
        (Some("GET" | "HEAD"), Some("/metrics")) => ("200 OK", exporter.render()),
        (Some("GET" | "HEAD"), Some("/")) => ("200 OK", "thinstate: see /metrics\n".to_owned()),
        (Some("GET" | "HEAD"), _) => ("404 Not Found", "see /metrics\n".to_owned()),
        _ => ("405 Method Not Allowed", "GET /metrics\n".to_owned()),
    };
    let length = body.len();
    let head = format!(
        "HTTP/1.1 {status}\r\nContent-Type: text/plain; version=0.0.4; charset=utf-8\r\n\
         Content-Length: {length}\r\nConnection: close\r\n\r\n"
    );
    stream.write_all(head.as_bytes())?;
    if method != Some("HEAD") {
        stream.write_all(body.as_bytes())?;
    }
    stream.flush()
}

/// The first line of a request whose head has arrived whole.
fn request_line(stream: &mut TcpStream) -> io::Result<String> {
    let begun = Instant::now();
    let mut head = Vec::new();
    let mut part = [0; 1024];
    while !head.windows(4).any(|end| end == b"\r\n\r\n") {
        let count = stream.read(&mut part)?;
        if count == 0 || head.len() > REQUEST_BYTES_MAX || begun.elapsed() > PATIENCE {
            return Err(io::Error::other("no whole request"));
        }
        head.extend_from_slice(&part[..count]);
    }
    let line = head.split(|byte| *byte == b'\r').next();
    Ok(String::from_utf8_lossy(line.unwrap_or_default()).into_owned())
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a failed step is a failed test")]

    use super::*;
    use crate::measure::BlockCost;

    fn ask(server: &Server, request: &str) -> String {
        let mut stream = TcpStream::connect(server.address()).unwrap();
        stream.write_all(request.as_bytes()).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        answer
    }

    #[test]
    fn whoever_asks_is_answered_and_the_port_is_free_afterwards() {
        let exporter = Arc::new(Exporter::new(&[("design", "mpt")]));
        let server = serve(([127, 0, 0, 1], 0).into(), Arc::clone(&exporter)).unwrap();
        exporter.observe(&BlockCost {
            gas_used: 17,
            ..BlockCost::default()
        });
        let answer = ask(&server, "GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n");
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        assert!(head.starts_with("HTTP/1.1 200 OK\r\n"), "{head}");
        assert!(head.contains(&format!("Content-Length: {}\r\n", body.len())));
        assert!(body.contains("\nthinstate_gas_used_total 17\n"), "{body}");
        for (request, status) in [
            ("GET /metrics?x=1 HTTP/1.1\r\n\r\n", "200"),
            ("GET /other HTTP/1.1\r\n\r\n", "404"),
            ("POST /metrics HTTP/1.1\r\n\r\n", "405"),
            ("nonsense\r\n\r\n", "405"),
        ] {
            let answer = ask(&server, request);
            assert!(
                answer.starts_with(&format!("HTTP/1.1 {status} ")),
                "{answer}"
            );
        }
        let address = server.address();
        drop(server);
        drop(serve(address, exporter).unwrap());
    }
}
