//! Credentials for the TURN servers of relays: asked for at each connection
//! and again when half of their time is over, so that there is one whenever a
//! call begins. A relay says only which port and which name; the host is the
//! one that this client dials anyway.
//!
//! Where UDP is blocked, the relay takes the same at its ordinary address: the
//! server says which that is, and whoever runs the client makes use of it.

use crate::{
    api::Now,
    call::media::{IceServer, Tunnel},
};
use sotto_wire::{
    ClientFrame, ErrorCode, Millis, RelayAddress, RequestId, WireError, codec::Envelope,
    frame::Token,
};

/// Names our request; messages and rooms have other names.
const ASKED: &str = "turn";
/// Longest name and password that are used, in bytes.
const LONGEST: usize = 256;
/// No credential is believed to hold longer than this (milliseconds).
const LIFE: Millis = 24 * 60 * 60 * 1000;
/// Asking is not repeated sooner (milliseconds).
const PAUSE: Millis = 30_000;

/// What one relay gave.
#[derive(Default)]
pub(super) struct Turn {
    given: Option<Given>,
    /// When to ask again (mono).
    ask_at: Option<Millis>,
}

struct Given {
    server: IceServer,
    /// By the relay's clock.
    expires: Millis,
}

/// What a relay says of its server.
pub(super) struct Offer {
    pub port: u16,
    pub username: String,
    pub password: Token,
    pub expires: Millis,
}

pub(super) fn request() -> Envelope<ClientFrame> {
    Envelope {
        id: RequestId::new(ASKED).ok(),
        frame: ClientFrame::TurnTake,
    }
}

/// Whether an error answers our request.
pub(super) fn is_answer(error: &WireError) -> bool {
    error.id.as_ref().is_some_and(|id| id.as_str() == ASKED)
}

impl Turn {
    /// The server, while its credential holds. `wall`: by the relay's clock.
    pub fn server(&self, wall: Millis) -> Option<&IceServer> {
        let given = self.given.as_ref()?;
        (given.expires > wall).then_some(&given.server)
    }

    /// `wall`: by the relay's clock.
    pub fn take(&mut self, now: Now, wall: Millis, relay: &RelayAddress, offer: Offer) {
        let Offer {
            port,
            username,
            mut password,
            expires,
        } = offer;
        let plain = |text: &str| {
            (1..=LONGEST).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_graphic())
        };
        let left = expires.saturating_sub(wall).min(LIFE);
        self.ask_at = Some(now.mono.saturating_add((left / 2).max(PAUSE)));
        if port == 0 || left == 0 || !plain(&username) || !plain(&password.0) {
            self.given = None;
            return;
        }
        let host = match relay.host.contains(':') {
            true => format!("[{}]", relay.host),
            false => relay.host.clone(),
        };
        let urls = vec![
            format!("stun:{host}:{port}"),
            format!("turn:{host}:{port}?transport=udp"),
        ];
        let server = IceServer {
            urls,
            username,
            credential: std::mem::take(&mut password.0),
            tunnel: Some(Tunnel {
                relay: relay.clone(),
                url: None,
            }),
        };
        let expires = wall.saturating_add(left);
        self.given = Some(Given { server, expires });
    }

    /// The relay gives none: not now, or never.
    pub fn refused(&mut self, now: Now, error: &WireError) {
        let later = |wait: Millis| now.mono.saturating_add(wait.max(PAUSE));
        self.ask_at = match error.code {
            ErrorCode::RateLimited => Some(later(error.retry_after.unwrap_or_default())),
            ErrorCode::Unavailable => Some(later(PAUSE)),
            _ => {
                self.given = None;
                None
            }
        };
    }

    /// The connection is gone. What was given holds without it.
    pub fn down(&mut self) {
        self.ask_at = None;
    }

    pub fn next_wake(&self) -> Option<Millis> {
        self.ask_at
    }

    /// Whether to ask again now. Once said, not soon again.
    pub fn is_due(&mut self, now: Now) -> bool {
        let due = self.ask_at.is_some_and(|at| at <= now.mono);
        if due {
            self.ask_at = Some(now.mono.saturating_add(PAUSE));
        }
        due
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn now(mono: Millis) -> Now {
        Now {
            wall: 1_000_000 + mono,
            mono,
        }
    }

    fn offer(expires: Millis) -> Offer {
        Offer {
            port: 3478,
            username: "1100:abc".into(),
            password: Token("secret".into()),
            expires,
        }
    }

    fn urls(relay: &str, offer: Offer) -> Option<Vec<String>> {
        let (mut turn, relay) = (Turn::default(), relay.parse().unwrap());
        turn.take(now(0), now(0).wall, &relay, offer);
        turn.server(now(0).wall).map(|server| server.urls.clone())
    }

    #[test]
    fn the_server_is_where_the_relay_is_dialed() {
        let check = |relay: &str, host: &str| {
            let expect = vec![
                format!("stun:{host}:3478"),
                format!("turn:{host}:3478?transport=udp"),
            ];
            assert_eq!(urls(relay, offer(1_100_000)), Some(expect));
        };
        check("wss://relay.example", "relay.example");
        check("ws://127.0.0.1:3030", "127.0.0.1");
        check("ws://[::1]:3030", "[::1]");
    }

    #[test]
    fn what_udp_does_not_carry_may_go_where_the_relay_is_dialed() {
        let (mut turn, relay) = (Turn::default(), "wss://relay.example:443".parse().unwrap());
        turn.take(now(0), now(0).wall, &relay, offer(1_100_000));
        let server = turn.server(now(0).wall).unwrap();
        let url = None;
        assert_eq!(server.tunnel, Some(Tunnel { relay, url }));
    }

    #[test]
    fn what_a_relay_says_of_it_is_not_believed_blindly() {
        let relay = "wss://relay.example";
        let check = |offer: Offer| assert_eq!(urls(relay, offer), None);
        check(offer(1_000_000));
        check(offer(0));
        let good = || offer(1_100_000);
        check(Offer { port: 0, ..good() });
        let username = "a\r\nb".into();
        check(Offer { username, ..good() });
        let username = "a".repeat(257);
        check(Offer { username, ..good() });
        let password = Token(String::new());
        check(Offer { password, ..good() });
    }

    #[test]
    fn it_is_renewed_at_half_time_and_over_when_it_expires() {
        let (mut turn, relay) = (Turn::default(), "wss://relay.example".parse().unwrap());
        turn.take(now(0), now(0).wall, &relay, offer(1_200_000));
        assert_eq!(turn.next_wake(), Some(100_000));
        assert!(!turn.is_due(now(99_999)));
        assert!(turn.is_due(now(100_000)));
        assert!(!turn.is_due(now(100_001)));
        assert!(turn.server(1_199_999).is_some());
        assert!(turn.server(1_200_000).is_none());
    }

    #[test]
    fn nothing_is_believed_to_hold_for_ever() {
        let (mut turn, relay) = (Turn::default(), "wss://relay.example".parse().unwrap());
        turn.take(now(0), now(0).wall, &relay, offer(Millis::MAX));
        assert_eq!(turn.next_wake(), Some(LIFE / 2));
        assert!(turn.server(now(LIFE).wall).is_none());
    }

    #[test]
    fn a_relay_that_has_none_is_not_asked_again_and_a_busy_one_is() {
        let mut turn = Turn::default();
        let wait = WireError::rate_limited(50_000);
        turn.refused(now(0), &wait);
        assert_eq!(turn.next_wake(), Some(50_000));
        turn.refused(now(0), &WireError::new(ErrorCode::UnknownType, ""));
        assert_eq!(turn.next_wake(), None);
    }
}
