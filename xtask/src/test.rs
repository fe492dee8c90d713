//! Every test in one command. Steps that do not depend on a failed one are
//! still tried, so that one run shows all that is wrong.

use crate::cargo::{self, cargo};
use crate::command::run;
use crate::npm::Npm;
use crate::run::BUILD_MEND;
use crate::steps::{Round, Trouble, step};
use crate::system::{self, BUILD, DRIVE, KEYRING, NETWORK, PYTHON};
use crate::{browser, place, tool};
#[cfg(unix)]
use sotto_harness::KeyringSession;
use std::path::Path;
use std::process::Command;

/// Fewest simulator seeds that count as tested; `SOTTO_SEEDS` asks for more.
const SEEDS: &str = "500";

/// What the tests need, and what the end-to-end tests start.
const BUILDING: &str = "build all programs and tests";

#[cfg(unix)]
const KEYRING_MEND: &str = "the test's name is above; logs of the keyring are in target/keyring";

/// Installs what building and testing need.
pub fn setup() -> Result<(), Trouble> {
    system::provide(&[BUILD, DRIVE, PYTHON, KEYRING, NETWORK])?;
    Npm::find_or_get()?.packages()?;
    let driver = tool::DRIVER.find_or_get()?;
    tool::DENY.find_or_get()?;
    browser::find_or_get()?;
    println!("Everything is there. tauri-driver is {}", driver.display());
    Ok(())
}

pub fn all() -> Result<(), Trouble> {
    system::provide(&[BUILD, DRIVE, PYTHON, KEYRING, NETWORK])?;
    let npm = Npm::find_or_get()?;
    npm.packages()?;
    let driver = tool::DRIVER.find_or_get()?;
    let deny = tool::DENY.find_or_get()?;

    let mut round = Round::default();
    check_ui(&mut round, &npm);
    check_rust(&mut round);
    check_foreign(&mut round);
    #[cfg(unix)]
    check_keyring(&mut round);
    round.attempt(
        "end-to-end tests",
        &[BUILDING],
        "pictures, page texts and logs of each failed play are in target/e2e",
        || run(&mut end_to_end_tests(&driver)),
    );
    check_licenses(&mut round, &deny);
    round.sum_up()
}

/// Builds what the end-to-end tests start, and runs them.
pub fn end_to_end(filter: Option<&str>) -> Result<(), Trouble> {
    system::provide(&[BUILD, DRIVE, KEYRING])?;
    Npm::find_or_get()?.build()?;
    let driver = tool::DRIVER.find_or_get()?;
    step(BUILDING, BUILD_MEND, cargo::build_all)?;
    let mut tests = end_to_end_tests(&driver);
    tests.arg("--").args(filter);
    step(
        "end-to-end tests",
        "pictures, page texts and logs of each failed play are in target/e2e",
        || run(&mut tests),
    )
}

fn check_ui(round: &mut Round, npm: &Npm) {
    round.attempt("UI types", &[], "svelte-check names file and line", || {
        npm.script("check")
    });
    round.attempt("UI tests", &[], "vitest names the test", || {
        npm.script("test")
    });
    round.attempt("UI build", &[], "Vite names the file", || {
        npm.script("build")
    });
}

fn check_rust(round: &mut Round) {
    round.attempt("format", &[], "run `cargo fmt`", || {
        run(cargo().args(["fmt", "--all", "--check"]))
    });
    round.attempt("lints", &["UI build"], "clippy names file and line", || {
        run(cargo()
            .args(["clippy", "--locked", "--workspace", "--all-targets"])
            .args([
                "--features",
                "sotto-tests/end-to-end,sotto-engine/real-keyring,sotto-media/testing",
            ])
            .args(["--", "--deny", "warnings"]))
    });
    round.attempt(BUILDING, &["UI build"], BUILD_MEND, cargo::build_all);
    round.attempt(
        "Rust tests",
        &[BUILDING],
        "the test's name and its seed are above; SOTTO_SEED=<seed> replays it",
        || {
            let mut tests = cargo();
            tests.args(["test", "--locked", "--workspace", "--no-fail-fast"]);
            if std::env::var_os("SOTTO_SEEDS").is_none() {
                tests.env("SOTTO_SEEDS", SEEDS);
            }
            run(&mut tests)
        },
    );
}

/// Calls with peers of other makers. Frames go unencrypted there, which needs
/// a build of its own.
fn check_foreign(round: &mut Round) {
    round.attempt(
        "foreign peers",
        &["Rust tests"],
        "the test's name is above, or what is missing",
        || {
            let chromium = browser::find_or_get()?;
            run(cargo()
                .args(["test", "--locked", "--workspace"])
                .args(["--features", "sotto-media/testing", "--test", "foreign"])
                .env(browser::VARIABLE, chromium))
        },
    );
}

/// The tests that need a keyring and no window, with a keyring of their own.
#[cfg(unix)]
pub fn keyring() -> Result<(), Trouble> {
    system::provide(&[BUILD, KEYRING])?;
    step("keyring tests", KEYRING_MEND, keyring_tests)
}

#[cfg(unix)]
fn check_keyring(round: &mut Round) {
    round.attempt("keyring tests", &[], KEYRING_MEND, keyring_tests);
}

#[cfg(unix)]
fn keyring_tests() -> Result<(), Trouble> {
    let mut tests = cargo();
    tests
        .args(["test", "--locked", "--workspace"])
        .args(["--features", "sotto-engine/real-keyring"])
        .args(["--test", "keyring"]);
    let runtime = tokio::runtime::Runtime::new()?;
    let logs = place::results("keyring");
    let session = runtime.block_on(KeyringSession::start(&logs))?;
    session.host(&mut tests);
    run(&mut tests)
}

fn end_to_end_tests(driver: &Path) -> Command {
    let mut tests = cargo();
    tests
        .args(["test", "--locked", "--workspace"])
        .args(["--features", "sotto-tests/end-to-end", "--test", "e2e"])
        .env("SOTTO_TAURI_DRIVER", driver);
    tests
}

/// Licenses, banned crates and sources. The advisory database is not in any
/// package registry; the hosted workflow checks it.
fn check_licenses(round: &mut Round, deny: &Path) {
    let name = "licenses and sources of dependencies";
    round.attempt(name, &[], "deny.toml says what is allowed", || {
        run(Command::new(deny)
            .current_dir(place::root())
            .args(["--locked", "check", "licenses", "bans", "sources"]))
    });
}
