//! Invite links from outside: a `sotto://` link that the system hands over, or
//! one on the command line of this or of a second start. What a link means is
//! the client's business; here it is text of bounded length.

use crate::{args::Args, desktop::window, profile::Profile, session::Session};
use clap::Parser as _;
use tauri::{AppHandle, Manager as _, Wry, plugin::TauriPlugin};

/// Longest link that is passed on, in bytes. An invite link has about 200.
const LONGEST: usize = 2_048;

/// Makes this process the profile's only one. A second start hands over its
/// link, brings this window to the front and ends.
pub fn single_instance(profile: &Profile) -> TauriPlugin<Wry> {
    tauri_plugin_single_instance::Builder::new()
        .dbus_id(profile.identifier())
        .callback(|app, arguments, _| {
            window::bring_to_front(app);
            let link = Args::try_parse_from(arguments)
                .ok()
                .and_then(|args| args.link);
            if let Some(link) = link {
                follow(app, link);
            }
        })
        .build()
}

/// Listens for links that the system hands over, and makes this app the one
/// that gets them where installing it does not.
pub fn listen(app: &AppHandle) {
    use tauri_plugin_deep_link::DeepLinkExt as _;
    // Elsewhere they come as an argument of a second start.
    #[cfg(target_os = "macos")]
    {
        let handle = app.clone();
        app.deep_link().on_open_url(move |event| {
            event
                .urls()
                .into_iter()
                .for_each(|url| follow(&handle, url.into()));
        });
    }
    // An AppImage and a bare Windows executable were never installed. A
    // package brings its own entry, and a build in a checkout leaves none.
    let uninstalled = cfg!(windows) || app.env().appimage.is_some();
    if uninstalled && app.deep_link().register_all().is_err() {
        tracing::warn!("sotto links could not be registered with this system");
    }
}

fn follow(app: &AppHandle, link: String) {
    if link.len() > LONGEST {
        tracing::warn!("a link that is too long to be one was passed over");
        return;
    }
    if let Some(session) = app.try_state::<Session>() {
        session.link(link);
    }
}
