//! Secrets that the engine is handed or hands out: wiped when dropped, never
//! printed, never serialized.

use std::fmt;
use zeroize::{Zeroize, Zeroizing};

/// A passphrase or recovery code.
#[derive(Clone)]
pub struct Secret(Zeroizing<String>);

impl Secret {
    pub fn new(text: String) -> Self {
        Self(Zeroizing::new(text))
    }

    /// The text itself. Whoever takes it must neither print nor keep it.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl From<String> for Secret {
    fn from(text: String) -> Self {
        Self::new(text)
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("<secret>")
    }
}

/// Secret bytes of any length, as a keyring keeps them.
#[derive(Clone)]
pub struct SecretBytes(Zeroizing<Vec<u8>>);

impl SecretBytes {
    pub fn new(bytes: Vec<u8>) -> Self {
        Self(Zeroizing::new(bytes))
    }

    pub fn expose(&self) -> &[u8] {
        &self.0
    }
}

impl fmt::Debug for SecretBytes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("<secret>")
    }
}

/// A 256-bit key. Boxed, so that moving it leaves no copy behind.
pub struct Key(Box<Zeroizing<[u8; 32]>>);

impl Key {
    /// A fresh one from the operating system.
    pub fn random() -> Self {
        let mut key = Self::zero();
        fill(&mut key.0[..]);
        key
    }

    /// `None` unless it is exactly 32 bytes.
    pub fn from_slice(bytes: &[u8]) -> Option<Self> {
        let mut key = Self::zero();
        (bytes.len() == key.0.len()).then(|| {
            key.0.copy_from_slice(bytes);
            key
        })
    }

    /// A key that `write` fills in.
    pub fn derive<E>(write: impl FnOnce(&mut [u8]) -> Result<(), E>) -> Result<Self, E> {
        let mut key = Self::zero();
        write(&mut key.0[..])?;
        Ok(key)
    }

    pub fn expose(&self) -> &[u8; 32] {
        &self.0
    }

    /// Lower-case hexadecimal, as SQLCipher takes raw keys.
    pub fn hex(&self) -> Zeroizing<String> {
        let mut text = Zeroizing::new(String::with_capacity(64));
        for byte in self.0.iter() {
            for nibble in [byte >> 4, byte & 15] {
                text.push(char::from(b"0123456789abcdef"[usize::from(nibble)]));
            }
        }
        text
    }

    fn zero() -> Self {
        Self(Box::new(Zeroizing::new([0; 32])))
    }
}

impl Clone for Key {
    fn clone(&self) -> Self {
        let mut copy = Self::zero();
        copy.0.copy_from_slice(&self.0[..]);
        copy
    }
}

impl Zeroize for Key {
    fn zeroize(&mut self) {
        self.0.zeroize();
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("<key>")
    }
}

/// Random bytes from the operating system.
pub fn random<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    fill(&mut bytes);
    bytes
}

fn fill(bytes: &mut [u8]) {
    getrandom::fill(bytes).expect("the operating system's random source works");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_secret_can_be_printed() {
        let said = format!(
            "{:?} {:?} {:?}",
            Secret::new("hush".into()),
            SecretBytes::new(b"hush".to_vec()),
            Key::random()
        );
        assert_eq!(said, "<secret> <secret> <key>");
    }

    #[test]
    fn a_key_prints_as_sqlcipher_reads_it() {
        let key = Key::from_slice(&[0xa5; 32]).unwrap();
        assert_eq!(*key.hex(), "a5".repeat(32));
        assert!(Key::from_slice(&[0; 31]).is_none());
    }
}
