//! The house's arrows: which crate may use which. Read from the manifests, so
//! that a shortcut fails here before anybody gets used to it.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use toml::{Table, Value};

/// What lets a program act on the world. A crate that decides has none of it.
const DEEDS: [&str; 12] = [
    "tokio",
    "tokio-tungstenite",
    "axum",
    "reqwest",
    "hyper",
    "rusqlite",
    "sqlx",
    "keyring-core",
    "tauri",
    "webrtc",
    "rustix",
    "getrandom",
];

/// Our own crates, by the arrows of docs/ARCHITECTURE.md: each with what it may
/// use, tests aside.
const ARROWS: [(&str, &str, &[&str]); 13] = [
    ("crates/wire", "sotto-wire", &[]),
    ("crates/client", "sotto-client", &["sotto-wire"]),
    (
        "crates/media",
        "sotto-media",
        &["sotto-client", "sotto-wire"],
    ),
    (
        "crates/engine",
        "sotto-engine",
        &["sotto-client", "sotto-media", "sotto-wire"],
    ),
    ("crates/relay", "sotto-relay", &["sotto-wire"]),
    (
        "crates/cli",
        "sotto-cli",
        &["sotto-client", "sotto-engine", "sotto-media", "sotto-wire"],
    ),
    (
        ".",
        "sotto",
        &[
            "sotto-client",
            "sotto-engine",
            "sotto-media",
            "sotto-relay",
            "sotto-wire",
        ],
    ),
    ("tests/harness", "sotto-harness", &[]),
    (
        "tests",
        "sotto-tests",
        &["sotto-client", "sotto-engine", "sotto-relay", "sotto-wire"],
    ),
    (
        "tests/bench",
        "sotto-bench",
        &[
            "sotto-client",
            "sotto-engine",
            "sotto-media",
            "sotto-outside",
            "sotto-relay",
            "sotto-wire",
        ],
    ),
    ("tests/outside", "sotto-outside", &[]),
    ("tests/empty-window", "sotto-empty-window", &[]),
    ("xtask", "xtask", &["sotto-harness", "sotto-outside"]),
];

#[test]
fn our_crates_use_each_other_only_along_the_arrows() {
    for (folder, name, allowed) in ARROWS {
        let manifest = manifest(folder);
        let found = package_name(&manifest);
        assert_eq!(found, name, "{folder} is another package");
        let ours: BTreeSet<String> = ours(&dependencies(&manifest));
        let allowed: BTreeSet<String> = allowed.iter().map(ToString::to_string).collect();
        let beyond: Vec<_> = ours.difference(&allowed).collect();
        assert!(beyond.is_empty(), "{name} must not use {beyond:?}");
    }
}

#[test]
fn every_crate_of_the_workspace_has_its_arrows_here() {
    let known: BTreeSet<String> = ARROWS.iter().map(|(_, name, _)| name.to_string()).collect();
    let found: BTreeSet<String> = members()
        .iter()
        .map(|folder| package_name(&manifest(folder)))
        .collect();
    assert_eq!(found, known);
}

#[test]
fn wire_and_client_cannot_act_on_the_world() {
    for folder in ["crates/wire", "crates/client"] {
        let used = dependencies(&manifest(folder));
        let deeds: Vec<_> = DEEDS.iter().filter(|deed| used.contains(**deed)).collect();
        assert!(deeds.is_empty(), "{folder} uses {deeds:?}");
        for (file, line) in sources(folder) {
            // Addresses may be parsed; nothing may be opened.
            for forbidden in [
                "TcpStream",
                "UdpSocket",
                "std::fs",
                "std::process",
                "std::thread",
            ] {
                assert!(!line.contains(forbidden), "{file}: {line}");
            }
            for clock in ["SystemTime::now", "Instant::now"] {
                assert!(!line.contains(clock), "{file}: time is an argument: {line}");
            }
        }
    }
}

#[test]
fn the_relay_is_not_able_to_decrypt() {
    let used = dependencies(&manifest("crates/relay"));
    let able: Vec<_> = used
        .iter()
        .filter(|name| {
            name.starts_with("openmls") || ["aes-gcm", "x25519-dalek"].contains(&name.as_str())
        })
        .collect();
    assert!(able.is_empty(), "the relay uses {able:?}");
}

/// A client that breaks the rules is built for tests only.
#[test]
fn nothing_that_people_use_can_break_the_rules() {
    for folder in members().iter().filter(|folder| *folder != "tests") {
        let path = root().join(folder).join("Cargo.toml");
        let text = fs::read_to_string(path).expect("a manifest");
        let features = text.lines().filter(|line| line.contains("\"testing\""));
        let found: Vec<_> = features.collect();
        assert!(found.is_empty(), "{folder}: {found:?}");
    }
    let client = manifest("crates/client");
    let features = client["features"].as_table().expect("it has features");
    let others = features.iter().filter(|(name, _)| *name != "testing");
    for (name, parts) in others {
        assert!(
            !parts.to_string().contains("testing"),
            "{name} opens the door"
        );
    }
    let used = manifest(".");
    assert!(!dependencies(&used).contains("sotto-tests"));
}

#[test]
fn the_app_holds_no_protocol_logic() {
    let used = dependencies(&manifest("."));
    for crypto in [
        "openmls",
        "aes-gcm",
        "p256",
        "ecdsa",
        "rusqlite",
        "tokio-tungstenite",
    ] {
        assert!(!used.contains(crypto), "the app uses {crypto} itself");
    }
}

#[test]
fn the_page_reaches_rust_through_one_door() {
    let ui = root().join("ui/src");
    let mut files = Vec::new();
    walk(&ui, &mut files);
    for file in files {
        let inside = file.strip_prefix(&ui).unwrap_or(&file);
        let is_test = inside.to_string_lossy().contains(".test.");
        if inside.starts_with("ipc") || is_test {
            continue;
        }
        let text = fs::read_to_string(&file).unwrap_or_default();
        let name = inside.display();
        assert!(
            !text.contains("@tauri-apps/"),
            "{name} goes around ui/src/ipc"
        );
        assert!(!text.contains("{@html"), "{name} renders text as HTML");
    }
}

#[test]
fn every_module_says_its_duty() {
    let folders = members();
    let rust = folders
        .iter()
        .filter(|folder| *folder != ".")
        .map(String::as_str)
        .chain(["src-tauri"]);
    for folder in rust {
        let mut files = Vec::new();
        walk(&root().join(folder), &mut files);
        for file in files.iter().filter(|file| is_rust(file)) {
            let text = fs::read_to_string(file).expect("a readable file");
            let name = file.display();
            assert!(
                text.starts_with("//!"),
                "{name} does not open with its duty"
            );
        }
    }
}

/// Rust that somebody wrote, tests too; not what a build left behind.
fn is_rust(file: &Path) -> bool {
    file.extension().is_some_and(|ending| ending == "rs") && !lies_in(file, "target")
}

/// Rust that is part of its crate, which tests are not.
fn is_module(file: &Path) -> bool {
    let is_test = file.file_name().is_some_and(|name| name == "tests.rs");
    is_rust(file) && !is_test && !lies_in(file, "tests")
}

fn lies_in(file: &Path, folder: &str) -> bool {
    file.components().any(|part| part.as_os_str() == folder)
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .expect("the workspace")
        .to_owned()
}

fn manifest(folder: &str) -> Table {
    let path = root().join(folder).join("Cargo.toml");
    let text = fs::read_to_string(&path).unwrap_or_else(|_| panic!("no {}", path.display()));
    text.parse().expect("a manifest")
}

fn package_name(manifest: &Table) -> String {
    let name = manifest["package"]["name"].as_str();
    name.expect("packages have names").to_owned()
}

/// Folders of all packages of the workspace.
fn members() -> Vec<String> {
    let workspace = manifest(".");
    let listed = workspace["workspace"]["members"].as_array();
    let mut folders = vec![".".to_owned()];
    for member in listed.expect("a list").iter().filter_map(Value::as_str) {
        match member.strip_suffix("/*") {
            None => folders.push(member.to_owned()),
            Some(parent) => folders.extend(
                fs::read_dir(root().join(parent))
                    .expect("a folder")
                    .flatten()
                    .filter(|entry| entry.path().join("Cargo.toml").is_file())
                    .map(|entry| format!("{parent}/{}", entry.file_name().to_string_lossy())),
            ),
        }
    }
    folders
}

/// Everything that is linked into the crate itself, on any system.
fn dependencies(manifest: &Table) -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    let mut tables = vec![manifest.get("dependencies")];
    if let Some(targets) = manifest.get("target").and_then(Value::as_table) {
        tables.extend(targets.values().map(|target| target.get("dependencies")));
    }
    for table in tables.into_iter().flatten().filter_map(Value::as_table) {
        for (name, value) in table {
            let package = value.get("package").and_then(Value::as_str);
            names.insert(package.unwrap_or(name).to_owned());
        }
    }
    names
}

fn ours(names: &BTreeSet<String>) -> BTreeSet<String> {
    names
        .iter()
        .filter(|name| name.starts_with("sotto"))
        .cloned()
        .collect()
}

/// Lines of code of a crate, without its tests and comments.
fn sources(folder: &str) -> Vec<(String, String)> {
    let mut files = Vec::new();
    walk(&root().join(folder).join("src"), &mut files);
    let mut lines = Vec::new();
    for file in files.iter().filter(|file| is_module(file)) {
        let text = fs::read_to_string(file).expect("a readable file");
        let code = text.split("#[cfg(test)]\nmod tests {").next();
        for line in code.unwrap_or_default().lines() {
            if !line.trim_start().starts_with("//") {
                lines.push((file.display().to_string(), line.to_owned()));
            }
        }
    }
    lines
}

fn walk(folder: &Path, files: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        if path.is_dir() {
            walk(&path, files);
        } else {
            files.push(path);
        }
    }
}
