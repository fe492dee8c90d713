//! Pictures for the page: `sotto-tile://localhost/TILE?w=W&h=H&after=N` is
//! answered with the newest picture of a tile, at most so large, if it is
//! newer than picture N.
//!
//! The answer is 16 bytes of header (number u64, width u32, height u32, all
//! little-endian) and the Y, U and V planes; 204 where there is nothing newer.
//! It serves nothing else: no file, no name, no other window.

use crate::{desktop::window, session::Session};
use sotto_client::call::media::Peer;
use sotto_media::{console::TileId, video::TileFrame};
use tauri::{
    Manager as _, Runtime, UriSchemeContext, UriSchemeResponder,
    http::{Request, Response, StatusCode, header},
};

/// The scheme; `tauri.conf.json` lets the page connect to it.
pub const SCHEME: &str = "sotto-tile";

/// Largest side of a picture that is handed over, in pixels.
const LARGEST: u32 = 4_096;

type Answer = Response<Vec<u8>>;

pub fn serve<R: Runtime>(
    context: UriSchemeContext<'_, R>,
    request: Request<Vec<u8>>,
    responder: UriSchemeResponder,
) {
    let ours = context.webview_label() == window::LABEL;
    let session = context.app_handle().try_state::<Session>();
    let (Some(session), true) = (session, ours) else {
        return responder.respond(empty(StatusCode::FORBIDDEN));
    };
    let session = session.inner().clone();
    // Scaling takes its time, and this is the window's thread.
    tauri::async_runtime::spawn_blocking(move || responder.respond(answer(&session, &request)));
}

fn answer(session: &Session, request: &Request<Vec<u8>>) -> Answer {
    let Some(wish) = Wish::of(
        request.uri().path(),
        request.uri().query().unwrap_or_default(),
    ) else {
        return empty(StatusCode::BAD_REQUEST);
    };
    let Ok(engine) = session.engine() else {
        return empty(StatusCode::NO_CONTENT);
    };
    match engine
        .media()
        .tile(&wish.tile, wish.width, wish.height, wish.after)
    {
        Some(frame) => reply(StatusCode::OK, body(&frame)),
        None => empty(StatusCode::NO_CONTENT),
    }
}

fn body(frame: &TileFrame) -> Vec<u8> {
    let mut body = Vec::with_capacity(16 + frame.data.len());
    body.extend_from_slice(&frame.id.to_le_bytes());
    body.extend_from_slice(&frame.size.width.to_le_bytes());
    body.extend_from_slice(&frame.size.height.to_le_bytes());
    body.extend_from_slice(&frame.data);
    body
}

fn empty(status: StatusCode) -> Answer {
    reply(status, Vec::new())
}

/// To the page this is another origin; it may read the answer, and whatever
/// else could ask is kept out by the window.
fn reply(status: StatusCode, body: Vec<u8>) -> Answer {
    let page = if cfg!(any(windows, target_os = "android")) {
        "http://tauri.localhost"
    } else {
        "tauri://localhost"
    };
    let mut answer = Response::new(body);
    *answer.status_mut() = status;
    let headers = answer.headers_mut();
    let fixed = header::HeaderValue::from_static;
    headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, fixed(page));
    headers.insert(header::CACHE_CONTROL, fixed("no-store"));
    headers.insert(header::CONTENT_TYPE, fixed("application/octet-stream"));
    answer
}

/// What one address asks for.
#[derive(Debug, PartialEq, Eq)]
struct Wish {
    tile: TileId,
    width: u32,
    height: u32,
    after: u64,
}

impl Wish {
    fn of(path: &str, query: &str) -> Option<Self> {
        let tile = parse(path.trim_start_matches('/'))?;
        let value = |name: &str| {
            query
                .split('&')
                .filter_map(|part| part.split_once('='))
                .find(|(key, _)| *key == name)
                .map(|(_, value)| value)
        };
        let side = |name| value(name)?.parse::<u32>().ok().filter(|side| *side > 0);
        Some(Self {
            tile,
            width: side("w")?.min(LARGEST),
            height: side("h")?.min(LARGEST),
            after: value("after").map_or(Ok(0), str::parse).ok()?,
        })
    }
}

/// `own-camera`, `own-screen`, `camera.USER.DEVICE` or `screen.USER.DEVICE`.
pub fn parse(text: &str) -> Option<TileId> {
    match text {
        "own-camera" => return Some(TileId::OwnCamera),
        "own-screen" => return Some(TileId::OwnScreen),
        _ => {}
    }
    let mut parts = text.split('.');
    let (source, user, device) = (parts.next()?, parts.next()?, parts.next()?);
    if parts.next().is_some() {
        return None;
    }
    let peer = Peer {
        user: user.parse().ok()?,
        device: device.parse().ok()?,
    };
    match source {
        "camera" => Some(TileId::Camera(peer)),
        "screen" => Some(TileId::Screen(peer)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use sotto_wire::{DeviceId, UserId};

    fn peer() -> Peer {
        Peer {
            user: UserId([7; 32]),
            device: DeviceId([8; 16]),
        }
    }

    #[test]
    fn an_address_names_a_tile_a_size_and_the_last_picture() {
        let Peer { user, device } = peer();
        let path = format!("/camera.{user}.{device}");
        let wish = Wish::of(&path, "w=640&h=360&after=12");
        assert_eq!(
            wish,
            Some(Wish {
                tile: TileId::Camera(peer()),
                width: 640,
                height: 360,
                after: 12
            })
        );
        assert_eq!(parse("own-camera"), Some(TileId::OwnCamera));
        assert_eq!(parse("own-screen"), Some(TileId::OwnScreen));
        let huge = Wish::of("/own-camera", "w=4000000000&h=1").unwrap();
        assert_eq!((huge.width, huge.after), (LARGEST, 0));
    }

    #[test]
    fn nothing_else_is_an_address() {
        let Peer { user, device } = peer();
        for path in [
            "/".to_owned(),
            "/own-microphone".into(),
            "/../../etc/passwd".into(),
            format!("/file.{user}.{device}"),
            format!("/camera.{user}"),
            format!("/camera.{user}.{device}.1"),
            format!("/camera.{device}.{user}"),
        ] {
            assert_eq!(Wish::of(&path, "w=1&h=1&after=0"), None, "{path}");
        }
        for query in [
            "",
            "w=1",
            "w=0&h=1",
            "w=-1&h=1",
            "w=1&h=1&after=x",
            "w=1.5&h=1",
        ] {
            assert_eq!(Wish::of("/own-camera", query), None, "{query}");
        }
    }
}
