//! `sotto-relay`: settings, logging and signals around the library.

mod settings;

use clap::Parser as _;
use settings::{BadSetting, Settings};
use sotto_relay::{Relay, StartError, start};
use sotto_wire::RelayAddress;
use std::{io::Write as _, process::ExitCode};
use tracing_subscriber::EnvFilter;

fn main() -> ExitCode {
    let settings = match Settings::parse().with_file() {
        Ok(settings) => settings,
        Err(error) => return fail(&error.to_string()),
    };
    // Standard output is for the one line that says where the relay is.
    tracing_subscriber::fmt()
        .with_env_filter(EnvFilter::try_new(settings.log()).unwrap_or_default())
        .with_writer(std::io::stderr)
        .init();
    // One provider for the whole process, chosen before anything asks.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let runtime = match tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
    {
        Ok(runtime) => runtime,
        Err(error) => return fail(&format!("no threads to run on: {error}")),
    };
    match runtime.block_on(run(settings)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => fail(&error.to_string()),
    }
}

#[derive(Debug, thiserror::Error)]
enum Failure {
    #[error(transparent)]
    Setting(#[from] BadSetting),
    #[error("{0} (see {1})")]
    Start(StartError, String),
}

async fn run(settings: Settings) -> Result<(), Failure> {
    let config = settings.config()?;
    if settings.hides_calls() {
        tracing::warn!("calls can be relayed over UDP on this computer only: see --turn-bind");
    }
    let secure = config.tls != sotto_relay::server::Tls::None;
    let (bind, data) = (config.bind, settings.data());
    let relay = start(config).await.map_err(|error| {
        let hint = match &error {
            StartError::PortInUse => format!("--bind {}:<other port>", bind.ip()),
            StartError::AddressUnavailable => "--bind 127.0.0.1:3030".into(),
            StartError::Data(_) => format!("--data <folder>, now {}", data.display()),
            StartError::Tls(_) => "--tls-cert and --tls-key".into(),
            StartError::Turn(_) => "--turn-bind, or --no-turn to relay no calls".into(),
        };
        Failure::Start(error, hint)
    })?;
    announce(&relay, secure);
    stopped().await;
    relay.stop().await;
    Ok(())
}

/// Tells whoever started us that connections are accepted, and where.
#[allow(clippy::print_stdout)]
fn announce(relay: &Relay, secure: bool) {
    let bound = relay.address();
    let address = RelayAddress {
        secure,
        host: bound.ip().to_string(),
        port: bound.port(),
        pin: relay.fingerprint(),
    };
    println!("listening on {address}");
    let _ = std::io::stdout().flush();
}

/// Until the first SIGINT or SIGTERM.
async fn stopped() {
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        if let Ok(mut terminate) = signal(SignalKind::terminate()) {
            tokio::select! {
                _ = terminate.recv() => {}
                _ = tokio::signal::ctrl_c() => {}
            }
            return;
        }
    }
    let _ = tokio::signal::ctrl_c().await;
}

#[allow(clippy::print_stderr)]
fn fail(message: &str) -> ExitCode {
    eprintln!("sotto-relay: {message}");
    ExitCode::FAILURE
}
