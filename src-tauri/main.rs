//! The desktop app's executable: chooses the TLS provider and the command
//! line, and hands over to [`sotto_app`].
#![cfg_attr(all(not(debug_assertions), windows), windows_subsystem = "windows")]

use clap::Parser as _;
use std::process::ExitCode;

fn main() -> ExitCode {
    // Two providers in one process panic at the first handshake, so the choice
    // comes before anything that could make its own.
    let chosen = rustls::crypto::ring::default_provider().install_default();
    debug_assert!(chosen.is_ok(), "nothing chooses a provider before main");
    sotto_app::run(sotto_app::Args::parse())
}
