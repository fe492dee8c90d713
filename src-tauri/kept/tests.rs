//! Choices that outlive the app: devices by shown name, files by token, damage
//! as the default.

use super::*;

fn listed(name: &str, kind: DeviceKind) -> Device {
    Device {
        name: DeviceName(name.into()),
        kind,
        label: name.into(),
        default: false,
        synthetic: false,
    }
}

fn listing() -> Listing {
    Listing::of(vec![
        listed("headset", DeviceKind::Microphone),
        listed("boxes", DeviceKind::Speaker),
        listed("screen:x11:window:7", DeviceKind::Screen),
    ])
}

fn choose(kept: &mut Kept, what: DeviceUse, name: &str) -> Result<(), UiError> {
    kept.choose(what, Some(name.into()), &listing())
}

#[cfg(unix)]
const SONG: &str = "/home/alice/song.wav";
#[cfg(windows)]
const SONG: &str = r"C:\alice\song.wav";

#[test]
fn choices_survive_the_store_but_not_what_was_shared() {
    let mut kept = Kept::default();
    choose(&mut kept, DeviceUse::Microphone, "headset").unwrap();
    choose(&mut kept, DeviceUse::Screen, "screen:x11:window:7").unwrap();
    kept.processing.noise = false;
    let read = read(Some(&write(&kept).unwrap()));
    assert_eq!(read.choices.microphone.as_deref(), Some("headset"));
    assert_eq!(read.choices.screen, None);
    assert!(!read.processing.noise && read.processing.echo);
}

#[test]
fn damage_is_the_default() {
    assert_eq!(read(Some("{")), Kept::default());
    assert_eq!(read(None), Kept::default());
}

#[test]
fn a_name_that_was_not_shown_is_refused_and_changes_nothing() {
    let endless = "x".repeat(LONGEST + 1);
    for what in [
        DeviceUse::Microphone,
        DeviceUse::Speaker,
        DeviceUse::Ringer,
        DeviceUse::Camera,
        DeviceUse::Screen,
    ] {
        for name in [
            "wav:/etc/passwd",
            "wav:",
            "y4m:/etc/passwd",
            "file:",
            "file:/etc/passwd",
            "out:file:/etc/passwd",
            "",
            endless.as_str(),
        ] {
            let mut kept = Kept::default();
            let refused = choose(&mut kept, what, name).unwrap_err();
            assert_eq!(refused.code, ErrorCode::UnknownDevice, "{what:?} {name}");
            assert_eq!(kept, Kept::default());
        }
    }
}

#[test]
fn a_device_is_chosen_only_for_what_it_is() {
    #[track_caller]
    fn check(what: DeviceUse, name: &str, expect: bool) {
        let chosen = choose(&mut Kept::default(), what, name);
        assert_eq!(chosen.is_ok(), expect, "{what:?} {name}");
    }
    check(DeviceUse::Microphone, "headset", true);
    check(DeviceUse::Speaker, "headset", false);
    check(DeviceUse::Speaker, "boxes", true);
    check(DeviceUse::Ringer, "boxes", true);
    check(DeviceUse::Microphone, "tone:440", true);
    check(DeviceUse::Microphone, "tone:1", false);
    check(DeviceUse::Speaker, "tone:440", false);
    check(DeviceUse::Speaker, "silence:", true);
    check(DeviceUse::Camera, "silence:", false);
    for kind in [DeviceKind::Camera, DeviceKind::Screen] {
        let picture = pattern::list(kind).remove(0).name.0;
        check(DeviceUse::Camera, &picture, kind == DeviceKind::Camera);
        check(DeviceUse::Screen, &picture, kind == DeviceKind::Screen);
    }
}

#[test]
fn what_is_in_use_stays_when_it_is_gone() {
    let mut kept = Kept::default();
    choose(&mut kept, DeviceUse::Microphone, "headset").unwrap();
    let name = Some("headset".into());
    let gone = Listing::of(vec![]);
    assert!(kept.choose(DeviceUse::Microphone, name, &gone).is_ok());
}

#[test]
fn a_picked_file_is_a_device_whose_place_the_page_does_not_learn() {
    let mut kept = Kept::default();
    kept.use_file(FileUse::Microphone, Path::new(SONG)).unwrap();
    let kept = read(Some(&write(&kept).unwrap()));
    let seen = kept.view(&listing());
    let file = seen.devices.last().unwrap();
    assert_eq!(
        (file.name.as_str(), file.label.as_str()),
        (FILE, "song.wav")
    );
    assert!(file.synthetic);
    assert_eq!(seen.choices.microphone.as_deref(), Some(FILE));
    assert!(!serde_json::to_string(&seen).unwrap().contains("alice"));
    let media = kept.wanted();
    assert_eq!(media.microphone, Some(wav::name(Path::new(SONG))));
    assert_eq!(media.speaker, None);

    let mut kept = kept;
    choose(&mut kept, DeviceUse::Microphone, "headset").unwrap();
    assert!(choose(&mut kept, DeviceUse::Microphone, FILE).is_ok());
    // It is no camera, and nobody speaks into it.
    assert!(choose(&mut kept, DeviceUse::Camera, FILE).is_err());
    assert!(choose(&mut kept, DeviceUse::Speaker, FILE).is_err());
    assert!(kept.use_file(FileUse::Camera, Path::new("a.y4m")).is_err());
}

#[test]
fn files_that_an_older_page_chose_are_dropped_when_read() {
    let old = r#"{"choices":{"microphone":"wav:/a","speaker":"wav:/b","ringer":"boxes",
        "camera":"y4m:/c","screen":null},"processing":{"echo":true,"noise":true,"gain":true}}"#;
    let read = read(Some(old));
    let expect = DeviceChoices {
        ringer: Some("boxes".into()),
        ..DeviceChoices::default()
    };
    assert_eq!(read.choices, expect);
}
