//! Cameras of the system, by nokhwa: V4L2, Media Foundation, AVFoundation.
//! Thin: which camera, which of its formats, what its errors mean. Pixels are
//! turned to I420 elsewhere.

use super::{Device, DeviceError, DeviceKind, DeviceName};
use crate::video::picture::{Layout, Raw, convert};
use crate::video::source::{Pace, VideoSource};
use crate::video::{Picture, Size};
use nokhwa::Camera;
use nokhwa::pixel_format::RgbFormat;
use nokhwa::utils::{
    ApiBackend, CameraFormat, CameraIndex, CameraInfo, FrameFormat, RequestedFormat,
    RequestedFormatType,
};
use std::collections::BTreeMap;
use std::time::Instant;

mod choice;

use choice::{best, meaning};

const PREFIX: &str = "camera:";

/// Whether this names a camera of the system.
pub fn is(name: &DeviceName) -> bool {
    name.0.starts_with(PREFIX)
}

/// The cameras that are plugged in, the system's first as the default.
pub fn list() -> Vec<Device> {
    let cameras = cameras().into_iter().enumerate();
    cameras
        .map(|(position, (name, camera))| Device {
            name,
            kind: DeviceKind::Camera,
            label: camera.human_name(),
            default: position == 0,
            synthetic: false,
        })
        .collect()
}

/// Open the camera of this name in its best format up to 720p at 30 a second.
pub fn open(name: &DeviceName) -> Result<Box<dyn VideoSource>, DeviceError> {
    allowed()?;
    let cameras = cameras();
    let found = cameras.iter().find(|(known, _)| known == name);
    let (_, info) = found.ok_or(DeviceError::NoDevice)?;
    Ok(Box::new(Running::open(info.index())?))
}

/// Cameras by name. Where the system gives no lasting name, it is what people
/// read, and a number among those that read the same.
fn cameras() -> Vec<(DeviceName, CameraInfo)> {
    let mut cameras = nokhwa::query(ApiBackend::Auto).unwrap_or_default();
    cameras.sort_by_key(|camera| camera.index().as_index().unwrap_or(u32::MAX));
    cameras.retain(captures);
    let mut seen = BTreeMap::<String, u32>::new();
    let name = |camera: CameraInfo| {
        let lasting = camera.misc();
        let base = if lasting.is_empty() {
            camera.human_name()
        } else {
            lasting
        };
        let number = seen.entry(base.clone()).or_default();
        let name = DeviceName(format!("{PREFIX}{base}#{number}"));
        *number += 1;
        (name, camera)
    };
    cameras.into_iter().map(name).collect()
}

/// V4L2 lists a second node of each camera, for metadata only.
#[cfg(target_os = "linux")]
fn captures(camera: &CameraInfo) -> bool {
    let Ok(index) = camera.index().as_index() else {
        return true;
    };
    let node = format!("/sys/class/video4linux/video{index}/index");
    std::fs::read_to_string(node).map_or(true, |node| node.trim() == "0")
}

#[cfg(not(target_os = "linux"))]
fn captures(_: &CameraInfo) -> bool {
    true
}

/// macOS asks the person once, when told to.
#[cfg(target_os = "macos")]
fn allowed() -> Result<(), DeviceError> {
    if nokhwa::nokhwa_check() {
        return Ok(());
    }
    let (tell, told) = std::sync::mpsc::channel();
    nokhwa::nokhwa_initialize(move |yes| drop(tell.send(yes)));
    match told.recv_timeout(std::time::Duration::from_secs(60)) {
        Ok(true) => Ok(()),
        _ => Err(DeviceError::Refused),
    }
}

#[cfg(not(target_os = "macos"))]
fn allowed() -> Result<(), DeviceError> {
    Ok(())
}

/// A camera that is on.
struct Running {
    camera: Camera,
    /// Pictures in a row that could not be read.
    broken: u32,
}

impl Running {
    fn open(index: &CameraIndex) -> Result<Self, DeviceError> {
        // Any format, to learn which there are.
        let any = RequestedFormat::new::<RgbFormat>(RequestedFormatType::None);
        let mut camera = Camera::new(index.clone(), any).map_err(|error| meaning(&error))?;
        let formats = camera.compatible_camera_formats().unwrap_or_default();
        if let Some(format) = best(&formats) {
            // A camera that does not take it keeps the one it has.
            if let Err(error) = camera.set_camera_requset(exactly(format)) {
                tracing::debug!(%error, "camera keeps its format");
            }
        }
        camera.open_stream().map_err(|error| meaning(&error))?;
        Ok(Self { camera, broken: 0 })
    }
}

fn exactly(format: CameraFormat) -> RequestedFormat<'static> {
    const ALL: &[FrameFormat] = &[
        FrameFormat::MJPEG,
        FrameFormat::YUYV,
        FrameFormat::NV12,
        FrameFormat::GRAY,
        FrameFormat::RAWRGB,
        FrameFormat::RAWBGR,
    ];
    RequestedFormat::with_formats(RequestedFormatType::Exact(format), ALL)
}

impl VideoSource for Running {
    fn next(&mut self, _: Pace) -> Result<Option<Picture>, DeviceError> {
        let buffer = self.camera.frame().map_err(|error| match meaning(&error) {
            // It did work.
            DeviceError::NoDevice | DeviceError::Broken => DeviceError::Vanished,
            other => other,
        })?;
        let layout = match buffer.source_frame_format() {
            FrameFormat::MJPEG => Layout::Mjpeg,
            FrameFormat::YUYV => Layout::Yuyv,
            FrameFormat::NV12 => Layout::Nv12,
            FrameFormat::GRAY => Layout::Gray,
            FrameFormat::RAWRGB => Layout::Rgb,
            FrameFormat::RAWBGR => Layout::Bgr,
        };
        let resolution = buffer.resolution();
        let picture = convert(Raw {
            layout,
            size: Size::new(resolution.width(), resolution.height()),
            stride: None,
            bytes: buffer.buffer(),
            at: Instant::now(),
        });
        match picture {
            Ok(picture) => {
                self.broken = 0;
                Ok(Some(picture))
            }
            // Cameras give a torn JPEG at times, most of all at the start.
            Err(_) if self.broken < 30 => {
                self.broken += 1;
                Ok(None)
            }
            Err(_) => Err(DeviceError::Broken),
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        if let Err(error) = self.camera.stop_stream() {
            tracing::debug!(%error, "camera did not stop");
        }
    }
}
