//! Others who knock: opening what only a valid invite can seal, and deciding
//! who lets them in, and when.

use super::{
    Cx, Room,
    record::{self, Caller, Wish},
};
use crate::{
    api::{Change, RequestError, Why},
    mls::{group::read_key_package, provider::Provider},
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
        let Some(caller) = self.open_knock(cx, id, from, body) else {
            self.reject(cx, Some(from), None, Why::BadKnock);
            return Ok(());
        };
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
    ) -> Option<Caller> {
        let (invite, sealed) = body.split_at_checked(MessageId::SIZE)?;
        let invite = MessageId(invite.try_into().ok()?);
        let entry = self.record.state.as_ref()?.invite(&invite)?;
        if entry.expires < cx.now.wall {
            return None;
        }
        let key = SealKey::derive(
            entry.secret.expose(),
            Purpose::Knock,
            self.record.id.as_bytes(),
        );
        let package = key.open(&knock_context(&invite, &id, &from), sealed).ok()?;
        let provider = Provider::new(cx.crypto, cx.txn);
        let (_, vouched, profile) = read_key_package(&provider, &package, cx.now.wall)?;
        if vouched.user != from {
            return None;
        }
        let knock = Knock {
            id,
            user: from,
            profile,
            invite,
            invite_created: entry.created,
            at: cx.now.wall,
            verified: cx.people.is_verified(&from),
        };
        Some(Caller {
            knock,
            key_package: package.to_vec().into(),
        })
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
            let state = self.record.state.as_ref();
            let open = state.is_some_and(|s| s.invite(&caller.knock.invite).is_some());
            if !open || self.is_seated(&caller) {
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

    /// Whether the very key package of this knock is in the tree. Somebody who
    /// lost their state knocks again while an older leaf of theirs is in.
    fn is_seated(&self, caller: &Caller) -> bool {
        self.record
            .member(&caller.knock.user)
            .is_some_and(|member| member.added_at.is_none_or(|at| at >= caller.knock.at))
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
