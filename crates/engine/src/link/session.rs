//! The session at one relay: which token to show, and how to come by one.
//!
//! From cheap to dear: the access token that is held, a new one for the
//! refresh token, a new sign-in by signature. When the relay refuses one, the
//! next is tried; when it refuses the last, it does not want us.

use super::{
    FromLink, Said, Signed,
    dial::{Dial, Refusal},
};
use crate::api::{CLOCK_OFF, LinkProblem};
use sotto_wire::{
    Millis, RelayAddress, UserId,
    auth::{Challenge, TokenRequest, Tokens},
    frame::Token,
};
use tokio::sync::{mpsc, oneshot};

/// A token that ends sooner than this is not worth showing.
const MARGIN: Millis = 60_000;

pub struct Session {
    pub relay: RelayAddress,
    pub link: u64,
    pub user: UserId,
    pub wall: fn() -> Millis,
    pub engine: mpsc::Sender<FromLink>,
    pub tokens: Option<Tokens>,
    /// The access token was refused although its time is not over.
    pub spent: bool,
}

/// Why there is no connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Failed {
    /// The engine is gone.
    Stopped,
    Refused(Refusal),
}

impl From<Refusal> for Failed {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(refusal)
    }
}

impl Session {
    /// Tells the engine something; `Err` if there is none any more.
    pub async fn say(&self, said: Said) -> Result<(), Failed> {
        let from = FromLink {
            relay: self.relay.clone(),
            link: self.link,
            said,
        };
        self.engine.send(from).await.map_err(|_| Failed::Stopped)
    }

    /// Opens the WebSocket, signing in as far as needed.
    pub async fn open<D: Dial>(
        &mut self,
        dial: &D,
    ) -> Result<tokio_tungstenite::WebSocketStream<D::Io>, Failed> {
        // Held, refreshed, signed in: three kinds of credential at most.
        for _ in 0..3 {
            let access = self.access(dial).await?;
            match dial.open(access).await {
                Ok(socket) => return Ok(socket),
                Err(Refusal::Credential) => self.spent = true,
                Err(refusal) => return Err(refusal.into()),
            }
        }
        self.keep(None).await?;
        Err(Failed::Refused(LinkProblem::Refused.into()))
    }

    /// Takes new tokens, and has them kept before they are used: the old
    /// refresh token is spent already.
    pub async fn keep(&mut self, tokens: Option<Tokens>) -> Result<(), Failed> {
        self.tokens = tokens.clone();
        self.spent = false;
        self.say(Said::Tokens(tokens)).await
    }

    async fn access<D: Dial>(&mut self, dial: &D) -> Result<Token, Failed> {
        if let Some(held) = &self.tokens {
            if !self.spent && held.expires > (self.wall)().saturating_add(MARGIN) {
                return Ok(held.access.clone());
            }
            match dial.refresh(held.refresh.clone()).await {
                Ok(tokens) => {
                    let access = tokens.access.clone();
                    self.keep(Some(tokens)).await?;
                    return Ok(access);
                }
                Err(Refusal::Credential) => tracing::debug!("the refresh token does not hold"),
                Err(refusal) => return Err(refusal.into()),
            }
        }
        let tokens = self.sign_in(dial).await?;
        let access = tokens.access.clone();
        self.keep(Some(tokens)).await?;
        Ok(access)
    }

    async fn sign_in<D: Dial>(&mut self, dial: &D) -> Result<Tokens, Failed> {
        let Challenge {
            challenge,
            server_time,
            ..
        } = dial.challenge(self.user).await?;
        if let Some(time) = server_time {
            self.say(Said::Clock(time)).await?;
        }
        let (signed, signature) = oneshot::channel();
        self.say(Said::Sign {
            challenge: challenge.clone(),
            signed,
        })
        .await?;
        let Signed {
            certificate,
            signature,
            admission,
        } = signature.await.map_err(|_| Failed::Stopped)?;
        let with_code = admission.is_some();
        let audience = self.relay.authority();
        let request = TokenRequest {
            certificate,
            challenge,
            audience,
            signature,
            admission,
        };
        match dial.token(request).await {
            Ok(tokens) => {
                tracing::info!("signed in at a relay");
                Ok(tokens)
            }
            Err(Refusal::Credential) => {
                let off = server_time.is_some_and(|time| (self.wall)().abs_diff(time) >= CLOCK_OFF);
                let why = match off {
                    true => LinkProblem::Clock,
                    false => LinkProblem::Refused,
                };
                Err(Failed::Refused(why.into()))
            }
            Err(Refusal::Problem {
                why: LinkProblem::NeedsCode,
                ..
            }) if with_code => Err(Failed::Refused(LinkProblem::WrongCode.into())),
            Err(refusal) => Err(refusal.into()),
        }
    }
}
