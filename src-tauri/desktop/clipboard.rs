//! Text onto the system's clipboard.

use crate::ipc::error::{ErrorCode, UiError};
use tauri::AppHandle;

/// Longest text that is copied, in bytes. The longest the page has is a
/// message.
const LONGEST: usize = 64 * 1024;

pub fn copy(app: &AppHandle, text: String) -> Result<(), UiError> {
    if text.len() > LONGEST {
        return Err(ErrorCode::Internal.into());
    }
    app.run_on_main_thread(move || put(&text))
        .map_err(|_| ErrorCode::Internal.into())
}

/// Through the window system that the window itself uses, so that it works on
/// Wayland as on X11. On the main thread.
#[cfg(target_os = "linux")]
fn put(text: &str) {
    let clipboard = gtk::Clipboard::get(&gtk::gdk::SELECTION_CLIPBOARD);
    clipboard.set_text(text);
    // Leaves it with the desktop, so that it outlives the app.
    clipboard.store();
}

#[cfg(not(target_os = "linux"))]
fn put(text: &str) {
    let copied = arboard::Clipboard::new().and_then(|mut clipboard| clipboard.set_text(text));
    if copied.is_err() {
        tracing::warn!("the clipboard does not take text");
    }
}
