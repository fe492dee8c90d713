//! The devices of this computer: listing them, and finding those that were
//! named.

use crate::{args::PartArgs, failure::Failure, output::Output, session::Session};
use serde_json::json;
use sotto_media::{
    Media,
    console::Choices,
    device::{Device, DeviceKind, DeviceName},
};
use std::time::Duration;
use tokio::time::timeout;

/// How long a system may take to say what it has.
const LOOK: Duration = Duration::from_secs(15);

/// What opens without being listed.
const UNLISTED: [&str; 4] = ["tone:", "wav:", "y4m:", "silence:"];

pub async fn list(output: &Output, session: &Session) -> Result<(), Failure> {
    for device in all(session.engine.media()).await? {
        let kind = word(device.kind);
        let object = json!({
            "device": device.name.0,
            "kind": kind,
            "label": device.label,
            "default": device.default,
            "synthetic": device.synthetic,
        });
        let mark = if device.default { ", the default" } else { "" };
        let text = format!("{kind}  {}  {}{mark}", device.name.0, device.label);
        output.line(object, text)?;
    }
    Ok(())
}

/// The devices that were named; the system's defaults where none was.
pub async fn chosen(session: &Session, part: &PartArgs) -> Result<Choices, Failure> {
    let named = [&part.microphone, &part.speaker, &part.camera, &part.screen];
    if named.iter().all(|name| name.is_none()) {
        return Ok(Choices::default());
    }
    let all = all(session.engine.media()).await?;
    let find = |kind, name: &Option<String>| match name {
        Some(name) => find(&all, kind, name).map(Some),
        None => Ok(None),
    };
    Ok(Choices {
        microphone: find(DeviceKind::Microphone, &part.microphone)?,
        speaker: find(DeviceKind::Speaker, &part.speaker)?,
        ringer: None,
        camera: find(DeviceKind::Camera, &part.camera)?,
        screen: find(DeviceKind::Screen, &part.screen)?,
    })
}

async fn all(media: &Media) -> Result<Vec<Device>, Failure> {
    let mut watch = media.devices();
    let known = timeout(LOOK, watch.wait_for(|listing| listing.known)).await;
    match known {
        Ok(Ok(listing)) => Ok(listing.devices.clone()),
        _ => Err(Failure::refused(
            "the system does not say what devices it has",
        )),
    }
}

/// A name wins over a label.
fn find(all: &[Device], kind: DeviceKind, text: &str) -> Result<DeviceName, Failure> {
    let of_kind = || all.iter().filter(|device| device.kind == kind);
    if of_kind().any(|device| device.name.0 == text)
        || UNLISTED.iter().any(|prefix| text.starts_with(prefix))
    {
        return Ok(DeviceName(text.to_owned()));
    }
    let mut labelled = of_kind().filter(|device| device.label == text);
    match (labelled.next(), labelled.next()) {
        (Some(device), None) => Ok(device.name.clone()),
        (Some(_), Some(_)) => Err(Failure::refused(format!(
            "more than one {} is called that; take its name from `devices`",
            word(kind)
        ))),
        (None, _) => Err(Failure::refused(format!("no such {}", word(kind)))),
    }
}

fn word(kind: DeviceKind) -> &'static str {
    match kind {
        DeviceKind::Microphone => "microphone",
        DeviceKind::Speaker => "speaker",
        DeviceKind::Camera => "camera",
        DeviceKind::Screen => "screen",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_device_is_found_by_its_name_or_by_a_label_that_only_one_has() {
        let device = |name: &str, label: &str, kind| Device {
            name: DeviceName(name.into()),
            kind,
            label: label.into(),
            default: false,
            synthetic: false,
        };
        let all = [
            device("in:1", "Headset", DeviceKind::Microphone),
            device("in:2", "Desk", DeviceKind::Microphone),
            device("in:3", "Desk", DeviceKind::Microphone),
            device("out:1", "Headset", DeviceKind::Speaker),
        ];
        let check = |kind, text: &str, expect: Result<&str, &str>| {
            let found = find(&all, kind, text).map(|name| name.0);
            let expect = expect.map(str::to_owned).map_err(Failure::refused);
            assert_eq!(found, expect);
        };
        check(DeviceKind::Microphone, "in:2", Ok("in:2"));
        check(DeviceKind::Microphone, "Headset", Ok("in:1"));
        check(DeviceKind::Speaker, "Headset", Ok("out:1"));
        check(DeviceKind::Microphone, "tone:660", Ok("tone:660"));
        check(DeviceKind::Microphone, "out:1", Err("no such microphone"));
        check(
            DeviceKind::Microphone,
            "Desk",
            Err("more than one microphone is called that; take its name from `devices`"),
        );
    }
}
