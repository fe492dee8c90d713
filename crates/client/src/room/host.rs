//! Founding a room, describing it, and its invites.

use super::{
    Cx, Room,
    record::{self, Wish},
    state::{InviteEntry, RoomState},
    timeline::At,
};
use crate::{
    api::{Change, RequestError},
    invite::{InviteSecret, Link, proof::InviteKey},
    mls::{MlsError, group::Group, provider::Provider},
    model::{Admission, Invite, RoomPrefs, Standing, SystemLine},
    store::StoreError,
};
use sotto_wire::{Bytes, MessageId, Millis, RelayAddress};

/// Links are good for at most this long.
const VALID_MAX: Millis = 365 * 24 * 60 * 60 * 1000;

impl Room {
    /// Makes the group with oneself in it; the relay hears of it when it is up.
    pub fn found(
        &mut self,
        cx: &mut Cx<'_>,
        name: String,
        topic: String,
        admission: Admission,
    ) -> Result<(), StoreError> {
        let me = cx.me.user();
        let state = RoomState::new(name, topic, me, admission);
        let provider = Provider::new(cx.crypto, cx.txn);
        self.group = match Group::create(
            &provider,
            &cx.me.signer(cx.now.wall),
            &self.record.id,
            &state,
        ) {
            Ok(group) => Some(group),
            Err(MlsError::Store(error)) => return Err(error),
            Err(MlsError::Refused) => return Err(StoreError::Damaged),
        };
        self.take_over(cx, me, &[])?;
        let by = self.actor(me);
        self.say(cx, &mut At::new(0, cx.now.wall), SystemLine::Created { by })?;
        if cx.up {
            self.ask_for_room(cx);
        }
        Ok(())
    }

    pub fn describe(
        &mut self,
        cx: &mut Cx<'_>,
        name: String,
        topic: String,
        admission: Admission,
    ) -> Result<(), RequestError> {
        self.check_host(cx)?;
        self.record
            .wishes
            .retain(|wish| !matches!(wish, Wish::Describe { .. }));
        self.wish(Wish::Describe {
            name,
            topic,
            admission,
        });
        Ok(())
    }

    /// The link can be handed out at once; it opens the room as soon as the
    /// commit that carries it is accepted.
    pub fn open_invite(
        &mut self,
        cx: &mut Cx<'_>,
        valid_for: Millis,
    ) -> Result<Invite, RequestError> {
        if !matches!(self.record.standing, Standing::Member | Standing::Creating) {
            return Err(RequestError::RoomOver);
        }
        let me = cx.me.user();
        let at_once = self
            .record
            .state
            .as_ref()
            .is_some_and(|s| s.admission == Admission::AtOnce);
        if !at_once && self.host() != Some(me) {
            return Err(RequestError::NotHost);
        }
        let mut entry = InviteEntry {
            id: cx.random_id(),
            secret: InviteSecret::generate(cx.rng),
            key: InviteKey::generate(cx.rng),
            created: cx.now.wall,
            expires: cx.now.wall + valid_for.min(VALID_MAX),
            by: me,
            vouching: Bytes::default(),
        };
        let vouching = cx.me.vouch(&entry.terms(self.id()), &entry.key.public());
        entry.vouching = vouching.as_slice().into();
        let invite = self.invite_view(&entry, cx.public);
        self.wish(Wish::OpenInvite(entry));
        Ok(invite)
    }

    pub fn close_invite(&mut self, cx: &mut Cx<'_>, invite: MessageId) -> Result<(), RequestError> {
        let entry = self.record.state.as_ref().and_then(|s| s.invite(&invite));
        let Some(entry) = entry else {
            // It may still be on its way into the room.
            let before = self.record.wishes.len();
            let is_it = |w: &Wish| matches!(w, Wish::OpenInvite(entry) if entry.id == invite);
            self.record.wishes.retain(|wish| !is_it(wish));
            let found = self.record.wishes.len() != before;
            return if found {
                Ok(())
            } else {
                Err(RequestError::UnknownInvite)
            };
        };
        if entry.by != cx.me.user() && self.host() != Some(cx.me.user()) {
            return Err(RequestError::NotHost);
        }
        self.wish(Wish::CloseInvite { invite });
        Ok(())
    }

    pub(super) fn invite_view(&self, entry: &InviteEntry, public: Option<&RelayAddress>) -> Invite {
        let link = Link {
            relay: public.unwrap_or(&self.record.relay).clone(),
            room: self.record.id,
            invite: entry.id,
            inviter: entry.by,
            secret: entry.secret.clone(),
            expires: entry.expires,
        };
        Invite {
            id: entry.id,
            link: link.to_string(),
            created: entry.created,
            expires: entry.expires,
            by: entry.by,
        }
    }

    /// Invites that were open before and are not now.
    pub(super) fn remember_closed(&mut self, before: Option<&RoomState>) {
        let state = self.record.state.as_ref();
        let open = |id: &MessageId| state.is_some_and(|state| state.invite(id).is_some());
        let before = before.iter().flat_map(|state| &state.invites);
        let gone: Vec<MessageId> = before.map(|i| i.id).filter(|id| !open(id)).collect();
        for invite in gone {
            record::remember(&mut self.record.closed, invite);
        }
    }

    pub fn wish_renewal(&mut self) {
        self.wish(Wish::Renew);
    }

    pub fn set_draft(&mut self, text: String) {
        if self.record.draft != text {
            self.record.draft = text;
            self.touch();
        }
    }

    pub fn set_prefs(&mut self, prefs: RoomPrefs) {
        self.record.prefs = prefs;
        self.touch();
    }

    /// Before the room is erased from this computer.
    pub fn bury(&mut self, cx: &mut Cx<'_>) -> Result<(), StoreError> {
        self.drop_group(cx)
    }

    pub fn show(&self, cx: &mut Cx<'_>) {
        cx.show(Change::Room(Box::new(self.view(cx.people, cx.limits))));
    }
}
