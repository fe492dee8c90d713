//! Which of a camera's formats to use, and what its library's errors mean.
//! Pure.

use crate::device::DeviceError;
use nokhwa::NokhwaError;
use nokhwa::utils::{CameraFormat, FrameFormat};
use std::cmp::Reverse;

/// The format nearest to 1280 × 720 at 30 a second; among equals the one that
/// costs least to read.
pub fn best(formats: &[CameraFormat]) -> Option<CameraFormat> {
    let rank = |format: &&CameraFormat| {
        let (width, height) = (format.width(), format.height());
        let area = width * height;
        let wanted: u32 = 1280 * 720;
        let rate = format.frame_rate();
        // A slow large picture is worse than a fast small one; a larger one
        // than wanted is better than one that is much too small.
        let smooth = rate.min(24);
        let distance = if area > wanted {
            (area - wanted) / 2
        } else {
            wanted - area
        };
        let cost = match format.format() {
            FrameFormat::NV12 => 0,
            FrameFormat::YUYV => 1,
            FrameFormat::RAWRGB | FrameFormat::RAWBGR => 2,
            FrameFormat::MJPEG => 3,
            FrameFormat::GRAY => 4,
        };
        (
            smooth,
            Reverse(distance),
            Reverse(rate.abs_diff(30)),
            Reverse(cost),
        )
    };
    let possible = formats.iter().filter(|format| format.width() > 0);
    possible.max_by_key(rank).copied()
}

/// The library gives the system's errors as text only.
pub fn meaning(error: &NokhwaError) -> DeviceError {
    let text = error.to_string().to_lowercase();
    let says = |words: &[&str]| words.iter().any(|word| text.contains(word));
    if says(&[
        "permission denied",
        "eacces",
        "access is denied",
        "not authorized",
        "0x80070005",
    ]) {
        DeviceError::Refused
    } else if says(&["busy", "in use", "0xc00d3704", "lock rejected"]) {
        DeviceError::Busy
    } else if says(&[
        "no such device",
        "enodev",
        "os error 19",
        "0xc00d3ea2",
        "disconnected",
    ]) {
        DeviceError::Vanished
    } else if says(&["no such file", "not found", "os error 2"]) {
        DeviceError::NoDevice
    } else {
        DeviceError::Broken
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use nokhwa::utils::Resolution;

    fn format(width: u32, height: u32, kind: FrameFormat, fps: u32) -> CameraFormat {
        CameraFormat::new(Resolution::new(width, height), kind, fps)
    }

    #[test]
    fn an_ordinary_webcam_is_used_at_720p_and_30() {
        let formats = [
            format(640, 480, FrameFormat::YUYV, 30),
            format(1280, 720, FrameFormat::YUYV, 10),
            format(1280, 720, FrameFormat::MJPEG, 30),
            format(1280, 720, FrameFormat::MJPEG, 60),
            format(1920, 1080, FrameFormat::MJPEG, 30),
            format(1920, 1080, FrameFormat::YUYV, 5),
        ];
        let chosen = format(1280, 720, FrameFormat::MJPEG, 30);
        assert_eq!(best(&formats), Some(chosen));
    }

    #[test]
    fn what_is_cheap_to_read_goes_first() {
        let formats = [
            format(1280, 720, FrameFormat::MJPEG, 30),
            format(1280, 720, FrameFormat::NV12, 30),
        ];
        assert_eq!(best(&formats), Some(formats[1]));
        assert_eq!(best(&[]), None);
    }

    #[test]
    fn errors_of_the_system_are_told_apart() {
        let open = |text: &str| NokhwaError::OpenDeviceError("0".into(), text.into());
        for (error, expected) in [
            (
                open("V4L2 Error: Permission denied (os error 13)"),
                DeviceError::Refused,
            ),
            (
                open("V4L2 Error: No such file or directory (os error 2)"),
                DeviceError::NoDevice,
            ),
            (
                NokhwaError::OpenStreamError("Device or resource busy (os error 16)".into()),
                DeviceError::Busy,
            ),
            (
                NokhwaError::ReadFrameError("No such device (os error 19)".into()),
                DeviceError::Vanished,
            ),
            (NokhwaError::UnitializedError, DeviceError::Broken),
        ] {
            assert_eq!(meaning(&error), expected, "{error}");
        }
    }
}
