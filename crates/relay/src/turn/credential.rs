//! Names and passwords for the TURN server that end by themselves. Nothing is
//! kept of them: a name says until when it holds and, under a mask that only
//! this relay can lift, whose it is; the password is a MAC over the name.
//!
//! Names travel in the clear. Each has a mask of its own, so nobody on the way
//! sees that two of them are one person's, and none leads to an account.

use super::REALM;
use hmac::{Hmac, KeyInit as _, Mac as _};
use md5::{Digest as _, Md5};
use sha2::Sha256;
use sotto_wire::{DeviceId, Millis, UserId, bytes::encode, frame::Token};
use std::fmt;

const SALT: usize = 9;
const ACCOUNT: usize = 12;
const DEVICE: usize = 6;

/// Whose credential it is, as far as this server can tell people apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Holder {
    pub account: [u8; ACCOUNT],
    pub device: [u8; DEVICE],
}

/// What a member is handed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Credential {
    pub username: String,
    pub password: Token,
    pub expires: Millis,
}

/// What a name says of itself. Proven only once its password was used.
#[derive(Clone)]
pub struct Claimed {
    pub holder: Holder,
    pub expires: Millis,
    /// MD5 of name, realm and password (RFC 8489 §9.2.2).
    pub key: [u8; 16],
}

/// Makes and reads credentials.
pub struct Credentials {
    tag: [u8; 32],
    mask: [u8; 32],
    password: [u8; 32],
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Credentials")
    }
}

impl Credentials {
    /// Under a secret of this relay. The same secret reads what another run
    /// made.
    pub fn new(secret: &[u8; 32]) -> Self {
        let under = |label: &str| mac(secret, &[label.as_bytes()]);
        Self {
            tag: under("sotto v1 turn holder"),
            mask: under("sotto v1 turn mask"),
            password: under("sotto v1 turn password"),
        }
    }

    pub fn holder(&self, user: &UserId, device: &DeviceId) -> Holder {
        let account = mac(&self.tag, &[b"account", user.as_bytes()]);
        let device = mac(&self.tag, &[b"device", user.as_bytes(), device.as_bytes()]);
        Holder {
            account: first(&account),
            device: first(&device),
        }
    }

    /// A credential that holds for `life`, rounded up to seconds. `salt` must
    /// be random.
    pub fn issue(
        &self,
        holder: &Holder,
        salt: [u8; SALT],
        now: Millis,
        life: Millis,
    ) -> Credential {
        let until = now.saturating_add(life).div_ceil(1000);
        let mut opaque = salt.to_vec();
        opaque.extend(self.masked(&salt, &[&holder.account[..], &holder.device].concat()));
        let username = format!("{until}:{}", encode(&opaque));
        let password = Token(self.password(&username));
        Credential {
            username,
            password,
            expires: until.saturating_mul(1000),
        }
    }

    /// What a name claims; `None` for what is no name of ours.
    pub fn read(&self, username: &str) -> Option<Claimed> {
        let (until, opaque) = username.split_once(':')?;
        let plain = (1..=11).contains(&until.len()) && until.bytes().all(|b| b.is_ascii_digit());
        let until: Millis = plain.then(|| until.parse().ok())??;
        let bytes: [u8; SALT + ACCOUNT + DEVICE] = sotto_wire::bytes::decode_array(opaque)?;
        let (salt, masked) = bytes.split_at(SALT);
        let holder = self.masked(salt, masked);
        let password = self.password(username);
        let key = Md5::digest(format!("{username}:{REALM}:{password}")).into();
        Some(Claimed {
            holder: Holder {
                account: first(&holder),
                device: first(&holder[ACCOUNT..]),
            },
            expires: until * 1000,
            key,
        })
    }

    fn password(&self, username: &str) -> String {
        encode(&mac(&self.password, &[username.as_bytes()])[..18])
    }

    /// Puts the mask on, and off again.
    fn masked(&self, salt: &[u8], bytes: &[u8]) -> Vec<u8> {
        let mask = mac(&self.mask, &[salt]);
        bytes
            .iter()
            .zip(mask)
            .map(|(byte, mask)| byte ^ mask)
            .collect()
    }
}

/// HMAC-SHA-256 over parts, each with its length before it.
pub(super) fn mac(key: &[u8], parts: &[&[u8]]) -> [u8; 32] {
    let mut mac = <Hmac<Sha256>>::new_from_slice(key).expect("HMAC takes keys of any length");
    for part in parts {
        mac.update(&(part.len() as u64).to_be_bytes());
        mac.update(part);
    }
    mac.finalize().into_bytes().into()
}

fn first<const N: usize>(bytes: &[u8]) -> [u8; N] {
    bytes[..N].try_into().expect("there are more")
}

#[cfg(test)]
mod tests {
    use super::*;

    const USER: UserId = UserId([4; 32]);
    const DEVICE_ID: DeviceId = DeviceId([3; 16]);

    fn issue(credentials: &Credentials, salt: u8) -> Credential {
        let holder = credentials.holder(&USER, &DEVICE_ID);
        credentials.issue(&holder, [salt; SALT], 1_000_500, 60_000)
    }

    #[test]
    fn a_name_tells_this_relay_whose_it_is_and_until_when() {
        let credentials = Credentials::new(&[1; 32]);
        let made = issue(&credentials, 5);
        assert_eq!(made.expires, 1_061_000);
        let read = credentials.read(&made.username).expect("its own");
        assert_eq!(read.holder, credentials.holder(&USER, &DEVICE_ID));
        assert_eq!(read.expires, made.expires);
        let text = format!("{}:{REALM}:{}", made.username, made.password.0);
        assert_eq!(read.key, <[u8; 16]>::from(Md5::digest(text)));
    }

    #[test]
    fn two_names_of_one_person_share_nothing_and_name_no_account() {
        let credentials = Credentials::new(&[1; 32]);
        let (one, two) = (issue(&credentials, 5), issue(&credentials, 6));
        let opaque = |c: &Credential| c.username.split_once(':').unwrap().1.to_owned();
        let (one, two) = (opaque(&one), opaque(&two));
        let tail = |text: &str| text[12..].to_owned();
        assert_ne!(tail(&one), tail(&two));
        assert!(!one.contains(&USER.to_string()[..8]));
    }

    #[test]
    fn another_relay_and_another_expiry_have_another_password() {
        let (here, there) = (Credentials::new(&[1; 32]), Credentials::new(&[2; 32]));
        let made = issue(&here, 5);
        let key = |c: &Credentials, name: &str| c.read(name).map(|claimed| claimed.key);
        assert_ne!(key(&here, &made.username), key(&there, &made.username));
        let later = made.username.replacen("1061:", "9061:", 1);
        assert_ne!(key(&here, &made.username), key(&here, &later));
    }

    #[test]
    fn what_is_no_name_is_none() {
        let credentials = Credentials::new(&[1; 32]);
        let good = issue(&credentials, 5).username;
        let opaque = good.split_once(':').unwrap().1;
        let check = |name: &str| assert!(credentials.read(name).is_none(), "{name}");
        check("");
        check("1061");
        check(&format!(":{opaque}"));
        check(&format!("+1061:{opaque}"));
        check(&format!("99999999999999999999:{opaque}"));
        check("1061:");
        check(&format!("1061:{opaque}A"));
        check(&format!("1061:{}", &opaque[1..]));
    }

    #[test]
    fn nothing_of_a_credential_is_printed() {
        let credentials = Credentials::new(&[1; 32]);
        let made = issue(&credentials, 5);
        assert!(!format!("{made:?}").contains(&made.password.0));
        assert_eq!(format!("{credentials:?}"), "Credentials");
    }
}
