//! A real relay process with its own data folder.

use crate::{Brand, Ending, Failure, Process, Result, quick, until};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Command;

const READY: &str = "listening on ";

#[derive(Debug)]
pub struct Relay {
    binary: PathBuf,
    data: PathBuf,
    settings: Vec<String>,
    logs: PathBuf,
    address: String,
    process: Option<Process>,
}

impl Relay {
    /// Starts on a free port, with more settings as on its command line.
    pub async fn start(
        binary: PathBuf,
        data: PathBuf,
        settings: &[String],
        logs: &Path,
        brand: &Brand,
    ) -> Result<Self> {
        let mut relay = Self {
            binary,
            data,
            settings: settings.to_vec(),
            logs: logs.to_owned(),
            address: String::new(),
            process: None,
        };
        relay.run("127.0.0.1:0", brand).await?;
        Ok(relay)
    }

    /// Its address as people type it, such as `ws://127.0.0.1:3030`.
    pub fn address(&self) -> &str {
        &self.address
    }

    fn log(&self) -> String {
        std::fs::read_to_string(self.logs.join("relay.log")).unwrap_or_default()
    }

    pub fn end(&mut self, how: Ending) {
        if let Some(mut process) = self.process.take() {
            process.end(how);
        }
    }

    /// Starts it again on the same data and the same port.
    pub async fn restart(&mut self, brand: &Brand) -> Result<()> {
        self.end(Ending::Asked);
        let bind = self.socket()?.to_string();
        self.run(&bind, brand).await
    }

    /// The port it listens on.
    pub fn socket(&self) -> Result<SocketAddr> {
        self.address
            .rsplit_once('/')
            .and_then(|(_, socket)| socket.parse().ok())
            .ok_or_else(|| Failure::new(format!("“{}” is no address", self.address)))
    }

    async fn run(&mut self, bind: &str, brand: &Brand) -> Result<()> {
        let before = ready_lines(&self.log()).len();
        let mut command = Command::new(&self.binary);
        // Relays of other tests run beside it; clients are told the port.
        let calls = match bind.rsplit_once(':') {
            Some((host, _)) => format!("{host}:0"),
            None => "127.0.0.1:0".into(),
        };
        command
            .args(["--turn-bind", &calls, "--bind", bind, "--data"])
            .arg(&self.data)
            // Plain words: the log is searched.
            .env("NO_COLOR", "1")
            .env("RUST_BACKTRACE", "1");
        command.args(&self.settings);
        let process = Process::start("relay", &mut command, &self.logs, brand)?;
        let process = self.process.insert(process);
        self.address = until("the relay to listen", quick(), async || {
            process.check().map_err(|failure| failure.to_string())?;
            ready_lines(&process.log())
                .get(before)
                .cloned()
                .ok_or_else(|| "it did not say so".to_owned())
        })
        .await?;
        Ok(())
    }
}

/// The addresses of all “listening on” lines so far.
fn ready_lines(log: &str) -> Vec<String> {
    log.lines()
        .filter_map(|line| line.strip_prefix(READY))
        .map(|address| address.trim().to_owned())
        .collect()
}
