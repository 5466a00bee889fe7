//! A replay's figures for Prometheus, while it runs.

use crate::{
    measure::prometheus::{Exporter, Server, serve},
    replay::{BlockProgress, Progress, RunConfig},
};
use eyre::WrapErr as _;
use std::{net::SocketAddr, sync::Arc};

/// Passes on what it is told, and counts the blocks for whoever asks.
pub(super) struct Exported<'a> {
    inner: &'a dyn Progress,
    exporter: Arc<Exporter>,
    /// The endpoint is closed with it.
    _server: Server,
}

impl<'a> Exported<'a> {
    /// Answers on this address from now on.
    pub(super) fn serve(
        address: SocketAddr,
        config: &RunConfig,
        inner: &'a dyn Progress,
    ) -> eyre::Result<Self> {
        let designs = config.design.join(",");
        let workload = match &config.trace {
            Some(trace) => trace.display().to_string(),
            None => format!("{} x{}", config.profile, config.scale),
        };
        let labels = [
            ("design", designs.as_str()),
            ("workload", workload.as_str()),
        ];
        let exporter = Arc::new(Exporter::new(&labels));
        let server = serve(address, Arc::clone(&exporter))
            .wrap_err_with(|| format!("cannot serve metrics on {address}"))?;
        Ok(Self {
            inner,
            exporter,
            _server: server,
        })
    }
}

impl Progress for Exported<'_> {
    fn stage(&self, what: &str, done: u64, of: u64) {
        self.inner.stage(what, done, of);
    }

    fn block(&self, block: &BlockProgress<'_>) {
        self.exporter.observe(block.cost);
        self.inner.block(block);
    }

    fn note(&self, text: &str) {
        self.inner.note(text);
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a failed step is a failed test")]

    use super::*;
    use crate::{measure::BlockCost, replay::Silent};
    use std::{
        io::{Read as _, Write as _},
        net::TcpStream,
    };
    use thinstate_formats::BlockNumber;

    #[test]
    fn no_block_is_missing_from_what_is_served() {
        // A port that was free a moment ago.
        let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let address = free.local_addr().unwrap();
        drop(free);
        let exported = Exported::serve(address, &RunConfig::default(), &Silent).unwrap();
        for number in 1..=3 {
            let cost = BlockCost {
                number: BlockNumber(number),
                tx_count: 7,
                ..BlockCost::default()
            };
            exported.block(&BlockProgress {
                cost: &cost,
                done: number,
                of: Some(3),
                backlog: 0,
                elapsed_s: 1.0,
            });
        }
        let mut stream = TcpStream::connect(address).unwrap();
        stream
            .write_all(b"GET /metrics HTTP/1.1\r\nHost: here\r\n\r\n")
            .unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        assert!(answer.contains("thinstate_tx_count_total 21"), "{answer}");
        assert!(answer.contains("design=\"mpt\""), "{answer}");
    }
}
