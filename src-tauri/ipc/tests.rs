//! The command table against its lists.

mod honest;
mod hostile;
mod page;

use super::{bindings, names::COMMANDS};
use serde_json::Value;
use std::{collections::BTreeSet, fs, path::Path};

const BINDINGS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/ui/src/ipc/bindings.ts");
const MAIN: &str = include_str!("../capabilities/main.json");
const RINGING: &str = include_str!("../capabilities/ringing.json");
const ISOLATION: &str = include_str!("../../ui/isolation/index.js");

#[test]
fn the_bindings_are_current() {
    let current = bindings::typescript();
    if std::env::var_os("UPDATE_BINDINGS").is_some() {
        fs::write(BINDINGS, &current).unwrap();
    }
    let committed = fs::read_to_string(BINDINGS).unwrap_or_default();
    assert!(
        committed == current,
        "{} is stale: run UPDATE_BINDINGS=1 cargo test -p sotto the_bindings",
        Path::new(BINDINGS).display()
    );
}

#[test]
fn every_command_is_declared_allowed_and_let_through_and_nothing_else_is() {
    let declared: BTreeSet<String> = COMMANDS.iter().map(ToString::to_string).collect();
    assert_eq!(declared.len(), COMMANDS.len(), "no name twice");

    let bound = bindings::typescript();
    let called: BTreeSet<String> = between(&bound, "__TAURI_INVOKE(\"", "\"")
        .map(str::to_owned)
        .collect();
    assert_eq!(called, declared, "the table");

    let (main, ringing) = (allowed(MAIN), allowed(RINGING));
    assert!(main.is_disjoint(&ringing), "each window its own");
    let all: BTreeSet<String> = main.union(&ringing).cloned().collect();
    assert_eq!(all, declared, "the capabilities");

    let passed: BTreeSet<String> = between(ISOLATION, "\n  '", "',")
        .map(str::to_owned)
        .collect();
    let mut expect = declared;
    expect.insert("plugin:__TAURI_CHANNEL__|fetch".into());
    assert_eq!(passed, expect, "the isolation page");
}

/// The commands that a capability allows.
fn allowed(capability: &str) -> BTreeSet<String> {
    let capability: Value = serde_json::from_str(capability).unwrap();
    let permissions = capability["permissions"].as_array().unwrap().iter();
    permissions
        .map(|permission| {
            let name = permission.as_str().unwrap().strip_prefix("allow-");
            name.unwrap().replace('-', "_")
        })
        .collect()
}

fn between<'a>(text: &'a str, open: &'a str, close: &'a str) -> impl Iterator<Item = &'a str> {
    text.split(open)
        .skip(1)
        .filter_map(move |rest| rest.split(close).next())
}
