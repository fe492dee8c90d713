//! The project's own commands: `cargo xtask --help` lists them.
//!
//! They set up what a step needs, say what they do, and on failure say which
//! step it was and how to mend it. They build the app and never link it, so
//! that `cargo xtask` itself is ready in seconds.
#![allow(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "talking to the person at the terminal is this program's work"
)]

#[cfg(unix)]
mod bench;
mod browser;
mod cargo;
mod command;
#[cfg(unix)]
mod demo;
mod npm;
mod place;
mod run;
mod steps;
mod system;
mod test;
mod tool;

use clap::{Parser, Subcommand};
use std::process::ExitCode;

#[derive(Parser)]
#[command(
    name = "cargo xtask",
    about = "Sotto's own commands",
    disable_help_subcommand = true
)]
struct Cli {
    #[command(subcommand)]
    task: Task,
}

#[derive(Subcommand)]
enum Task {
    /// Install what building and testing need: system packages, tauri-driver, cargo-deny, npm packages
    Setup,
    #[cfg(unix)]
    /// See two people talk in an encrypted room, each in their own window
    Demo {
        /// Drive the real UI on a private screen, even if there is a display
        #[arg(long)]
        headless: bool,
        /// Only open both windows in one room, with your own devices
        #[arg(long, conflicts_with = "headless")]
        by_hand: bool,
    },
    /// Build the app for daily use and start it
    Run {
        /// Passed on to the app
        #[arg(last = true)]
        args: Vec<String>,
    },
    /// Build the relay and run it
    Relay {
        /// Passed on to the relay
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        args: Vec<String>,
    },
    /// Run every test: lints, Rust, UI, end to end
    Test,
    /// Only the end-to-end tests
    E2e {
        /// Only tests whose name contains this
        filter: Option<String>,
    },
    #[cfg(unix)]
    /// Only the tests against a real keyring
    Keyring,
    /// Build the UI
    Ui,
    /// Render every screen in its states into target/screens
    Screens,
    #[cfg(unix)]
    /// Measure, and print one table
    Bench {
        /// Only these parts, instead of all
        parts: Vec<bench::Part>,
    },
}

fn main() -> ExitCode {
    let outcome = match Cli::parse().task {
        Task::Setup => test::setup(),
        #[cfg(unix)]
        Task::Demo { headless, by_hand } => demo::demo(demo::How::wanted(headless, by_hand)),
        Task::Run { args } => run::app(&args),
        Task::Relay { args } => run::relay(&args),
        Task::Test => test::all(),
        Task::E2e { filter } => test::end_to_end(filter.as_deref()),
        #[cfg(unix)]
        Task::Keyring => test::keyring(),
        Task::Ui => run::ui(),
        Task::Screens => run::screens(),
        #[cfg(unix)]
        Task::Bench { parts } => bench::bench(&parts),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(trouble) => {
            eprintln!("\n{trouble}");
            ExitCode::FAILURE
        }
    }
}
