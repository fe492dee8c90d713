//! What the page relies on: profiles, and the built-in relay, for real.

use super::page::{Page, code};
use serde_json::{Value, json};
use std::net::TcpListener;

fn open(page: &Page) -> Value {
    page.call("open", json!({ "channel": "__CHANNEL__:7" }))
        .unwrap()["snapshot"]
        .clone()
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
    assert_eq!(
        code(page.call("set_passphrase", json!({ "passphrase": null }))),
        "lastSlot"
    );
}

#[test]
fn a_reloaded_page_finds_everything_again() {
    let page = Page::opened();
    let before = open(&page);
    assert_eq!(before["me"]["profile"]["name"], "Alice");
    assert_eq!(before["link"], Value::Null);
    let mut settings = before["settings"].clone();
    settings["theme"] = json!("dark");
    page.call("set_settings", json!({ "settings": settings }))
        .unwrap();
    let after = open(&page);
    assert_eq!(after["settings"]["theme"], "dark");
    assert_eq!(after["me"], before["me"]);
}

#[test]
fn the_built_in_relay_keeps_its_address_while_rooms_live_there() {
    let page = Page::opened();
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port();
    let start = |reach: &str, port: Value| {
        page.call(
            "start_built_in_relay",
            json!({ "reach": reach, "port": port }),
        )
    };
    assert_eq!(code(start("thisComputer", json!(port))), "portInUse");
    let relay = page.call("built_in_relay", json!({})).unwrap();
    assert_eq!(
        (&relay["running"], &relay["error"]),
        (&json!(false), &json!("portInUse"))
    );

    drop(taken);
    let relay = start("thisComputer", json!(port)).unwrap();
    assert_eq!(relay["running"], true);
    assert_eq!(relay["address"], format!("ws://127.0.0.1:{port}"));
    assert_eq!(
        start("thisComputer", Value::Null).unwrap(),
        relay,
        "starting twice is one relay"
    );
    let known = &open(&page)["relays"][0];
    assert_eq!(
        (&known["address"], &known["builtIn"]),
        (&relay["address"], &json!(true))
    );

    let room = page.call(
        "create_room",
        json!({ "relay": relay["address"], "name": "Field notes", "topic": "", "admission": "byHost" }),
    );
    assert!(room.is_ok(), "{room:?}");
    let other = if port == 65535 { 65534 } else { port + 1 };
    assert_eq!(code(start("thisComputer", json!(other))), "relayInUse");
    assert_eq!(
        code(page.call("remove_relay", json!({ "address": relay["address"] }))),
        "relayInUse"
    );
    assert_eq!(
        page.call("built_in_relay", json!({})).unwrap(),
        relay,
        "nothing has changed"
    );

    page.call("stop_built_in_relay", json!({})).unwrap();
    assert_eq!(
        page.call("built_in_relay", json!({})).unwrap()["running"],
        false
    );
    let again = start("thisComputer", Value::Null).unwrap();
    assert_eq!(again["address"], relay["address"], "links stay good");
}
