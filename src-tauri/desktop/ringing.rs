//! The window of a call that rings: small, above the others, and able to do
//! nothing but say who calls and take a yes or a no. It comes up where the
//! person does not look at the main window, and does not take the keys.

use super::window;
use crate::profile::Profile;
use tauri::{AppHandle, Manager as _, WebviewUrl, WebviewWindowBuilder};

/// The capability `ringing` names it.
pub const LABEL: &str = "ringing";

/// Its page, beside the main one.
const PAGE: &str = "ringing.html";

pub fn open(app: &AppHandle, profile: &Profile) -> tauri::Result<()> {
    if app.get_webview_window(LABEL).is_some() {
        return Ok(());
    }
    let builder = WebviewWindowBuilder::new(app, LABEL, WebviewUrl::App(PAGE.into()))
        .title(profile.title())
        .inner_size(400.0, 500.0)
        .resizable(false)
        .maximizable(false)
        .minimizable(false)
        .always_on_top(true)
        .visible_on_all_workspaces(true)
        // Whoever types goes on typing where they were.
        .focused(false)
        .center()
        .background_color(window::DARK);
    window::locked(builder, profile).map(drop)
}

pub fn close(app: &AppHandle) {
    if let Some(window) = app.get_webview_window(LABEL)
        && let Err(error) = window.destroy()
    {
        tracing::warn!(%error, "the window of a call that rang does not close");
    }
}
