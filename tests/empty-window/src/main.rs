//! A Tauri window with nothing in it: what the app's memory is measured
//! against. It has no commands and no state.

fn main() -> tauri::Result<()> {
    tauri::Builder::default().run(tauri::generate_context!())
}
