//! Desktop notifications. Best effort: a system without them is no error, and
//! the message is in the window.

use crate::session::Note;

pub fn show(note: Note) {
    // Blocks on the session bus, and on a system without one until it gives up.
    tauri::async_runtime::spawn_blocking(move || {
        if deliver(&note).is_err() {
            tracing::debug!("this system shows no notifications");
        }
    });
}

fn deliver(note: &Note) -> Result<(), notify_rust::error::Error> {
    let mut notification = notify_rust::Notification::new();
    notification
        .appname("Sotto")
        .icon("sotto")
        .summary(&note.title)
        .body(&body(&note.body));
    #[cfg(all(unix, not(target_os = "macos")))]
    notification
        .id(replaces(note))
        .hint(notify_rust::Hint::DesktopEntry("sotto".into()))
        .hint(notify_rust::Hint::Category("im.received".into()));
    notification.show().map(drop)
}

/// One notification a room: the next takes the place of the last.
#[cfg(all(unix, not(target_os = "macos")))]
fn replaces(note: &Note) -> u32 {
    let [a, b, c, d, ..] = note.room.0;
    u32::from_be_bytes([a, b, c, d]).max(1)
}

/// Notification servers may read markup in a body: a message is text.
fn body(text: &str) -> String {
    if cfg!(all(unix, not(target_os = "macos"))) {
        text.replace('&', "&amp;")
            .replace('<', "&lt;")
            .replace('>', "&gt;")
    } else {
        text.to_owned()
    }
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    #[test]
    fn a_message_is_no_markup() {
        assert_eq!(
            super::body("<a href=x>&</a>"),
            "&lt;a href=x&gt;&amp;&lt;/a&gt;"
        );
    }
}
