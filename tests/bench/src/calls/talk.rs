//! What people do in calls, and what they wait for.

use crate::people::{Failure, Person, Town};
use sotto_client::call::media::{Peer, Sending};
use sotto_client::call::view::{CallPhase, CallView, Connection};
use sotto_client::{Change, Request};
use sotto_engine::Event;
use sotto_media::Media;
use sotto_media::audio::Processing;
use sotto_media::console::{CallStats, Choices, EndStats};
use sotto_media::device::DeviceName;
use sotto_wire::{CallId, RoomId};
use std::time::{Duration, Instant};

/// Voice and face.
pub const ALL: Sending = Sending {
    microphone: true,
    camera: true,
    screen: None,
};

/// Nothing comes to be so for so long: something is stuck.
const PATIENCE: Duration = Duration::from_secs(60);

/// A tone for a voice and a test picture for a face; nothing is heard aloud.
pub fn devices(hertz: u32) -> Choices {
    let device = |name: &str| Some(DeviceName(name.to_owned()));
    Choices {
        microphone: device(&format!("tone:{hertz}")),
        speaker: device("silence:"),
        ringer: device("silence:"),
        camera: device("pattern:cool"),
        screen: None,
    }
}

/// Somebody new, with synthetic devices.
pub async fn arrives(town: &Town, name: &str, hertz: u32) -> Result<Person, Failure> {
    let person = town.welcomes(name).await?;
    person.engine.media().choose(devices(hertz));
    person.engine.media().process(Processing::NONE);
    Ok(person)
}

/// The first state of a call that is as wanted.
pub async fn call(
    person: &mut Person,
    wanted: impl Fn(&CallView) -> bool,
) -> Result<CallView, Failure> {
    let (now, events) = person.engine.subscribe().await;
    person.events = events;
    if let Some(view) = now.calls.into_iter().find(|view| wanted(view)) {
        return Ok(view);
    }
    person
        .until(|event| match event {
            Event::Client(Change::Call(view)) => wanted(view).then(|| (**view).clone()),
            _ => None,
        })
        .await
}

pub async fn starts(person: &Person, room: RoomId) -> Result<(), Failure> {
    let request = Request::StartCall {
        room,
        video: true,
        sending: ALL,
    };
    person.asks(request).await?;
    Ok(())
}

/// Waits until it rings.
pub async fn rings(person: &mut Person) -> Result<CallId, Failure> {
    let ringing = |view: &CallView| matches!(view.phase, CallPhase::Ringing { .. });
    Ok(call(person, ringing).await?.call)
}

pub async fn joins(person: &Person, room: RoomId, call: CallId) -> Result<(), Failure> {
    let request = Request::JoinCall {
        room,
        call,
        sending: ALL,
    };
    person.asks(request).await?;
    Ok(())
}

pub async fn leaves(person: &Person, room: RoomId, call: CallId) -> Result<(), Failure> {
    person.asks(Request::LeaveCall { room, call }).await?;
    Ok(())
}

/// Waits until no call goes on that they know of. Looked at often: whoever
/// left first hears of the end in more than one way.
pub async fn hears_the_end(person: &mut Person) -> Result<(), Failure> {
    let begun = Instant::now();
    loop {
        let (now, events) = person.engine.subscribe().await;
        person.events = events;
        let goes_on = |view: &&CallView| !matches!(view.phase, CallPhase::Over(_));
        let Some(view) = now.calls.iter().find(goes_on) else {
            return Ok(());
        };
        if begun.elapsed() > PATIENCE {
            return Err(format!("a call does not end: {view:#?}").into());
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

/// Waits until they are connected with so many, and says with whom.
pub async fn connected(person: &mut Person, with: usize) -> Result<Vec<Peer>, Failure> {
    let up = |view: &CallView| -> Vec<Peer> {
        let up = view.participants.iter();
        let up = up.filter(|p| p.connection == Connection::Connected && p.confirmed);
        up.map(|p| Peer {
            user: p.user,
            device: p.device,
        })
        .collect()
    };
    let view = call(person, |view| up(view).len() == with).await?;
    Ok(up(&view))
}

/// Everybody is in one call and connected with everybody.
pub async fn meet(people: &mut [Person], room: RoomId) -> Result<CallId, Failure> {
    let with = people.len() - 1;
    let [host, others @ ..] = people else {
        return Err("a call of nobody".into());
    };
    starts(host, room).await?;
    let mut id = None;
    for other in others {
        let call = rings(other).await?;
        joins(other, room, call).await?;
        id = Some(call);
    }
    for person in people {
        connected(person, with).await?;
    }
    id.ok_or_else(|| "a call of one".into())
}

pub async fn peer_of(person: &Person) -> Peer {
    let me = person.engine.me().await;
    Peer {
        user: me.user,
        device: me.device,
    }
}

/// Waits for numbers. There is no event for them: they are looked at often.
pub async fn measures(
    media: &Media,
    wanted: impl Fn(&CallStats) -> bool,
) -> Result<CallStats, Failure> {
    let begun = Instant::now();
    loop {
        let stats = media.stats().await;
        if wanted(&stats) {
            return Ok(stats);
        }
        if begun.elapsed() > PATIENCE {
            return Err(format!("these numbers never came to be as wanted: {stats:#?}").into());
        }
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
}

/// Pictures of somebody's camera that were decoded.
pub fn decoded(end: &EndStats) -> u64 {
    end.camera.map_or(0, |camera| camera.decoded)
}
