//! Sotto on the command line: the engine without a window, for scripts and
//! for people who like it that way.
//!
//! Exit codes: 0 done; 1 refused, the reason is on stderr; 2 wrong usage;
//! 3 the profile is locked; 4 the relay did not answer in time, or the others
//! of a call were not reached; 5 the call was declined; 6 nobody came, or
//! nobody called.
//!
//! Results go to stdout, one line each, with `--json` as one object a line;
//! everything else goes to stderr. This crate decides nothing: it turns words
//! into requests and events into lines.

mod args;
mod commands;
mod failure;
mod find;
mod output;
mod session;

use args::Args;
use clap::Parser;
use failure::Failure;
use output::Output;
use std::process::ExitCode;

fn main() -> ExitCode {
    let args = Args::parse();
    log();
    // Before any TLS: two providers in one program would make rustls ask which.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let output = Output::new(args.json);
    match run(args, &output) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            output.complain(&failure);
            ExitCode::from(failure.code())
        }
    }
}

fn run(args: Args, output: &Output) -> Result<(), Failure> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build();
    let runtime = runtime.map_err(|_| Failure::refused("the system gives no threads"))?;
    runtime.block_on(commands::run(args, output))
}

/// Quiet unless `RUST_LOG` asks for more.
fn log() {
    let filter = tracing_subscriber::EnvFilter::try_from_default_env()
        .unwrap_or_else(|_| tracing_subscriber::EnvFilter::new("off"));
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .init();
}
