//! Getting into a room: knocking with an invite, and the Welcome that answers.

use super::{
    Cx, Room,
    authorize::{WelcomeFacts, judge_welcome},
    knocks::knock_context,
    record::{Departure, Joining, Record},
    timeline::At,
    trail::Trail,
};
use crate::{
    api::{Change, Why},
    invite::Link,
    mls::{MlsError, group, group::Invitation, provider::Provider},
    model::{GapWhy, Standing, SystemLine},
    seal::{Purpose, SealKey},
    store::StoreError,
};
use sotto_wire::{ClientFrame, ErrorCode, MessageId, UserId, WireError};

impl Room {
    /// A room that is only known by its link yet, or one to come back to.
    pub fn start_joining(&mut self, cx: &mut Cx<'_>, link: &Link) -> Result<(), StoreError> {
        let knocking = self.record.standing == Standing::Knocking;
        let joining = self.record.joining.as_ref().filter(|_| knocking);
        if joining.is_some_and(|joining| joining.invite == link.invite) {
            return Ok(()); // it is on its way
        }
        let lost =
            self.record.standing == Standing::Lost || joining.is_some_and(|joining| joining.lost);
        // A goodbye that was not said yet would be said of the new membership.
        self.drop_goodbye(cx)?;
        let made = self.next_made(cx);
        let provider = Provider::new(cx.crypto, cx.txn);
        let package = match group::key_package(&provider, &cx.me.signer(made)) {
            Ok(package) => package,
            Err(MlsError::Store(error)) => return Err(error),
            Err(MlsError::Refused) => return Err(StoreError::Damaged),
        };
        let (knock, room) = (cx.random_id(), self.id());
        let key = SealKey::derive(link.secret.expose(), Purpose::Knock, room.as_bytes());
        let context = knock_context(&link.invite, &knock, &cx.me.user());
        let mut body = link.invite.as_bytes().to_vec();
        body.extend(key.seal(cx.rng, &context, &package));
        self.record.relay = link.relay.clone();
        self.record.joining = Some(Joining {
            knock,
            invite: link.invite,
            secret: link.secret.clone(),
            inviter: link.inviter,
            expires: link.expires,
            body: body.into(),
            lost,
            made,
        });
        self.record.departure = Departure::None;
        self.record.standing = Standing::Knocking;
        self.record.active_at = cx.now.wall;
        self.touch();
        if cx.up {
            self.knock(cx);
        }
        Ok(())
    }

    pub(super) fn knock(&self, cx: &mut Cx<'_>) {
        if let Some(joining) = &self.record.joining {
            let (room, id, body) = (self.id(), joining.knock, joining.body.clone());
            self.send(cx, ClientFrame::RoomKnock { room, id, body });
        }
    }

    /// Somebody said no. The relay could have made it up: it can keep people
    /// out anyway.
    pub fn denied(&mut self, knock: &MessageId) -> bool {
        let joining = self.record.joining.as_ref();
        let is_it = joining.is_some_and(|j| j.knock == *knock);
        let ours = is_it && self.record.standing == Standing::Knocking;
        // A knock that was given up can still be answered: see `welcomed`.
        let given_up = is_it && self.record.standing == Standing::Left;
        if ours {
            self.record.standing = Standing::Denied;
            self.record.joining = None;
        }
        if ours || given_up {
            self.record.departure = Departure::None;
            self.touch();
        }
        ours || given_up
    }

    pub(super) fn knock_refused(
        &mut self,
        cx: &mut Cx<'_>,
        error: &WireError,
    ) -> Result<(), StoreError> {
        match error.code {
            ErrorCode::RateLimited | ErrorCode::Unavailable => self.wait(cx, error),
            code => {
                self.record.standing = match code {
                    ErrorCode::UnknownRoom => Standing::Deleted { by: None },
                    _ => Standing::Denied,
                };
                self.record.joining = None;
                self.touch();
                cx.show(Change::Refused {
                    room: Some(self.id()),
                    code,
                });
            }
        }
        Ok(())
    }

    /// A letter that may hold the Welcome to this room.
    pub fn welcomed(
        &mut self,
        cx: &mut Cx<'_>,
        from: UserId,
        knock: MessageId,
        sealed: &[u8],
    ) -> Result<(), StoreError> {
        // Who gave up while being let in goes in, to say goodbye.
        let gave_up = self.record.standing == Standing::Left;
        let asked = gave_up || self.record.standing == Standing::Knocking;
        let Some(joining) = self
            .record
            .joining
            .clone()
            .filter(|j| asked && j.knock == knock)
        else {
            self.reject(cx, Some(from), None, Why::UnwantedWelcome);
            return Ok(());
        };
        let Some(letter) = joining.open(self.id(), cx.me.user(), sealed) else {
            self.reject(cx, Some(from), None, Why::UnwantedWelcome);
            return Ok(());
        };
        let Some(by) = self.enter(cx, &joining, &letter.welcome)? else {
            self.reject(cx, Some(from), None, Why::UnwantedWelcome);
            return Ok(());
        };
        let (seq, epoch) = (letter.seq, letter.epoch);
        self.welcome_in(cx, by, seq, epoch, joining.lost)?;
        self.record.trail = Trail::from_mark(letter.mark);
        self.touch();
        if gave_up {
            self.leave(cx).map(drop)
        } else {
            Ok(())
        }
    }

    /// Joins the group if the Welcome is what was asked for, and says who made
    /// it: the relay's word on that does not count.
    fn enter(
        &mut self,
        cx: &mut Cx<'_>,
        joining: &Joining,
        welcome: &[u8],
    ) -> Result<Option<UserId>, StoreError> {
        let me = cx.me.vouched();
        let provider = Provider::new(cx.crypto, cx.txn);
        let invitation = match Invitation::open(&provider, welcome) {
            Ok(invitation) => invitation,
            Err(MlsError::Store(error)) => return Err(error),
            Err(MlsError::Refused) => return Ok(None),
        };
        let facts = WelcomeFacts {
            asked_invite: joining.invite,
            inviter: joining.inviter,
            me: &me,
            own_leaf: invitation.own_leaf,
            sender_leaf: invitation.sender_leaf,
            state: invitation.state.as_ref(),
            members: invitation.members.as_deref(),
        };
        if invitation.room != Some(self.record.id) || judge_welcome(&facts).is_err() {
            return Ok(None);
        }
        let by = facts.sender();
        let group = match invitation.join(&provider) {
            Ok(group) => group,
            Err(MlsError::Store(error)) => return Err(error),
            Err(MlsError::Refused) => return Ok(None),
        };
        if group.members(&provider).is_none() {
            // A member whose profile cannot be read: nothing may stay of it.
            return match group.delete(&provider) {
                Err(MlsError::Store(error)) => Err(error),
                _ => Ok(None),
            };
        }
        self.group = Some(group);
        Ok(by)
    }

    fn welcome_in(
        &mut self,
        cx: &mut Cx<'_>,
        by: UserId,
        seq: u64,
        epoch: u64,
        lost: bool,
    ) -> Result<(), StoreError> {
        let (id, relay) = (self.record.id, self.record.relay.clone());
        let fresh = Record::new(id, relay, Standing::Member, cx.now.wall);
        let old = std::mem::replace(&mut self.record, fresh);
        self.record.prefs = old.prefs;
        self.record.draft = old.draft;
        self.record.outbox_next = old.outbox_next;
        self.record.read_position = old.read_position;
        self.record.cursor = seq;
        self.record.epoch = epoch;
        self.drop_pending(cx)?;
        self.take_over(cx, by, &[])?;
        for member in &mut self.record.roster {
            // Only the own admission was seen; the others were here before.
            if member.user != cx.me.user() {
                member.added_by = None;
            }
        }
        self.agreed_dirty = true;
        let mut at = At::new(seq, cx.now.wall);
        let missed = seq.saturating_sub(old.cursor + 1);
        if lost && missed > 0 {
            self.say_gap(cx, &mut at, missed, GapWhy::Unreadable)?;
        }
        let by = self.actor(by);
        self.say(cx, &mut at, SystemLine::YouJoined { by })?;
        self.renew_soon(cx);
        self.show_people(cx);
        self.live.sync = super::Sync::Closed;
        self.open(cx)
    }
}
