//! Where a relay is, and how to know that it is that relay.

use crate::{bytes, limits};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};
use std::{fmt, net::IpAddr, str::FromStr};

/// A relay's address: `wss://host:port`, or `ws://host:port` without TLS, and
/// for a relay whose certificate no public authority signed, the SHA-256 of
/// that certificate after a `#`.
///
/// Two addresses are the same relay only if all of it is the same.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RelayAddress {
    pub secure: bool,
    /// Lower case; an IPv6 address without brackets.
    pub host: String,
    pub port: u16,
    /// SHA-256 of the certificate (DER) that must be shown.
    pub pin: Option<[u8; 32]>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BadAddress {
    #[error("the address is empty")]
    Empty,
    #[error("a relay address starts with wss:// or ws://, or with nothing")]
    Scheme,
    #[error("the host name holds characters that no host name has")]
    Host,
    #[error("the port is not a number from 1 to 65535")]
    Port,
    #[error("a relay address ends after the port")]
    Path,
    #[error("the certificate fingerprint is damaged")]
    Pin,
}

impl RelayAddress {
    /// `host:port`, as in a `Host` header; what sign-ins name as audience.
    pub fn authority(&self) -> String {
        if self.host.contains(':') {
            format!("[{}]:{}", self.host, self.port)
        } else {
            format!("{}:{}", self.host, self.port)
        }
    }

    /// `http://…` or `https://…`, without a trailing slash.
    pub fn http(&self) -> String {
        format!(
            "{}://{}",
            if self.secure { "https" } else { "http" },
            self.authority()
        )
    }

    /// `ws://…` or `wss://…`, without a trailing slash.
    pub fn ws(&self) -> String {
        format!(
            "{}://{}",
            if self.secure { "wss" } else { "ws" },
            self.authority()
        )
    }

    /// Whether only this computer can reach it.
    pub fn is_loopback(&self) -> bool {
        self.host == "localhost" || self.host.parse().is_ok_and(|ip: IpAddr| ip.is_loopback())
    }
}

impl FromStr for RelayAddress {
    type Err = BadAddress;

    /// Reads what a person types: a scheme is optional (TLS except on this
    /// computer), so is the port (3030).
    fn from_str(text: &str) -> Result<Self, BadAddress> {
        let text = text.trim();
        let (text, pin) = match text.split_once('#') {
            Some((text, pin)) => (text, Some(bytes::decode_array(pin).ok_or(BadAddress::Pin)?)),
            None => (text, None),
        };
        let (secure, rest) = match text.split_once("://") {
            Some((scheme, rest)) => match scheme.to_ascii_lowercase().as_str() {
                "wss" | "https" => (Some(true), rest),
                "ws" | "http" => (Some(false), rest),
                _ => return Err(BadAddress::Scheme),
            },
            None => (None, text),
        };
        let rest = rest.strip_suffix('/').unwrap_or(rest);
        if rest.is_empty() {
            return Err(BadAddress::Empty);
        }
        if rest.contains(['/', '?']) {
            return Err(BadAddress::Path);
        }
        let (host, port) = split_port(rest)?;
        let host = host.to_ascii_lowercase();
        let port = match port {
            Some(port) => port
                .parse()
                .ok()
                .filter(|p| *p > 0)
                .ok_or(BadAddress::Port)?,
            None => limits::PORT,
        };
        let mut address = Self {
            secure: false,
            host,
            port,
            pin,
        };
        address.secure = secure.unwrap_or(!address.is_loopback());
        Ok(address)
    }
}

fn split_port(text: &str) -> Result<(&str, Option<&str>), BadAddress> {
    if let Some(rest) = text.strip_prefix('[') {
        let (host, after) = rest.split_once(']').ok_or(BadAddress::Host)?;
        host.parse::<std::net::Ipv6Addr>()
            .map_err(|_| BadAddress::Host)?;
        return match after {
            "" => Ok((host, None)),
            after => Ok((host, Some(after.strip_prefix(':').ok_or(BadAddress::Port)?))),
        };
    }
    let (host, port) = match text.split_once(':') {
        Some((host, port)) => (host, Some(port)),
        None => (text, None),
    };
    let fits = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'.' | b'_');
    if host.is_empty() || host.len() > 253 || !host.bytes().all(fits) {
        return Err(BadAddress::Host);
    }
    Ok((host, port))
}

impl fmt::Display for RelayAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.ws())?;
        match &self.pin {
            Some(pin) => write!(f, "#{}", bytes::encode(pin)),
            None => Ok(()),
        }
    }
}

/// Logs must not tell who talks to which relay.
impl fmt::Debug for RelayAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.is_loopback() {
            "<relay on this computer>"
        } else {
            "<relay>"
        })
    }
}

impl Serialize for RelayAddress {
    fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        s.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for RelayAddress {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        String::deserialize(d)?.parse().map_err(D::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_read_as_people_type_it() {
        let check = |text: &str, expect: &str| {
            assert_eq!(
                text.parse::<RelayAddress>().map(|a| a.to_string()),
                Ok(expect.into()),
                "{text}"
            );
        };
        check("relay.example", "wss://relay.example:3030");
        check(" Relay.Example:8443/ ", "wss://relay.example:8443");
        check("https://relay.example", "wss://relay.example:3030");
        check("ws://10.0.0.7", "ws://10.0.0.7:3030");
        check("127.0.0.1:4000", "ws://127.0.0.1:4000");
        check("localhost", "ws://localhost:3030");
        check("[::1]:4000", "ws://[::1]:4000");
        check("wss://[2001:db8::7]", "wss://[2001:db8::7]:3030");
    }

    #[test]
    fn a_broken_address_says_what_is_wrong_with_it() {
        let check = |text: &str, expect| {
            assert_eq!(text.parse::<RelayAddress>(), Err(expect), "{text}");
        };
        check("", BadAddress::Empty);
        check("wss://", BadAddress::Empty);
        check("ftp://relay.example", BadAddress::Scheme);
        check("javascript://x", BadAddress::Scheme);
        check("relay example", BadAddress::Host);
        check("user@relay.example", BadAddress::Host);
        check("[::1", BadAddress::Host);
        check("relay.example:0", BadAddress::Port);
        check("relay.example:99999", BadAddress::Port);
        check("relay.example/v1", BadAddress::Path);
        check("relay.example#short", BadAddress::Pin);
    }

    #[test]
    fn a_pin_survives_the_round_trip() {
        let address = RelayAddress {
            secure: true,
            host: "10.0.0.7".into(),
            port: 3030,
            pin: Some([7; 32]),
        };
        assert_eq!(address.to_string().parse(), Ok(address));
    }
}
