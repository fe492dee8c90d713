//! Declares every command to Tauri's access control, so that a command is
//! callable only if the capability file allows it, and makes sure there is a
//! page to embed.

use std::{fs, path::Path};

#[path = "ipc/names.rs"]
mod names;

/// A clean clone has no built UI. `cargo check` must work there all the same.
const PLACEHOLDER: &str = "<!doctype html><meta charset=\"utf-8\"><title>Sotto</title>\
    <p>The interface is not built. Run <code>cargo xtask run</code>.</p>\n";

fn main() {
    let page = Path::new("ui/dist/index.html");
    if !page.exists() {
        fs::create_dir_all("ui/dist").expect("the folder of the built UI can be made");
        fs::write(page, PLACEHOLDER).expect("the placeholder page can be written");
    }
    // The page is embedded at compile time: a new build of it is a new app.
    for path in [
        "ui/dist",
        "ui/isolation",
        "src-tauri/capabilities",
        "src-tauri/ipc/names.rs",
    ] {
        println!("cargo:rerun-if-changed={path}");
    }
    let attributes = tauri_build::Attributes::new()
        .capabilities_path_pattern("./src-tauri/capabilities/*")
        .app_manifest(tauri_build::AppManifest::new().commands(names::COMMANDS));
    tauri_build::try_build(attributes).expect("tauri-build succeeds");
}
