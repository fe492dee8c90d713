//! What is kept of the built-in relay between starts.

use crate::{ipc::view::Reach, settings::unreadable};
use serde::{Deserialize, Serialize};
use sotto_engine::Engine;
use sotto_wire::RelayAddress;
use std::net::Ipv4Addr;

/// The record in the profile's settings.
const KEY: &str = "built-in-relay";

#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Record {
    /// Whether it runs whenever the app does.
    pub on: bool,
    pub reach: Reach,
    /// The port that a start must use again.
    pub port: Option<u16>,
    /// The address on the network that links carry, or carried last.
    pub network: Option<RelayAddress>,
    /// Links and guests of before know it by this address, which is not this
    /// computer's any more.
    pub former: Option<RelayAddress>,
}

impl Record {
    /// What this app dials. It is the address of the rooms that were made
    /// here, whoever else may reach them.
    pub fn own(&self) -> Option<RelayAddress> {
        let port = self.port?;
        Some(RelayAddress {
            secure: false,
            host: Ipv4Addr::LOCALHOST.to_string(),
            port,
            pin: None,
        })
    }

    /// What links carry instead, if others can reach it.
    pub fn public(&self) -> Option<RelayAddress> {
        match self.reach {
            Reach::ThisComputer => None,
            Reach::LocalNetwork => self.network.clone(),
        }
    }

    /// Others reach it here from now on.
    pub fn moves_to(&mut self, address: RelayAddress) {
        let before = self.network.replace(address);
        if before.is_some() && before != self.network && self.former.is_none() {
            self.former = before;
        }
        if self.former == self.network {
            self.former = None;
        }
    }

    pub async fn load(engine: &Engine) -> Self {
        let Some(text) = engine.setting(KEY).await else {
            return Self::default();
        };
        serde_json::from_str(&text).unwrap_or_else(|error| {
            let place = unreadable(&error);
            tracing::warn!(%place, "the built-in relay's record is of another version");
            Self::default()
        })
    }

    pub async fn save(&self, engine: &Engine) {
        let kept = match serde_json::to_string(self) {
            Ok(text) => engine.set_setting(KEY, text).await.is_ok(),
            Err(_) => false,
        };
        if !kept {
            tracing::warn!("the built-in relay will not start again by itself");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_handed_out_is_remembered_until_it_is_true_again() {
        let at = |text: &str| text.parse::<RelayAddress>().unwrap();
        let (first, second) = (at("wss://10.0.0.1:3030"), at("wss://10.0.0.2:3030"));
        let mut record = Record::default();
        record.moves_to(first.clone());
        record.moves_to(first.clone());
        assert_eq!(record.former, None);
        record.moves_to(second.clone());
        record.moves_to(at("wss://10.0.0.3:3030"));
        assert_eq!(record.former, Some(first.clone()));
        record.moves_to(first);
        assert_eq!(record.former, None);
    }
}
