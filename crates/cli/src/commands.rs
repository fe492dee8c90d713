//! The commands, one file for each group.

mod calls;
mod chat;
mod devices;
mod joining;
mod people;
mod profile;
mod rooms;

use crate::{
    args::{Args, Command},
    failure::Failure,
    output::Output,
    session::Session,
};

pub async fn run(args: Args, output: &Output) -> Result<(), Failure> {
    if let Command::Init {
        name,
        recovery_code,
    } = &args.command
    {
        return profile::init(&args, output, name, *recovery_code).await;
    }
    let mut session = Session::open(&args).await?;
    let done = tokio::select! {
        done = act(&args, output, &mut session) => done,
        _ = tokio::signal::ctrl_c(), if !args.command.says_goodbye() => Ok(()),
    };
    session.close(done).await
}

async fn act(args: &Args, output: &Output, session: &mut Session) -> Result<(), Failure> {
    use Command as C;
    match &args.command {
        // Handled before there is a session.
        C::Init { .. } => Ok(()),
        C::Create {
            name,
            topic,
            ask_host,
        } => rooms::create(args, output, session, name, topic, *ask_host).await,
        C::Rooms => rooms::list(output, session),
        C::Leave { room } => rooms::leave(output, session, room).await,
        C::Invite { room, hours } => joining::invite(output, session, room, *hours).await,
        C::Join { link } => joining::join(args, output, session, link).await,
        C::Knocks { room, wait } => joining::knocks(output, session, room, *wait).await,
        C::Admit { room, knock, deny } => {
            joining::admit(output, session, room, knock, !*deny).await
        }
        C::Send { room, text } => chat::send(output, session, room, text.as_deref()).await,
        C::Follow {
            room,
            history,
            count,
        } => chat::follow(output, session, room.as_deref(), *history, *count).await,
        C::People { room } => people::list(output, session, room).await,
        C::Safety { user } => people::safety(output, session, user).await,
        C::Verify { user, undo } => people::verify(output, session, user, !*undo).await,
        C::Call { room, part } => calls::call(args, output, session, room, part).await,
        C::Answer {
            room,
            decline: true,
            ..
        } => calls::decline(output, session, room.as_deref()).await,
        C::Answer { room, part, .. } => {
            calls::answer(args, output, session, room.as_deref(), part).await
        }
        C::Devices => devices::list(output, session).await,
    }
}
