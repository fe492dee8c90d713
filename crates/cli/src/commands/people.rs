//! Who is who.

use crate::{failure::Failure, find, output::Output, session::Session};
use serde_json::json;
use sotto_client::Request;

pub async fn list(output: &Output, session: &Session, room: &str) -> Result<(), Failure> {
    let room = find::room(session, room)?;
    let people = session.engine.people(room.id).await?;
    people.iter().try_for_each(|person| output.person(person))
}

pub async fn safety(output: &Output, session: &Session, user: &str) -> Result<(), Failure> {
    let person = find::person(session, user).await?;
    let safety = session
        .engine
        .safety(person.user)
        .await
        .ok_or_else(|| Failure::refused("there is no safety number with this person"))?;
    let object = json!({
        "user": person.user,
        "name": person.profile.name,
        "digits": safety.digits,
        "verified_at": safety.verified_at,
    });
    output.line(object, in_groups(&safety.digits))
}

pub async fn verify(
    output: &Output,
    session: &Session,
    user: &str,
    verified: bool,
) -> Result<(), Failure> {
    let user = find::person(session, user).await?.user;
    session
        .request(Request::SetVerified { user, verified })
        .await?;
    let word = if verified { "verified" } else { "not verified" };
    output.line(
        json!({ "user": user, "verified": verified }),
        format!("{user}  {word}"),
    )
}

/// Fives, as they are read aloud.
fn in_groups(digits: &str) -> String {
    let digits: Vec<char> = digits.chars().filter(|c| !c.is_whitespace()).collect();
    let groups: Vec<String> = digits
        .chunks(5)
        .map(|group| group.iter().collect())
        .collect();
    groups.join(" ")
}

#[cfg(test)]
mod tests {
    #[test]
    fn a_safety_number_is_printed_in_fives() {
        assert_eq!(super::in_groups("1234567890123"), "12345 67890 123");
    }
}
