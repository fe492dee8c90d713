//! One tauri-driver with the system's WebKitWebDriver behind it: it opens one
//! app window.

use crate::binaries::on_path;
use crate::{Brand, Desktop, Ending, Failure, Process, Result, Session, long, quick, until};
use fantoccini::{Client, ClientBuilder};
use hyper_util::client::legacy::connect::HttpConnector;
use serde_json::{Map, Value, json};
use std::io;
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::path::Path;
use std::process::Command;

#[derive(Debug)]
pub struct Driver {
    process: Process,
    port: u16,
}

impl Driver {
    /// Starts a driver on free ports. The app inherits its environment, and its
    /// output lands in the same log.
    pub async fn start(
        name: &str,
        tauri_driver: &Path,
        desktop: &Desktop,
        session: Session,
        logs: &Path,
        brand: &Brand,
    ) -> Result<Self> {
        let [port, native_port] = free_ports()?;
        let native = on_path("WebKitWebDriver").ok_or_else(|| {
            Failure::new("WebKitWebDriver is missing: `cargo xtask setup` installs it")
        })?;
        let mut command = Command::new(tauri_driver);
        command
            .args(["--port", &port.to_string()])
            .args(["--native-port", &native_port.to_string()])
            .arg("--native-driver")
            .arg(native);
        desktop.host(&mut command, session);
        let mut process = Process::start(name, &mut command, logs, brand)?;
        until("the driver", quick(), async || {
            process.check().map_err(|failure| failure.to_string())?;
            let answers = |port| TcpStream::connect((Ipv4Addr::LOCALHOST, port)).is_ok();
            if answers(port) && answers(native_port) {
                Ok(())
            } else {
                Err("its ports do not answer".to_owned())
            }
        })
        .await?;
        Ok(Self { process, port })
    }

    /// Opens the app's window; returns when its page can be asked.
    pub async fn open(&self, app: &Path, args: &[String]) -> Result<Client> {
        let mut capabilities = Map::new();
        capabilities.insert(
            "tauri:options".to_owned(),
            json!({ "application": app, "args": args }),
        );
        capabilities.insert("browserName".to_owned(), Value::from("wry"));
        let url = format!("http://127.0.0.1:{}", self.port);
        let mut builder = ClientBuilder::new(HttpConnector::new());
        builder.capabilities(capabilities);
        match tokio::time::timeout(long(), builder.connect(&url)).await {
            Ok(Ok(client)) => Ok(client),
            Ok(Err(error)) => Err(Failure::new(format!("the window did not open: {error}"))),
            Err(_) => Err(Failure::new("the window did not open in time")),
        }
    }

    pub fn end(&mut self, how: Ending) {
        self.process.end(how);
    }
}

pub(crate) fn free_port() -> Result<u16> {
    let [port] = free_ports()?;
    Ok(port)
}

/// Ports that were free a moment ago, different from each other.
fn free_ports<const N: usize>() -> io::Result<[u16; N]> {
    let mut held = Vec::with_capacity(N);
    let mut ports = [0; N];
    for port in &mut ports {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        *port = listener.local_addr()?.port();
        held.push(listener);
    }
    Ok(ports)
}
