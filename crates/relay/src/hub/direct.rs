//! Sealed messages from one person to another, kept until acknowledged.

use super::{Action, Ask, Change, ConnId, Decision, Hub, Plan, refuse, state::Account};
use sotto_wire::{Bytes, ErrorCode, MessageId, Millis, RelayFrame, UserId, WireError};

impl Hub {
    pub(super) fn send_direct(
        &self,
        ask: &Ask,
        to: UserId,
        id: MessageId,
        body: Bytes,
        expires: Millis,
        plan: &mut Plan,
    ) -> Decision {
        let account = self.account(&to)?;
        if account.disabled {
            return refuse(ErrorCode::NotFound, "there is no such account here");
        }
        let from = ask.user;
        let known = account.done.contains_key(&(from, id)) || account.letter(&from, &id).is_some();
        if known {
            plan.answer(ask, RelayFrame::DirectAck { id });
            return Ok(());
        }
        if expires <= ask.now {
            return refuse(ErrorCode::InvalidFormat, "the message has expired already");
        }
        let size = body.len() as u64;
        self.check_mailbox(account, &from, size)?;
        let expires = expires.min(ask.now.saturating_add(self.config.direct_life));
        let receive = RelayFrame::DirectReceive {
            id,
            from,
            body: body.clone(),
        };
        let order = self.next_direct;
        plan.change(Change::DirectPut {
            to,
            from,
            id,
            order,
            expires,
            size,
            body,
        });
        plan.answer(ask, RelayFrame::DirectAck { id });
        plan.fan(account.conns.iter().copied(), receive);
        Ok(())
    }

    fn check_mailbox(&self, account: &Account, from: &UserId, size: u64) -> Decision {
        let same = account
            .waiting
            .values()
            .filter(|letter| letter.from == *from)
            .count();
        if same >= self.config.direct_per_sender {
            return Err(WireError::rate_limited(60_000));
        }
        let full = account.waiting.len() >= self.config.direct_count
            || account.waiting_bytes + size > self.config.direct_bytes;
        match full {
            true => refuse(ErrorCode::Unavailable, "the recipient's mailbox is full"),
            false => Ok(()),
        }
    }

    /// An id nobody sent is silently fine: the message may have expired.
    pub(super) fn direct_received(&self, ask: &Ask, id: MessageId, plan: &mut Plan) {
        let Some(account) = self.accounts.get(&ask.user) else {
            return;
        };
        for letter in account.waiting.values().filter(|letter| letter.id == id) {
            let until = letter
                .expires
                .min(ask.now.saturating_add(self.config.direct_memory));
            plan.change(Change::DirectDone {
                to: ask.user,
                from: letter.from,
                id,
                until,
            });
        }
    }

    pub(super) fn send_waiting(
        &self,
        now: Millis,
        conn: ConnId,
        to: UserId,
        account: &Account,
        plan: &mut Plan,
    ) {
        for letter in account
            .waiting
            .values()
            .filter(|letter| letter.expires > now)
        {
            let (from, id) = (letter.from, letter.id);
            plan.actions.push(Action::SendDirect { conn, to, from, id });
        }
    }
}
