//! Against a real server without a monitor, which each test starts for itself.

use super::*;
use crate::device::pattern::{self, Style};
use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};
use x11rb::COPY_DEPTH_FROM_PARENT;
use x11rb::protocol::Event;
use x11rb::protocol::xproto::{
    ConfigureWindowAux, CreateGCAux, CreateWindowAux, EventMask, PropMode, StackMode, WindowClass,
};
use x11rb::wrapper::ConnectionExt as _;

const PACE: Pace = Pace { fps: 30 };
const VGA: Size = Size::new(640, 480);

/// A server with nobody on it.
struct Desktop {
    server: Child,
    display: String,
}

impl Desktop {
    fn start() -> Self {
        let mut server = Command::new("Xvfb")
            .args([
                "-displayfd",
                "1",
                "-screen",
                "0",
                "1024x768x24",
                "-nolisten",
                "tcp",
                "-noreset",
            ])
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("these tests need Xvfb");
        let mut number = String::new();
        let mut told = BufReader::new(server.stdout.take().expect("its output"));
        told.read_line(&mut number).expect("it tells its number");
        let display = format!(":{}", number.trim());
        Self { server, display }
    }

    fn person(&self) -> Person {
        let (connection, _) = x11rb::connect(Some(&self.display)).expect("it answers");
        Person { connection }
    }

    fn open(&self, name: &str) -> Result<Screen, DeviceError> {
        Screen::open(Some(&self.display), name)
    }
}

impl Drop for Desktop {
    fn drop(&mut self) {
        // Asked to end it takes its lock and socket along; killed it does not.
        let id = self.server.id().to_string();
        let asked = Command::new("kill").arg(id).status();
        if !asked.is_ok_and(|status| status.success()) {
            let _ = self.server.kill();
        }
        let _ = self.server.wait();
    }
}

/// A program with windows.
struct Person {
    connection: RustConnection,
}

impl Person {
    fn window(&self, title: &str, x: i16, y: i16, size: Size) -> Window {
        let window = self.connection.generate_id().expect("an id");
        let root = self.connection.setup().roots[0].root;
        let looks = CreateWindowAux::new()
            .background_pixel(0x0040_8040)
            .event_mask(EventMask::EXPOSURE | EventMask::STRUCTURE_NOTIFY);
        self.connection
            .create_window(
                COPY_DEPTH_FROM_PARENT,
                window,
                root,
                x,
                y,
                size.width as u16,
                size.height as u16,
                0,
                WindowClass::INPUT_OUTPUT,
                0,
                &looks,
            )
            .expect("made");
        let name: u32 = AtomEnum::WM_NAME.into();
        let text = AtomEnum::STRING;
        self.connection
            .change_property8(PropMode::REPLACE, window, name, text, title.as_bytes())
            .expect("named");
        self.connection.map_window(window).expect("mapped");
        self.wait(|event| matches!(event, Event::Expose(shown) if shown.window == window));
        window
    }

    /// Paint a test picture into a window.
    fn paint(&self, window: Window, size: Size, frame: u32) {
        let picture = pattern::draw(Style::Page, size, frame, 77, Instant::now());
        let picture = picture.expect("a picture");
        let [y_plane, u_plane, v_plane] = picture.planes();
        let image = yuv::YuvPlanarImage {
            y_plane,
            y_stride: size.width,
            u_plane,
            u_stride: size.width / 2,
            v_plane,
            v_stride: size.width / 2,
            width: size.width,
            height: size.height,
        };
        let mut pixels = vec![0; size.area() as usize * 4];
        let (range, matrix) = (yuv::YuvRange::Limited, yuv::YuvStandardMatrix::Bt601);
        yuv::yuv420_to_bgra(&image, &mut pixels, size.width * 4, range, matrix).expect("converted");
        let context = self.connection.generate_id().expect("an id");
        self.connection
            .create_gc(context, window, &CreateGCAux::new())
            .expect("made");
        let row = size.width as usize * 4;
        for (y, band) in (0..).step_by(40).zip(pixels.chunks(40 * row)) {
            let rows = (band.len() / row) as u16;
            let format = ImageFormat::Z_PIXMAP;
            self.connection
                .put_image(
                    format,
                    window,
                    context,
                    size.width as u16,
                    rows,
                    0,
                    y,
                    0,
                    24,
                    band,
                )
                .expect("painted");
        }
        self.connection.sync().expect("done");
    }

    fn wait(&self, is: impl Fn(&Event) -> bool) {
        self.connection.flush().expect("sent");
        while !is(&self.connection.wait_for_event().expect("an event")) {}
    }
}

fn picture(screen: &mut Screen) -> Picture {
    screen.next(PACE).expect("it works").expect("a picture")
}

fn frame(screen: &mut Screen) -> Option<u32> {
    pattern::read(&picture(screen)).map(|(frame, _)| frame)
}

#[test]
fn a_screen_is_captured_with_what_is_on_it() {
    let desktop = Desktop::start();
    let alice = desktop.person();
    let devices = list(Some(&desktop.display)).expect("a list");
    let screen = &devices[0];
    assert!(screen.default && screen.label.contains("1024 × 768"));
    let name = screen.name.0.strip_prefix(PREFIX).expect("our name");
    let mut captured = desktop.open(name).expect("it opens");
    assert_eq!(frame(&mut captured), None);
    let full = Size::new(1024, 768);
    let window = alice.window("page", 0, 0, full);
    alice.paint(window, full, 4711);
    assert_eq!(picture(&mut captured).size(), full);
    assert_eq!(frame(&mut captured), Some(4711));
    alice.paint(window, full, 4712);
    assert_eq!(frame(&mut captured), Some(4712));
}

#[test]
fn a_window_is_captured_even_under_another_or_over_the_edge() {
    let desktop = Desktop::start();
    let alice = desktop.person();
    let window = alice.window("My page", 20, 20, VGA);
    let devices = list(Some(&desktop.display)).expect("a list");
    let device = devices.iter().find(|device| device.label == "My page");
    let name = &device.expect("it is listed").name.0;
    let name = name.strip_prefix(PREFIX).expect("our name");
    let mut captured = desktop.open(name).expect("it opens");
    alice.paint(window, VGA, 1);
    assert_eq!(frame(&mut captured), Some(1));

    let cover = alice.window("cover", 20, 20, VGA);
    alice.paint(window, VGA, 2);
    assert_eq!(
        frame(&mut captured),
        Some(2),
        "what covers it is not shared"
    );
    alice.connection.destroy_window(cover).expect("closed");

    let away = ConfigureWindowAux::new().x(-100).y(-50);
    alice
        .connection
        .configure_window(window, &away)
        .expect("moved");
    alice.wait(|event| matches!(event, Event::ConfigureNotify(told) if told.x == -100));
    alice.paint(window, VGA, 3);
    assert_eq!(frame(&mut captured), Some(3), "nor is the edge in its way");
}

#[test]
fn a_window_that_changes_its_size_is_followed_and_a_closed_one_is_gone() {
    let desktop = Desktop::start();
    let alice = desktop.person();
    let window = alice.window("page", 20, 20, VGA);
    let mut captured = desktop
        .open(&format!("x11:window:{window}"))
        .expect("it opens");
    assert_eq!(picture(&mut captured).size(), VGA);

    let larger = ConfigureWindowAux::new()
        .width(800)
        .height(600)
        .stack_mode(StackMode::ABOVE);
    alice
        .connection
        .configure_window(window, &larger)
        .expect("resized");
    alice.wait(|event| matches!(event, Event::ConfigureNotify(told) if told.width == 800));
    let size = Size::new(800, 600);
    alice.paint(window, size, 9);
    assert_eq!(picture(&mut captured).size(), size);
    assert_eq!(frame(&mut captured), Some(9));

    alice.connection.unmap_window(window).expect("minimized");
    alice.connection.sync().expect("done");
    assert!(captured.next(PACE).expect("it works").is_none());

    alice.connection.destroy_window(window).expect("closed");
    alice.connection.sync().expect("done");
    assert_eq!(captured.next(PACE).err(), Some(DeviceError::Vanished));
}

#[test]
fn the_pointer_is_in_the_picture() {
    let desktop = Desktop::start();
    let alice = desktop.person();
    let devices = list(Some(&desktop.display)).expect("a list");
    let name = devices[0].name.0.strip_prefix(PREFIX).expect("our name");
    let mut captured = desktop.open(name).expect("it opens");
    let full = Size::new(1024, 768);
    let root = alice.connection.setup().roots[0].root;
    alice.window("plain", 0, 0, full);
    let mut seen = Vec::new();
    for x in [100, 500] {
        alice
            .connection
            .warp_pointer(x11rb::NONE, root, 0, 0, 0, 0, x, 100)
            .expect("moved");
        alice.connection.sync().expect("done");
        seen.push(picture(&mut captured).data);
    }
    assert_ne!(seen[0], seen[1], "on a page of one color only it differs");
}

#[test]
fn names_of_nothing_and_servers_that_are_gone_are_told() {
    let desktop = Desktop::start();
    for name in [
        "",
        "x11:",
        "x11:window:1",
        "x11:window:what",
        "x11:monitor:none",
    ] {
        assert_eq!(
            desktop.open(name).err(),
            Some(DeviceError::NoDevice),
            "{name}"
        );
    }
    let devices = list(Some(&desktop.display)).expect("a list");
    let name = devices[0].name.0.strip_prefix(PREFIX).expect("our name");
    let mut captured = desktop.open(name).expect("it opens");
    picture(&mut captured);
    drop(desktop);
    assert_eq!(captured.next(PACE).err(), Some(DeviceError::Vanished));
    let nobody = list(Some(":54321"));
    assert_eq!(nobody.err(), Some(DeviceError::NoDevice));
}
