//! The table of commands, and the TypeScript that it and its types make. The
//! page's bindings are this text; a test fails when they are another.

use super::commands::{calls, people, relays, ringing, rooms, settings, start, timeline};
use tauri::Runtime;
use tauri_specta::{Builder, collect_commands};

/// Every command there is.
pub fn commands<R: Runtime>() -> Builder<R> {
    Builder::new()
        .commands(collect_commands![
            start::open,
            start::create_profile,
            start::unlock,
            start::retry_keyring,
            people::set_profile,
            relays::start_built_in_relay,
            relays::stop_built_in_relay,
            relays::built_in_relay,
            relays::add_relay,
            relays::remove_relay,
            relays::reconnect_now,
            rooms::create_room,
            rooms::change_room,
            rooms::check_link,
            rooms::join,
            rooms::cancel_join,
            rooms::create_invite,
            rooms::revoke_invite,
            rooms::answer_knock,
            people::remove_person,
            people::make_host,
            rooms::leave_room,
            rooms::delete_room,
            rooms::forget_room,
            people::people,
            people::knocks,
            rooms::invites,
            people::safety,
            people::set_verified,
            timeline::timeline,
            timeline::send_message,
            timeline::retry_message,
            timeline::discard_message,
            timeline::set_typing,
            timeline::mark_read,
            timeline::set_draft,
            timeline::set_prefs,
            calls::start_call,
            calls::join_call,
            calls::decline_call,
            calls::leave_call,
            calls::set_sending,
            calls::repair_call,
            calls::raise_hand,
            calls::react,
            calls::devices,
            calls::choose_device,
            calls::choose_device_file,
            calls::set_processing,
            calls::set_volume,
            calls::preview,
            calls::test_speaker,
            calls::levels,
            calls::call_stats,
            calls::copy_call_stats,
            calls::show_tiles,
            ringing::watch_ringing,
            ringing::answer_ringing,
            settings::set_settings,
            settings::slots,
            settings::set_passphrase,
            settings::new_recovery_code,
            settings::set_keyring_slot,
            settings::about,
            settings::open_link,
            settings::copy_text,
        ])
        .typed_error_impl(TYPED_ERROR)
        .disable_serde_phases()
}

/// How a refusal reaches the page: always as a [`super::error::UiError`]. What
/// Tauri itself refuses (no such command, arguments of another shape) is a
/// bare text, and to the page a bug.
const TYPED_ERROR: &str = r#"async function typedError<T, E>(result: Promise<T>): Promise<Result<T, E>> {
    try {
        return { status: "ok", data: await result };
    } catch (e) {
        const known = typeof e === "object" && e !== null && "code" in e;
        const error = known ? e : { code: "internal", max: null, link: null };
        return { status: "error", error: error as E };
    }
}"#;

/// Types that the page names and no command mentions by itself.
#[cfg(test)]
const RAW: &str = r#"export type Result<T, E> = { status: "ok"; data: T } | { status: "error"; error: E };

export type Commands = typeof commands;"#;

/// The text of the page's bindings.
#[cfg(test)]
pub fn typescript() -> String {
    use specta_typescript::Typescript;
    let folder = tempfile::tempdir().expect("a folder for the bindings");
    let path = folder.path().join("bindings.ts");
    commands::<tauri::test::MockRuntime>()
        .export(Typescript::default().with_raw(RAW), &path)
        .expect("the commands export");
    let text = std::fs::read_to_string(path).expect("the bindings were written");
    // An assertion that no one reads: the page's type check forbids such.
    text.lines()
        .filter(|line| !line.starts_with("const _assert"))
        .fold(String::with_capacity(text.len()), |mut kept, line| {
            kept.push_str(line.trim_end());
            kept.push('\n');
            kept
        })
}
