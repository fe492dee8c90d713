//! A private PulseAudio.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

const SOON: Duration = Duration::from_secs(15);

/// The environment in which the server is found.
pub fn surroundings(folder: &Path) -> Vec<(&'static str, PathBuf)> {
    let socket = format!("unix:{}", folder.join("native").display());
    vec![
        ("HOME", folder.into()),
        ("XDG_RUNTIME_DIR", folder.into()),
        ("XDG_CONFIG_HOME", folder.into()),
        ("PULSE_SERVER", socket.into()),
        ("PULSE_COOKIE", folder.join("cookie")),
    ]
}

/// Ends with its owner.
pub struct Server(Child);

impl Server {
    /// A server of our own with two speakers, `ear` and `ring`.
    pub fn start(folder: &Path) -> Self {
        // Our library sends what it finds; the server wants any 256 bytes.
        std::fs::write(folder.join("cookie"), [7; 256]).expect("a cookie");
        let socket = folder.join("native");
        let native = format!(
            "module-native-protocol-unix socket={} auth-anonymous=1",
            socket.display()
        );
        let sink = |name: &str, rate: u32| {
            format!("module-null-sink sink_name={name} rate={rate} channels=2 format=s16le")
        };
        let child = Command::new("pulseaudio")
            .args([
                "-n",
                "--daemonize=no",
                "--use-pid-file=no",
                "--disable-shm=yes",
            ])
            .args(["--exit-idle-time=-1", "--log-level=error"])
            .args([
                "-L",
                &native,
                "-L",
                &sink("ear", 48_000),
                "-L",
                &sink("ring", 44_100),
            ])
            .envs(surroundings(folder))
            .env("DBUS_SESSION_BUS_ADDRESS", "")
            .stdin(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("pulseaudio must be installed (packages pulseaudio, pulseaudio-utils)");
        let until = Instant::now() + SOON;
        while std::os::unix::net::UnixStream::connect(&socket).is_err() {
            assert!(Instant::now() < until, "pulseaudio does not answer");
            std::thread::sleep(Duration::from_millis(20));
        }
        Self(child)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Tells the server something.
pub fn tell(words: &[&str]) -> String {
    let answer = Command::new("pactl")
        .args(words)
        .output()
        .expect("pactl must be installed (package pulseaudio-utils)");
    assert!(answer.status.success(), "pactl {words:?}");
    String::from_utf8_lossy(&answer.stdout).trim().to_owned()
}
