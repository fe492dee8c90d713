//! Pictures of a PipeWire node. PipeWire's loop runs on the thread that waits
//! for a picture, so nothing is shared between threads.

use crate::device::DeviceError;
use crate::video::picture::{Layout, Raw, convert};
use crate::video::{Picture, Size};
use pipewire::context::ContextRc;
use pipewire::core::CoreRc;
use pipewire::keys;
use pipewire::loop_::Timeout;
use pipewire::main_loop::MainLoopRc;
use pipewire::properties::properties;
use pipewire::spa::param::ParamType;
use pipewire::spa::param::format::{FormatProperties, MediaSubtype, MediaType};
use pipewire::spa::param::format_utils::parse_format;
use pipewire::spa::param::video::{VideoFormat, VideoInfoRaw};
use pipewire::spa::pod::serialize::PodSerializer;
use pipewire::spa::pod::{Pod, Value, object, property};
use pipewire::spa::utils::{Direction, Fraction, Rectangle, SpaTypes};
use pipewire::stream::{StreamFlags, StreamListener, StreamRc, StreamState};
use std::cell::RefCell;
use std::io::Cursor;
use std::os::fd::OwnedFd;
use std::rc::Rc;
use std::time::{Duration, Instant};

/// A connected stream. Fields are dropped from the top down, and each needs
/// those below it.
pub struct Stream {
    _listener: StreamListener<()>,
    _stream: StreamRc,
    _core: CoreRc,
    main_loop: MainLoopRc,
    seen: Rc<RefCell<Seen>>,
}

/// What the callbacks left.
#[derive(Default)]
struct Seen {
    format: Option<(Layout, Size)>,
    newest: Option<Picture>,
    /// When the next picture is worth converting.
    earliest: Option<Instant>,
    over: bool,
}

impl Stream {
    pub fn open(remote: OwnedFd, node: u32) -> Result<Self, DeviceError> {
        Self::try_open(remote, node).map_err(|error| {
            tracing::debug!(%error, "no pictures from PipeWire");
            DeviceError::Broken
        })
    }

    fn try_open(remote: OwnedFd, node: u32) -> Result<Self, pipewire::Error> {
        pipewire::init();
        let main_loop = MainLoopRc::new(None)?;
        let context = ContextRc::new(&main_loop, None)?;
        let core = context.connect_fd_rc(remote, None)?;
        let about = properties! {
            *keys::MEDIA_TYPE => "Video",
            *keys::MEDIA_CATEGORY => "Capture",
            *keys::MEDIA_ROLE => "Screen",
        };
        let stream = StreamRc::new(core.clone(), "sotto-screen", about)?;
        let seen = Rc::new(RefCell::new(Seen::default()));
        let (state, format, frames) = (Rc::clone(&seen), Rc::clone(&seen), Rc::clone(&seen));
        let listener = stream
            .add_local_listener::<()>()
            .state_changed(move |_, (), old, new| {
                let ended = matches!(new, StreamState::Error(_))
                    || (new == StreamState::Unconnected && old != StreamState::Unconnected);
                state.borrow_mut().over |= ended;
            })
            .param_changed(move |_, (), id, param| {
                if let (true, Some(param)) = (id == ParamType::Format.as_raw(), param) {
                    format.borrow_mut().format = understand(param);
                }
            })
            .process(move |stream, ()| {
                let Some(mut buffer) = stream.dequeue_buffer() else {
                    return;
                };
                if let Some(data) = buffer.datas_mut().first_mut() {
                    let (offset, stride) = (data.chunk().offset(), data.chunk().stride());
                    frames.borrow_mut().picture(data.data(), offset, stride);
                }
            })
            .register()?;
        let wish = wish();
        let mut params = [Pod::from_bytes(&wish).ok_or(pipewire::Error::CreationFailed)?];
        let flags = StreamFlags::AUTOCONNECT | StreamFlags::MAP_BUFFERS;
        stream.connect(Direction::Input, Some(node), flags, &mut params)?;
        Ok(Self {
            _listener: listener,
            _stream: stream,
            _core: core,
            main_loop,
            seen,
        })
    }

    /// Wait for a picture; those before `earliest` are dropped unread.
    pub fn next(
        &self,
        earliest: Option<Instant>,
        at_most: Duration,
    ) -> Result<Option<Picture>, DeviceError> {
        self.seen.borrow_mut().earliest = earliest;
        let until = Instant::now() + at_most;
        loop {
            let left = until.saturating_duration_since(Instant::now());
            self.main_loop.loop_().iterate(Timeout::Finite(left));
            let mut seen = self.seen.borrow_mut();
            if let Some(picture) = seen.newest.take() {
                return Ok(Some(picture));
            }
            if seen.over {
                return Err(DeviceError::Vanished);
            }
            if left.is_zero() {
                return Ok(None);
            }
        }
    }
}

impl Seen {
    fn picture(&mut self, bytes: Option<&mut [u8]>, offset: u32, stride: i32) {
        let now = Instant::now();
        if self.earliest.is_some_and(|earliest| now < earliest) {
            return;
        }
        let (Some(bytes), Some((layout, size))) = (bytes, self.format) else {
            return;
        };
        let Some(bytes) = bytes.get(offset as usize..) else {
            return;
        };
        let picture = convert(Raw {
            layout,
            size,
            stride: u32::try_from(stride).ok().filter(|stride| *stride > 0),
            bytes,
            at: now,
        });
        if let Ok(picture) = picture {
            self.newest = Some(picture);
        }
    }
}

fn understand(param: &Pod) -> Option<(Layout, Size)> {
    let (kind, subtype) = parse_format(param).ok()?;
    if kind != MediaType::Video || subtype != MediaSubtype::Raw {
        return None;
    }
    let mut info = VideoInfoRaw::default();
    info.parse(param).ok()?;
    let layout = match info.format() {
        VideoFormat::BGRx | VideoFormat::BGRA => Layout::Bgra,
        VideoFormat::RGBx | VideoFormat::RGBA => Layout::Rgba,
        _ => return None,
    };
    Some((layout, Size::new(info.size().width, info.size().height)))
}

/// The formats that are taken, as PipeWire wants to be told. No modifiers are
/// named, so that pictures come in ordinary memory.
fn wish() -> Vec<u8> {
    let rectangle = |width, height| Rectangle { width, height };
    let rate = |num| Fraction { num, denom: 1 };
    let wish = object!(
        SpaTypes::ObjectParamFormat,
        ParamType::EnumFormat,
        property!(FormatProperties::MediaType, Id, MediaType::Video),
        property!(FormatProperties::MediaSubtype, Id, MediaSubtype::Raw),
        property!(
            FormatProperties::VideoFormat,
            Choice,
            Enum,
            Id,
            VideoFormat::BGRx,
            VideoFormat::BGRx,
            VideoFormat::BGRA,
            VideoFormat::RGBx,
            VideoFormat::RGBA,
        ),
        property!(
            FormatProperties::VideoSize,
            Choice,
            Range,
            Rectangle,
            rectangle(1920, 1080),
            rectangle(1, 1),
            rectangle(8192, 4608)
        ),
        property!(
            FormatProperties::VideoFramerate,
            Choice,
            Range,
            Fraction,
            rate(30),
            rate(0),
            rate(60)
        ),
    );
    let bytes = PodSerializer::serialize(Cursor::new(Vec::new()), &Value::Object(wish));
    bytes.map_or_else(|_| Vec::new(), |(cursor, _)| cursor.into_inner())
}
