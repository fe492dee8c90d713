//! The system's dialog that picks a file to be read. Rust opens it and Rust
//! gets the path: the page can ask for the dialog, and can neither fill it in
//! nor learn where the file is.

use crate::{
    ipc::error::{ErrorCode, UiError},
    kept::FileUse,
};
use std::{
    path::PathBuf,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};
use tauri::AppHandle;
use tokio::sync::oneshot;

/// One dialog at a time, however often a page asks.
#[derive(Default)]
pub struct Dialog {
    open: Arc<AtomicBool>,
}

/// What a dialog that is open owes: whoever waits gets a path or, when this is
/// dropped, nothing.
struct Asked {
    picked: oneshot::Sender<PathBuf>,
    _open: Open,
}

struct Open(Arc<AtomicBool>);

impl Drop for Open {
    fn drop(&mut self) {
        self.0.store(false, Ordering::Release);
    }
}

impl Asked {
    fn answer(self, path: PathBuf) {
        // Nobody waits any more: the page was reloaded.
        let _ = self.picked.send(path);
    }
}

impl Dialog {
    pub fn ask(
        &self,
        app: &AppHandle,
        what: FileUse,
    ) -> Result<oneshot::Receiver<PathBuf>, UiError> {
        if self.open.swap(true, Ordering::AcqRel) {
            return Err(ErrorCode::Busy.into());
        }
        let (picked, answer) = oneshot::channel();
        let _open = Open(self.open.clone());
        let asked = Asked { picked, _open };
        show(app, what, asked)?;
        Ok(answer)
    }
}

/// Through the window system that the window itself uses. GTK's own strings
/// name the buttons, in the system's language.
#[cfg(target_os = "linux")]
fn show(app: &AppHandle, what: FileUse, asked: Asked) -> Result<(), UiError> {
    use super::window;
    use gtk::prelude::*;
    use std::cell::RefCell;
    use tauri::Manager as _;

    // While it is open, GTK keeps nothing of it alive but what this holds.
    thread_local! {
        static SHOWN: RefCell<Option<gtk::FileChooserNative>> = const { RefCell::new(None) };
    }

    let handle = app.clone();
    let open = move || {
        let parent = handle
            .get_webview_window(window::LABEL)
            .and_then(|window| window.gtk_window().ok());
        let action = gtk::FileChooserAction::Open;
        let dialog = gtk::FileChooserNative::new(None, parent.as_ref(), action, None, None);
        let filter = gtk::FileFilter::new();
        let pattern = format!("*.{}", what.ending());
        filter.set_name(Some(&pattern));
        filter.add_pattern(&pattern);
        dialog.add_filter(filter);
        dialog.set_modal(true);
        let asked = RefCell::new(Some(asked));
        dialog.connect_response(move |dialog, response| {
            let asked = asked.borrow_mut().take();
            if let (gtk::ResponseType::Accept, Some(path), Some(asked)) =
                (response, dialog.filename(), asked)
            {
                asked.answer(path);
            }
            SHOWN.with_borrow_mut(Option::take);
        });
        dialog.show();
        SHOWN.with_borrow_mut(|shown| *shown = Some(dialog));
    };
    app.run_on_main_thread(open)
        .map_err(|_| ErrorCode::Internal.into())
}

#[cfg(not(target_os = "linux"))]
fn show(app: &AppHandle, what: FileUse, asked: Asked) -> Result<(), UiError> {
    let open = move || {
        let ending = what.ending();
        let picking = rfd::AsyncFileDialog::new()
            .add_filter(format!("*.{ending}"), &[ending])
            .pick_file();
        tauri::async_runtime::spawn(async move {
            if let Some(file) = picking.await {
                asked.answer(file.path().to_owned());
            }
        });
    };
    app.run_on_main_thread(open)
        .map_err(|_| ErrorCode::Internal.into())
}
