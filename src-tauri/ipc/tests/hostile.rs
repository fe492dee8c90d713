//! A hostile page against the commands (attack 20), as far as that goes without
//! a web view: no keys, no files, no harm.

use super::page::{Page, code};
use crate::ipc::names::COMMANDS;
use serde_json::json;
use std::fs;

#[test]
fn a_page_finds_a_new_profile_and_cannot_do_anything_before_it_is_made() {
    let page = Page::new();
    let start = page
        .call("open", json!({ "channel": "__CHANNEL__:7" }))
        .unwrap();
    assert_eq!(start, json!({ "type": "new", "keyring": "noService" }));
    let room = sotto_wire::RoomId([7; 16]).to_string();
    assert_eq!(
        code(page.call("people", json!({ "room": room }))),
        "stopped"
    );
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
    for origin in [
        "https://evil.example",
        "http://localhost:3030",
        "isolation://elsewhere",
        "data:text/html,x",
    ] {
        for command in COMMANDS {
            assert_eq!(
                code(page.call_from(origin, command, json!({}))),
                "refused",
                "{origin} {command}"
            );
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
            assert!(
                harmless || !answer.starts_with("ok"),
                "{command} {arguments}: {answer}"
            );
        }
    }
    // It still serves.
    assert!(page.call("about", json!({})).is_ok());
}

#[test]
fn no_file_becomes_a_device_because_a_page_says_so() {
    let page = Page::opened();
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("precious.txt");
    fs::write(&file, "precious").unwrap();
    let path = file.display();
    for kind in ["microphone", "speaker", "ringer", "camera", "screen"] {
        for name in [
            format!("wav:{path}"),
            format!("y4m:{path}"),
            format!("file:{path}"),
            format!("out:{path}"),
            "file:".to_owned(),
        ] {
            let choice = json!({ "kind": kind, "name": name });
            assert_eq!(code(page.call("choose_device", choice)), "unknownDevice");
        }
    }
    for kind in ["speaker", "ringer", "screen"] {
        let asked = page.call("choose_device_file", json!({ "kind": kind }));
        assert_eq!(code(asked), "unknownDevice", "nothing is written to a file");
    }
    page.call("test_speaker", json!({})).unwrap();
    let devices = page.call("devices", json!({})).unwrap();
    assert_eq!(devices["choices"]["speaker"], serde_json::Value::Null);
    assert_eq!(fs::read_to_string(&file).unwrap(), "precious");
    // What needs no file goes on.
    let tone = json!({ "kind": "microphone", "name": "tone:440" });
    assert!(page.call("choose_device", tone).is_ok());
}
