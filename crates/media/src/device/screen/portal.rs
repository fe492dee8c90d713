//! Screens under Wayland: the desktop portal asks the person what to share,
//! PipeWire brings the pictures. Thin, since the parts that can fail are the
//! system's.

use super::PREFIX;
use crate::device::{Device, DeviceError, DeviceKind, DeviceName};
use crate::video::Picture;
use crate::video::source::{PATIENCE, Pace, VideoSource};
use ashpd::desktop::screencast::{CursorMode, Screencast, SelectSourcesOptions, SourceType};
use ashpd::desktop::{PersistMode, ResponseError, Session};
use std::env;
use std::os::fd::OwnedFd;
use std::time::{Duration, Instant};
use stream::Stream;
use tokio::runtime::{Builder, Runtime};

mod stream;

pub const NAME: &str = "portal";

/// How long a person may think about what to share.
const DIALOG: Duration = Duration::from_secs(120);

/// Whether this desktop gives screens through the portal only.
pub fn wanted() -> bool {
    env::var_os("WAYLAND_DISPLAY").is_some_and(|display| !display.is_empty())
}

pub fn list() -> Vec<Device> {
    vec![Device {
        name: DeviceName(format!("{PREFIX}{NAME}")),
        kind: DeviceKind::Screen,
        label: "Screen or window…".to_owned(),
        default: true,
        synthetic: false,
    }]
}

/// A screen or window that the person chose.
pub struct Portal {
    stream: Stream,
    session: Session<Screencast>,
    runtime: Runtime,
    last: Option<Instant>,
}

impl Portal {
    /// Ask, and wait for the answer.
    pub fn open() -> Result<Self, DeviceError> {
        let runtime = Builder::new_current_thread().enable_all().build();
        let runtime = runtime.map_err(|_| DeviceError::Broken)?;
        let asked = runtime.block_on(async {
            let answer = tokio::time::timeout(DIALOG, ask()).await;
            answer.map_err(|_| DeviceError::Refused)?.map_err(meaning)
        });
        let (session, remote, node) = asked?;
        Ok(Self {
            stream: Stream::open(remote, node)?,
            session,
            runtime,
            last: None,
        })
    }
}

async fn ask() -> ashpd::Result<(Session<Screencast>, OwnedFd, u32)> {
    let portal = Screencast::new().await?;
    let session = portal.create_session(Default::default()).await?;
    let options = SelectSourcesOptions::default()
        .set_cursor_mode(CursorMode::Embedded)
        .set_sources(SourceType::Monitor | SourceType::Window)
        .set_multiple(false)
        .set_persist_mode(PersistMode::DoNot);
    portal.select_sources(&session, options).await?.response()?;
    let started = portal.start(&session, None, Default::default()).await?;
    let streams = started.response()?;
    let chosen = streams.streams().first();
    let node = chosen.ok_or(ashpd::Error::NoResponse)?.pipe_wire_node_id();
    let remote = portal
        .open_pipe_wire_remote(&session, Default::default())
        .await?;
    Ok((session, remote, node))
}

fn meaning(error: ashpd::Error) -> DeviceError {
    tracing::debug!(%error, "no screen from the portal");
    match error {
        ashpd::Error::Response(ResponseError::Cancelled) => DeviceError::Refused,
        ashpd::Error::PortalNotFound(_) => DeviceError::NoDevice,
        _ => DeviceError::Broken,
    }
}

impl VideoSource for Portal {
    fn next(&mut self, pace: Pace) -> Result<Option<Picture>, DeviceError> {
        // The compositor gives pictures as things move, up to its own rate.
        let interval = Duration::from_secs(1) / pace.fps.max(1);
        let earliest = self.last.map(|last| last + interval);
        let picture = self.stream.next(earliest, PATIENCE)?;
        if let Some(picture) = &picture {
            self.last = Some(picture.at);
        }
        Ok(picture)
    }
}

impl Drop for Portal {
    fn drop(&mut self) {
        let closed = self.runtime.block_on(async {
            tokio::time::timeout(Duration::from_secs(2), self.session.close()).await
        });
        if !matches!(closed, Ok(Ok(()))) {
            tracing::debug!("the portal's session did not close");
        }
    }
}
