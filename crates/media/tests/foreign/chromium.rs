//! Headless Chromium with its fake microphone and camera. The page is served
//! by the test, posts what it has to say, and asks for what is said to it.

use super::Foreign;
use serde_json::Value;
use std::process::Stdio;
use std::sync::Arc;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::process::Command;
use tokio::sync::{Mutex, mpsc};

const PAGE: &str = include_str!("end.html");

pub async fn start() -> Foreign {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let (to, sent) = mpsc::channel::<Value>(64);
    let (told, from) = mpsc::channel(64);
    let sent = Arc::new(Mutex::new(sent));
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(serve(stream, Arc::clone(&sent), told.clone()));
        }
    });
    let profile = tempfile::tempdir().unwrap();
    let program = std::env::var("SOTTO_CHROMIUM").unwrap_or_else(|_| "chromium".to_owned());
    let child = Command::new(program)
        .args([
            "--headless=new",
            "--no-sandbox",
            "--disable-gpu",
            "--mute-audio",
            "--no-first-run",
            "--use-fake-device-for-media-stream",
            "--use-fake-ui-for-media-stream",
            "--autoplay-policy=no-user-gesture-required",
            "--allow-loopback-in-peer-connection",
            "--disable-features=WebRtcHideLocalIpsWithMdns",
        ])
        .arg(format!("--user-data-dir={}", profile.path().display()))
        .arg(format!("http://{address}/"))
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .kill_on_drop(true)
        .spawn()
        .unwrap();
    Foreign {
        to,
        from,
        keep: Box::new((child, profile)),
    }
}

/// One request, just enough of HTTP.
async fn serve(
    stream: TcpStream,
    sent: Arc<Mutex<mpsc::Receiver<Value>>>,
    told: mpsc::Sender<Value>,
) -> Option<()> {
    let mut stream = BufReader::new(stream);
    let mut request = String::new();
    stream.read_line(&mut request).await.ok()?;
    let mut length = 0;
    loop {
        let mut line = String::new();
        stream.read_line(&mut line).await.ok()?;
        let line = line.trim().to_ascii_lowercase();
        if let Some(value) = line.strip_prefix("content-length:") {
            length = value.trim().parse().ok()?;
        }
        if line.is_empty() {
            break;
        }
    }
    let mut body = vec![0; length];
    stream.read_exact(&mut body).await.ok()?;
    let (kind, answer) = match request.split(' ').nth(1)? {
        "/" => ("text/html", PAGE.to_owned()),
        "/say" => {
            told.send(serde_json::from_slice(&body).ok()?).await.ok()?;
            ("application/json", "{}".to_owned())
        }
        "/hear" => {
            let message = sent.lock().await.recv().await?;
            ("application/json", message.to_string())
        }
        _ => ("text/plain", String::new()),
    };
    let head = format!(
        "HTTP/1.1 200 OK\r\nContent-Type: {kind}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n",
        answer.len()
    );
    stream.write_all(head.as_bytes()).await.ok()?;
    stream.write_all(answer.as_bytes()).await.ok()?;
    stream.shutdown().await.ok()
}
