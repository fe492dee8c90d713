//! What belongs to the desktop and not to the page or the protocol: windows,
//! links, single instance, notifications, clipboard, closing.

pub mod links;
pub mod quit;
pub mod ringing;
pub mod window;

mod clipboard;
mod files;
mod notification;

use crate::{
    ipc::error::{ErrorCode, UiError},
    kept::FileUse,
    profile::Profile,
    session::Note,
    settings::Theme,
};
use std::path::PathBuf;
use tauri::{AppHandle, Manager as _, WebviewWindow};
use tokio::sync::oneshot;

/// The desktop, for whoever must not know a window system.
pub trait Desktop: Send + Sync {
    fn set_theme(&self, theme: Theme);
    /// Whether the person looks at the window.
    fn in_front(&self) -> bool;
    /// Brings the main window to the front.
    fn raise(&self);
    /// Shows the window of a call that rings, or takes it away.
    fn show_ringing(&self, rings: bool);
    fn notify(&self, note: Note);
    fn copy_text(&self, text: String) -> Result<(), UiError>;
    /// Has the person pick a file to be read instead of a device. No answer:
    /// they picked none. `busy` while they are being asked already.
    fn choose_file(&self, what: FileUse) -> Result<oneshot::Receiver<PathBuf>, UiError>;
    /// Opens an address that [`crate::ipc::markdown::safe_href`] let pass.
    fn open_address(&self, href: &str) -> Result<(), UiError>;
}

/// The real one.
pub struct Native {
    app: AppHandle,
    profile: Profile,
    files: files::Dialog,
}

impl Native {
    pub fn new(app: AppHandle, profile: Profile) -> Self {
        Self {
            app,
            profile,
            files: files::Dialog::default(),
        }
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

    fn show_ringing(&self, rings: bool) {
        if !rings {
            return ringing::close(&self.app);
        }
        if let Err(error) = ringing::open(&self.app, &self.profile) {
            tracing::error!(%error, "the window of a ringing call does not open");
            // The main window shows the call as well.
            self.raise();
        }
    }

    fn notify(&self, note: Note) {
        notification::show(note);
    }

    fn copy_text(&self, text: String) -> Result<(), UiError> {
        clipboard::copy(&self.app, text)
    }

    fn choose_file(&self, what: FileUse) -> Result<oneshot::Receiver<PathBuf>, UiError> {
        self.files.ask(&self.app, what)
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
    fn show_ringing(&self, _: bool) {}
    fn notify(&self, _: Note) {}
    fn copy_text(&self, _: String) -> Result<(), UiError> {
        Ok(())
    }
    fn choose_file(&self, _: FileUse) -> Result<oneshot::Receiver<PathBuf>, UiError> {
        Ok(oneshot::channel().1)
    }
    fn open_address(&self, href: &str) -> Result<(), UiError> {
        assert!(
            href.starts_with("https://") || href.starts_with("mailto:"),
            "opened {href}"
        );
        Ok(())
    }
}
