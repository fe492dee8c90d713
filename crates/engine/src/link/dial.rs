//! What a link needs of the network, as a trait: real sockets fulfil it, and
//! so does a test under paused time.

use crate::api::LinkProblem;
use sotto_wire::{
    ErrorCode, UserId, WireError,
    auth::{Challenge, TokenRequest, Tokens},
    frame::Token,
};
use std::{future::Future, time::Duration};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio_tungstenite::WebSocketStream;

/// One relay's doors. Every call ends by itself within a time.
pub trait Dial: Send + Sync + 'static {
    type Io: AsyncRead + AsyncWrite + Unpin + Send + 'static;

    fn challenge(&self, account: UserId)
    -> impl Future<Output = Result<Challenge, Refusal>> + Send;

    fn token(&self, request: TokenRequest) -> impl Future<Output = Result<Tokens, Refusal>> + Send;

    fn refresh(&self, refresh: Token) -> impl Future<Output = Result<Tokens, Refusal>> + Send;

    /// Opens the WebSocket with this access token.
    fn open(
        &self,
        access: Token,
    ) -> impl Future<Output = Result<WebSocketStream<Self::Io>, Refusal>> + Send;
}

/// Why a door did not open.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refusal {
    /// The token or signature does not hold; another kind of sign-in may.
    Credential,
    Problem {
        why: LinkProblem,
        retry_after: Option<Duration>,
    },
}

impl From<LinkProblem> for Refusal {
    fn from(why: LinkProblem) -> Self {
        Self::Problem {
            why,
            retry_after: None,
        }
    }
}

/// Longest wait that a relay may ask for.
const PATIENCE: Duration = Duration::from_secs(300);

/// What an HTTP answer other than success means.
pub fn judge(status: u16, body: &[u8]) -> Refusal {
    let Ok(error) = serde_json::from_slice::<WireError>(body) else {
        return match status {
            401 => Refusal::Credential,
            403 => LinkProblem::NotAdmitted.into(),
            429 => LinkProblem::Refused.into(),
            // A proxy whose relay is away.
            500.. => LinkProblem::Unreachable.into(),
            _ => LinkProblem::NotARelay.into(),
        };
    };
    match error.code {
        ErrorCode::BadCredential | ErrorCode::NotAuthenticated => Refusal::Credential,
        ErrorCode::Forbidden => LinkProblem::NotAdmitted.into(),
        ErrorCode::NeedsCode => LinkProblem::NeedsCode.into(),
        ErrorCode::VersionUnsupported => LinkProblem::Version.into(),
        _ => Refusal::Problem {
            why: LinkProblem::Refused,
            retry_after: error
                .retry_after
                .map(|ms| Duration::from_millis(ms).min(PATIENCE)),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_refusal_says_what_is_wrong() {
        let check = |status, body: &str, expect: Refusal| {
            assert_eq!(judge(status, body.as_bytes()), expect, "{status} {body}");
        };
        let problem = |why| Refusal::Problem {
            why,
            retry_after: None,
        };
        check(401, "", Refusal::Credential);
        check(
            401,
            r#"{"code":"bad_credential","message":""}"#,
            Refusal::Credential,
        );
        check(
            403,
            r#"{"code":"forbidden","message":""}"#,
            problem(LinkProblem::NotAdmitted),
        );
        check(
            403,
            r#"{"code":"needs_code","message":""}"#,
            problem(LinkProblem::NeedsCode),
        );
        check(
            400,
            r#"{"code":"version_unsupported","message":""}"#,
            problem(LinkProblem::Version),
        );
        check(404, "<html>", problem(LinkProblem::NotARelay));
        check(502, "<html>", problem(LinkProblem::Unreachable));
        check(
            503,
            r#"{"code":"unavailable","message":""}"#,
            problem(LinkProblem::Refused),
        );
        check(
            400,
            r#"{"code":"new_code","message":""}"#,
            problem(LinkProblem::Refused),
        );
        let wait = |ms, expect| {
            let body = format!(r#"{{"code":"rate_limited","message":"","retry_after":{ms}}}"#);
            let retry_after = Some(Duration::from_millis(expect));
            check(
                429,
                &body,
                Refusal::Problem {
                    why: LinkProblem::Refused,
                    retry_after,
                },
            );
        };
        wait(1500, 1500);
        wait(u64::MAX, 300_000);
    }
}
