//! Getting in step with the relay, and staying in step.

use super::{Cx, Live, Room, Sync, record::Departure, timeline::At};
use crate::{
    api::{Change, Why},
    model::{GapWhy, Standing},
    store::{SEQ_MAX, StoreError},
};
use rand_core::Rng as _;
use sotto_wire::{
    ClientFrame, DeviceId, Epoch, ErrorCode, MessageId, Millis, RelayAddress, Seq, UserId,
    WireError,
    frame::{Presence, PresenceAction, RoomOpened, RoomSettings},
};

/// Before asking again for what the relay could not do.
const PATIENCE: Millis = 5_000;

impl Room {
    /// The relay is up: say where we stand.
    pub fn relay_up(&mut self, cx: &mut Cx<'_>) -> Result<(), StoreError> {
        self.relay_down();
        match (&self.record.standing, self.record.departure) {
            (_, Departure::Telling { delete }) => self.tell_departure(cx, delete),
            (_, Departure::Announcing { .. }) => return self.open(cx),
            (Standing::Creating, _) => self.ask_for_room(cx),
            (Standing::Knocking, _) => self.knock(cx),
            (Standing::Member | Standing::Lost, _) => return self.open(cx),
            _ => {}
        }
        Ok(())
    }

    pub fn relay_down(&mut self) {
        let admit_at = std::mem::take(&mut self.live.admit_at);
        let last_signal = self.live.last_signal;
        let renew_at = self.live.renew_at;
        let sweep_at = self.live.sweep_at;
        self.live = Live {
            admit_at,
            last_signal,
            renew_at,
            sweep_at,
            ..Live::default()
        };
        for queued in &mut self.outbox {
            queued.sent_in = None;
        }
        self.touch();
    }

    /// The relay is the same, and is reached elsewhere. It is down until then.
    pub fn move_to(&mut self, relay: RelayAddress) {
        self.record.relay = relay;
        self.touch();
    }

    pub fn created(&mut self, cx: &mut Cx<'_>) -> Result<(), StoreError> {
        if self.record.standing != Standing::Creating {
            return Ok(());
        }
        self.record.standing = Standing::Member;
        self.live.cannot_store = false;
        self.touch();
        self.open(cx)
    }

    /// Asks for everything after the cursor.
    pub(super) fn open(&mut self, cx: &mut Cx<'_>) -> Result<(), StoreError> {
        if !cx.up || self.live.sync == Sync::Opening {
            return Ok(());
        }
        self.touch();
        let (room, since) = (self.id(), self.record.cursor);
        let chance = cx.rng.next_u32();
        if self.live.reopening.now(since, cx.now.mono, chance) {
            self.live.sync = Sync::Opening;
            self.request(cx, ClientFrame::RoomOpen { room, since });
        } else {
            self.live.sync = Sync::Closed;
        }
        Ok(())
    }

    /// After a wait for a relay from which nothing came.
    pub(super) fn try_opening(&mut self, cx: &mut Cx<'_>) -> Result<(), StoreError> {
        if self.live.reopening.is_due(cx.now.mono) && self.waits_to_open() {
            self.open(cx)
        } else {
            Ok(())
        }
    }

    pub(super) fn waits_to_open(&self) -> bool {
        let here = self.takes_part() || self.record.standing == Standing::Lost;
        here && self.live.sync == Sync::Closed
    }

    pub fn opened(&mut self, cx: &mut Cx<'_>, opened: RoomOpened) -> Result<(), StoreError> {
        if self.live.sync != Sync::Opening {
            return Ok(());
        }
        let sound = opened.head <= SEQ_MAX && opened.retained_from <= opened.head + 1;
        if !sound {
            self.reject(cx, None, Some(opened.head), Why::NotAFrame);
            return Ok(());
        }
        self.touch();
        self.live.relay_host = Some(opened.host);
        for member in &opened.members {
            self.live
                .online
                .insert(member.user, member.state == Presence::Online);
            self.live
                .delivered
                .insert(member.user, member.up_to.min(SEQ_MAX));
        }
        let missing = opened.retained_from.saturating_sub(self.record.cursor + 1);
        if missing > 0 {
            self.record.cursor = opened.retained_from - 1;
            self.record.trail.lose();
            let mut at = At::new(self.record.cursor, cx.now.wall);
            self.say_gap(cx, &mut at, missing, GapWhy::Expired)?;
        }
        if opened.head < self.record.cursor {
            // The relay forgot what it had acknowledged. Its order starts to
            // differ from ours: nothing can be sent safely into it.
            self.live.sync = Sync::Current;
            if let Departure::Announcing { delete } = self.record.departure {
                return self.announced(cx, delete);
            }
            self.record.standing = Standing::Lost;
            return Ok(());
        }
        self.live.sync = Sync::Open {
            head: opened.head,
            epoch: opened.epoch,
        };
        if self.record.cursor == opened.head {
            self.caught_up(cx, opened.epoch)?;
        }
        self.show_people(cx);
        self.repeat_read_mark(cx)
    }

    pub fn host_updated(&mut self, host: UserId) {
        self.live.relay_host = Some(host);
        self.live.handed_to = None;
    }

    /// The relay's host is only whose orders the relay takes. Should that be
    /// this client while the members agreed on another, it is handed over.
    pub(super) fn hand_over(&mut self, cx: &mut Cx<'_>) {
        let me = cx.me.user();
        let Some(to) = self.host().filter(|host| *host != me) else {
            return;
        };
        if self.live.relay_host == Some(me) && self.live.handed_to != Some(to) {
            self.live.handed_to = Some(to);
            let room = self.id();
            self.send(cx, ClientFrame::HostTransfer { room, to });
        }
    }

    pub fn delivered(&mut self, cx: &mut Cx<'_>, user: UserId, _device: DeviceId, up_to: Seq) {
        if self.record.member(&user).is_some() {
            let known = self.live.delivered.entry(user).or_default();
            *known = up_to.min(SEQ_MAX).max(*known);
            self.show_people(cx);
        }
    }

    pub fn presence(
        &mut self,
        cx: &mut Cx<'_>,
        user: UserId,
        action: PresenceAction,
    ) -> Result<(), StoreError> {
        if self.record.member(&user).is_none() {
            return Ok(());
        }
        let online = matches!(action, PresenceAction::Online | PresenceAction::Joined);
        let was = self.live.online.insert(user, online);
        self.show_people(cx);
        if online && was != Some(true) {
            self.repeat_read_mark(cx)
        } else {
            Ok(())
        }
    }

    /// The relay ended the room. Whether its host wanted that, only the host
    /// can say, inside MLS.
    pub fn deleted_by_relay(&mut self, cx: &mut Cx<'_>) -> Result<(), StoreError> {
        match (&self.record.standing, self.record.departure) {
            (_, Departure::Telling { .. } | Departure::Announcing { .. }) => self.departed(cx),
            (Standing::Member | Standing::Knocking | Standing::Lost | Standing::Creating, _) => {
                let mut at = At::new(self.record.cursor, cx.now.wall);
                self.say(cx, &mut at, crate::model::SystemLine::Deleted { by: None })?;
                self.end(cx, Standing::Deleted { by: None })
            }
            _ => Ok(()),
        }
    }

    /// The relay refused something of this room. `Ok(false)`: not ours.
    pub fn refused(
        &mut self,
        cx: &mut Cx<'_>,
        id: Option<MessageId>,
        error: &WireError,
    ) -> Result<bool, StoreError> {
        let Some(id) = id else { return Ok(false) };
        if self.record.joining.as_ref().is_some_and(|j| j.knock == id) {
            self.knock_refused(cx, error)?;
            return Ok(true);
        }
        let commit = self.pending.as_ref().is_some_and(|p| p.id == id);
        if !commit && self.queued(&id).is_none() {
            return Ok(false);
        }
        self.touch();
        match error.code {
            ErrorCode::StaleEpoch => self.stale(cx, &id, error.epoch.unwrap_or_default())?,
            ErrorCode::RateLimited | ErrorCode::Unavailable => {
                self.unsend(&id);
                self.wait(cx, error);
            }
            ErrorCode::NotAMember | ErrorCode::UnknownRoom => self.shut_out(cx)?,
            code if commit => {
                self.fail_commit(cx)?;
                cx.show(Change::Refused {
                    room: Some(self.id()),
                    code,
                });
            }
            code => {
                self.fail_message(cx, &id)?;
                cx.show(Change::Refused {
                    room: Some(self.id()),
                    code,
                });
            }
        }
        Ok(true)
    }

    /// Nothing more is asked of the relay for as long as it says.
    pub(super) fn wait(&mut self, cx: &Cx<'_>, error: &WireError) {
        if error.code == ErrorCode::Unavailable {
            self.set_cannot_store(true);
        }
        let wait = error.retry_after.unwrap_or(PATIENCE);
        self.live.hold_until = Some(cx.now.mono + wait.clamp(100, 60_000));
    }

    /// What waits says why.
    pub(super) fn set_cannot_store(&mut self, cannot: bool) {
        if self.live.cannot_store != cannot {
            self.live.cannot_store = cannot;
            self.touch();
        }
    }

    /// The relay is in another epoch. Either the commit that made it is on its
    /// way, or it has come since; if neither, ask.
    fn stale(&mut self, cx: &mut Cx<'_>, id: &MessageId, epoch: Epoch) -> Result<(), StoreError> {
        if self.queued(id).and_then(|q| q.sent_in) >= Some(epoch) {
            return Ok(()); // it was sent again already
        }
        self.unsend(id);
        if epoch == self.record.epoch {
            Ok(())
        } else {
            self.open(cx)
        }
    }

    fn unsend(&mut self, id: &MessageId) {
        if self.pending.as_ref().is_some_and(|p| p.id == *id) {
            self.live.commit_sent = false;
        }
        if let Some(queued) = self.outbox.iter_mut().find(|q| q.out.content.id == *id) {
            queued.sent_in = None;
        }
    }

    /// A request about the whole room was refused: making, opening, leaving or
    /// deleting it.
    pub fn request_refused(
        &mut self,
        cx: &mut Cx<'_>,
        error: &WireError,
    ) -> Result<(), StoreError> {
        let telling = matches!(self.record.departure, Departure::Telling { .. });
        match error.code {
            ErrorCode::NotAMember | ErrorCode::UnknownRoom => self.shut_out(cx),
            // The knock was answered before it was given up: the Welcome is on
            // its way.
            ErrorCode::NotFound if telling => self.departed(cx),
            // The members know that it is deleted; the relay takes orders from
            // somebody else. Then go at least.
            ErrorCode::NotHost if telling => {
                self.record.departure = Departure::Telling { delete: false };
                self.touch();
                self.tell_departure(cx, false);
                Ok(())
            }
            ErrorCode::RateLimited | ErrorCode::Unavailable => {
                self.live.sync = Sync::Closed;
                self.wait(cx, error);
                Ok(())
            }
            code => {
                self.live.sync = Sync::Closed;
                self.wait(cx, error);
                cx.show(Change::Refused {
                    room: Some(self.id()),
                    code,
                });
                Ok(())
            }
        }
    }

    /// Asks the relay for a place for this room; it may be asked twice.
    pub(super) fn ask_for_room(&self, cx: &mut Cx<'_>) {
        let (room, settings) = (self.id(), RoomSettings::default());
        self.request(cx, ClientFrame::RoomCreate { room, settings });
    }

    /// After a wait that the relay asked for.
    pub(super) fn open_again(&mut self, cx: &mut Cx<'_>) -> Result<(), StoreError> {
        if self.live.hold_until.is_none_or(|until| until > cx.now.mono) {
            return Ok(());
        }
        self.live.hold_until = None;
        if !cx.up {
            return Ok(()); // the next connection says where we stand
        }
        if let Departure::Telling { delete } = self.record.departure {
            self.tell_departure(cx, delete);
            return Ok(());
        }
        let closed = self.live.sync == Sync::Closed;
        match self.record.standing {
            Standing::Creating => self.ask_for_room(cx),
            Standing::Knocking => self.knock(cx),
            Standing::Lost if closed => return self.open(cx),
            _ if closed && self.takes_part() => return self.open(cx),
            _ => {}
        }
        Ok(())
    }

    /// The relay says that we are not in, or that there is no such room. It
    /// may lie, so history and keys stay, and the next connection asks again.
    pub fn shut_out(&mut self, cx: &mut Cx<'_>) -> Result<(), StoreError> {
        self.touch();
        self.live.sync = Sync::Closed;
        if self.record.departure != Departure::None {
            return self.departed(cx);
        }
        if self.is_member() {
            self.record.standing = Standing::Lost;
        }
        Ok(())
    }
}
