//! The relay under siege, in a process of its own so that its memory is its
//! own. It keeps its defaults: they are what is besieged.

use crate::{memory, people::Failure};
use std::{
    io::Read as _,
    net::{Ipv4Addr, SocketAddr},
    path::Path,
    process::Stdio,
};
use tokio::{
    io::{AsyncBufReadExt as _, BufReader},
    process::{Child, Command},
};

/// The besieged process.
pub struct Besieged {
    pub address: SocketAddr,
    process: Child,
    _home: tempfile::TempDir,
}

/// Runs the relay until nobody holds its standard input any more.
#[allow(clippy::print_stdout, reason = "the address is what the parent reads")]
pub async fn run(folder: &Path) -> Result<(), Failure> {
    let config = sotto_relay::Config {
        bind: SocketAddr::from((Ipv4Addr::LOCALHOST, 0)),
        data: Some(folder.to_owned()),
        ..sotto_relay::Config::default()
    };
    let relay = sotto_relay::start(config).await?;
    println!("{}", relay.address());
    let parent = || std::io::stdin().read_to_end(&mut Vec::new());
    tokio::task::spawn_blocking(parent).await??;
    relay.stop().await;
    Ok(())
}

/// Starts this program once more, as the relay.
pub async fn start() -> Result<Besieged, Failure> {
    let home = tempfile::tempdir()?;
    let mut process = Command::new(std::env::current_exe()?)
        .arg("siege")
        .arg(home.path().join("relay"))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .kill_on_drop(true)
        .spawn()?;
    let out = process.stdout.take().ok_or("the relay says nothing")?;
    let line = BufReader::new(out).lines().next_line().await?;
    let address = line.ok_or("the relay did not start")?.parse()?;
    Ok(Besieged {
        address,
        process,
        _home: home,
    })
}

impl Besieged {
    /// Resident bytes now.
    pub fn memory(&self) -> Result<u64, Failure> {
        memory::resident(&self.number()?)
    }

    /// The most there ever were.
    pub fn peak_memory(&self) -> Result<u64, Failure> {
        memory::peak(&self.number()?)
    }

    fn number(&self) -> Result<String, Failure> {
        let id = self.process.id().ok_or("the relay has ended")?;
        Ok(id.to_string())
    }

    pub async fn stop(&mut self) -> Result<(), Failure> {
        drop(self.process.stdin.take());
        self.process.wait().await?;
        Ok(())
    }
}
