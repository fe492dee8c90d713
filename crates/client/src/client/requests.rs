//! What the person asks for.

use super::{Client, privacy, rooms};
use crate::{
    api::{Ask, Change, Effect, Now, Outcome, Request, RequestError},
    invite::Link,
    model::{Admission, Privacy, Profile, Standing, clean_name, clean_text},
    room::{Cx, Room, record::Record, state::clean_topic},
    store::{StoreError, Txn},
};
use rand_core::Rng as _;
use sotto_wire::{Millis, RelayAddress, RoomId, UserId, frame::Token};

/// What a request came to. The outer error is the store's.
pub(super) type Answer = Result<Result<Outcome, RequestError>, StoreError>;

/// One request on its way.
pub(super) struct Turn<'a> {
    pub now: Now,
    pub txn: &'a mut dyn Txn,
    pub out: &'a mut Vec<Effect>,
}

impl Client {
    pub(super) fn request(
        &mut self,
        now: Now,
        txn: &mut dyn Txn,
        out: &mut Vec<Effect>,
        ask: Ask,
        request: Request,
    ) -> Result<(), StoreError> {
        let result = self.answer(&mut Turn { now, txn, out }, request)?;
        out.push(Effect::Answer { ask, result });
        Ok(())
    }

    fn answer(&mut self, turn: &mut Turn<'_>, request: Request) -> Answer {
        use Request as R;
        match request {
            R::SetProfile(profile) => self.set_profile(turn, profile),
            R::AddRelay(relay) => self.add_relay(turn, &relay),
            R::AddRelayWithCode { relay, code } => self.add_relay_with_code(turn, &relay, code),
            R::SetPublicAddress { relay, public } => self.set_public_address(turn, &relay, public),
            R::RemoveRelay(relay) => self.remove_relay(turn, &relay),
            R::CreateRoom {
                relay,
                name,
                topic,
                admission,
            } => self.create_room(turn, relay, &name, &topic, admission),
            R::ChangeRoom {
                room,
                name,
                topic,
                admission,
            } => self.change_room(turn, room, &name, &topic, admission),
            R::Join { link } => self.join(turn, &link),
            R::CancelJoin(room) => self.cancel_join(turn, room),
            R::CreateInvite { room, valid_for } => self.create_invite(turn, room, valid_for),
            R::RevokeInvite { room, invite } => {
                self.in_room(turn, room, |r, cx| Ok(r.close_invite(cx, invite)))
            }
            R::AnswerKnock { room, knock, admit } => {
                self.in_room(turn, room, |r, cx| r.answer_knock(cx, knock, admit))
            }
            R::Remove { room, user } => self.in_room(turn, room, |r, cx| Ok(r.remove(cx, user))),
            R::MakeHost { room, user } => {
                self.in_room(turn, room, |r, cx| Ok(r.make_host(cx, user)))
            }
            R::Leave(room) => self.in_room(turn, room, Room::leave),
            R::Delete(room) => self.in_room(turn, room, Room::delete),
            R::Forget(room) => self.forget(turn, room),
            R::Send { room, id, body } => self.in_room(turn, room, |r, cx| r.write(cx, id, body)),
            R::Retry { room, id } => self.in_room(turn, room, |r, cx| r.retry(cx, &id)),
            R::Discard { room, id } => self.in_room(turn, room, |r, cx| r.discard(cx, &id)),
            R::Typing { room, on } => {
                self.in_room(turn, room, |r, cx| r.set_typing(cx, on).map(Ok))
            }
            R::MarkRead { room, position } => {
                self.in_room(turn, room, |r, cx| r.mark_read(cx, position).map(Ok))
            }
            R::SetDraft { room, text } => self.in_room(turn, room, |r, _| {
                r.set_draft(text);
                Ok(Ok(()))
            }),
            R::SetPrefs { room, prefs } => self.in_room(turn, room, |r, _| {
                r.set_prefs(prefs);
                Ok(Ok(()))
            }),
            request @ (R::StartCall { .. }
            | R::JoinCall { .. }
            | R::DeclineCall { .. }
            | R::LeaveCall { .. }
            | R::SetSending { .. }
            | R::RepairCall { .. }
            | R::TellBusy(_)
            | R::RaiseHand { .. }
            | R::React { .. }) => self.call_request(turn, request),
            R::SetVerified { user, verified } => self.set_verified(turn, user, verified),
            R::SetPrivacy(privacy) => self.set_privacy(turn, privacy),
        }
    }

    pub(super) fn in_room(
        &mut self,
        turn: &mut Turn<'_>,
        room: RoomId,
        act: impl FnOnce(&mut Room, &mut Cx<'_>) -> Result<Result<(), RequestError>, StoreError>,
    ) -> Answer {
        let done = self.with_room(turn.now, turn.txn, turn.out, &room, act)?;
        Ok(done
            .unwrap_or(Err(RequestError::UnknownRoom))
            .map(|()| Outcome::Done))
    }

    fn set_profile(&mut self, turn: &mut Turn<'_>, profile: Profile) -> Answer {
        let Some(name) = clean_name(&profile.name) else {
            return Ok(Err(RequestError::BadName));
        };
        let emoji: String = clean_text(&profile.emoji, false).chars().take(8).collect();
        self.me.profile = Profile {
            name,
            emoji,
            ..profile
        };
        self.me.save(turn.txn)?;
        turn.out
            .push(Effect::Show(Change::Profile(self.me.profile.clone())));
        let member = |room: &Room| room.record.standing == Standing::Member;
        self.each_room(turn.now, turn.txn, turn.out, member, |room, _| {
            room.wish_renewal();
            Ok(())
        })?;
        Ok(Ok(Outcome::Done))
    }

    fn add_relay(&mut self, turn: &mut Turn<'_>, relay: &RelayAddress) -> Answer {
        if self.relays.add(turn.txn, relay)? {
            turn.out.push(Effect::Connect {
                relay: relay.clone(),
            });
        }
        Ok(Ok(Outcome::Done))
    }

    fn add_relay_with_code(
        &mut self,
        turn: &mut Turn<'_>,
        relay: &RelayAddress,
        code: Token,
    ) -> Answer {
        self.relays.add(turn.txn, relay)?;
        // Whoever is in needs no code any more.
        if !self.relays.is_up(relay) {
            self.relays.set_code(turn.txn, relay, Some(code))?;
        }
        turn.out.push(Effect::Connect {
            relay: relay.clone(),
        });
        Ok(Ok(Outcome::Done))
    }

    fn set_public_address(
        &mut self,
        turn: &mut Turn<'_>,
        relay: &RelayAddress,
        public: Option<RelayAddress>,
    ) -> Answer {
        if self.relays.set_public(turn.txn, relay, public)? {
            let member = |room: &Room| room.record.standing == Standing::Member;
            let here = |room: &Room| member(room) && room.record.relay == *relay;
            self.each_room(turn.now, turn.txn, turn.out, here, |room, cx| {
                room.show_invites(cx);
                Ok(())
            })?;
        }
        Ok(Ok(Outcome::Done))
    }

    fn remove_relay(&mut self, turn: &mut Turn<'_>, relay: &RelayAddress) -> Answer {
        let in_use = self.rooms.values().any(|room| {
            let alive = matches!(
                room.record.standing,
                Standing::Member | Standing::Creating | Standing::Knocking | Standing::Lost
            );
            alive && room.record.relay == *relay
        });
        if in_use {
            return Ok(Err(RequestError::RelayInUse));
        }
        if self.relays.remove(turn.txn, relay)? {
            turn.out.push(Effect::Disconnect {
                relay: relay.clone(),
            });
        }
        Ok(Ok(Outcome::Done))
    }

    fn create_room(
        &mut self,
        turn: &mut Turn<'_>,
        relay: RelayAddress,
        name: &str,
        topic: &str,
        admission: Admission,
    ) -> Answer {
        let (Some(name), Some(topic)) = (clean_name(name), clean_topic(topic)) else {
            return Ok(Err(RequestError::BadName));
        };
        self.add_relay(turn, &relay)?.ok();
        let mut id = [0; RoomId::SIZE];
        self.rng.fill_bytes(&mut id);
        let id = RoomId(id);
        let record = Record::new(id, relay, Standing::Creating, turn.now.wall);
        self.rooms.insert(id, Room::new(record));
        let create = |room: &mut Room, cx: &mut Cx<'_>| room.found(cx, name, topic, admission);
        self.with_room(turn.now, turn.txn, turn.out, &id, create)?;
        Ok(Ok(Outcome::Room(id)))
    }

    fn change_room(
        &mut self,
        turn: &mut Turn<'_>,
        room: RoomId,
        name: &str,
        topic: &str,
        admission: Admission,
    ) -> Answer {
        let (Some(name), Some(topic)) = (clean_name(name), clean_topic(topic)) else {
            return Ok(Err(RequestError::BadName));
        };
        self.in_room(turn, room, |r, cx| {
            Ok(r.describe(cx, name, topic, admission))
        })
    }

    fn join(&mut self, turn: &mut Turn<'_>, link: &str) -> Answer {
        let mut link: Link = match link.parse() {
            Ok(link) => link,
            Err(bad) => return Ok(Err(RequestError::BadLink(bad))),
        };
        if let Err(bad) = link.check(turn.now.wall) {
            return Ok(Err(RequestError::BadLink(bad)));
        }
        link.relay = self.relays.dialed(&link.relay);
        if let Some(from) = self.moved(&link) {
            self.move_relay(turn.now, turn.txn, turn.out, &from, &link.relay)?;
            return Ok(Ok(Outcome::Room(link.room)));
        }
        let standing = self.rooms.get(&link.room).map(|room| &room.record.standing);
        if matches!(standing, Some(Standing::Member | Standing::Creating)) {
            return Ok(Err(RequestError::AlreadyMember));
        }
        self.add_relay(turn, &link.relay)?.ok();
        let now = turn.now.wall;
        self.rooms.entry(link.room).or_insert_with(|| {
            Room::new(Record::new(
                link.room,
                link.relay.clone(),
                Standing::Knocking,
                now,
            ))
        });
        let start = |room: &mut Room, cx: &mut Cx<'_>| room.start_joining(cx, &link);
        self.with_room(turn.now, turn.txn, turn.out, &link.room, start)?;
        Ok(Ok(Outcome::Room(link.room)))
    }

    /// Where a member's room was, if its relay has another address now. That it
    /// is the same relay shows in its fingerprint, and in nothing else.
    fn moved(&self, link: &Link) -> Option<RelayAddress> {
        let record = &self.rooms.get(&link.room)?.record;
        let inside = matches!(record.standing, Standing::Member | Standing::Creating);
        let same = record.relay.pin.is_some() && record.relay.pin == link.relay.pin;
        (inside && same && record.relay != link.relay).then(|| record.relay.clone())
    }

    fn cancel_join(&mut self, turn: &mut Turn<'_>, room: RoomId) -> Answer {
        let knocking = self
            .rooms
            .get(&room)
            .is_some_and(|r| matches!(r.record.standing, Standing::Knocking | Standing::Denied));
        if !knocking {
            return Ok(Err(RequestError::UnknownRoom));
        }
        self.in_room(turn, room, Room::leave)?.ok();
        self.forget(turn, room)
    }

    fn create_invite(&mut self, turn: &mut Turn<'_>, room: RoomId, valid_for: Millis) -> Answer {
        let open = |r: &mut Room, cx: &mut Cx<'_>| Ok(r.open_invite(cx, valid_for));
        let done = self.with_room(turn.now, turn.txn, turn.out, &room, open)?;
        Ok(done
            .unwrap_or(Err(RequestError::UnknownRoom))
            .map(Outcome::Invite))
    }

    fn forget(&mut self, turn: &mut Turn<'_>, id: RoomId) -> Answer {
        let Some(room) = self.rooms.get(&id) else {
            return Ok(Err(RequestError::UnknownRoom));
        };
        if matches!(room.record.standing, Standing::Member | Standing::Creating) {
            return Ok(Err(RequestError::Busy));
        }
        self.with_room(turn.now, turn.txn, turn.out, &id, Room::bury)?;
        self.rooms.remove(&id);
        rooms::erase(turn.txn, &id)?;
        turn.out.push(Effect::Show(Change::RoomGone(id)));
        Ok(Ok(Outcome::Done))
    }

    /// Counts at once, in a call that goes on for what is connected from now on.
    fn set_privacy(&mut self, turn: &mut Turn<'_>, privacy: Privacy) -> Answer {
        privacy::save(turn.txn, &privacy)?;
        self.privacy = privacy;
        let calls = |room: &Room| room.own_call().is_some();
        self.each_room(turn.now, turn.txn, turn.out, calls, |_, _| Ok(()))?;
        Ok(Ok(Outcome::Done))
    }

    fn set_verified(&mut self, turn: &mut Turn<'_>, user: UserId, verified: bool) -> Answer {
        let at = verified.then_some(turn.now.wall);
        if !self.people.set_verified(turn.txn, &user, at)? {
            return Ok(Err(RequestError::UnknownPerson));
        }
        self.show_person(turn.now, turn.txn, turn.out, &user)?;
        Ok(Ok(Outcome::Done))
    }
}
