//! What the encoder's thread does with one picture: leave it out or scale,
//! encode and stamp it.

use super::still::Still;
use super::wishes::Wishes;
use super::{Clock, OnEvent, SenderEvent, Sent};
use crate::device::DeviceError;
use crate::video::adaptation::Target;
use crate::video::picture::{Scaler, fit_even};
use crate::video::vp8::{Encoder, Settings, Vp8Error};
use crate::video::{Content, EncodedVideo, Picture};
use std::time::{Duration, Instant};

pub struct Work {
    content: Content,
    clock: Clock,
    sink: Box<dyn FnMut(Sent) + Send>,
    on_event: OnEvent,
    encoder: Option<Encoder>,
    scaler: Scaler,
    still: Still,
    due: Option<Instant>,
    wishes: Wishes,
    last_time: Option<u32>,
    load: f32,
    failures: u32,
}

/// What became of a picture.
pub struct Done {
    /// `None`: the encoder left it out.
    pub sent: Option<Sent>,
    pub took: Duration,
    pub load: f32,
    pub quantizer: u8,
}

impl Work {
    pub fn new(clock: Clock, sink: Box<dyn FnMut(Sent) + Send>, on_event: OnEvent) -> Self {
        Self {
            content: Content::Camera,
            clock,
            sink,
            on_event,
            encoder: None,
            scaler: Scaler::default(),
            still: Still::default(),
            due: None,
            wishes: Wishes::default(),
            last_time: None,
            load: 0.0,
            failures: 0,
        }
    }

    /// What the pictures from now on are of. An encoder is made for one kind.
    pub fn is_of(&mut self, content: Content) {
        if self.content != content {
            self.content = content;
            self.pause();
        }
    }

    /// Nothing is encoded for now.
    pub fn pause(&mut self) {
        self.encoder = None;
        self.still.forget();
        self.due = None;
        self.load = 0.0;
    }

    pub fn send(&mut self, sent: Sent) {
        (self.sink)(sent);
    }

    /// `None`: the picture is not wanted, or it cannot be encoded.
    pub fn picture(&mut self, picture: &Picture, target: Target, keyframe: bool) -> Option<Done> {
        let keyframe = keyframe && self.wishes.allow(picture.at);
        if !self.is_due(picture.at, target.fps) {
            return None;
        }
        let screen = self.content != Content::Camera;
        if screen && !self.still.worth(&picture.data, picture.at) && !keyframe {
            return None;
        }
        let started = Instant::now();
        match self.encode(picture, target, keyframe) {
            Ok((sent, quantizer)) => {
                self.failures = 0;
                let took = started.elapsed();
                let part = took.as_secs_f32() * target.fps as f32;
                self.load += (part - self.load) * 0.1;
                Some(Done {
                    sent,
                    took,
                    load: self.load,
                    quantizer,
                })
            }
            Err(error) => {
                self.fail(error);
                None
            }
        }
    }

    fn encode(
        &mut self,
        picture: &Picture,
        target: Target,
        keyframe: bool,
    ) -> Result<(Option<Sent>, u8), Vp8Error> {
        let settings = Settings {
            size: fit_even(picture.size(), target.size),
            fps: target.fps.clamp(1, 60),
            bitrate: target.bitrate.max(20_000),
            content: self.content,
        };
        let scaled = self.scaler.scale(picture, settings.size);
        let scaled = scaled.map_err(|_| Vp8Error::Size)?;
        let encoder = match &mut self.encoder {
            Some(encoder) => {
                encoder.change(settings)?;
                encoder
            }
            slot @ None => slot.insert(Encoder::new(settings)?),
        };
        let encoded = encoder.encode(&scaled, self.clock.ticks(picture.at), keyframe)?;
        let Some(encoded) = encoded else {
            return Ok((None, 127));
        };
        if encoded.keyframe {
            self.wishes.granted(picture.at, keyframe);
        }
        let sent = Sent {
            frame: EncodedVideo {
                data: encoded.data,
                keyframe: encoded.keyframe,
                rtp_time: self.stamp(picture.at),
            },
            size: settings.size,
            captured: picture.at,
            encoded: Instant::now(),
        };
        Ok((Some(sent), encoded.quantizer))
    }

    /// RTP time of a picture; no two pictures share one.
    fn stamp(&mut self, at: Instant) -> u32 {
        let time = self.clock.rtp(at);
        let time = match self.last_time {
            Some(last) if time.wrapping_sub(last).cast_signed() <= 0 => last.wrapping_add(1),
            _ => time,
        };
        self.last_time = Some(time);
        time
    }

    /// Sources give more than is wanted at times. A picture that is a little
    /// early counts as in time.
    fn is_due(&mut self, at: Instant, fps: u32) -> bool {
        let interval = Duration::from_secs(1) / fps.max(1);
        let due = self.due.unwrap_or(at);
        if at + interval / 3 < due {
            return false;
        }
        let next = due + interval;
        self.due = Some(if next < at { at + interval } else { next });
        true
    }

    fn fail(&mut self, error: Vp8Error) {
        tracing::warn!(%error, "video frame not encoded");
        self.encoder = None;
        self.failures += 1;
        // Once: a codec that does not work will not by trying.
        if self.failures == 10 {
            (self.on_event)(SenderEvent::Failed(DeviceError::Broken));
        }
    }
}
