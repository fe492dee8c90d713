//! Accounts, their devices, refresh sessions and connections.
//!
//! Whether a signature or token is genuine was judged before; here it is only
//! whether the account and device may still act.

use super::{
    Action, Change, CloseCode, ConnId, Decision, Hub, NewSession, Plan, plan::Passing, refuse,
    state::Account,
};
use sotto_wire::{
    DeviceId, ErrorCode, Millis, RelayFrame, UserId, frame::Presence, limits::Limits,
};

/// Whether a device may act, and in which generation its tokens must be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// Never signed in here.
    Unknown,
    Good {
        generation: u32,
    },
    /// The operator has disabled the account or barred the device.
    Barred,
}

impl Hub {
    /// Whether `user` ever signed in here, with any device.
    pub fn knows(&self, user: &UserId) -> bool {
        self.account(user).is_ok()
    }

    pub fn standing(&self, user: &UserId, device: &DeviceId) -> Standing {
        let Ok(account) = self.account(user) else {
            return Standing::Unknown;
        };
        let generation = account.generation;
        match account.devices.get(device) {
            _ if account.disabled => Standing::Barred,
            Some(device) if device.revoked => Standing::Barred,
            _ => Standing::Good { generation },
        }
    }

    pub(super) fn auth_ok(&self, now: Millis, user: UserId, device: DeviceId) -> RelayFrame {
        let limits = Limits {
            members: self.config.members,
            ..Limits::default()
        };
        RelayFrame::AuthOk {
            user,
            device,
            server_time: now,
            limits,
        }
    }

    pub(super) fn connected(
        &self,
        now: Millis,
        conn: ConnId,
        user: UserId,
        device: DeviceId,
        plan: &mut Plan,
    ) {
        if self.conns.contains_key(&conn) {
            return;
        }
        if self.standing(&user, &device) == Standing::Barred {
            return plan.close(conn, CloseCode::Unauthenticated);
        }
        self.ensure_device(now, user, device, plan);
        plan.pass(Passing::Attach { conn, user, device });
        plan.send(conn, self.auth_ok(now, user, device));
        let Some(account) = self.accounts.get(&user) else {
            return plan.send(conn, RelayFrame::KeysLow { count: 0 });
        };
        for (room, (knock, _)) in &account.denials {
            plan.send(
                conn,
                RelayFrame::RoomDenied {
                    room: *room,
                    knock: *knock,
                },
            );
            plan.change(Change::DenialDrop { user, room: *room });
        }
        self.send_waiting(now, conn, user, account, plan);
        let keys = account
            .devices
            .get(&device)
            .map_or(0, |device| device.keys.len());
        if keys < self.config.keys_low {
            plan.send(conn, RelayFrame::KeysLow { count: keys });
        }
        if self.shown(&user, &[]) != Presence::Online {
            self.fan_state(&user, Presence::Online, plan);
        }
    }

    fn ensure_device(&self, now: Millis, user: UserId, device: DeviceId, plan: &mut Plan) {
        let account = self.accounts.get(&user);
        // An account row may be missing where only an index made the entry.
        if account.is_none_or(|account| account.created == 0) {
            let (generation, disabled) =
                account.map_or((0, false), |account| (account.generation, account.disabled));
            plan.change(Change::AccountPut {
                user,
                created: now.max(1),
                generation,
                disabled,
            });
        }
        if account.is_none_or(|account| !account.devices.contains_key(&device)) {
            plan.change(Change::DevicePut {
                user,
                device,
                revoked: false,
            });
        }
    }

    pub(super) fn signed_in(
        &self,
        now: Millis,
        user: UserId,
        device: DeviceId,
        session: NewSession,
        plan: &mut Plan,
    ) -> Decision {
        if self.standing(&user, &device) == Standing::Barred {
            return refuse(
                ErrorCode::Forbidden,
                "this account or device is disabled here",
            );
        }
        self.ensure_device(now, user, device, plan);
        let NewSession {
            family,
            secret,
            expires,
        } = session;
        plan.change(Change::SessionPut {
            family,
            user,
            device,
            secret,
            expires,
        });
        Ok(())
    }

    /// Whose refresh token this is.
    pub fn session(&self, family: &[u8; 32]) -> Option<(UserId, DeviceId)> {
        self.sessions
            .get(family)
            .map(|session| (session.user, session.device))
    }

    /// A refusal may come with a change: whoever shows a spent token of a
    /// living family has stolen it or was stolen from, so the family ends.
    pub(super) fn rotate(
        &self,
        now: Millis,
        family: [u8; 32],
        secret: [u8; 32],
        next: NewSession,
        plan: &mut Plan,
    ) -> Decision {
        let bad = |why| refuse(ErrorCode::BadCredential, why);
        let Some(session) = self.sessions.get(&family) else {
            return bad("the refresh token does not hold");
        };
        if session.secret != secret {
            plan.change(Change::SessionDrop { family });
            return bad("the refresh token was spent before");
        }
        if session.expires <= now {
            plan.change(Change::SessionDrop { family });
            return bad("the refresh token has expired");
        }
        let (user, device) = (session.user, session.device);
        if self.standing(&user, &device) == Standing::Barred {
            return refuse(
                ErrorCode::Forbidden,
                "this account or device is disabled here",
            );
        }
        let NewSession {
            secret, expires, ..
        } = next;
        plan.change(Change::SessionPut {
            family,
            user,
            device,
            secret,
            expires,
        });
        Ok(())
    }

    pub(super) fn revoke(
        &self,
        user: UserId,
        device: Option<DeviceId>,
        plan: &mut Plan,
    ) -> Decision {
        let account = self.account(&user)?;
        match device {
            None => plan.change(Change::AccountPut {
                user,
                created: account.created,
                generation: account.generation + 1,
                disabled: account.disabled,
            }),
            Some(device) => {
                plan.change(Change::DevicePut {
                    user,
                    device,
                    revoked: true,
                });
                self.drop_keys(account, user, device, plan);
            }
        }
        self.end(account, user, device, plan);
        Ok(())
    }

    pub(super) fn disable(&self, user: UserId, disabled: bool, plan: &mut Plan) -> Decision {
        let account = self.account(&user)?;
        let generation = account.generation + u32::from(disabled);
        plan.change(Change::AccountPut {
            user,
            created: account.created,
            generation,
            disabled,
        });
        if disabled {
            self.end(account, user, None, plan);
        }
        Ok(())
    }

    /// Ends sessions and connections of one device, or of all.
    fn end(&self, account: &Account, user: UserId, device: Option<DeviceId>, plan: &mut Plan) {
        plan.actions.push(Action::EndTurn { user, device });
        let meant = |candidate: DeviceId| device.is_none_or(|device| device == candidate);
        for (family, session) in &self.sessions {
            if session.user == user && meant(session.device) {
                plan.change(Change::SessionDrop { family: *family });
            }
        }
        let ending = |conn: &&ConnId| self.conns.get(conn).is_some_and(|c| meant(c.device));
        let conns: Vec<_> = account.conns.iter().filter(ending).copied().collect();
        for conn in &conns {
            plan.close(*conn, CloseCode::Unauthenticated);
        }
        self.detach(&conns, plan);
    }

    /// Connections are gone, or are about to be closed.
    pub(super) fn detach(&self, conns: &[ConnId], plan: &mut Plan) {
        let Some(first) = conns.iter().find_map(|conn| self.conns.get(conn)) else {
            return;
        };
        for conn in conns {
            plan.pass(Passing::Detach { conn: *conn });
        }
        let after = self.shown(&first.user, conns);
        if after != self.shown(&first.user, &[]) {
            self.fan_state(&first.user, after, plan);
        }
    }

    pub(super) fn notice(
        &self,
        user: Option<UserId>,
        kind: String,
        body: String,
        plan: &mut Plan,
    ) -> Decision {
        let conns: Vec<_> = match user {
            Some(user) => self.account(&user)?.conns.iter().copied().collect(),
            None => self.conns.keys().copied().collect(),
        };
        plan.fan(conns, RelayFrame::Notice { kind, body });
        Ok(())
    }

    pub(super) fn account(&self, user: &UserId) -> Result<&Account, sotto_wire::WireError> {
        // Members are added by id alone: an entry without a birth is no account.
        match self
            .accounts
            .get(user)
            .filter(|account| account.created > 0)
        {
            Some(account) => Ok(account),
            None => refuse(ErrorCode::NotFound, "there is no such account here"),
        }
    }
}
