//! Others who knock: opening what only a valid invite can seal, and deciding
//! who lets them in, and when.

use super::{
    Cx, Room,
    record::{self, Caller, Wish},
    state::InviteEntry,
};
use crate::{
    api::{Change, RequestError, Why},
    identity::PublicKey,
    mls::{
        group::{package_id, read_key_package},
        provider::{Crypto, Provider},
    },
    model::{Admission, Knock},
    seal::{Purpose, SealKey},
    store::{Space, StoreError},
};
use sotto_wire::{ClientFrame, MessageId, Millis, UserId};

/// Between two members who could both do what one must do. Long enough for
/// the first one's commit to arrive, short enough not to be noticed.
const RANK_STEP: Millis = 1_500;
/// Knocks that are kept of one room.
const CALLERS_MAX: usize = 100;
/// Knocks that wait for their invite to open, and the bytes of one.
const HELD_MAX: usize = 16;
const HELD_SIZE: usize = 16 * 1024;

/// Why a knock does not open.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Shut {
    /// Nobody who has the invite's secret made it.
    Forged,
    /// The invite has expired or was closed.
    Closed,
    /// The invite is not known, or not yet.
    NotYet,
}

/// An invite by which somebody can be let in, and its maker's account.
pub(super) struct OpenInvite<'a> {
    pub entry: &'a InviteEntry,
    pub account: PublicKey,
}

/// How long the member of this rank waits for those before.
pub(super) fn rank_delay(rank: u64) -> Millis {
    rank.min(20) * RANK_STEP
}

/// What is authenticated beside a sealed knock.
pub(super) fn knock_context(invite: &MessageId, knock: &MessageId, from: &UserId) -> Vec<u8> {
    [invite.as_bytes(), knock.as_bytes(), from.as_bytes()].concat()
}

impl Room {
    pub fn knocked(
        &mut self,
        cx: &mut Cx<'_>,
        id: MessageId,
        from: UserId,
        body: &[u8],
    ) -> Result<(), StoreError> {
        if !self.is_member() || from == cx.me.user() {
            return Ok(());
        }
        if self.caller(cx, &id)?.is_some() {
            self.plan_admission(cx, &id, from);
            return Ok(());
        }
        let caller = match self.open_knock(cx, id, from, body) {
            Ok(caller) => caller,
            Err(Shut::NotYet) if self.hold_knock(id, from, body) => return Ok(()),
            Err(shut) => {
                self.reject(cx, Some(from), None, Why::BadKnock);
                // The one who knocked cannot know; the host tells.
                if shut == Shut::Closed && self.host() == Some(cx.me.user()) {
                    let room = self.id();
                    self.send(cx, ClientFrame::RoomDeny { room, knock: id });
                }
                return Ok(());
            }
        };
        let seated = self.record.member(&from);
        let outdated = seated.is_some_and(|member| caller.made <= member.made);
        if outdated || self.record.answered.contains(&caller.package) {
            self.reject(cx, Some(from), None, Why::Replay);
            return Ok(());
        }
        for old in self.callers(cx)? {
            if old.knock.user == from {
                self.drop_caller(cx, &old.knock.id)?;
            }
        }
        if self.callers(cx)?.len() >= CALLERS_MAX {
            return Ok(());
        }
        record::write(cx.txn, Space::Knock, &self.caller_key(&id), &caller)?;
        self.plan_admission(cx, &id, from);
        self.show_knocks(cx)
    }

    fn open_knock(
        &self,
        cx: &mut Cx<'_>,
        id: MessageId,
        from: UserId,
        body: &[u8],
    ) -> Result<Caller, Shut> {
        let (invite, sealed) = body.split_at_checked(MessageId::SIZE).ok_or(Shut::Forged)?;
        let invite = MessageId(invite.try_into().map_err(|_| Shut::Forged)?);
        let entry = self.standing_invite(cx.crypto, &invite)?.entry;
        let key = SealKey::derive(
            entry.secret.expose(),
            Purpose::Knock,
            self.record.id.as_bytes(),
        );
        let package = key
            .open(&knock_context(&invite, &id, &from), sealed)
            .map_err(|_| Shut::Forged)?;
        if entry.expires < cx.now.wall {
            return Err(Shut::Closed);
        }
        let provider = Provider::new(cx.crypto, cx.txn);
        let (read, leaf) =
            read_key_package(&provider, &package, cx.now.wall).ok_or(Shut::Forged)?;
        if leaf.vouched.user != from {
            return Err(Shut::Forged);
        }
        let knock = Knock {
            id,
            user: from,
            profile: leaf.profile,
            invite,
            invite_created: entry.created,
            at: cx.now.wall,
            verified: cx.people.is_verified(&from),
        };
        Ok(Caller {
            knock,
            key_package: package.to_vec().into(),
            package: package_id(&read),
            made: leaf.made,
        })
    }

    /// An invite that is in the room state, whose maker is here to stay, and
    /// vouched for it.
    fn standing_invite(&self, crypto: &Crypto, invite: &MessageId) -> Result<OpenInvite<'_>, Shut> {
        let state = self.record.state.as_ref();
        let Some(entry) = state.and_then(|state| state.invite(invite)) else {
            let closed = self.record.closed.contains(invite);
            return Err(if closed { Shut::Closed } else { Shut::NotYet });
        };
        let maker = self.record.member(&entry.by).ok_or(Shut::Closed)?;
        let (account, leaves) = (maker.account, self.record.leaving.contains(&entry.by));
        let (terms, key) = (entry.terms(self.record.id), entry.key.public());
        let terms_said = terms.transcript(&key);
        let words = [account.as_bytes(), terms_said.as_slice(), &entry.vouching].concat();
        let vouched = crypto.holds(words, || {
            terms.check(&account, &key, &entry.vouching).is_ok()
        });
        if leaves || !vouched {
            return Err(Shut::Closed);
        }
        Ok(OpenInvite { entry, account })
    }

    pub(super) fn open_invite_for(
        &self,
        crypto: &Crypto,
        caller: &Caller,
    ) -> Option<OpenInvite<'_>> {
        self.standing_invite(crypto, &caller.knock.invite).ok()
    }

    /// A link is handed out before the commit that opens it is accepted, so a
    /// knock can come first. It is tried again when an invite opens; the relay
    /// repeats it at the next connection. `false`: there is no room for it.
    fn hold_knock(&mut self, id: MessageId, from: UserId, body: &[u8]) -> bool {
        let held = &mut self.live.held_knocks;
        held.retain(|(_, whose, _)| *whose != from);
        let fits = held.len() < HELD_MAX && body.len() <= HELD_SIZE;
        if fits {
            held.push((id, from, body.into()));
        }
        fits
    }

    pub(super) fn open_held_knocks(&mut self, cx: &mut Cx<'_>) -> Result<(), StoreError> {
        for (id, from, body) in std::mem::take(&mut self.live.held_knocks) {
            self.knocked(cx, id, from, &body)?;
        }
        Ok(())
    }

    /// Where the room admits at once, the host lets in; should nobody do it,
    /// the others follow one after the other.
    fn plan_admission(&mut self, cx: &mut Cx<'_>, knock: &MessageId, from: UserId) {
        let Some(state) = &self.record.state else {
            return;
        };
        if state.admission == Admission::AtOnce && !state.barred.contains(&from) {
            let at = cx.now.mono + rank_delay(self.rank(cx));
            self.live.admit_at.entry(*knock).or_insert(at);
        }
    }

    pub fn answer_knock(
        &mut self,
        cx: &mut Cx<'_>,
        knock: MessageId,
        admit: bool,
    ) -> Result<Result<(), RequestError>, StoreError> {
        let Some(caller) = self.caller(cx, &knock)? else {
            return Ok(Err(RequestError::UnknownKnock));
        };
        if !self.may_answer(cx, &caller) {
            return Ok(Err(RequestError::NotHost));
        }
        if admit {
            self.wish(Wish::Admit { knock });
        } else {
            self.drop_caller(cx, &knock)?;
            self.send(
                cx,
                ClientFrame::RoomDeny {
                    room: self.id(),
                    knock,
                },
            );
            self.show_knocks(cx)?;
        }
        Ok(Ok(()))
    }

    fn may_answer(&self, cx: &Cx<'_>, caller: &Caller) -> bool {
        let Some(state) = &self.record.state else {
            return false;
        };
        self.host() == Some(cx.me.user())
            || (state.admission == Admission::AtOnce && !state.barred.contains(&caller.knock.user))
    }

    /// The relay says that a member turned it down.
    pub fn knock_denied(&mut self, cx: &mut Cx<'_>, knock: &MessageId) -> Result<(), StoreError> {
        if self.caller(cx, knock)?.is_some() {
            self.drop_caller(cx, knock)?;
            self.show_knocks(cx)?;
        }
        Ok(())
    }

    /// Knocks of people who are in now, or whose invite is closed.
    pub(super) fn drop_answered_knocks(&mut self, cx: &mut Cx<'_>) -> Result<(), StoreError> {
        let mut dropped = false;
        for caller in self.callers(cx)? {
            let open = self.open_invite_for(cx.crypto, &caller).is_some();
            if !open || self.record.answered.contains(&caller.package) {
                self.drop_caller(cx, &caller.knock.id)?;
                dropped = true;
            }
        }
        if dropped {
            self.show_knocks(cx)
        } else {
            Ok(())
        }
    }

    pub fn knocks(&self, txn: &dyn crate::Txn) -> Result<Vec<Knock>, StoreError> {
        let callers: Vec<Caller> = record::scan(txn, Space::Knock, self.record.id.as_bytes())?;
        Ok(callers.into_iter().map(|caller| caller.knock).collect())
    }

    pub(super) fn caller(
        &self,
        cx: &Cx<'_>,
        knock: &MessageId,
    ) -> Result<Option<Caller>, StoreError> {
        record::read(cx.txn, Space::Knock, &self.caller_key(knock))
    }

    fn callers(&self, cx: &Cx<'_>) -> Result<Vec<Caller>, StoreError> {
        record::scan(cx.txn, Space::Knock, self.record.id.as_bytes())
    }

    pub(super) fn drop_caller(
        &mut self,
        cx: &mut Cx<'_>,
        knock: &MessageId,
    ) -> Result<(), StoreError> {
        self.live.admit_at.remove(knock);
        self.touch();
        cx.txn.delete(Space::Knock, &self.caller_key(knock))
    }

    pub(super) fn clear_knocks(&mut self, cx: &mut Cx<'_>) -> Result<(), StoreError> {
        for caller in self.callers(cx)? {
            self.drop_caller(cx, &caller.knock.id)?;
        }
        self.show_knocks(cx)
    }

    fn show_knocks(&mut self, cx: &mut Cx<'_>) -> Result<(), StoreError> {
        let knocks = self.knocks(cx.txn)?;
        self.record.knocks = knocks.len();
        self.touch();
        cx.show(Change::Knocks {
            room: self.record.id,
            knocks,
        });
        Ok(())
    }

    fn caller_key(&self, knock: &MessageId) -> Vec<u8> {
        record::key_in(&self.record.id, knock.as_bytes())
    }
}
