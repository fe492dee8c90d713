//! Attack 19: names, texts and links that are meant to hurt.

use super::tools::{becomes_a_gap, next_place, picture, some_id};
use crate::simulator::rooms::of_two;
use sotto_client::{
    Change, Request, RequestError, Why,
    invite::Link,
    model::{ItemKind, NAME_MAX, Profile, TEXT_MAX, clean_name, clean_text},
    rogue::Rogue,
};
use sotto_tests::world::{Actor, Dice, World};
use sotto_wire::{MessageId, RelayFrame, frame::ChatKind};

/// Override, zero-width and control characters.
const NASTY: &str = "a\u{202e}b\u{200b}c\u{2066}d\u{0007}e\u{feff}f\u{2028}g\u{0000}h";

/// What people have been attacked with by names and texts.
fn hostile_texts() -> Vec<String> {
    vec![
        "\u{202e}gpj.exe".into(),
        "\u{2066}isolated\u{2069}\u{2067}".into(),
        "a\u{200b}l\u{200b}i\u{feff}ce".into(),
        "Alice\u{200e}\u{200f}".into(),
        "nul\0byte".into(),
        "bell\u{7}escape\u{1b}[2Jdelete\u{7f}c1\u{9b}".into(),
        "line\u{2028}para\u{2029}".into(),
        "<img src=x onerror=alert(1)>".into(),
        "[click](javascript:alert(1)) ![](data:text/html,x)".into(),
        "../../etc/passwd".into(),
        "👩‍👩‍👧‍👦".repeat(12),
        "e\u{301}\u{302}\u{303}".repeat(15),
        "{\"v\":1}".into(),
        " ".into(),
        String::new(),
    ]
}

fn is_clean(text: &str) -> bool {
    clean_text(text, true) == text
}

fn profile(name: &str) -> Profile {
    Profile {
        name: name.to_owned(),
        emoji: name.to_owned(),
        color: 255,
    }
}

fn sees_only_clean_names(who: &Actor) {
    for person in who.people() {
        let Profile { name, emoji, .. } = &person.profile;
        assert!(
            name.is_empty() || clean_name(name).as_ref() == Some(name),
            "{name:?}"
        );
        assert!(is_clean(emoji) && emoji.chars().count() <= 8, "{emoji:?}");
    }
}

#[test]
fn attack_19_a_name_that_hides_or_reorders_is_mended() {
    for name in hostile_texts() {
        let (world, alice, bob) = of_two();
        let mallory = world.mallory();
        mallory.fakes_profile(profile(&name));
        mallory.joins(&alice.invites());
        world.settle();
        assert!(alice.is_member() && bob.is_member());
        sees_only_clean_names(&alice);
        sees_only_clean_names(&bob);
        assert!(alice.knocks().iter().all(|k| is_clean(&k.profile.name)));
    }
}

#[test]
fn attack_19_a_name_that_is_endless_is_refused() {
    let (world, alice, bob) = of_two();
    let mallory = world.mallory();
    mallory.fakes_profile(profile(&"x".repeat(4_000)));
    mallory.joins(&alice.invites());
    world.settle();
    assert_eq!(alice.member_names(), ["Alice", "Bob"]);
    assert!(alice.rejected().contains(&Why::BadKnock));
    // Neither does a member get away with one.
    bob.fakes_profile(profile(&"x".repeat(4_000)));
    let commit = bob.forges_commit(&Rogue::default());
    bob.sends_commit(&commit);
    world.settle();
    assert_eq!(alice.member_names(), ["Alice", "Bob"]);
    assert!(alice.rejected().contains(&Why::NotAllowed));
}

#[test]
fn attack_19_a_member_takes_a_name_that_lies() {
    for name in hostile_texts() {
        let (world, alice, bob) = of_two();
        bob.fakes_profile(profile(&name));
        let commit = bob.forges_commit(&Rogue::default());
        bob.sends_commit(&commit);
        world.settle();
        assert!(alice.is_member());
        assert_eq!(alice.people().len(), 2);
        sees_only_clean_names(&alice);
    }
}

/// What Mallory, a member, gets into the order with a content of her own.
fn mallory_says(world: &World, mallory: &Actor, content: &serde_json::Value) {
    let id = some_id(world);
    let text = content.to_string().replace("\"ID\"", &format!("\"{id}\""));
    let body = mallory.forges_message(&text);
    mallory.sends_message(id, body);
    world.settle();
}

#[test]
fn attack_19_texts_that_hide_or_reorder_are_mended() {
    let (world, alice, bob) = of_two();
    for text in hostile_texts() {
        let long = |chars| text.chars().cycle().take(chars).collect::<String>();
        let quote = serde_json::json!({
            "id": some_id(&world).to_string(),
            "from": alice.user().to_string(),
            "name": long(500),
            "text": long(4_000),
        });
        let content =
            serde_json::json!({"id": "ID", "type": "text", "text": text, "reply_to": quote});
        let (texts, gaps) = (alice.texts().len(), alice.gaps());
        mallory_says(&world, &bob, &content);
        // What is nothing once it is mended is no message.
        let says_nothing = clean_text(&text, true).trim().is_empty();
        let expect = (
            texts + usize::from(!says_nothing),
            gaps + u64::from(says_nothing),
        );
        assert_eq!((alice.texts().len(), alice.gaps()), expect, "{text:?}");
    }
    only_bounded_texts(&alice);
}

#[test]
fn attack_19_a_text_that_is_endless_is_no_message() {
    let (world, alice, bob) = of_two();
    let (id, seq) = (some_id(&world), next_place(&world, &alice));
    let content =
        serde_json::json!({"id": id.to_string(), "type": "text", "text": "é".repeat(1 << 19)});
    let body = bob.forges_message(&content.to_string());
    let frame = bob.as_received(seq, id, ChatKind::Application, body);
    becomes_a_gap(&world, &alice, frame, Why::UnknownContent);
}

fn only_bounded_texts(who: &Actor) {
    for item in who.timeline() {
        if let ItemKind::Message { body, name, .. } = item.kind {
            assert!(
                body.text.len() <= TEXT_MAX && is_clean(&body.text),
                "{:?}",
                body.text
            );
            assert!(name.chars().count() <= NAME_MAX && is_clean(&name));
            if let Some(quote) = body.reply_to {
                assert!(quote.text.chars().count() <= 200 && is_clean(&quote.text));
                assert!(quote.name.chars().count() <= NAME_MAX && is_clean(&quote.name));
            }
        }
    }
    let last = who.view().last.expect("something was said");
    assert!(last.text.chars().count() <= 200 && is_clean(&last.text));
}

#[test]
fn attack_19_contents_that_are_none_become_a_gap() {
    let id = MessageId([5; 16]);
    let deep = "[".repeat(10_000);
    let nested = format!(r#"{{"id":"{id}","type":"text","text":"x","more":{deep}"#);
    let tries = [
        String::new(),
        "null".into(),
        "[]".into(),
        deep,
        nested,
        format!(r#"{{"id":"{id}"}}"#),
        format!(r#"{{"id":"{id}","type":"call"}}"#),
        format!(r#"{{"id":"{id}","type":"text"}}"#),
        format!(r#"{{"id":"{id}","type":"text","text":7}}"#),
        format!(r#"{{"id":"{id}","type":"text","text":"\ud800"}}"#),
        format!(r#"{{"id":"{id}","type":"text","text":"\udc00\ud800"}}"#),
        r#"{"id":"short","type":"text","text":"x"}"#.into(),
        "\u{0}".repeat(100),
    ];
    for content in tries {
        let (world, alice, bob) = of_two();
        let body = bob.forges_message(&content);
        let frame = bob.as_received(next_place(&world, &alice), id, ChatKind::Application, body);
        becomes_a_gap(&world, &alice, frame, Why::UnknownContent);
    }
}

#[test]
fn attack_19_links_that_lead_nowhere_do_nothing() {
    let (world, alice, _) = of_two();
    let good = alice.invites();
    world.settle();
    let carol = world.carol();
    let relays = carol.relays();
    let mut links = hostile_texts();
    links.extend([
        good.replace("sotto://", "javascript:"),
        good.replace("sotto://", "file://"),
        good.replace("sotto://", "https://"),
        good.replace("expires=", "expires=-"),
        good.replace("expires=", "expires=9999999999999999999999"),
        good.replace("relay.example", "user:pass@relay.example"),
        good.replace("relay.example", "rel\u{202e}ay.example"),
        good.replace("relay.example", ""),
        good.replace('#', "%23"),
        format!("{good}{}", "A".repeat(1 << 20)),
        "sotto://join/".into(),
        "sotto://join/x/y?invite=z#".into(),
        "sotto://".repeat(100_000),
    ]);
    for link in links {
        let asked = carol.asks(Request::Join { link: link.clone() });
        let short: String = link.chars().take(100).collect();
        assert!(
            matches!(asked, Err(RequestError::BadLink(_))),
            "{short:?}: {asked:?}"
        );
        assert_eq!(carol.relays(), relays, "{short:?}");
    }
    assert_eq!(super::tools::rooms(&world, &carol), 0);
}

#[test]
fn attack_19_a_word_of_the_operator_is_text_and_short() {
    let (world, alice, _) = of_two();
    let before = picture(&world, &alice);
    let mut bodies = hostile_texts();
    bodies.push("x".repeat(1 << 20));
    bodies.push("\u{202e}".repeat(1 << 18));
    for body in bodies {
        world.relay_says(
            &alice,
            RelayFrame::Notice {
                kind: body.clone(),
                body,
            },
        );
    }
    for change in alice.changes() {
        if let Change::Notice { body, .. } = change {
            assert!(is_clean(&body) && body.chars().count() <= 2_000);
        }
    }
    assert_eq!(picture(&world, &alice), before);
}

#[test]
fn attack_19_names_hide_nothing() {
    let (world, alice, bob) = of_two();
    bob.calls_themselves(NASTY);
    alice.renames_room(NASTY);
    world.settle();
    assert_eq!(alice.member_names(), ["Alice", "abcdefgh"]);
    assert_eq!(bob.view().name, "abcdefgh");
    for bad in ["", "   ", "\u{202e}\u{200b}", &"x".repeat(65)] {
        let asked = bob.asks(Request::SetProfile(Profile {
            name: bad.into(),
            ..Profile::default()
        }));
        assert_eq!(asked, Err(RequestError::BadName), "{bad:?}");
    }
    let emoji = format!("{}{NASTY}", "🙂".repeat(50));
    let profile = Profile {
        name: "Bob".into(),
        emoji,
        color: 255,
    };
    assert!(bob.asks(Request::SetProfile(profile)).is_ok());
    world.settle();
    assert!(alice.person(&bob).profile.emoji.chars().count() <= 8);
}

#[test]
fn attack_19_links_of_every_shape_are_an_outcome() {
    let (world, alice, _) = of_two();
    let carol = world.carol();
    let link = alice.invites();
    let mut dice = Dice::new(21);
    for _ in 0..300 {
        let mut text: Vec<char> = link.chars().collect();
        for _ in 0..=dice.number(0, 3) {
            let place = dice.number(0, text.len() as u64 - 1) as usize;
            text[place] = *dice
                .pick(&['/', '#', '?', '&', '\u{202e}', 'ä', '%', '0'])
                .expect("one");
        }
        let text: String = text.into_iter().collect();
        let _: Result<Link, _> = text.parse();
        let asked = carol.asks(Request::Join { link: text });
        assert!(
            matches!(asked, Ok(_) | Err(RequestError::BadLink(_))),
            "{asked:?}"
        );
    }
    let huge = format!("sotto://join/{}", "a".repeat(1_000_000));
    assert!(matches!(
        carol.asks(Request::Join { link: huge }),
        Err(RequestError::BadLink(_))
    ));
}
