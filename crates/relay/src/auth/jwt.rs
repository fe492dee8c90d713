//! Access tokens: JWT (RFC 7519), HS256 and nothing else, under a key that
//! only this relay has. A good token is remembered until it ends, so that its
//! signature is computed once.

use super::sha256;
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation};
use serde::{Deserialize, Serialize};
use sotto_wire::{DeviceId, Millis, UserId, frame::Token};
use std::collections::HashMap;

const AUDIENCE: &str = "sotto-relay/v1";

/// Remembered tokens. Raising it costs about 200 bytes each.
const CACHE: usize = 10_000;

/// What an access token says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Claims {
    pub sub: UserId,
    pub dev: DeviceId,
    /// The account's generation; a revocation starts the next.
    #[serde(rename = "gen")]
    pub generation: u32,
    /// Seconds, as RFC 7519 wants.
    pub iat: u64,
    pub exp: u64,
    pub aud: String,
    pub jti: String,
}

impl Claims {
    /// When the token ends, in milliseconds.
    pub fn end(&self) -> Millis {
        self.exp.saturating_mul(1000)
    }
}

/// Issues and judges access tokens.
pub struct Signer {
    encoding: EncodingKey,
    decoding: DecodingKey,
    validation: Validation,
    good: HashMap<[u8; 32], Claims>,
}

impl Signer {
    pub fn new(key: &[u8; 32]) -> Self {
        let mut validation = Validation::new(Algorithm::HS256);
        validation.set_audience(&[AUDIENCE]);
        validation.set_required_spec_claims(&["exp", "aud", "sub"]);
        // Judged below, on the clock that is handed in.
        validation.validate_exp = false;
        Self {
            encoding: EncodingKey::from_secret(key),
            decoding: DecodingKey::from_secret(key),
            validation,
            good: HashMap::new(),
        }
    }

    /// A token of `life` milliseconds, rounded up to seconds.
    pub fn issue(
        &self,
        now: Millis,
        life: Millis,
        (sub, dev, generation): (UserId, DeviceId, u32),
        jti: [u8; 16],
    ) -> (Token, Claims) {
        let claims = Claims {
            sub,
            dev,
            generation,
            iat: now / 1000,
            exp: now.saturating_add(life).div_ceil(1000),
            aud: AUDIENCE.into(),
            jti: sotto_wire::bytes::encode(&jti),
        };
        let token = jsonwebtoken::encode(&Header::new(Algorithm::HS256), &claims, &self.encoding)
            .expect("claims are strings and numbers, and HS256 takes any key");
        (Token(token), claims)
    }

    /// What the token says, if this relay issued it and it has not ended.
    pub fn judge(&mut self, now: Millis, token: &str) -> Option<Claims> {
        let name = sha256(token.as_bytes());
        if let Some(claims) = self.good.get(&name) {
            let claims = claims.clone();
            return (claims.end() > now).then_some(claims);
        }
        let read = jsonwebtoken::decode::<Claims>(token, &self.decoding, &self.validation);
        let claims = read.ok()?.claims;
        if claims.end() <= now {
            return None;
        }
        if self.good.len() >= CACHE {
            self.good.retain(|_, claims| claims.end() > now);
        }
        if self.good.len() < CACHE {
            self.good.insert(name, claims.clone());
        }
        Some(claims)
    }
}
