//! Signing in over HTTP: challenge, token, refresh, ticket.

use super::{Answer, Shared, bearer, read, same};
use crate::{
    auth::{self, refresh},
    hub::NewSession,
    server::{
        actor::Command,
        config::{Admission, millis},
        data::random,
        visitor::Visitor,
    },
};
use axum::{Extension, Json, body::Bytes as Body, extract::State, http::HeaderMap};
use sotto_wire::{
    DeviceId, ErrorCode, UserId, WireError,
    auth::{ChallengeRequest, RefreshRequest, Ticket, TokenRequest, Tokens},
};
use std::sync::Arc;

pub async fn challenge(
    State(shared): State<Arc<Shared>>,
    body: Body,
) -> Answer<sotto_wire::auth::Challenge> {
    let request: ChallengeRequest = read(&body)?;
    Ok(Json(shared.gate.challenge(request.account)?))
}

pub async fn token(
    State(shared): State<Arc<Shared>>,
    Extension(visitor): Extension<Visitor>,
    body: Body,
) -> Answer<Tokens> {
    let request: TokenRequest = read(&body)?;
    let bad = |why| WireError::new(ErrorCode::BadCredential, why);
    let claimed = auth::claimed_user(&request.certificate);
    if !shared.gate.spend_challenge(&request.challenge, claimed) {
        return Err(bad("the challenge does not hold or was used").into());
    }
    if !visitor.reached(&request.audience, &shared.config.public) {
        return Err(bad("the signature is for another relay").into());
    }
    let (user, device) = auth::judge_sign_in(&request, shared.config.clock.now())?;
    admit(&shared, &user, &request).await?;
    let (family, secret) = (fresh()?, fresh()?);
    let (refresh, session) = new_session(&shared, family, secret);
    let sign_in = |answer| Command::SignIn {
        user,
        device,
        session,
        answer,
    };
    let generation = shared.ask(sign_in).await??;
    tokens(&shared, (user, device, generation), refresh)
}

/// Whether the operator lets this account in.
async fn admit(shared: &Shared, user: &UserId, request: &TokenRequest) -> Result<(), WireError> {
    let forbidden = |why| Err(WireError::new(ErrorCode::Forbidden, why));
    match &shared.config.admission {
        Admission::Open => Ok(()),
        Admission::AllowList(users) if users.contains(user) => Ok(()),
        Admission::AllowList(_) => forbidden("this relay admits only accounts on its list"),
        Admission::InviteCode(codes) => {
            let user = *user;
            if shared.ask(|answer| Command::Known { user, answer }).await? {
                return Ok(());
            }
            match &request.admission {
                Some(code) if codes.iter().any(|known| same(&known.0, &code.0)) => Ok(()),
                Some(_) => Err(needs_code("the invite code does not hold")),
                None => Err(needs_code("this relay asks for an invite code")),
            }
        }
    }
}

fn needs_code(why: &str) -> WireError {
    WireError::new(ErrorCode::NeedsCode, why)
}

fn fresh<const N: usize>() -> Result<[u8; N], WireError> {
    random().map_err(|_| WireError::new(ErrorCode::Unavailable, "no random numbers"))
}

fn new_session(
    shared: &Shared,
    family: [u8; 16],
    secret: [u8; 32],
) -> (sotto_wire::frame::Token, NewSession) {
    let (token, hashed) = refresh::issue(family, secret);
    let expires = shared.config.clock.now() + millis(shared.config.timings.refresh_life);
    (
        token,
        NewSession {
            family: hashed.family,
            secret: hashed.secret,
            expires,
        },
    )
}

fn tokens(
    shared: &Shared,
    who: (UserId, DeviceId, u32),
    refresh: sotto_wire::frame::Token,
) -> Answer<Tokens> {
    let (access, claims) = shared.gate.issue(who)?;
    Ok(Json(Tokens {
        access,
        refresh,
        expires: claims.end(),
    }))
}

pub async fn refresh_token(State(shared): State<Arc<Shared>>, body: Body) -> Answer<Tokens> {
    let request: RefreshRequest = read(&body)?;
    let Some((family, shown)) = refresh::read(&request.refresh) else {
        let error = WireError::new(ErrorCode::BadCredential, "the refresh token does not hold");
        return Err(error.into());
    };
    let (token, next) = new_session(&shared, family, fresh()?);
    let who = shared
        .ask(|answer| Command::Rotate {
            shown,
            next,
            answer,
        })
        .await??;
    tokens(&shared, who, token)
}

pub async fn ticket(State(shared): State<Arc<Shared>>, headers: HeaderMap) -> Answer<Ticket> {
    let claims = bearer(&shared, &headers).await?;
    let (ticket, expires) = shared.gate.ticket(claims)?;
    Ok(Json(Ticket { ticket, expires }))
}
