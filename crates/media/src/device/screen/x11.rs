//! Screens and windows of an X11 server: the list, and pictures by GetImage.
//! A window is read from its own pixmap (Composite), so that what lies over it
//! is not shared with it. The pointer is drawn in (XFixes).

use super::PREFIX;
use crate::device::{Device, DeviceError, DeviceKind, DeviceName};
use crate::video::picture::{Layout, Raw, convert};
use crate::video::source::{Metronome, PATIENCE, Pace, VideoSource};
use crate::video::{Picture, Size};
use std::thread;
use std::time::{Duration, Instant};
use x11rb::connection::{Connection, RequestConnection};
use x11rb::errors::{ConnectError, ReplyError};
use x11rb::protocol::composite::{self, ConnectionExt as _, Redirect};
use x11rb::protocol::randr::ConnectionExt as _;
use x11rb::protocol::xfixes::{self, ConnectionExt as _};
use x11rb::protocol::xproto::{
    AtomEnum, ConnectionExt as _, Drawable, ImageFormat, ImageOrder, MapState, Pixmap, Window,
};
use x11rb::rust_connection::RustConnection;

mod pointer;

#[cfg(test)]
mod tests;

/// The most windows of the list, and the most bytes of a title.
const WINDOWS: u32 = 256;
const TITLE: u32 = 256;

/// A part of the screen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Area {
    x: i16,
    y: i16,
    width: u16,
    height: u16,
}

/// Screens first, then windows, the uppermost first. `display`: as in
/// `DISPLAY`; `None` is that.
pub fn list(display: Option<&str>) -> Result<Vec<Device>, DeviceError> {
    let server = Server::connect(display)?;
    let monitors = server.monitors()?.into_iter().enumerate();
    let mut devices: Vec<_> = monitors
        .map(|(position, (name, area))| Device {
            name: DeviceName(format!("{PREFIX}x11:monitor:{name}")),
            kind: DeviceKind::Screen,
            label: format!("{name}, {} × {}", area.width, area.height),
            default: position == 0,
            synthetic: false,
        })
        .collect();
    let windows = server.windows().unwrap_or_default();
    devices.extend(windows.into_iter().map(|(window, title)| Device {
        name: DeviceName(format!("{PREFIX}x11:window:{window}")),
        kind: DeviceKind::Screen,
        label: title,
        default: false,
        synthetic: false,
    }));
    Ok(devices)
}

/// A screen or window that is shared.
pub struct Screen {
    server: Server,
    target: Target,
    metronome: Metronome,
}

enum Target {
    Monitor(String),
    Window(Shared),
}

/// A window that is shared, and its pixmap as long as it has one size.
struct Shared {
    window: Window,
    pixmap: Option<(Pixmap, Size)>,
}

impl Screen {
    /// `name` is what follows the prefix in a name of [`list`].
    pub fn open(display: Option<&str>, name: &str) -> Result<Self, DeviceError> {
        let name = name.strip_prefix("x11:").ok_or(DeviceError::NoDevice)?;
        let mut server = Server::connect(display)?;
        let target = if let Some(monitor) = name.strip_prefix("monitor:") {
            server.monitor(monitor).ok_or(DeviceError::NoDevice)?;
            Target::Monitor(monitor.to_owned())
        } else {
            let window = name.strip_prefix("window:").and_then(|id| id.parse().ok());
            let window = window.ok_or(DeviceError::NoDevice)?;
            server.size(window).map_err(|_| DeviceError::NoDevice)?;
            server.redirect(window);
            Target::Window(Shared {
                window,
                pixmap: None,
            })
        };
        Ok(Self {
            server,
            target,
            metronome: Metronome::default(),
        })
    }
}

impl VideoSource for Screen {
    fn next(&mut self, pace: Pace) -> Result<Option<Picture>, DeviceError> {
        let at = self.metronome.wait(pace.fps.min(30));
        let picture = match &mut self.target {
            Target::Monitor(name) => {
                let area = self.server.monitor(name).ok_or(DeviceError::Vanished)?;
                self.server
                    .read(self.server.root, area, (area.x, area.y), at)
            }
            Target::Window(shared) => self.server.read_window(shared, at),
        }?;
        if picture.is_none() {
            // Minimized, or between two sizes.
            thread::sleep(PATIENCE.min(Duration::from_millis(100)));
        }
        Ok(picture)
    }
}

/// A connection to the server, and what it can do.
struct Server {
    connection: RustConnection,
    root: Window,
    has_composite: bool,
    has_pointer: bool,
}

impl Server {
    fn connect(display: Option<&str>) -> Result<Self, DeviceError> {
        let (connection, screen) = x11rb::connect(display).map_err(|error| match error {
            ConnectError::SetupAuthenticate(_) | ConnectError::SetupFailed(_) => {
                DeviceError::Refused
            }
            _ => DeviceError::NoDevice,
        })?;
        let root = connection.setup().roots.get(screen);
        let root = root.ok_or(DeviceError::Broken)?.root;
        let has = |name| matches!(connection.extension_information(name), Ok(Some(_)));
        let mut server = Self {
            has_composite: has(composite::X11_EXTENSION_NAME),
            has_pointer: has(xfixes::X11_EXTENSION_NAME),
            connection,
            root,
        };
        // Extensions answer only after their version was asked for.
        let version = server.connection.composite_query_version(0, 4);
        server.has_composite &= version.is_ok_and(|cookie| cookie.reply().is_ok());
        let version = server.connection.xfixes_query_version(4, 0);
        server.has_pointer &= version.is_ok_and(|cookie| cookie.reply().is_ok());
        Ok(server)
    }

    /// Monitors with their names; without RandR the one screen.
    fn monitors(&self) -> Result<Vec<(String, Area)>, DeviceError> {
        let cookie = self.connection.randr_get_monitors(self.root, true);
        let monitors = cookie.ok().and_then(|cookie| cookie.reply().ok());
        let mut found = Vec::new();
        for monitor in monitors.into_iter().flat_map(|reply| reply.monitors) {
            let area = Area {
                x: monitor.x,
                y: monitor.y,
                width: monitor.width,
                height: monitor.height,
            };
            let name = self.connection.get_atom_name(monitor.name);
            let name = name.ok().and_then(|cookie| cookie.reply().ok());
            let name = name.map(|reply| String::from_utf8_lossy(&reply.name).into_owned());
            found.push((name.unwrap_or_else(|| found.len().to_string()), area));
        }
        if found.is_empty() {
            let size = self.size(self.root).map_err(|_| DeviceError::Broken)?;
            let area = Area {
                x: 0,
                y: 0,
                width: size.width as u16,
                height: size.height as u16,
            };
            found.push(("screen".to_owned(), area));
        }
        Ok(found)
    }

    fn monitor(&self, name: &str) -> Option<Area> {
        let monitors = self.monitors().ok()?;
        let found = monitors.into_iter().find(|(known, _)| known == name);
        found.map(|(_, area)| area)
    }

    /// Windows of programs with their titles: as the window manager lists
    /// them, or without one whatever is on the screen.
    fn windows(&self) -> Result<Vec<(Window, String)>, ReplyError> {
        let mut windows = self.managed()?;
        if windows.is_empty() {
            windows = self.connection.query_tree(self.root)?.reply()?.children;
            windows.retain(|window| self.is_visible(*window));
        }
        windows.reverse();
        windows.truncate(WINDOWS as usize);
        let titled = windows.into_iter().filter_map(|window| {
            let title = self.title(window)?;
            Some((window, title))
        });
        Ok(titled.collect())
    }

    fn managed(&self) -> Result<Vec<Window>, ReplyError> {
        let name = b"_NET_CLIENT_LIST_STACKING";
        let atom = self.connection.intern_atom(true, name)?.reply()?.atom;
        if atom == x11rb::NONE {
            return Ok(Vec::new());
        }
        let list = self.connection.get_property(
            false,
            self.root,
            atom,
            AtomEnum::WINDOW,
            0,
            4 * WINDOWS,
        )?;
        let list = list.reply()?;
        Ok(list.value32().map(Iterator::collect).unwrap_or_default())
    }

    fn is_visible(&self, window: Window) -> bool {
        let attributes = self.connection.get_window_attributes(window);
        let attributes = attributes.ok().and_then(|cookie| cookie.reply().ok());
        attributes.is_some_and(|reply| reply.map_state == MapState::VIEWABLE)
    }

    fn title(&self, window: Window) -> Option<String> {
        let modern = self.connection.intern_atom(true, b"_NET_WM_NAME").ok()?;
        let modern = modern.reply().ok()?.atom;
        for atom in [modern, AtomEnum::WM_NAME.into()] {
            if atom == x11rb::NONE {
                continue;
            }
            let any = AtomEnum::ANY;
            let value = self
                .connection
                .get_property(false, window, atom, any, 0, TITLE / 4);
            let value = value.ok()?.reply().ok()?.value;
            let title = String::from_utf8_lossy(&value);
            let title: String = title.chars().filter(|c| !c.is_control()).collect();
            if !title.trim().is_empty() {
                return Some(title);
            }
        }
        None
    }

    fn size(&self, drawable: Drawable) -> Result<Size, ReplyError> {
        let geometry = self.connection.get_geometry(drawable)?.reply()?;
        Ok(Size::new(geometry.width.into(), geometry.height.into()))
    }

    /// Have the server keep the window's pixels apart from what covers them.
    fn redirect(&mut self, window: Window) {
        let redirect = Redirect::AUTOMATIC;
        let asked = self.connection.composite_redirect_window(window, redirect);
        self.has_composite &= asked.is_ok_and(|cookie| cookie.check().is_ok());
    }

    fn read_window(
        &self,
        shared: &mut Shared,
        at: Instant,
    ) -> Result<Option<Picture>, DeviceError> {
        let size = self.size(shared.window).map_err(gone)?;
        if !self.is_visible(shared.window) {
            self.forget(shared);
            return Ok(None);
        }
        let area = Area {
            x: 0,
            y: 0,
            width: size.width as u16,
            height: size.height as u16,
        };
        if shared.pixmap.is_some_and(|(_, known)| known != size) {
            self.forget(shared);
        }
        if self.has_composite && shared.pixmap.is_none() {
            let pixmap = self
                .connection
                .generate_id()
                .map_err(|_| DeviceError::Broken)?;
            let named = self
                .connection
                .composite_name_window_pixmap(shared.window, pixmap);
            // It may have been closed since.
            if !named.is_ok_and(|cookie| cookie.check().is_ok()) {
                return Ok(None);
            }
            shared.pixmap = Some((pixmap, size));
        }
        let drawable = shared.pixmap.map_or(shared.window, |(pixmap, _)| pixmap);
        let on_root = self
            .connection
            .translate_coordinates(shared.window, self.root, 0, 0);
        let on_root = on_root.ok().and_then(|cookie| cookie.reply().ok());
        let corner = on_root.map_or((0, 0), |reply| (reply.dst_x, reply.dst_y));
        self.read(drawable, area, corner, at)
    }

    fn forget(&self, shared: &mut Shared) {
        if let Some((pixmap, _)) = shared.pixmap.take() {
            // The server forgets it with the connection at the latest.
            let _ = self.connection.free_pixmap(pixmap);
        }
    }

    /// Read the pixels. `corner`: where they lie on the screen. `None`: they
    /// cannot be read just now.
    fn read(
        &self,
        drawable: Drawable,
        area: Area,
        corner: (i16, i16),
        at: Instant,
    ) -> Result<Option<Picture>, DeviceError> {
        let Area {
            x,
            y,
            width,
            height,
        } = area;
        let format = ImageFormat::Z_PIXMAP;
        let cookie = self
            .connection
            .get_image(format, drawable, x, y, width, height, u32::MAX)
            .map_err(|_| DeviceError::Vanished)?;
        let image = match cookie.reply() {
            Ok(image) => image,
            // A window that reaches beyond the screen, or just changed.
            Err(ReplyError::X11Error(_)) => return Ok(None),
            Err(ReplyError::ConnectionError(_)) => return Err(DeviceError::Vanished),
        };
        let setup = self.connection.setup();
        let formats = &setup.pixmap_formats;
        let pixels = formats.iter().find(|format| format.depth == image.depth);
        let ordinary = pixels.is_some_and(|format| format.bits_per_pixel == 32);
        if !ordinary || setup.image_byte_order != ImageOrder::LSB_FIRST {
            return Err(DeviceError::Broken);
        }
        let mut bytes = image.data;
        let size = Size::new(width.into(), height.into());
        if self.has_pointer {
            pointer::draw(&self.connection, &mut bytes, size, corner);
        }
        let picture = convert(Raw {
            layout: Layout::Bgra,
            size,
            stride: None,
            bytes: &bytes,
            at,
        });
        picture.map(Some).map_err(|_| DeviceError::Broken)
    }
}

/// What it means that a window does not answer.
fn gone(_: ReplyError) -> DeviceError {
    DeviceError::Vanished
}
