//! aiortc in a child process, with messages as lines.

use super::Foreign;
use serde_json::Value;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::Mutex;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::process::{Child, Command};
use tokio::sync::mpsc;

const VERSION: &str = "aiortc==1.16.0";

/// One installs, the others wait.
static INSTALLING: Mutex<()> = Mutex::new(());

pub async fn start() -> Foreign {
    let python = tokio::task::spawn_blocking(python).await.unwrap();
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/foreign/end.py");
    let mut child = Command::new(python)
        .arg(script)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .unwrap();
    let foreign = pipes(&mut child);
    Foreign {
        keep: Box::new(child),
        ..foreign
    }
}

fn pipes(child: &mut Child) -> Foreign {
    let mut stdin = child.stdin.take().unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let (to, mut sent) = mpsc::channel::<Value>(64);
    let (told, from) = mpsc::channel(64);
    tokio::spawn(async move {
        while let Some(message) = sent.recv().await {
            let line = format!("{message}\n");
            if stdin.write_all(line.as_bytes()).await.is_err() {
                return;
            }
        }
    });
    tokio::spawn(async move {
        while let Ok(Some(line)) = lines.next_line().await {
            let message = serde_json::from_str(&line).unwrap();
            if told.send(message).await.is_err() {
                return;
            }
        }
    });
    Foreign {
        to,
        from,
        keep: Box::new(()),
    }
}

/// The interpreter of an environment that has aiortc.
fn python() -> PathBuf {
    let _one = INSTALLING.lock().unwrap_or_else(|e| e.into_inner());
    let home = Path::new(env!("CARGO_TARGET_TMPDIR")).join("aiortc");
    let python = home.join("bin/python");
    let marker = home.join("installed");
    if !marker.exists() {
        let run = |command: &mut std::process::Command| {
            assert!(command.status().unwrap().success(), "{command:?}");
        };
        run(std::process::Command::new("python3")
            .args(["-m", "venv"])
            .arg(&home));
        run(std::process::Command::new(&python).args(["-m", "pip", "install", "-q", VERSION]));
        std::fs::write(marker, VERSION).unwrap();
    }
    python
}
