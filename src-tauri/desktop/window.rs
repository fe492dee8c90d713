//! The main window, and what all windows have in common: made in code, and
//! closed to everything but a page of our own.

use super::ringing;
use crate::{profile::Profile, settings::Theme};
use std::time::Duration;
use tauri::{
    AppHandle, Manager as _, Url, WebviewUrl, WebviewWindow, WebviewWindowBuilder, Wry,
    plugin::TauriPlugin,
    utils::config::Color,
    webview::{NewWindowResponse, PageLoadEvent},
};
use tauri_plugin_window_state::StateFlags;

/// The capability `main` names it.
pub const LABEL: &str = "main";

/// When the window shows, page or not.
const LATEST: Duration = Duration::from_secs(5);

/// A port of this computer that only its administrator could serve.
#[cfg(target_os = "linux")]
const NOWHERE: &str = "http://127.0.0.1:1";

/// The page's own backgrounds, so that nothing flashes before it is painted.
const LIGHT: Color = Color(0xfd, 0xfd, 0xfe, 0xff);
pub(super) const DARK: Color = Color(0x13, 0x14, 0x17, 0xff);

/// Remembers size and place, in the profile's folder.
pub fn remembering(profile: &Profile) -> TauriPlugin<Wry> {
    tauri_plugin_window_state::Builder::new()
        // An absolute name leaves the folder that the plugin would choose.
        .with_filename(profile.window_file().display().to_string())
        // Showing it is ours: when the page is there.
        .with_state_flags(StateFlags::SIZE | StateFlags::POSITION | StateFlags::MAXIMIZED)
        .with_denylist(&[ringing::LABEL])
        .build()
}

pub fn open(app: &AppHandle, profile: &Profile) -> tauri::Result<()> {
    let builder = WebviewWindowBuilder::new(app, LABEL, WebviewUrl::default())
        .title(profile.title())
        .inner_size(1180.0, 780.0)
        .min_inner_size(380.0, 480.0)
        .visible(false)
        .background_color(background(dark_lamp()))
        .on_page_load(|window, load| {
            if load.event() == PageLoadEvent::Finished {
                reveal(&window);
            }
        });
    let window = locked(builder, profile)?;
    reveal_late(window);
    Ok(())
}

/// Builds a window whose page cannot leave, open another, load anything from
/// outside, or leave traces.
pub(super) fn locked(
    builder: WebviewWindowBuilder<'_, Wry, AppHandle>,
    profile: &Profile,
) -> tauri::Result<WebviewWindow> {
    let builder = builder
        .devtools(cfg!(debug_assertions))
        .on_navigation(is_own)
        .on_new_window(|_, _| NewWindowResponse::Deny)
        .on_download(|_, _| false);
    let window = alone(private(builder, profile)).build()?;
    tame(&window);
    Ok(window)
}

/// Keeps the page's traces (caches, storage) out of the disk: what it shows is
/// encrypted there. WebKit's automation works with a named store only, so
/// under a driver it gets one inside the profile.
fn private<'a>(
    builder: WebviewWindowBuilder<'a, Wry, AppHandle>,
    profile: &Profile,
) -> WebviewWindowBuilder<'a, Wry, AppHandle> {
    if std::env::var("TAURI_WEBVIEW_AUTOMATION").as_deref() == Ok("true") {
        builder.data_directory(profile.dir().join("webview"))
    } else {
        builder.incognito(true)
    }
}

/// Sends whatever is not our own scheme to a proxy that is not there. WebKit
/// looks up and calls the host of a link before it asks whether the page may go
/// there, and a page that was taken over could spell out a secret in its name.
#[cfg(target_os = "linux")]
fn alone(
    builder: WebviewWindowBuilder<'_, Wry, AppHandle>,
) -> WebviewWindowBuilder<'_, Wry, AppHandle> {
    builder.proxy_url(Url::parse(NOWHERE).expect("an address"))
}

#[cfg(not(target_os = "linux"))]
fn alone(
    builder: WebviewWindowBuilder<'_, Wry, AppHandle>,
) -> WebviewWindowBuilder<'_, Wry, AppHandle> {
    builder
}

/// Only the page that is built into the app.
fn is_own(url: &Url) -> bool {
    let own = match url.scheme() {
        "tauri" => url.host_str() == Some("localhost"),
        // How the same page is called on Windows.
        "http" | "https" => cfg!(windows) && url.host_str() == Some("tauri.localhost"),
        "about" => url.as_str() == "about:blank",
        _ => false,
    };
    if !own {
        tracing::warn!("the page was kept from leaving");
    }
    own
}

fn reveal(window: &WebviewWindow) {
    if window.is_visible().unwrap_or(false) {
        return;
    }
    if let Err(error) = window.show().and_then(|()| window.set_focus()) {
        tracing::error!(%error, "the window does not show");
    }
}

/// A page that does not load must not leave a program without a window.
fn reveal_late(window: WebviewWindow) {
    tauri::async_runtime::spawn(async move {
        tokio::time::sleep(LATEST).await;
        reveal(&window);
    });
}

pub fn bring_to_front(app: &AppHandle) {
    if let Some(window) = app.get_webview_window(LABEL) {
        // A window that refuses one of these is in front or cannot be.
        let _ = window.unminimize();
        let _ = window.show();
        let _ = window.set_focus();
    }
}

/// The frame and the first color follow the page's theme.
pub fn set_theme(window: &WebviewWindow, theme: Theme) {
    let chosen = match theme {
        Theme::System => None,
        Theme::Light => Some(tauri::Theme::Light),
        Theme::Dark => Some(tauri::Theme::Dark),
    };
    let dark = match chosen {
        Some(chosen) => chosen == tauri::Theme::Dark,
        None => window
            .theme()
            .is_ok_and(|theme| theme == tauri::Theme::Dark),
    };
    // Cosmetic: a window system that does not know themes keeps its own.
    let _ = window.set_theme(chosen);
    let _ = window.set_background_color(Some(background(dark)));
}

fn background(dark: bool) -> Color {
    if dark { DARK } else { LIGHT }
}

/// Whether the system looks dark, before there is a window to ask.
#[cfg(target_os = "linux")]
fn dark_lamp() -> bool {
    use gtk::prelude::GtkSettingsExt as _;
    gtk::Settings::default().is_some_and(|settings| {
        settings.is_gtk_application_prefer_dark_theme()
            || settings
                .gtk_theme_name()
                .is_some_and(|name| name.to_lowercase().contains("dark"))
    })
}

#[cfg(not(target_os = "linux"))]
fn dark_lamp() -> bool {
    false
}

/// WebKitGTK, made fit for one page that never leaves.
#[cfg(target_os = "linux")]
fn tame(window: &WebviewWindow) {
    use webkit2gtk::{
        CacheModel, HardwareAccelerationPolicy, SettingsExt as _, WebContextExt as _, WebViewExt,
    };
    let tamed = window.with_webview(|webview| {
        let view = webview.inner();
        reload_when_it_crashes(&view);
        if let Some(context) = view.context() {
            // The page comes out of the binary: caching it again is memory for
            // nothing.
            context.set_cache_model(CacheModel::DocumentViewer);
        }
        if let Some(settings) = WebViewExt::settings(&view) {
            // There is no page to go back to.
            settings.set_enable_page_cache(false);
            // Without a graphics card, acceleration is a second renderer in
            // software: slower to start, and 80 MB more of memory.
            if !has_graphics_card() {
                settings.set_hardware_acceleration_policy(HardwareAccelerationPolicy::Never);
            }
            // A developer sees what the page complains about.
            settings.set_enable_write_console_messages_to_stdout(cfg!(debug_assertions));
        }
    });
    if tamed.is_err() {
        tracing::warn!("the web view keeps its usual settings");
    }
}

/// The page is a process of its own and can be killed, by lack of memory for
/// one. The engine goes on, and a new page finds everything again.
#[cfg(target_os = "linux")]
fn reload_when_it_crashes(view: &webkit2gtk::WebView) {
    use std::cell::Cell;
    use webkit2gtk::WebViewExt as _;
    /// One that keeps crashing is left alone.
    const TIMES: u32 = 3;
    let crashes = Cell::new(0);
    view.connect_web_process_terminated(move |view, reason| {
        tracing::warn!(?reason, "the page ended by itself");
        crashes.set(crashes.get() + 1);
        if crashes.get() <= TIMES {
            view.reload();
        }
    });
}

/// Whether the kernel offers anything to render with.
#[cfg(target_os = "linux")]
fn has_graphics_card() -> bool {
    std::fs::read_dir("/dev/dri").is_ok_and(|nodes| {
        nodes
            .flatten()
            .any(|node| node.file_name().as_encoded_bytes().starts_with(b"renderD"))
    })
}

#[cfg(not(target_os = "linux"))]
fn tame(_: &WebviewWindow) {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_page_stays_where_it_is() {
        let check =
            |url: &str, expect| assert_eq!(is_own(&Url::parse(url).unwrap()), expect, "{url}");
        check("tauri://localhost/", true);
        check("tauri://localhost/index.html#room", true);
        check("tauri://elsewhere/", false);
        check("https://localhost/", false);
        check("https://evil.example/", false);
        check("file:///etc/passwd", false);
        check("data:text/html,x", false);
        check("javascript:alert(1)", false);
        check("blob:tauri://localhost/1", false);
    }
}
