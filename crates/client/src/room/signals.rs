//! Passing signals: typing and read marks. Sealed under a key of the epoch,
//! one per sender; not stored anywhere; a lost one is no loss.

use super::{
    Cx, Room,
    content::{Signal, SignalKind},
};
use crate::{
    api::{Change, Why},
    pad,
    seal::{Purpose, SealKey},
    store::{StoreError, position, seq_of},
};
use sotto_wire::{ClientFrame, Millis, UserId};

/// Somebody who typed and fell silent is no longer typing after this.
const TYPING_LASTS: Millis = 6_000;

impl Room {
    pub fn set_typing(&mut self, cx: &mut Cx<'_>, on: bool) -> Result<(), StoreError> {
        self.signal(cx, SignalKind::Typing { on })
    }

    pub fn mark_read(&mut self, cx: &mut Cx<'_>, read: u64) -> Result<(), StoreError> {
        // Own messages that wait stand behind everything that is yet to come.
        let read = read.min(position(self.record.cursor + 1, 0) - 1);
        if read <= self.record.read_position {
            return Ok(());
        }
        self.record.read_position = read;
        self.touch();
        self.repeat_read_mark(cx)
    }

    /// Says how far we have read, for those who were not there to hear it.
    pub(super) fn repeat_read_mark(&mut self, cx: &mut Cx<'_>) -> Result<(), StoreError> {
        let read = seq_of(self.record.read_position).unwrap_or(self.record.cursor);
        match read.min(self.record.newest_heard) {
            0 => Ok(()),
            up_to => self.signal(cx, SignalKind::Read { up_to }),
        }
    }

    fn signal(&mut self, cx: &mut Cx<'_>, says: SignalKind) -> Result<(), StoreError> {
        if !cx.up || !self.is_current() || !self.is_member() || self.record.roster.len() < 2 {
            return Ok(());
        }
        let Some((leaf, key)) = self.signal_key(cx, None)? else {
            return Ok(());
        };
        // Wall time, so that a restart does not count from the beginning.
        self.live.last_signal = cx.now.wall.max(self.live.last_signal + 1);
        let signal = Signal {
            n: self.live.last_signal,
            says,
        };
        let plain = pad::pad(&serde_json::to_vec(&signal).expect("a signal is plain data"));
        let mut body = leaf.to_be_bytes().to_vec();
        body.extend(key.seal(cx.rng, self.record.id.as_bytes(), &plain));
        self.send(
            cx,
            ClientFrame::ChatSignal {
                room: self.id(),
                body: body.into(),
            },
        );
        Ok(())
    }

    /// The key of a sender: the own one, or that of another leaf.
    fn signal_key(
        &mut self,
        cx: &mut Cx<'_>,
        leaf: Option<u32>,
    ) -> Result<Option<(u32, SealKey)>, StoreError> {
        let secret = self.with_group(cx, |group, provider, _| {
            Ok((group.own_leaf(), group.signal_secret(provider)))
        })?;
        let Some((own, Some(secret))) = secret else {
            return Ok(None);
        };
        let leaf = leaf.unwrap_or(own);
        Ok(Some((
            leaf,
            SealKey::derive(&secret, Purpose::Signal, &leaf.to_be_bytes()),
        )))
    }

    pub fn signaled(
        &mut self,
        cx: &mut Cx<'_>,
        from: UserId,
        body: &[u8],
    ) -> Result<(), StoreError> {
        if !self.is_member() {
            return Ok(());
        }
        match self.open_signal(cx, from, body)? {
            None => self.reject(cx, Some(from), None, Why::BadSignal),
            Some(SignalKind::Typing { on: true }) => {
                let fresh = self
                    .live
                    .typing
                    .insert(from, cx.now.mono + TYPING_LASTS)
                    .is_none();
                if fresh {
                    self.show_typing(cx);
                }
            }
            Some(SignalKind::Typing { on: false }) => self.stop_typing(cx, from),
            Some(SignalKind::Read { up_to }) => {
                let mark = self.record.read_marks.entry(from).or_default();
                if up_to > *mark && up_to <= self.record.cursor {
                    *mark = up_to;
                    self.touch();
                    self.show_people(cx);
                }
            }
        }
        Ok(())
    }

    fn open_signal(
        &mut self,
        cx: &mut Cx<'_>,
        from: UserId,
        body: &[u8],
    ) -> Result<Option<SignalKind>, StoreError> {
        let Some((leaf, sealed)) = body.split_at_checked(4) else {
            return Ok(None);
        };
        let leaf = u32::from_be_bytes(leaf.try_into().expect("four bytes"));
        if self.record.at_leaf(leaf).map(|m| m.user) != Some(from) {
            return Ok(None);
        }
        let Some((_, key)) = self.signal_key(cx, Some(leaf))? else {
            return Ok(None);
        };
        let plain = key.open(self.record.id.as_bytes(), sealed).ok();
        let signal = plain
            .as_deref()
            .and_then(|plain| serde_json::from_slice::<Signal>(pad::unpad(plain)?).ok());
        let heard = self.live.heard.entry(from).or_default();
        Ok(signal.filter(|signal| signal.n > *heard).map(|signal| {
            *heard = signal.n;
            signal.says
        }))
    }

    pub(super) fn stop_typing(&mut self, cx: &mut Cx<'_>, user: UserId) {
        if self.live.typing.remove(&user).is_some() {
            self.show_typing(cx);
        }
    }

    pub(super) fn expire_typing(&mut self, cx: &mut Cx<'_>) {
        let before = self.live.typing.len();
        self.live.typing.retain(|_, until| *until > cx.now.mono);
        if self.live.typing.len() != before {
            self.show_typing(cx);
        }
    }

    fn show_typing(&self, cx: &mut Cx<'_>) {
        let users = self.live.typing.keys().copied().collect();
        cx.show(Change::Typing {
            room: self.record.id,
            users,
        });
    }
}
