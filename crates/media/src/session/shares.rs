//! Who may use how much of what a path carries: the voice first, then the
//! pictures. Pure.

use crate::audio::bitrate::STEPS;
use std::ops::RangeInclusive;

/// Bits a second around a voice's own, as the estimate counts them: RTP header
/// and frame encryption of 50 packets a second.
const AROUND_VOICE: u32 = 16_000;

/// The voice's bits a second. Below the least everything else stops.
const VOICE: RangeInclusive<u32> = STEPS[0]..=STEPS[STEPS.len() - 1];

/// A picture beside a voice leaves it at least this part of a narrow path.
const VOICE_PART: u32 = 4;

/// A camera beside a screen gets this part of what pictures get, and at most so
/// much.
const CAMERA_PART: u32 = 4;
const CAMERA_MOST: u32 = 800_000;

/// Bits a second for what a call consists of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Shares {
    pub voice: u32,
    pub camera: u32,
    pub screen: u32,
}

/// Shares `estimate` out. A screen that is shown goes before the camera, which
/// keeps a small picture.
pub fn share_out(estimate: u32, camera: bool, screen: bool) -> Shares {
    let part = match camera || screen {
        true => estimate / VOICE_PART,
        false => estimate,
    };
    let voice = part
        .saturating_sub(AROUND_VOICE)
        .clamp(*VOICE.start(), *VOICE.end());
    let left = estimate.saturating_sub(voice + AROUND_VOICE);
    let (camera, screen) = match (camera, screen) {
        (false, false) => (0, 0),
        (true, false) => (left, 0),
        (false, true) => (0, left),
        (true, true) => {
            let camera = (left / CAMERA_PART).min(CAMERA_MOST);
            (camera, left - camera)
        }
    };
    Shares {
        voice,
        camera,
        screen,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::peer::{BELIEVED, SMALLEST_PICTURE};
    use crate::video::Content;
    use crate::video::adaptation::ladder;

    #[test]
    fn nothing_is_given_twice() {
        for estimate in (60_000..8_000_000).step_by(33_333) {
            for (camera, screen) in [(false, false), (true, false), (false, true), (true, true)] {
                let shares = share_out(estimate, camera, screen);
                let sum = shares.voice + AROUND_VOICE + shares.camera + shares.screen;
                assert!(sum <= estimate, "{shares:?} of {estimate}");
            }
        }
    }

    #[test]
    fn the_voice_goes_first_and_is_whole_as_soon_as_there_is_room() {
        let voice = |estimate| share_out(estimate, true, false).voice;
        assert_eq!(
            share_out(20_000, true, true),
            share_out(20_000, false, false)
        );
        assert_eq!(voice(70_000), *VOICE.start());
        assert!((24_000..40_000).contains(&voice(200_000)));
        assert_eq!(voice(300_000), *VOICE.end());
        assert_eq!(share_out(100_000, false, false).voice, *VOICE.end());
    }

    #[test]
    fn a_screen_goes_before_the_camera() {
        let both = share_out(1_064_000, true, true);
        assert_eq!(both.camera + both.screen, 1_000_000);
        assert!(both.screen > both.camera && both.camera > 0);
        assert_eq!(share_out(8_000_000, true, true).camera, CAMERA_MOST);
    }

    #[test]
    fn the_smallest_picture_has_room_in_what_a_queue_leaves() {
        let shares = share_out(SMALLEST_PICTURE as u32, true, false);
        assert!(shares.camera >= ladder(Content::Camera)[0].begins_with());
    }

    #[test]
    fn every_picture_can_begin_with_what_is_believed_without_proof() {
        let first = |content| ladder(content)[0].begins_with();
        let both = share_out(BELIEVED as u32, true, true);
        assert!(both.camera >= first(Content::Camera));
        for content in [Content::Text, Content::Motion] {
            assert!(both.screen >= first(content), "{content:?}");
        }
    }
}
