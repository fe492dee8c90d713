//! The outbox: plaintext kept (in the encrypted store) until the relay has
//! accepted it, encrypted at the moment of sending, in order.
//!
//! A message that was sent in an epoch that has passed is encrypted again and
//! sent again under the same id; the relay takes each id once.

use super::{
    Cx, Queued, Room,
    content::{Content, Saying},
    record::{self, Departure, Outgoing},
    timeline::At,
};
use crate::{
    api::RequestError,
    model::{Delivery, MessageBody, Quote, Standing, TEXT_MAX, clean_text},
    pad,
    store::{Space, StoreError},
};
use sotto_wire::{
    ClientFrame, MessageId, Millis, Seq,
    frame::{ChatKind, ChatSend},
};

/// Messages that may be on their way at a time.
const WINDOW: usize = 32;
/// Longest text that a quote repeats, in characters.
const QUOTE_MAX: usize = 200;

impl Room {
    pub fn write(
        &mut self,
        cx: &mut Cx<'_>,
        id: MessageId,
        body: MessageBody,
    ) -> Result<Result<(), RequestError>, StoreError> {
        if !matches!(
            self.record.standing,
            Standing::Member | Standing::Creating | Standing::Lost
        ) {
            return Ok(Err(RequestError::RoomOver));
        }
        let body = tidy(body);
        if body.text.trim().is_empty() {
            return Ok(Err(RequestError::EmptyMessage));
        }
        let max = longest_text(cx.limits.frame);
        if body.text.len() > max {
            return Ok(Err(RequestError::MessageTooLong { max }));
        }
        if self.queued(&id).is_some() || cx.txn.row(&self.id(), &id)?.is_some() {
            return Ok(Ok(()));
        }
        let order = self.enqueue(Content {
            id,
            saying: Saying::Text(body.clone()),
            seen: None,
        });
        // In the same transaction: after a crash, what was sent is no draft.
        self.set_draft(String::new());
        self.note_waiting(cx, order, id, body, Delivery::Pending)?;
        Ok(Ok(()))
    }

    pub fn retry(
        &mut self,
        cx: &mut Cx<'_>,
        id: &MessageId,
    ) -> Result<Result<(), RequestError>, StoreError> {
        let Some(queued) = self.outbox.iter_mut().find(|q| q.out.content.id == *id) else {
            return Ok(Err(RequestError::UnknownMessage));
        };
        queued.out.failed = false;
        queued.sent_in = None;
        queued.unsaved = true;
        let out = queued.out.clone();
        if let Saying::Text(body) = out.content.saying {
            self.note_waiting(cx, out.order, *id, body, Delivery::Pending)?;
        }
        Ok(Ok(()))
    }

    /// Drops a message that the relay cannot have.
    pub fn discard(
        &mut self,
        cx: &mut Cx<'_>,
        id: &MessageId,
    ) -> Result<Result<(), RequestError>, StoreError> {
        match self.queued(id) {
            None => Ok(Err(RequestError::UnknownMessage)),
            Some(queued) if queued.out.sent && !queued.out.failed => Ok(Err(RequestError::Busy)),
            Some(_) => {
                self.dequeue(cx, id)?;
                self.unsay(cx, id)?;
                Ok(Ok(()))
            }
        }
    }

    pub(super) fn queued(&self, id: &MessageId) -> Option<&Queued> {
        self.outbox.iter().find(|q| q.out.content.id == *id)
    }

    /// Kept at the end of this input, see [`Room::save_outbox`].
    pub(super) fn enqueue(&mut self, content: Content) -> u64 {
        let order = self.record.outbox_next;
        self.record.outbox_next += 1;
        self.touch();
        let out = Outgoing {
            order,
            content,
            failed: false,
            sent: false,
        };
        let (sent_in, unsaved) = (None, true);
        self.outbox.push(Queued {
            out,
            sent_in,
            unsaved,
        });
        order
    }

    /// Writes what an input changed in the outbox, once for each message: most
    /// are queued and sent at the same time.
    pub(super) fn save_outbox(&mut self, cx: &mut Cx<'_>) -> Result<(), StoreError> {
        let room = self.id();
        for queued in self.outbox.iter_mut().filter(|q| q.unsaved) {
            let key = record::key_in(&room, &queued.out.order.to_be_bytes());
            record::write(cx.txn, Space::Outbox, &key, &queued.out)?;
            queued.unsaved = false;
        }
        Ok(())
    }

    pub(super) fn dequeue(
        &mut self,
        cx: &mut Cx<'_>,
        id: &MessageId,
    ) -> Result<Option<Outgoing>, StoreError> {
        let Some(index) = self.outbox.iter().position(|q| q.out.content.id == *id) else {
            return Ok(None);
        };
        let out = self.outbox.remove(index).out;
        cx.txn.delete(
            Space::Outbox,
            &record::key_in(&self.id(), &out.order.to_be_bytes()),
        )?;
        Ok(Some(out))
    }

    /// Sends what waits and is not on its way in this epoch.
    pub(super) fn flush(&mut self, cx: &mut Cx<'_>) -> Result<(), StoreError> {
        let epoch = self.record.epoch;
        let sent = |q: &&Queued| q.sent_in == Some(epoch);
        let mut flying = self.outbox.iter().filter(sent).count();
        for index in 0..self.outbox.len() {
            let queued = &self.outbox[index];
            if queued.out.failed || queued.sent_in == Some(epoch) {
                continue;
            }
            if flying >= WINDOW {
                break;
            }
            let seen = self.record.trail.seen(self.record.cursor);
            let content = Content {
                seen,
                ..queued.out.content.clone()
            }
            .encode();
            let id = queued.out.content.id;
            let sealed = self.with_group(cx, |group, provider, signer| {
                group.encrypt(provider, signer, &content)
            })?;
            // A group that cannot encrypt is not one we are in any more.
            let Some(body) = sealed else { break };
            let queued = &mut self.outbox[index];
            queued.sent_in = Some(epoch);
            queued.unsaved |= !std::mem::replace(&mut queued.out.sent, true);
            flying += 1;
            let (room, kind) = (self.id(), ChatKind::Application);
            let (adds, removes, body) = (vec![], vec![], body.into());
            let send = ChatSend {
                room,
                id,
                kind,
                epoch,
                adds,
                removes,
                body,
            };
            self.send(cx, ClientFrame::ChatSend(send));
        }
        Ok(())
    }

    /// The relay has given an own message its place.
    pub(super) fn accept_message(
        &mut self,
        cx: &mut Cx<'_>,
        id: &MessageId,
        seq: Seq,
        at: Millis,
    ) -> Result<(), StoreError> {
        let Some(out) = self.dequeue(cx, id)? else {
            return Ok(());
        };
        self.record.sent_since += 1;
        self.touch();
        match out.content.saying {
            Saying::Text(body) => self.note_accepted(cx, &mut At::new(seq, at), *id, body),
            Saying::Leave => self.announced(cx, false),
            Saying::Delete => self.announced(cx, true),
            Saying::Call(saying) => {
                self.hear_call(cx, &mut At::new(seq, at), cx.me.user(), &saying)
            }
        }
    }

    /// The relay refused a message for good.
    pub(super) fn fail_message(
        &mut self,
        cx: &mut Cx<'_>,
        id: &MessageId,
    ) -> Result<(), StoreError> {
        let Some(queued) = self.outbox.iter_mut().find(|q| q.out.content.id == *id) else {
            return Ok(());
        };
        queued.out.failed = true;
        queued.sent_in = None;
        queued.unsaved = true;
        let out = queued.out.clone();
        match out.content.saying {
            Saying::Text(body) => self.note_waiting(cx, out.order, *id, body, Delivery::Failed),
            Saying::Call(saying) => {
                self.dequeue(cx, id)?;
                self.call_refused(cx, &saying)
            }
            // The goodbye cannot be said. Then go without it.
            Saying::Leave | Saying::Delete => {
                let delete = matches!(
                    self.record.departure,
                    Departure::Announcing { delete: true }
                );
                self.dequeue(cx, id)?;
                self.announced(cx, delete)
            }
        }
    }

    /// Whoever comes back does not leave.
    pub(super) fn drop_goodbye(&mut self, cx: &mut Cx<'_>) -> Result<(), StoreError> {
        let goodbye = |q: &&Queued| matches!(q.out.content.saying, Saying::Leave | Saying::Delete);
        let goodbyes = self.outbox.iter().filter(goodbye);
        for id in goodbyes.map(|q| q.out.content.id).collect::<Vec<_>>() {
            self.dequeue(cx, &id)?;
        }
        Ok(())
    }

    /// The room is over: what waits will not be sent, and says so.
    pub(super) fn fail_all(&mut self, cx: &mut Cx<'_>) -> Result<(), StoreError> {
        for id in self
            .outbox
            .iter()
            .map(|q| q.out.content.id)
            .collect::<Vec<_>>()
        {
            match self.queued(&id).map(|q| &q.out.content.saying) {
                Some(Saying::Text(_)) => self.fail_message(cx, &id)?,
                _ => drop(self.dequeue(cx, &id)?),
            }
        }
        Ok(())
    }
}

/// The longest text that fits into a frame of a relay, in bytes. What it makes
/// of it is an estimate from above: a text may double when it is escaped, and
/// carry a quote; its encryption adds a signature and a header, and the frame
/// base64 and the fields around it.
pub(super) fn longest_text(frame: usize) -> usize {
    const FIELDS: usize = 512;
    const ENCRYPTION: usize = 512;
    const AROUND_TEXT: usize = 2_048;
    let sealed = frame.saturating_sub(FIELDS) / 4 * 3;
    let content = pad::longest(sealed.saturating_sub(ENCRYPTION));
    (content.saturating_sub(AROUND_TEXT) / 2).min(TEXT_MAX)
}

/// A text that somebody else sent, as it would have been sent from here. Their
/// client may be of their own making.
pub(super) fn presentable(body: MessageBody) -> Option<MessageBody> {
    let body = tidy(body);
    (!body.text.trim().is_empty() && body.text.len() <= TEXT_MAX).then_some(body)
}

fn tidy(body: MessageBody) -> MessageBody {
    let reply_to = body.reply_to.map(|quote| Quote {
        text: clean_text(&quote.text, false)
            .chars()
            .take(QUOTE_MAX)
            .collect(),
        name: clean_text(&quote.name, false)
            .chars()
            .take(crate::model::NAME_MAX)
            .collect(),
        ..quote
    });
    MessageBody {
        text: clean_text(body.text.trim_end(), true),
        reply_to,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use sotto_wire::limits;

    #[test]
    fn a_text_is_as_long_as_the_relay_takes_and_never_longer_than_ours() {
        let check = |frame, expect| assert_eq!(longest_text(frame), expect, "{frame}");
        check(limits::FRAME, TEXT_MAX);
        check(usize::MAX, TEXT_MAX);
        check(16 * 1024, 3_070);
        check(1_024, 0);
        check(0, 0);
    }
}
