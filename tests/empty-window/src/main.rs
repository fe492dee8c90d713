//! A Tauri window with nothing in it: what the app's memory is measured
//! against. It has no commands and no state.
//!
//! It paints as the app does: without acceleration where there is no graphics
//! card. With `--usual` it leaves that choice to WebKit.

use tauri::{WebviewUrl, WebviewWindow, WebviewWindowBuilder};

fn main() -> tauri::Result<()> {
    let usual = std::env::args().any(|arg| arg == "--usual");
    let app = tauri::Builder::default().setup(move |app| {
        let window = WebviewWindowBuilder::new(app, "main", WebviewUrl::default())
            .title("Empty window")
            .inner_size(1180.0, 780.0)
            .build()?;
        if !usual {
            paint_as_the_app(&window)?;
        }
        Ok(())
    });
    app.run(tauri::generate_context!())
}

#[cfg(target_os = "linux")]
fn paint_as_the_app(window: &WebviewWindow) -> tauri::Result<()> {
    use webkit2gtk::{HardwareAccelerationPolicy, SettingsExt as _, WebViewExt as _};
    window.with_webview(|webview| {
        if let Some(settings) = webview.inner().settings()
            && !has_graphics_card()
        {
            settings.set_hardware_acceleration_policy(HardwareAccelerationPolicy::Never);
        }
    })
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
fn paint_as_the_app(_: &WebviewWindow) -> tauri::Result<()> {
    Ok(())
}
