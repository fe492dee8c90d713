//! Closing: the window is the app, and closing it ends the engine and the
//! built-in relay before the process, in bounded time. So does a signal. Beside
//! that, who looks away from the window is passed on.

use crate::{desktop::window, session::Session};
use std::sync::atomic::{AtomicBool, Ordering};
use tauri::{AppHandle, Manager as _, RunEvent, WindowEvent};

/// Set once: closing is not begun twice.
static CLOSING: AtomicBool = AtomicBool::new(false);

pub fn on_event(app: &AppHandle, event: RunEvent) {
    match event {
        RunEvent::WindowEvent {
            label,
            event: WindowEvent::CloseRequested { api, .. },
            ..
        } if label == window::LABEL => {
            api.prevent_close();
            close(app);
        }
        RunEvent::WindowEvent {
            label,
            event: WindowEvent::Focused(false),
            ..
        } if label == window::LABEL => {
            if let Some(session) = app.try_state::<Session>() {
                session.looked_away();
            }
        }
        // From the system's menu, or a session that ends: no code was chosen.
        RunEvent::ExitRequested {
            api, code: None, ..
        } => {
            api.prevent_exit();
            close(app);
        }
        _ => {}
    }
}

fn close(app: &AppHandle) {
    if CLOSING.swap(true, Ordering::AcqRel) {
        return;
    }
    let app = app.clone();
    tauri::async_runtime::spawn(async move {
        if let Some(session) = app
            .try_state::<Session>()
            .map(|session| session.inner().clone())
        {
            session.stop().await;
        }
        app.exit(0);
    });
}

/// Closes on the signals that ask a program to end.
#[cfg(unix)]
pub fn on_signals(app: &AppHandle) {
    use tokio::signal::unix::{SignalKind, signal};
    let app = app.clone();
    tauri::async_runtime::spawn(async move {
        let (Ok(mut terminate), Ok(mut interrupt)) = (
            signal(SignalKind::terminate()),
            signal(SignalKind::interrupt()),
        ) else {
            return tracing::warn!("signals do not close this app");
        };
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
        close(&app);
    });
}

#[cfg(not(unix))]
pub fn on_signals(_: &AppHandle) {}
