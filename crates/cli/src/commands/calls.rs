//! Calling and answering: the requests, waiting for the other end, and
//! hanging up. What is printed meanwhile is [`telling`]'s.

mod telling;

use super::{devices, joining::in_sync};
use crate::{
    args::{Args, PartArgs},
    failure::Failure,
    find,
    output::Output,
    session::Session,
};
use sotto_client::{
    Change, Request, RequestError,
    call::{
        media::{Peer, ScreenMode, Sending},
        view::{CallEnd, CallPhase, CallView, Connection},
    },
};
use sotto_engine::{Event, LinkStatus};
use sotto_media::{Shown, console::TileId};
use sotto_wire::{CallId, RoomId};
use std::time::Duration;
use telling::Telling;
use tokio::time::{Instant, interval, sleep_until, timeout};

/// The size in which others are looked at: they send no more than that.
const SIZE: (u32, u32) = (640, 360);

/// How long a goodbye may take.
const GOODBYE: Duration = Duration::from_secs(5);

pub async fn call(
    args: &Args,
    output: &Output,
    session: &mut Session,
    room: &str,
    part: &PartArgs,
) -> Result<(), Failure> {
    let room = find::room(session, room)?;
    in_sync(session, &room).await?;
    let media = session.engine.media();
    media.choose(devices::chosen(session, part).await?);
    let request = Request::StartCall {
        room: room.id,
        video: part.video,
        sending: sending(part),
    };
    match session.engine.request(request).await {
        Err(RequestError::CallRuns) => {
            session.resume().await;
            let mut calls = session.snapshot.calls.iter();
            let running = calls.find(|view| view.room == room.id).cloned();
            let running = running.ok_or_else(|| Failure::Nobody("the call is over".into()))?;
            join(session, &running, part).await?;
        }
        other => drop(other?),
    }
    take_part(args, output, session, room.id, part).await
}

pub async fn answer(
    args: &Args,
    output: &Output,
    session: &mut Session,
    room: Option<&str>,
    part: &PartArgs,
) -> Result<(), Failure> {
    let choices = devices::chosen(session, part).await?;
    session.engine.media().choose(choices);
    let Some(ringing) = rings(output, session, room).await? else {
        return Ok(());
    };
    join(session, &ringing, part).await?;
    take_part(args, output, session, ringing.room, part).await
}

pub async fn decline(
    output: &Output,
    session: &mut Session,
    room: Option<&str>,
) -> Result<(), Failure> {
    let Some(CallView { room, call, .. }) = rings(output, session, room).await? else {
        return Ok(());
    };
    session.request(Request::DeclineCall { room, call }).await?;
    over(session, call).await;
    output.line(
        serde_json::json!({ "event": "declined", "call": call, "room": room }),
        "declined",
    )
}

async fn join(session: &Session, view: &CallView, part: &PartArgs) -> Result<(), Failure> {
    let request = Request::JoinCall {
        room: view.room,
        call: view.call,
        sending: sending(part),
    };
    match session.engine.request(request).await {
        Err(RequestError::CallOver) => Err(Failure::Nobody("the call is over".into())),
        other => {
            other?;
            Ok(())
        }
    }
}

fn sending(part: &PartArgs) -> Sending {
    Sending {
        microphone: !part.muted,
        camera: part.video,
        screen: part.screen.as_ref().map(|_| ScreenMode::Text),
    }
}

/// Waits until somebody calls; `None` if we were interrupted.
async fn rings(
    output: &Output,
    session: &mut Session,
    room: Option<&str>,
) -> Result<Option<CallView>, Failure> {
    let only = match room {
        Some(room) => {
            let room = find::room(session, room)?;
            session.watch(&room.relay);
            Some(room.id)
        }
        None => None,
    };
    let wanted = |view: &CallView| {
        let here = only.is_none_or(|only| only == view.room);
        here && matches!(view.phase, CallPhase::Ringing { .. })
    };
    if let Some(view) = session.snapshot.calls.iter().find(|view| wanted(view)) {
        return Ok(Some(view.clone()));
    }
    output.hint("waiting for a call");
    let settles = |event: &Event| match event {
        Event::Client(Change::Call(view)) if wanted(view) => Some(Ok((**view).clone())),
        _ => None,
    };
    let rang = tokio::select! {
        rang = session.until(settles) => rang,
        () = interrupted() => return Ok(None),
    };
    match rang {
        Err(Failure::Unreachable(_)) if session.status().await == Some(LinkStatus::Connected) => {
            Err(Failure::Nobody("nobody called within the time".into()))
        }
        rang => rang.map(Some),
    }
}

/// How the own part in a call came to its end.
enum End {
    /// We hung up.
    Left,
    /// We stopped waiting for somebody to come.
    GaveUp,
    Over(CallEnd),
}

/// Stays in the call of this room until it is over or it is time to go.
async fn take_part(
    args: &Args,
    output: &Output,
    session: &mut Session,
    room: RoomId,
    part: &PartArgs,
) -> Result<(), Failure> {
    session.resume().await;
    let mut part = Part {
        telling: Telling::new(output),
        room,
        call: None,
        shown: Vec::new(),
        gives_up: args.patience().map(|patience| Instant::now() + patience),
        seconds: part.seconds.map(Duration::from_secs),
        hangs_up: None,
        met: Met::Nobody,
    };
    let end = part.until_the_end(session).await;
    if !matches!(end, Ok(End::Over(_)))
        && let Some(call) = part.call
    {
        // Whatever failed here, the others are not left waiting.
        let _ = session.request(Request::LeaveCall { room, call }).await;
        over(session, call).await;
    }
    part.verdict(end?)
}

/// Whether there was ever a way to somebody.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Met {
    Nobody,
    /// Somebody was there.
    Unheard,
    Connected,
}

/// The own part in a call.
struct Part<'a> {
    telling: Telling<'a>,
    room: RoomId,
    call: Option<CallId>,
    shown: Vec<Shown>,
    gives_up: Option<Instant>,
    seconds: Option<Duration>,
    hangs_up: Option<Instant>,
    met: Met,
}

impl Part<'_> {
    async fn until_the_end(&mut self, session: &mut Session) -> Result<End, Failure> {
        for view in session.snapshot.calls.clone() {
            self.see(session, &view).await?;
        }
        let mut second = interval(Duration::from_secs(1));
        let mut interrupted = std::pin::pin!(interrupted());
        loop {
            let (gives_up, hangs_up) = (self.gives_up, self.hangs_up);
            tokio::select! {
                event = session.watch_next() => match event? {
                    Some(Event::Client(Change::Call(view))) => {
                        if let Some(end) = self.see(session, &view).await? {
                            return Ok(End::Over(end));
                        }
                    }
                    Some(_) => {}
                    None => if let Some(end) = self.look_again(session).await? {
                        return Ok(End::Over(end));
                    },
                },
                _ = second.tick(), if self.met != Met::Nobody => {
                    let stats = session.engine.media().stats().await;
                    self.telling.measured(&stats)?;
                }
                () = at(gives_up), if self.met == Met::Nobody => return Ok(End::GaveUp),
                () = at(hangs_up) => return Ok(End::Left),
                () = &mut interrupted => return Ok(End::Left),
            }
        }
    }

    /// After events were missed.
    async fn look_again(&mut self, session: &mut Session) -> Result<Option<CallEnd>, Failure> {
        session.resume().await;
        let calls = session.snapshot.calls.clone();
        if calls.iter().all(|view| Some(view.call) != self.call) {
            return Ok(Some(CallEnd::Ended));
        }
        for view in calls {
            if let Some(end) = self.see(session, &view).await? {
                return Ok(Some(end));
            }
        }
        Ok(None)
    }

    /// A call as it is now; `Some` if ours is over.
    async fn see(
        &mut self,
        session: &Session,
        view: &CallView,
    ) -> Result<Option<CallEnd>, Failure> {
        if view.room != self.room {
            return Ok(None);
        }
        match view.phase {
            // Of two calls at once, one wins, and it may be another's.
            CallPhase::Calling { .. } | CallPhase::Joined => self.call = Some(view.call),
            _ if self.call != Some(view.call) => return Ok(None),
            _ => {}
        }
        for other in view.participants.iter().filter(|p| !p.me) {
            let met = match other.connection {
                Connection::Connected => Met::Connected,
                _ => Met::Unheard,
            };
            self.met = self.met.max(met);
        }
        if self.met != Met::Nobody && self.hangs_up.is_none() {
            self.hangs_up = self.seconds.map(|seconds| Instant::now() + seconds);
        }
        self.look_at(session, view);
        let people = session.engine.people(self.room).await?;
        self.telling.view(view, &people)?;
        Ok(match view.phase {
            CallPhase::Over(end) => Some(end),
            _ => None,
        })
    }

    /// Everybody is looked at: otherwise they would encode nothing.
    fn look_at(&mut self, session: &Session, view: &CallView) {
        let others = view.participants.iter().filter(|p| !p.me);
        let tiles = others.flat_map(|p| {
            let peer = Peer {
                user: p.user,
                device: p.device,
            };
            [TileId::Camera(peer), TileId::Screen(peer)]
        });
        let (width, height) = SIZE;
        let shown: Vec<Shown> = tiles
            .map(|tile| Shown {
                tile,
                width,
                height,
            })
            .collect();
        if shown != self.shown {
            session.engine.media().show(shown.clone());
            self.shown = shown;
        }
    }

    fn verdict(&self, end: End) -> Result<(), Failure> {
        match end {
            End::Over(CallEnd::Declined) => Err(Failure::Declined),
            End::Over(CallEnd::Busy) => Err(Failure::Nobody("they are in another call".into())),
            End::GaveUp | End::Over(CallEnd::Unanswered | CallEnd::Missed) => {
                Err(Failure::Nobody("nobody came".into()))
            }
            End::Over(CallEnd::Full) => Err(Failure::refused("the call has no seat left")),
            End::Over(CallEnd::Elsewhere) => {
                Err(Failure::refused("another device of yours has the call"))
            }
            End::Over(CallEnd::RoomOver) => Err(Failure::refused("the room is over")),
            End::Left | End::Over(CallEnd::Ended) if self.met == Met::Unheard => {
                let why = "no way was found to the others in the call";
                Err(Failure::Unreachable(why.into()))
            }
            End::Left | End::Over(CallEnd::Ended) => Ok(()),
        }
    }
}

/// Waits until the own part in a call is over, within bounds.
async fn over(session: &mut Session, call: CallId) {
    let gone = async {
        loop {
            match session.watch_next().await {
                Ok(Some(Event::Client(Change::Call(view)))) if view.call == call => {
                    if matches!(view.phase, CallPhase::Over(_) | CallPhase::Running) {
                        return;
                    }
                }
                Ok(Some(Event::Client(Change::CallGone { call: gone, .. }))) if gone == call => {
                    return;
                }
                Ok(_) => {}
                Err(_) => return,
            }
        }
    };
    // It is said either way; the next start says it again if need be.
    let _ = timeout(GOODBYE, gone).await;
}

/// That time, or never.
async fn at(time: Option<Instant>) {
    match time {
        Some(time) => sleep_until(time).await,
        None => std::future::pending().await,
    }
}

/// Ctrl-C, or being asked to end.
#[cfg(unix)]
async fn interrupted() {
    use tokio::signal::unix::{SignalKind, signal};
    let Ok(mut terminated) = signal(SignalKind::terminate()) else {
        return std::future::pending().await;
    };
    tokio::select! {
        _ = tokio::signal::ctrl_c() => {}
        _ = terminated.recv() => {}
    }
}

#[cfg(not(unix))]
async fn interrupted() {
    let _ = tokio::signal::ctrl_c().await;
}
