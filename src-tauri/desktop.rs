//! What belongs to the desktop and not to the page or the protocol: window,
//! links, single instance, notifications, clipboard, closing.

pub mod links;
pub mod quit;
pub mod window;

mod clipboard;
mod notification;

use crate::{
    ipc::error::{ErrorCode, UiError},
    session::Note,
    settings::Theme,
};
use tauri::{AppHandle, Manager as _, WebviewWindow};

/// The desktop, for whoever must not know a window system.
pub trait Desktop: Send + Sync {
    fn set_theme(&self, theme: Theme);
    /// Whether the person looks at the window.
    fn in_front(&self) -> bool;
    /// Brings the window to the front: somebody calls.
    fn raise(&self);
    fn notify(&self, note: Note);
    fn copy_text(&self, text: String) -> Result<(), UiError>;
    /// Opens an address that [`crate::ipc::markdown::safe_href`] let pass.
    fn open_address(&self, href: &str) -> Result<(), UiError>;
}

/// The real one.
pub struct Native {
    app: AppHandle,
}

impl Native {
    pub fn new(app: AppHandle) -> Self {
        Self { app }
    }

    fn window(&self) -> Option<WebviewWindow> {
        self.app.get_webview_window(window::LABEL)
    }
}

impl Desktop for Native {
    fn set_theme(&self, theme: Theme) {
        if let Some(window) = self.window() {
            window::set_theme(&window, theme);
        }
    }

    fn in_front(&self) -> bool {
        self.window()
            .is_some_and(|window| window.is_focused().unwrap_or(false))
    }

    fn raise(&self) {
        window::bring_to_front(&self.app);
    }

    fn notify(&self, note: Note) {
        notification::show(note);
    }

    fn copy_text(&self, text: String) -> Result<(), UiError> {
        clipboard::copy(&self.app, text)
    }

    fn open_address(&self, href: &str) -> Result<(), UiError> {
        tauri_plugin_opener::open_url(href, None::<&str>).map_err(|error| {
            tracing::warn!(kind = %error_kind(&error), "nothing opens links on this system");
            ErrorCode::Internal.into()
        })
    }
}

/// What failed, without the address that it failed for.
fn error_kind(error: &tauri_plugin_opener::Error) -> &'static str {
    match error {
        tauri_plugin_opener::Error::Io(_) => "io",
        _ => "other",
    }
}

/// None at all, for tests.
#[cfg(test)]
pub struct NoDesktop;

#[cfg(test)]
impl Desktop for NoDesktop {
    fn set_theme(&self, _: Theme) {}
    fn in_front(&self) -> bool {
        true
    }
    fn raise(&self) {}
    fn notify(&self, _: Note) {}
    fn copy_text(&self, _: String) -> Result<(), UiError> {
        Ok(())
    }
    fn open_address(&self, href: &str) -> Result<(), UiError> {
        assert!(
            href.starts_with("https://") || href.starts_with("mailto:"),
            "opened {href}"
        );
        Ok(())
    }
}
