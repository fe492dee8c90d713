//! A YUV4MPEG2 file as a camera, played in a loop at its own rate. 4:2:0 with
//! 8 bits only. A file is a stranger's bytes: the header is bounded, and a
//! frame that is cut short ends the round.

use super::{Device, DeviceError, DeviceKind, DeviceName};
use crate::video::source::{Metronome, Pace, VideoSource};
use crate::video::{Picture, Size};
use std::fs::File;
use std::io::{BufRead, BufReader, ErrorKind, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

#[cfg(test)]
mod tests;

const PREFIX: &str = "y4m:";
/// The most bytes of a header line.
const LINE: u64 = 256;

/// The file as an entry of the device list. It is not opened yet.
pub fn device(path: &Path) -> Device {
    let label = path.file_name().unwrap_or(path.as_os_str());
    Device {
        name: DeviceName(format!("{PREFIX}{}", path.display())),
        kind: DeviceKind::Camera,
        label: label.to_string_lossy().into_owned(),
        default: false,
        synthetic: true,
    }
}

/// The path in a name that [`device`] made.
pub fn path(name: &DeviceName) -> Option<PathBuf> {
    name.0.strip_prefix(PREFIX).map(PathBuf::from)
}

/// Pictures of a file.
pub struct Y4m {
    file: BufReader<File>,
    format: Format,
    start: u64,
    metronome: Metronome,
    /// Frames read in this round.
    read: u64,
}

/// What the header says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Format {
    size: Size,
    /// Frames a second, as a fraction.
    rate: (u32, u32),
}

impl Y4m {
    pub fn open(path: &Path) -> Result<Self, DeviceError> {
        let file = File::open(path).map_err(|error| match error.kind() {
            ErrorKind::NotFound => DeviceError::NoDevice,
            ErrorKind::PermissionDenied => DeviceError::Refused,
            _ => DeviceError::Broken,
        })?;
        let mut file = BufReader::with_capacity(1 << 20, file);
        let line = line(&mut file)?.ok_or(DeviceError::Broken)?;
        let format = Format::parse(&line).ok_or(DeviceError::Broken)?;
        let start = file.stream_position().map_err(|_| DeviceError::Broken)?;
        Ok(Self {
            file,
            format,
            start,
            metronome: Metronome::default(),
            read: 0,
        })
    }

    fn frame(&mut self) -> Result<Vec<u8>, DeviceError> {
        if let Some(frame) = self.try_frame()? {
            return Ok(frame);
        }
        if self.read == 0 {
            return Err(DeviceError::Broken);
        }
        self.read = 0;
        self.file
            .seek(SeekFrom::Start(self.start))
            .map_err(|_| DeviceError::Broken)?;
        self.try_frame()?.ok_or(DeviceError::Broken)
    }

    /// `None` at the end of the file.
    fn try_frame(&mut self) -> Result<Option<Vec<u8>>, DeviceError> {
        let Some(head) = line(&mut self.file)? else {
            return Ok(None);
        };
        if !head.starts_with("FRAME") {
            return Err(DeviceError::Broken);
        }
        let bytes = self.format.size.bytes().map_err(|_| DeviceError::Broken)?;
        let mut data = vec![0; bytes];
        match self.file.read_exact(&mut data) {
            Ok(()) => {
                self.read += 1;
                Ok(Some(data))
            }
            Err(error) if error.kind() == ErrorKind::UnexpectedEof => Ok(None),
            Err(_) => Err(DeviceError::Vanished),
        }
    }
}

impl VideoSource for Y4m {
    fn next(&mut self, _: Pace) -> Result<Option<Picture>, DeviceError> {
        let (frames, seconds) = self.format.rate;
        let at = self.metronome.wait((frames / seconds).clamp(1, 60));
        let data = self.frame()?;
        let picture = Picture::new(self.format.size, data, at);
        picture.map(Some).map_err(|_| DeviceError::Broken)
    }
}

impl Format {
    fn parse(line: &str) -> Option<Self> {
        let mut words = line.split(' ');
        if words.next() != Some("YUV4MPEG2") {
            return None;
        }
        let (mut width, mut height, mut rate) = (0, 0, (30, 1));
        for word in words {
            let mut letters = word.chars();
            let kind = letters.next();
            let value = letters.as_str();
            match kind {
                Some('W') => width = value.parse().ok()?,
                Some('H') => height = value.parse().ok()?,
                Some('F') => {
                    let (frames, seconds) = value.split_once(':')?;
                    rate = (frames.parse().ok()?, seconds.parse().ok()?);
                }
                // 420jpeg, 420mpeg2, 420paldv differ in where chroma lies, by
                // half a pixel; 420p10 has more bits.
                Some('C') if !value.starts_with("420") || value.starts_with("420p1") => {
                    return None;
                }
                Some('I') if value != "p" && value != "?" => return None,
                _ => {}
            }
        }
        let size = Size::new(width, height);
        size.bytes().ok()?;
        (rate.0 > 0 && rate.1 > 0).then_some(Self { size, rate })
    }
}

/// A line without its end; `None` at the end of the file.
fn line(file: &mut impl BufRead) -> Result<Option<String>, DeviceError> {
    let mut line = Vec::new();
    let read = file.take(LINE).read_until(b'\n', &mut line);
    read.map_err(|_| DeviceError::Vanished)?;
    match line.pop() {
        None => Ok(None),
        Some(b'\n') => String::from_utf8(line)
            .map(Some)
            .map_err(|_| DeviceError::Broken),
        Some(_) => Err(DeviceError::Broken),
    }
}
