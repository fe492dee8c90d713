//! Links: read back, found in any text, and refused with the right words.

use super::*;
use proptest::prelude::*;

const HOUR: Millis = 3_600_000;

fn link(relay: &str) -> Link {
    Link {
        relay: relay.parse().unwrap(),
        room: RoomId([1; 16]),
        invite: MessageId([2; 16]),
        inviter: UserId([4; 32]),
        secret: InviteSecret([3; 32]),
        expires: 20 * HOUR,
    }
}

/// A link that the relay's name is told by, broken by replacing `what`.
fn broken(what: &str, with: &str) -> Result<Link, BadLink> {
    let text = link("relay.example").to_string();
    assert!(text.contains(what), "{what}");
    text.replace(what, with).parse()
}

#[test]
fn a_link_reads_back_whatever_the_relay() {
    let pin = bytes::encode(&[9; 32]);
    for relay in [
        "relay.example",
        "wss://relay.example:8443",
        "ws://10.0.0.7",
        "[::1]:4000",
        &format!("wss://10.0.0.7#{pin}"),
    ] {
        let link = link(relay);
        assert_eq!(link.to_string().parse(), Ok(link), "{relay}");
    }
}

#[test]
fn the_shape_of_a_link_holds_still() {
    let room = "AQEBAQEBAQEBAQEBAQEBAQ";
    let invite = "AgICAgICAgICAgICAgICAg";
    let by = "BAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQ";
    let secret = "AwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwM";
    assert_eq!(
        link("relay.example").to_string(),
        format!(
            "sotto://join/relay.example:3030/{room}?invite={invite}&by={by}&expires=72000000#{secret}"
        ),
    );
    let pin = bytes::encode(&[9; 32]);
    assert_eq!(
        link(&format!("ws://[::1]:1#{pin}")).to_string(),
        format!(
            "sotto://join/[::1]:1/{room}?invite={invite}&by={by}&expires=72000000&tls=0&pin={pin}#{secret}"
        ),
    );
}

#[test]
fn the_secret_is_in_the_fragment_and_in_no_debug_print() {
    let link = link("relay.example");
    let text = link.to_string();
    let secret = bytes::encode(&[3; 32]);
    let (before, after) = text.split_once('#').unwrap();
    assert!(!before.contains(&secret));
    assert_eq!(after, secret);
    let debug = format!("{link:?}");
    assert!(debug.contains("<invite secret>"), "{debug}");
    assert!(
        !debug.contains(&secret) && !debug.contains("3, 3"),
        "{debug}"
    );
}

#[test]
fn a_link_is_found_however_it_was_pasted() {
    let expect = link("relay.example");
    let text = expect.to_string();
    for pasted in [
        format!("  {text}\n"),
        format!("<{text}>"),
        format!("\"{text}\""),
        format!("({text})"),
        format!("[join us]({text})."),
        format!("*{text}*"),
        format!("_{text}_"),
        format!("`{text}`"),
        format!("Come in: {text}, quick!"),
        format!("„{text}“ — schön, oder?"),
        format!("{text}\u{200b}"),
        format!("\u{feff}{text}…"),
        format!("{text}'s the one"),
        text.replace("sotto://join", "Sotto://Join"),
        text.replace('&', "&amp;"),
        text.replace("?invite", "?color=blue&invite"),
        text.replace("?invite", "/?invite"),
        format!("first https://example.org/#x and then {text}"),
    ] {
        assert_eq!(pasted.parse(), Ok(expect.clone()), "{pasted}");
    }
}

#[test]
fn a_broken_link_says_what_is_wrong_with_it() {
    let room = RoomId([1; 16]).to_string();
    let secret = bytes::encode(&[3; 32]);
    let check = |what: &str, with: &str, expect| {
        assert_eq!(broken(what, with), Err(expect), "{what} → {with}");
    };
    check("sotto:", "https:", BadLink::NotALink);
    check("join/", "join2/", BadLink::OtherVersion);
    check("join/", "", BadLink::OtherVersion);
    check("relay.example:3030", "", BadLink::Relay(BadAddress::Empty));
    check(
        "relay.example",
        "mallory@relay.example",
        BadLink::Relay(BadAddress::Host),
    );
    check("3030", "0", BadLink::Relay(BadAddress::Port));
    check("?", "?tls=maybe&", BadLink::Relay(BadAddress::Scheme));
    check("?", "?pin=short&", BadLink::Relay(BadAddress::Pin));
    check(&room, "", BadLink::Room);
    check(&room, &room[1..], BadLink::Room);
    check("invite=", "invite=x", BadLink::Invite);
    check("invite=", "ivite=", BadLink::Invite);
    check("by=", "by=x", BadLink::Inviter);
    check("by=", "for=", BadLink::Inviter);
    check("by=B", "by=", BadLink::Inviter);
    check("expires=72", "expires=+72", BadLink::Expiry);
    check(
        "expires=72",
        "expires=99999999999999999999",
        BadLink::Expiry,
    );
    check("expires=72000000", "expires=", BadLink::Expiry);
    check(&format!("#{secret}"), "", BadLink::SecretMissing);
    check(&secret, "", BadLink::SecretMissing);
    check(&secret, &secret[1..], BadLink::SecretDamaged);
    check(&secret, &format!("{secret}A"), BadLink::SecretDamaged);
    check(
        &secret,
        &format!("{}N", &secret[..42]),
        BadLink::SecretDamaged,
    );
    assert_eq!("".parse::<Link>(), Err(BadLink::NotALink));
    assert_eq!("sotto://".parse::<Link>(), Err(BadLink::NotALink));
    assert_eq!("sotto://join".parse::<Link>(), Err(BadLink::OtherVersion));
    assert_eq!(
        "sotto://join/".parse::<Link>(),
        Err(BadLink::Relay(BadAddress::Empty))
    );
}

#[test]
fn a_link_without_word_of_tls_is_never_read_as_one_without_tls() {
    let relay = broken("relay.example:3030", "127.0.0.1:3030")
        .unwrap()
        .relay;
    assert!(relay.secure);
}

#[test]
fn a_link_is_good_until_it_expires() {
    let link = link("relay.example");
    assert_eq!(link.check(0), Ok(()));
    assert_eq!(link.check(20 * HOUR - 1), Ok(()));
    assert_eq!(link.check(20 * HOUR), Err(BadLink::Expired));
}

#[test]
fn every_secret_is_another_one() {
    use rand_core::SeedableRng;
    let mut rng = rand_chacha::ChaCha20Rng::seed_from_u64(7);
    let (first, second) = (
        InviteSecret::generate(&mut rng),
        InviteSecret::generate(&mut rng),
    );
    assert_ne!(first, second);
    assert_ne!(first.expose(), &[0; 32]);
}

proptest! {
    #[test]
    fn every_link_reads_back(
        room: [u8; 16], invite: [u8; 16], inviter: [u8; 32], secret: [u8; 32], expires: u64,
        secure: bool, port in 1u16.., pin: Option<[u8; 32]>, host in "[a-z][a-z0-9.-]{0,40}",
    ) {
        let link = Link {
            relay: RelayAddress { secure, host, port, pin },
            room: RoomId(room),
            invite: MessageId(invite),
            inviter: UserId(inviter),
            secret: InviteSecret(secret),
            expires,
        };
        prop_assert_eq!(link.to_string().parse(), Ok(link));
    }

    #[test]
    fn hostile_text_is_an_outcome(text in "\\PC*", cut in 0usize..140, noise in "\\PC{0,3}") {
        let _ = text.parse::<Link>();
        let _ = format!("sotto://{text}").parse::<Link>();
        let _ = format!("sotto://join/{text}").parse::<Link>();
        let mut link = link("relay.example").to_string();
        link.insert_str(cut.min(link.len()), &noise);
        let _ = link.parse::<Link>();
    }
}
