//! Lets Tauri read the window's configuration.

fn main() {
    tauri_build::build();
}
