//! aiortc in a child process, with messages as lines.

use super::Foreign;
use serde_json::Value;
use std::path::Path;
use std::process::Stdio;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::process::{Child, Command};
use tokio::sync::mpsc;

pub async fn start() -> Foreign {
    let python = tokio::task::spawn_blocking(python).await.unwrap();
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/foreign/end.py");
    let mut child = Command::from(python)
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
fn python() -> std::process::Command {
    let home = Path::new(env!("CARGO_TARGET_TMPDIR")).join("aiortc");
    sotto_outside::foreign::aiortc(&home).expect("aiortc can be installed")
}
