//! A call in lines: how it goes, whenever that changes, and what is measured.

use crate::{failure::Failure, output::Output};
use serde_json::{Value, json};
use sotto_client::{
    call::{
        media::{PeerFailure, Source, SourceState, Trouble},
        view::{CallEnd, CallPhase, CallView, Connection, Participant, Troubles},
    },
    model::Person,
};
use sotto_media::console::{CallStats, EndStats};
use sotto_wire::UserId;
use std::collections::BTreeMap;

pub struct Telling<'a> {
    output: &'a Output,
    names: BTreeMap<UserId, String>,
    /// The line that was printed last.
    told: Value,
}

impl<'a> Telling<'a> {
    pub fn new(output: &'a Output) -> Self {
        Self {
            output,
            names: BTreeMap::new(),
            told: Value::Null,
        }
    }

    pub fn view(&mut self, view: &CallView, people: &[Person]) -> Result<(), Failure> {
        let names = people.iter().map(|p| (p.user, p.profile.name.clone()));
        self.names.extend(names);
        let (phase, end) = phase(view.phase);
        let participants: Vec<Value> = view.participants.iter().map(participant).collect();
        let sources: Vec<Value> = view.sources.iter().map(source).collect();
        let object = json!({
            "event": "phase",
            "room": view.room,
            "call": view.call,
            "video": view.video,
            "by": view.by,
            "phase": phase,
            "end": end,
            "people": participants,
            "troubles": sources,
            "busy": view.busy,
        });
        if object == self.told {
            return Ok(());
        }
        self.told = object.clone();
        let others = view.participants.iter().filter(|p| !p.me);
        let others: Vec<String> = others
            .map(|p| {
                let (how, why) = connection(p.connection);
                let why = why.map(|why| format!(" ({why})")).unwrap_or_default();
                format!("{} {how}{why}", self.name(&p.user))
            })
            .collect();
        let mut text = match end {
            Some(end) => format!("{phase}: {end}"),
            None => phase.to_owned(),
        };
        if !others.is_empty() {
            text = format!("{text}  {}", others.join(", "));
        }
        for trouble in &view.sources {
            let (source, state) = (source_word(trouble.0), state_word(trouble.1));
            text = format!("{text}  ({source}: {state})");
        }
        self.output.line(object, text)
    }

    pub fn measured(&self, stats: &CallStats) -> Result<(), Failure> {
        let mut object = serde_json::to_value(stats).unwrap_or_default();
        if let Some(fields) = object.as_object_mut() {
            fields.insert("event".into(), "stats".into());
        }
        let lines: Vec<String> = stats.peers.iter().map(|end| self.end(end)).collect();
        self.output.line(object, lines.join("\n"))
    }

    fn end(&self, end: &EndStats) -> String {
        let mut text = format!("  {}:", self.name(&end.user));
        for (what, picture) in [("camera", end.camera), ("screen", end.screen)] {
            if let Some(p) = picture {
                text = format!(
                    "{text} {what} {}x{} at {} /s, {} decoded, {} freezes;",
                    p.width, p.height, p.fps, p.decoded, p.freezes
                );
            }
        }
        let (sound, wire) = (&end.sound, &end.connection);
        let trip = wire.round_trip_ms.unwrap_or_default();
        format!(
            "{text} sound {:.1} s, {} ms made up, {} ms late; round trip {trip:.0} ms, \
             room for {} kbit/s",
            sound.played_ms as f64 / 1_000.0,
            sound.concealed_ms,
            sound.delay_ms,
            wire.estimate / 1_000,
        )
    }

    fn name(&self, user: &UserId) -> String {
        let known = self.names.get(user).cloned();
        known.unwrap_or_else(|| user.to_string())
    }
}

fn participant(p: &Participant) -> Value {
    let (connection, failure) = connection(p.connection);
    json!({
        "user": p.user,
        "device": p.device,
        "me": p.me,
        "verified": p.verified,
        "connection": connection,
        "failure": failure,
        "confirmed": p.confirmed,
        "key_missing": p.key_missing,
        "microphone": p.media.microphone,
        "camera": p.media.camera,
        "screen": p.media.screen.is_some(),
        "hand": p.media.hand.is_some(),
        "troubles": troubles(&p.media.troubles),
    })
}

/// What of theirs does not work, by their word.
fn troubles(troubles: &Troubles) -> Value {
    json!({
        "microphone": troubles.microphone.map(trouble_word),
        "camera": troubles.camera.map(trouble_word),
        "screen": troubles.screen.map(trouble_word),
    })
}

fn source((source, state): &(Source, SourceState)) -> Value {
    json!({ "source": source_word(*source), "state": state_word(*state) })
}

fn phase(phase: CallPhase) -> (&'static str, Option<&'static str>) {
    match phase {
        CallPhase::Ringing { .. } => ("ringing", None),
        CallPhase::Calling { .. } => ("calling", None),
        CallPhase::Running => ("running", None),
        CallPhase::Joined => ("joined", None),
        CallPhase::Over(end) => ("over", Some(end_word(end))),
    }
}

fn end_word(end: CallEnd) -> &'static str {
    match end {
        CallEnd::Ended => "ended",
        CallEnd::Unanswered => "unanswered",
        CallEnd::Declined => "declined",
        CallEnd::Busy => "busy",
        CallEnd::Missed => "missed",
        CallEnd::Elsewhere => "elsewhere",
        CallEnd::RoomOver => "room_over",
        CallEnd::Full => "full",
    }
}

/// How it stands with a connection, and why it failed.
fn connection(connection: Connection) -> (&'static str, Option<&'static str>) {
    match connection {
        Connection::None => ("none", None),
        Connection::Connecting => ("connecting", None),
        Connection::Connected => ("connected", None),
        Connection::Reconnecting { .. } => ("reconnecting", None),
        Connection::Failed(why) => ("failed", Some(failure(why))),
    }
}

fn failure(why: PeerFailure) -> &'static str {
    match why {
        PeerFailure::NoPath => "no_path",
        PeerFailure::Certificate => "certificate",
        PeerFailure::Description => "description",
        PeerFailure::OwnDescription => "own_description",
        PeerFailure::Version => "version",
        PeerFailure::Silent => "silent",
    }
}

fn source_word(source: Source) -> &'static str {
    match source {
        Source::Microphone => "microphone",
        Source::Camera => "camera",
        Source::Screen => "screen",
        Source::Speaker => "speaker",
    }
}

fn state_word(state: SourceState) -> &'static str {
    state.trouble().map_or("works", trouble_word)
}

fn trouble_word(trouble: Trouble) -> &'static str {
    match trouble {
        Trouble::NoDevice => "no_device",
        Trouble::Busy => "busy",
        Trouble::Refused => "refused",
        Trouble::Vanished => "vanished",
        Trouble::Broken => "broken",
    }
}
