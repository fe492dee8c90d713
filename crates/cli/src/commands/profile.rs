//! Making a profile.

use crate::{
    args::Args,
    failure::Failure,
    output::Output,
    session::{self, Session},
};
use serde_json::json;
use sotto_client::model::{Profile, clean_name};
use sotto_engine::{KeyringState, OpenError, Protection};

pub async fn init(
    args: &Args,
    output: &Output,
    name: &str,
    recovery_code: bool,
) -> Result<(), Failure> {
    let name = clean_name(name).ok_or_else(|| Failure::Usage("that is no name".into()))?;
    let protection = Protection {
        keyring: !args.unlock.no_keyring,
        passphrase: session::passphrase(&args.unlock)?,
    };
    if !protection.keyring && protection.passphrase.is_none() {
        let why = "without the keyring a passphrase is needed: set SOTTO_PASSPHRASE or give --passphrase-file";
        return Err(Failure::Usage(why.into()));
    }
    let dir = session::folder(args)?;
    let keyring = session::keyring(&args.unlock);
    let profile = Profile {
        name,
        ..Profile::default()
    };
    let engine = sotto_engine::create(&dir, keyring, protection, profile)
        .await
        .map_err(not_made)?;
    let mut session = Session::of(engine, args.patience()).await;
    let done = finish(args, output, &mut session, recovery_code).await;
    session.close(done).await
}

fn not_made(error: OpenError) -> Failure {
    match error {
        OpenError::Keyring(KeyringState::NoService) => Failure::Locked(
            "there is no keyring here; use --no-keyring and give a passphrase".into(),
        ),
        OpenError::Keyring(_) => Failure::Locked(
            "the keyring is locked; unlock it, or use --no-keyring and give a passphrase".into(),
        ),
        error => error.into(),
    }
}

async fn finish(
    args: &Args,
    output: &Output,
    session: &mut Session,
    recovery_code: bool,
) -> Result<(), Failure> {
    if let Some(relay) = &args.relay {
        session.use_relay(args, relay).await?;
    }
    let me = &session.snapshot.me;
    let code = match recovery_code {
        true => Some(session.engine.new_recovery_code().await?),
        false => None,
    };
    let code = code.as_ref().map(|code| code.expose());
    let mut text = format!("{}  {}", me.user, me.profile.name);
    if let Some(code) = code {
        text.push_str("\nrecovery code, shown once: ");
        text.push_str(code);
    }
    let object = json!({ "user": me.user, "name": me.profile.name, "recovery_code": code });
    output.line(object, text)
}
