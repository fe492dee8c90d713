//! The command table against its lists, and a hostile page against the table
//! (attack 20), as far as that goes without a web view.

use super::{bindings, guard, names::COMMANDS};
use crate::{
    args::Args,
    desktop::Desktop,
    ipc::error::UiError,
    profile::Profile,
    session::{Note, Session},
    settings::Theme,
};
use serde_json::{Value, json};
use sotto_engine::{Keyring, KeyringState, SecretBytes};
use std::{collections::BTreeSet, fs, path::Path, sync::Arc};
use tauri::{
    WebviewWindow, WebviewWindowBuilder,
    ipc::{CallbackFn, InvokeBody},
    test::{INVOKE_KEY, MockRuntime, get_ipc_response, mock_builder},
    webview::InvokeRequest,
};

const BINDINGS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/ui/src/ipc/bindings.ts");
const CAPABILITY: &str = include_str!("../capabilities/main.json");
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
    let called: BTreeSet<String> =
        between(&bound, "__TAURI_INVOKE(\"", "\"").map(str::to_owned).collect();
    assert_eq!(called, declared, "the table");

    let capability: Value = serde_json::from_str(CAPABILITY).unwrap();
    let allowed: BTreeSet<String> = capability["permissions"]
        .as_array()
        .unwrap()
        .iter()
        .map(|p| p.as_str().unwrap().strip_prefix("allow-").unwrap().replace('-', "_"))
        .collect();
    assert_eq!(allowed, declared, "the capability");

    let passed: BTreeSet<String> =
        between(ISOLATION, "\n  '", "',").map(str::to_owned).collect();
    let mut expect = declared;
    expect.insert("plugin:__TAURI_CHANNEL__|fetch".into());
    assert_eq!(passed, expect, "the isolation page");
}

fn between<'a>(text: &'a str, open: &'a str, close: &'a str) -> impl Iterator<Item = &'a str> {
    text.split(open).skip(1).filter_map(move |rest| rest.split(close).next())
}

// --- a hostile page -----------------------------------------------------

struct NoDesktop;

impl Desktop for NoDesktop {
    fn set_theme(&self, _: Theme) {}
    fn in_front(&self) -> bool {
        true
    }
    fn notify(&self, _: Note) {}
    fn copy_text(&self, _: String) -> Result<(), UiError> {
        Ok(())
    }
    fn open_address(&self, href: &str) -> Result<(), UiError> {
        assert!(href.starts_with("https://") || href.starts_with("mailto:"), "opened {href}");
        Ok(())
    }
}

struct NoKeyring;

impl Keyring for NoKeyring {
    fn get(&self, _: &str) -> Result<Option<SecretBytes>, KeyringState> {
        Err(KeyringState::NoService)
    }
    fn set(&self, _: &str, _: &SecretBytes) -> Result<(), KeyringState> {
        Err(KeyringState::NoService)
    }
    fn delete(&self, _: &str) -> Result<(), KeyringState> {
        Err(KeyringState::NoService)
    }
}

/// The app's commands behind its own access control, with a page that can say
/// anything.
struct Page {
    window: WebviewWindow<MockRuntime>,
    _app: tauri::App<MockRuntime>,
    _home: tempfile::TempDir,
}

impl Page {
    fn new() -> Self {
        let home = tempfile::tempdir().unwrap();
        let args = Args { profile_dir: Some(home.path().join("p")), ..Args::default() };
        let profile = Profile::resolve(&args).unwrap();
        let session =
            Session::with_keyring(&profile, Arc::new(NoDesktop), None, Arc::new(NoKeyring));
        let app = mock_builder()
            .manage(session)
            .invoke_handler(guard::guarded(bindings::commands().invoke_handler()))
            .build(tauri::generate_context!(test = true))
            .unwrap();
        let window = WebviewWindowBuilder::new(&app, "main", Default::default()).build().unwrap();
        Self { window, _app: app, _home: home }
    }

    fn call(&self, command: &str, arguments: Value) -> Result<Value, Value> {
        self.call_from("tauri://localhost", command, arguments)
    }

    fn call_from(&self, origin: &str, command: &str, arguments: Value) -> Result<Value, Value> {
        let request = InvokeRequest {
            cmd: command.into(),
            callback: CallbackFn(0),
            error: CallbackFn(1),
            url: origin.parse().unwrap(),
            body: InvokeBody::Json(arguments),
            headers: Default::default(),
            invoke_key: INVOKE_KEY.into(),
        };
        get_ipc_response(&self.window, request).map(|body| body.deserialize().unwrap())
    }
}

fn code(result: Result<Value, Value>) -> String {
    match result {
        Ok(data) => format!("ok {data}"),
        Err(error) => error["code"].as_str().map_or_else(|| "refused".into(), str::to_owned),
    }
}

#[test]
fn a_page_finds_a_new_profile_and_cannot_do_anything_before_it_is_made() {
    let page = Page::new();
    let start = page.call("open", json!({ "channel": "__CHANNEL__:7" })).unwrap();
    assert_eq!(start, json!({ "type": "new", "keyring": "noService" }));
    let room = sotto_wire::RoomId([7; 16]).to_string();
    assert_eq!(code(page.call("people", json!({ "room": room }))), "stopped");
    assert_eq!(code(page.call("new_recovery_code", json!({}))), "stopped");
}

#[test]
fn a_page_cannot_call_what_is_not_a_command_of_ours() {
    let page = Page::new();
    for command in [
        "nothing",
        "Open",
        "open ",
        "plugin:opener|open_url",
        "plugin:window-state|save_window_state",
        "plugin:deep-link|register",
        "plugin:fs|read_file",
        "plugin:shell|execute",
        "plugin:path|resolve_directory",
        "plugin:event|listen",
        "plugin:webview|create_webview_window",
        "plugin:window|set_title",
        "plugin:app|version",
        "plugin:resources|close",
    ] {
        assert_eq!(code(page.call(command, json!({}))), "refused", "{command}");
    }
}

#[test]
fn a_foreign_page_cannot_call_anything() {
    let page = Page::new();
    for origin in ["https://evil.example", "http://localhost:3030", "isolation://elsewhere", "data:text/html,x"] {
        for command in COMMANDS {
            assert_eq!(code(page.call_from(origin, command, json!({}))), "refused", "{origin} {command}");
        }
    }
}

#[test]
fn arguments_of_any_shape_are_refused_without_harm() {
    let page = Page::new();
    let hostile = [
        json!({}),
        json!(null),
        json!([]),
        json!({ "room": null }),
        json!({ "room": "../../etc/passwd", "user": "x", "id": {}, "text": 1 }),
        json!({ "room": "A".repeat(22), "id": "A".repeat(22), "text": "\u{0}".repeat(100_000) }),
        json!({ "room": "A".repeat(1_000_000) }),
        json!({ "room": [[[[[[[[[[[[1]]]]]]]]]]]] }),
        json!({ "room": "A".repeat(22), "before": 9_007_199_254_740_993_u64, "limit": -1 }),
        json!({ "profile": { "name": "\u{202e}", "emoji": "x".repeat(99_999), "color": 999 } }),
        json!({ "secret": "", "kind": "keyring" }),
        json!({ "href": "file:///etc/passwd" }),
        json!({ "href": "javascript:alert(1)" }),
        json!({ "channel": "__CHANNEL__:x" }),
        json!({ "link": "sotto://join/" }),
        json!({ "reach": "internet", "port": 70_000 }),
    ];
    for command in COMMANDS.iter().filter(|c| **c != "copy_text") {
        for arguments in &hostile {
            let answer = code(page.call(command, arguments.clone()));
            let harmless = ["retry_keyring", "about", "built_in_relay"].contains(command);
            assert!(harmless || !answer.starts_with("ok"), "{command} {arguments}: {answer}");
        }
    }
    // It still serves.
    assert!(page.call("about", json!({})).is_ok());
}

#[test]
fn a_page_gets_no_weak_or_empty_profile_out_of_us() {
    let page = Page::new();
    let create = |name: &str, passphrase: Option<&str>, keyring: bool| {
        let profile = json!({ "name": name, "emoji": "", "color": 0 });
        code(page.call(
            "create_profile",
            json!({ "profile": profile, "passphrase": passphrase, "useKeyring": keyring }),
        ))
    };
    assert_eq!(create("\u{200b} ", Some("long enough"), false), "badName");
    assert_eq!(create("Alice", Some("short"), false), "weakPassphrase");
    assert_eq!(create("Alice", None, false), "noSlotLeft");
    assert_eq!(create("Alice", None, true), "keyringNoService");
    assert!(create("Alice", Some("long enough"), false).starts_with("ok"));
    assert_eq!(code(page.call("set_passphrase", json!({ "passphrase": null }))), "lastSlot");
}
