//! What `docs/SECURITY.md` promises about the page, asserted on the
//! configuration as it is built in, and on the built page where there is one.

use std::{fs, path::Path};
use tauri::utils::config::{Csp, PatternKind};

fn context() -> tauri::Context<tauri::test::MockRuntime> {
    tauri::generate_context!(test = true)
}

fn policy() -> std::collections::HashMap<String, Vec<String>> {
    let Some(Csp::DirectiveMap(map)) = context().config().app.security.csp.clone() else {
        panic!("a policy, by directive");
    };
    map.into_iter()
        .map(|(name, sources)| {
            (
                name,
                Vec::<String>::from(sources)
                    .iter()
                    .flat_map(|s| s.split(' '))
                    .map(str::to_owned)
                    .collect(),
            )
        })
        .collect()
}

#[test]
fn scripts_come_from_the_app_alone() {
    let policy = policy();
    assert_eq!(policy["script-src"], ["'self'"]);
    assert_eq!(policy["default-src"], ["'none'"]);
    for (name, sources) in &policy {
        for source in sources {
            let forbidden = ["data:", "blob:", "'unsafe-", "*", "https:", "filesystem:"];
            assert!(
                !forbidden.iter().any(|f| source.starts_with(f)),
                "{name} {source}"
            );
        }
    }
    assert_eq!(
        policy["connect-src"],
        [
            "ipc:",
            "http://ipc.localhost",
            "sotto-tile:",
            "http://sotto-tile.localhost",
            "'self'"
        ],
        "commands, pictures of calls, and the app's own files"
    );
    assert!(policy["connect-src"].contains(&format!("{}:", crate::tiles::SCHEME)));
    for closed in ["base-uri", "form-action", "frame-ancestors"] {
        assert_eq!(policy[closed], ["'none'"], "{closed}");
    }
}

#[test]
fn the_one_inline_style_is_the_one_that_hides_the_isolation_frame() {
    use sha2::Digest as _;
    let style = "#__tauri_isolation__ { display: none !important }";
    let hash = sha2::Sha256::digest(style);
    let hash = format!("'sha256-{}'", base64(&hash));
    assert_eq!(policy()["style-src"], ["'self'".to_owned(), hash]);
}

fn base64(bytes: &[u8]) -> String {
    // The house's own encoding is the URL-safe one, without padding.
    let text = sotto_wire::bytes::encode(bytes)
        .replace('-', "+")
        .replace('_', "/");
    let padding = "=".repeat((4 - text.len() % 4) % 4);
    text + &padding
}

#[test]
fn the_page_is_isolated_and_gets_no_globals() {
    let context = context();
    let app = &context.config().app;
    assert!(matches!(
        app.security.pattern,
        PatternKind::Isolation { .. }
    ));
    assert!(!app.with_global_tauri);
    assert!(app.security.freeze_prototype);
    assert!(!app.security.asset_protocol.enable, "no files");
    assert!(
        app.windows.is_empty(),
        "windows are made in code, with their locks"
    );
    assert!(context.config().build.dev_url.is_none());
}

#[test]
fn one_capability_for_each_local_window() {
    use crate::desktop::{ringing, window};
    let check = |label: &str, file: &str| {
        let capability: serde_json::Value = serde_json::from_str(file).unwrap();
        assert_eq!(capability["windows"], serde_json::json!([label]));
        assert_eq!(capability["local"], true);
        assert!(capability.get("remote").is_none());
    };
    check(window::LABEL, include_str!("capabilities/main.json"));
    check(ringing::LABEL, include_str!("capabilities/ringing.json"));
    let files = fs::read_dir(root().join("src-tauri/capabilities"))
        .unwrap()
        .count();
    assert_eq!(files, 2, "the only capability files");
}

/// It takes a yes or a no; what it could not do with more, it cannot do.
#[test]
fn the_window_that_rings_can_do_nothing_else() {
    let capability: serde_json::Value =
        serde_json::from_str(include_str!("capabilities/ringing.json")).unwrap();
    assert_eq!(
        capability["permissions"],
        serde_json::json!(["allow-watch-ringing", "allow-answer-ringing"])
    );
}

#[test]
fn no_plugin_can_touch_files_shells_or_the_network() {
    let manifest = fs::read_to_string(root().join("Cargo.toml")).unwrap();
    for plugin in [
        "fs",
        "shell",
        "http",
        "websocket",
        "upload",
        "sql",
        "store",
        "process",
        "localhost",
    ] {
        let name = format!("tauri-plugin-{plugin}");
        assert!(!manifest.contains(&name), "{name}");
    }
}

/// Holds for the placeholder too; the built page is what it is for.
#[test]
fn the_built_pages_have_no_inline_script_and_load_nothing_from_elsewhere() {
    let files = fs::read_dir(root().join("ui/dist")).unwrap();
    let pages = files
        .map(|file| file.unwrap().path())
        .filter(|path| path.extension().is_some_and(|ending| ending == "html"));
    let pages: Vec<String> = pages
        .map(|path| fs::read_to_string(path).unwrap().to_lowercase())
        .collect();
    assert!(!pages.is_empty());
    pages.iter().for_each(|page| loads_nothing(page));
}

fn loads_nothing(page: &str) {
    for script in page.split("<script").skip(1) {
        let (tag, rest) = script.split_once('>').unwrap();
        assert!(tag.contains("src="), "an inline script");
        assert!(
            rest.trim_start().starts_with("</script>"),
            "a script with a body"
        );
    }
    for word in [
        "javascript:",
        "http://",
        "https://",
        "//cdn",
        " onload=",
        " onerror=",
        "<base",
        "<style",
    ] {
        assert!(!page.contains(word), "{word}");
    }
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}
