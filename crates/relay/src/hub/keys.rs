//! Key packages: one-time ones go out once each, oldest first; after that the
//! last-resort one.

use super::{
    Action, Ask, Change, Decision, Hub, KeyRef, Plan, plan::Quota, refuse, state::Account,
};
use sotto_wire::{Bytes, DeviceId, ErrorCode, RelayFrame, UserId, limits};

impl Hub {
    pub(super) fn publish_keys(
        &self,
        ask: &Ask,
        packages: Vec<Bytes>,
        last_resort: Option<Bytes>,
        plan: &mut Plan,
    ) -> Decision {
        if packages.len() > limits::KEY_PACKAGES {
            return refuse(ErrorCode::TooLarge, "too many key packages at once");
        }
        let mut all = packages.iter().chain(&last_resort);
        if all.any(|package| package.is_empty() || package.len() > limits::FRAME) {
            return refuse(ErrorCode::InvalidFormat, "that is no key package");
        }
        let (user, device) = (ask.user, ask.device);
        let account = self.accounts.get(&user);
        let kept = account.and_then(|account| account.devices.get(&device));
        let mut keys: Vec<u64> = kept
            .map(|d| d.keys.iter().copied().collect())
            .unwrap_or_default();
        for (key, body) in (self.next_key..).zip(packages) {
            plan.change(Change::KeyPut {
                user,
                device,
                key,
                body,
            });
            keys.push(key);
        }
        let over = keys.len().saturating_sub(self.config.keys_per_device);
        for key in keys.drain(..over) {
            plan.change(Change::KeyDrop { user, device, key });
        }
        if let Some(body) = last_resort {
            plan.change(Change::LastResortPut { user, device, body });
        }
        plan.answer(ask, RelayFrame::KeysPublished { count: keys.len() });
        Ok(())
    }

    pub(super) fn take_key(&self, ask: &Ask, user: UserId, plan: &mut Plan) -> Decision {
        self.spend(ask, Quota::Take, self.config.take_rate, plan)?;
        let account = self.account(&user)?;
        let Some((device, key, left)) = next_key(account).filter(|_| !account.disabled) else {
            return refuse(
                ErrorCode::NotFound,
                "there is no key package of this person",
            );
        };
        if let KeyRef::OneTime(key) = key {
            plan.change(Change::KeyDrop { user, device, key });
        }
        let (conn, request) = (ask.conn, ask.request.clone());
        plan.actions.push(Action::SendKey {
            conn,
            request,
            user,
            device,
            key,
        });
        if left < self.config.keys_low {
            let of_device = |conn: &&super::ConnId| {
                self.conns
                    .get(conn)
                    .is_some_and(|conn| conn.device == device)
            };
            let conns: Vec<_> = account.conns.iter().filter(of_device).copied().collect();
            plan.fan(conns, RelayFrame::KeysLow { count: left });
        }
        Ok(())
    }

    pub(super) fn drop_keys(
        &self,
        account: &Account,
        user: UserId,
        device: DeviceId,
        plan: &mut Plan,
    ) {
        let Some(kept) = account.devices.get(&device) else {
            return;
        };
        for key in &kept.keys {
            plan.change(Change::KeyDrop {
                user,
                device,
                key: *key,
            });
        }
        if kept.last_resort {
            plan.change(Change::LastResortDrop { user, device });
        }
    }
}

/// The package to give away, and how many one-time ones its device has then.
fn next_key(account: &Account) -> Option<(DeviceId, KeyRef, usize)> {
    let usable = || account.devices.iter().filter(|(_, device)| !device.revoked);
    let first = |device: &super::state::Device| device.keys.first().copied();
    let oldest = usable().filter_map(|(id, device)| Some((first(device)?, *id, device.keys.len())));
    if let Some((key, id, count)) = oldest.min() {
        return Some((id, KeyRef::OneTime(key), count - 1));
    }
    let (id, _) = usable().find(|(_, device)| device.last_resort)?;
    Some((*id, KeyRef::LastResort, 0))
}
