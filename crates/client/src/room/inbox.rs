//! The room's order, as the relay hands it out: each place is taken once, in
//! turn, whatever stands there. What stands there is for the modules beside
//! this one: [`super::hearing`] and [`super::following`].

use super::{Cx, Room, Sync, record::Departure, timeline::At, trail::Place};
use crate::{
    api::Why,
    model::{GapWhy, Standing},
    store::StoreError,
};
use sotto_wire::{
    ClientFrame, Epoch, MessageId, Millis, Seq,
    frame::{ChatKind, ChatReceive},
};

/// While catching up, the relay hears of progress every so many messages.
const ACKNOWLEDGE_EVERY: Seq = 64;

impl Room {
    /// The relay has accepted something of ours.
    pub fn acknowledged(
        &mut self,
        cx: &mut Cx<'_>,
        id: MessageId,
        seq: Seq,
        at: Millis,
    ) -> Result<(), StoreError> {
        self.set_cannot_store(false);
        if !self.takes_part() && self.record.standing == Standing::Lost {
            return Ok(()); // it comes again with the backlog
        }
        if !self.takes_part() || seq <= self.record.cursor {
            // Its place went by before its answer came: while this client was
            // lost, or on its way out.
            return self.accept_message(cx, &id, seq, at);
        }
        let commit = self.pending.as_ref().is_some_and(|p| p.id == id);
        if !commit && self.queued(&id).is_none() {
            self.reject(cx, None, Some(seq), Why::Unasked);
            return Ok(());
        }
        if seq != self.record.cursor + 1 {
            // Something came before it that we have not seen. Our own message
            // comes again with the backlog.
            return self.open(cx);
        }
        if commit {
            self.accept_commit(cx, seq, at)?;
        } else {
            self.accept_message(cx, &id, seq, at)?;
        }
        let (kind, epochs) = match commit {
            true => (ChatKind::Commit, 1),
            false => (ChatKind::Application, 0),
        };
        let from = cx.me.user();
        let place = Place {
            seq,
            id,
            from,
            kind,
        };
        self.advance(cx, &place, epochs)
    }

    pub fn receive(&mut self, cx: &mut Cx<'_>, message: ChatReceive) -> Result<(), StoreError> {
        let ChatReceive {
            seq, from, kind, ..
        } = message;
        if !self.takes_part() {
            self.reject(cx, Some(from), Some(seq), Why::UnknownRoom);
            return Ok(());
        }
        if seq <= self.record.cursor {
            self.reject(cx, Some(from), Some(seq), Why::Replay);
            return Ok(());
        }
        if seq != self.record.cursor + 1 {
            return self.open(cx);
        }
        let mut epochs = u64::from(kind == ChatKind::Commit);
        if from == cx.me.user() && message.device == cx.me.device() {
            epochs = self.receive_own(cx, &message)?;
        } else {
            match kind {
                ChatKind::Application => self.receive_content(cx, &message)?,
                ChatKind::Commit => self.receive_commit(cx, &message)?,
                // Rooms do not use proposals by reference.
                ChatKind::Proposal => self.reject(cx, Some(from), Some(seq), Why::NotAllowed),
            }
        }
        let place = Place {
            seq,
            id: message.id,
            from,
            kind,
        };
        self.advance(cx, &place, epochs)
    }

    /// Takes the place, and says so to the relay when it is time.
    fn advance(&mut self, cx: &mut Cx<'_>, place: &Place, epochs: Epoch) -> Result<(), StoreError> {
        let seq = place.seq;
        self.touch();
        self.record.cursor = seq;
        self.record.trail.extend(place);
        self.record.epoch += epochs;
        if epochs > 0 && self.pending.is_some() {
            // The relay takes it no more, not even after a commit that all
            // members refused.
            self.drop_commit(cx)?;
        }
        if let Sync::Open { head, epoch } = self.live.sync
            && seq >= head
        {
            return self.caught_up(cx, epoch);
        }
        if self.is_current() || seq >= self.live.acknowledged + ACKNOWLEDGE_EVERY {
            self.acknowledge(cx);
        }
        Ok(())
    }

    pub(super) fn acknowledge(&mut self, cx: &mut Cx<'_>) {
        let up_to = self.record.cursor;
        if up_to > self.live.acknowledged {
            self.live.acknowledged = up_to;
            self.send(
                cx,
                ClientFrame::ChatReceived {
                    room: self.record.id,
                    up_to,
                },
            );
        }
    }

    /// Everything up to the relay's head is processed: are we in step?
    pub(super) fn caught_up(&mut self, cx: &mut Cx<'_>, epoch: Epoch) -> Result<(), StoreError> {
        self.live.sync = Sync::Current;
        self.acknowledge(cx);
        let in_step = self.record.epoch == epoch;
        self.touch();
        match (&self.record.standing, self.record.departure) {
            (Standing::Member, _) if !in_step => self.record.standing = Standing::Lost,
            (Standing::Lost, _) if in_step => self.record.standing = Standing::Member,
            // Nobody would understand the goodbye.
            (_, Departure::Announcing { delete }) if !in_step => {
                return self.announced(cx, delete);
            }
            _ => {}
        }
        Ok(())
    }

    /// Our own message comes back: the ack was lost, or this store is an older
    /// copy of one that sent it. Says how many epochs it moved this client.
    fn receive_own(&mut self, cx: &mut Cx<'_>, message: &ChatReceive) -> Result<Epoch, StoreError> {
        let ChatReceive {
            seq, id, at, kind, ..
        } = *message;
        let pending = self.pending.as_ref();
        if pending.is_some_and(|p| p.id == id && p.body == message.body) {
            self.accept_commit(cx, seq, at)?;
            return Ok(1);
        }
        if kind == ChatKind::Application && self.queued(&id).is_some() {
            self.accept_message(cx, &id, seq, at)?;
            return Ok(0);
        }
        self.reject(cx, Some(message.from), Some(seq), Why::Unasked);
        // Keys may have been used that this store does not know of.
        self.record.renew_first = true;
        if kind == ChatKind::Commit && self.is_member() {
            // What it made of the group is not known here, and stays so: the
            // epoch is not counted.
            self.record.standing = Standing::Lost;
        }
        self.say_gap(cx, &mut At::new(seq, at), 1, GapWhy::Unreadable)?;
        Ok(0)
    }
}
