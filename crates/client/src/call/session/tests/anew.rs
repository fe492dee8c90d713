//! Connections that media ended: another is made in their place, and the two
//! ends come to the same one, whichever of them lost it.

use super::*;
use crate::call::link::GIVE_UP;

/// Two ends with media that does what it is told: descriptions with a
/// certificate of each connection, and a handshake once both are there.
struct Two {
    people: [Person; 2],
    media: [Option<Connected>; 2],
    /// Connections made so far.
    made: u8,
}

/// What media has of one connection.
struct Connected {
    cert: Fingerprint,
    restarts: u8,
    theirs: Option<Fingerprint>,
}

impl Two {
    fn connected() -> Self {
        let [alice, bob, _] = of_three();
        let mut two = Self {
            people: [alice, bob],
            media: [None, None],
            made: 0,
        };
        // What they were told when they met.
        for at in [0, 1] {
            two.connects(at, at == 0);
        }
        two.settles();
        assert!(two.are_in_touch());
        two
    }

    fn connects(&mut self, at: usize, offers: bool) {
        self.made += 1;
        self.media[at] = Some(Connected {
            cert: Fingerprint([100 + self.made; 32]),
            restarts: 0,
            theirs: None,
        });
        if offers {
            self.describes(at, DescriptionKind::Offer);
        }
    }

    fn describes(&mut self, at: usize, kind: DescriptionKind) {
        let media = self.media[at].as_ref().expect("a connection");
        let ufrag = format!("uf{:02}", media.restarts);
        let sdp = sdp(kind, media.cert).sdp.replace("abcd", &ufrag);
        let report = MediaReport::Described {
            call: CALL,
            peer: self.people[1 - at].session.me,
            description: Description { kind, sdp },
        };
        self.reports(at, report);
    }

    fn reports(&mut self, at: usize, report: MediaReport) {
        self.people[at].acts(|session, tick| session.report(tick, report));
    }

    fn fails(&mut self, at: usize, why: PeerFailure) {
        self.media[at] = None;
        let peer = self.people[1 - at].session.me;
        let call = CALL;
        self.reports(at, MediaReport::Failed { call, peer, why });
    }

    /// Both do what is to be done until nothing is.
    fn settles(&mut self) {
        for _ in 0..100 {
            let mut idle = true;
            for at in [0, 1] {
                for deed in self.people[at].done() {
                    idle = false;
                    self.does(at, deed);
                }
            }
            if idle {
                return;
            }
        }
        panic!("they never come to an end");
    }

    fn does(&mut self, at: usize, deed: Deed) {
        let other = self.people[1 - at].session.me;
        match deed {
            Deed::Signal { to, body, .. } if to == other => {
                let from = self.people[at].session.me;
                self.people[1 - at].acts(|session, tick| session.signal(tick, from, &body));
            }
            Deed::Order(MediaOrder::Connect { peer, offers, .. }) if peer == other => {
                self.connects(at, offers);
            }
            Deed::Order(MediaOrder::Disconnect { peer, .. }) if peer == other => {
                self.media[at] = None;
            }
            Deed::Order(MediaOrder::Restart { peer, .. }) if peer == other => {
                if let Some(media) = &mut self.media[at] {
                    media.restarts += 1;
                    self.describes(at, DescriptionKind::Offer);
                }
            }
            Deed::Order(MediaOrder::Describe {
                peer, description, ..
            }) if peer == other => self.is_described(at, &description),
            _ => {}
        }
    }

    /// As the engine does: one certificate a connection, and no other.
    fn is_described(&mut self, at: usize, theirs: &Description) {
        let cert = crate::call::sdp::check_sdp(theirs, false).expect("it passed");
        let cert = cert.fingerprint;
        let Some(media) = &mut self.media[at] else {
            return;
        };
        if media.theirs.is_some_and(|known| known != cert) {
            return self.fails(at, PeerFailure::Certificate);
        }
        media.theirs = Some(cert);
        if theirs.kind == DescriptionKind::Offer {
            self.describes(at, DescriptionKind::Answer);
        } else if self.fit() {
            for at in [0, 1] {
                let local = self.media[at].as_ref().expect("it fits").cert;
                let remote = self.media[1 - at].as_ref().expect("it fits").cert;
                let report = MediaReport::Connected {
                    call: CALL,
                    peer: self.people[1 - at].session.me,
                    local,
                    remote,
                };
                self.reports(at, report);
            }
        }
    }

    /// Each has the other's certificate.
    fn fit(&self) -> bool {
        let [Some(alice), Some(bob)] = &self.media else {
            return false;
        };
        alice.theirs == Some(bob.cert) && bob.theirs == Some(alice.cert)
    }

    fn are_in_touch(&self) -> bool {
        let [alice, bob] = &self.people;
        let up = |one: &Person, other: &Person| {
            let link = one.session.link(&other.session.me).expect("a link");
            link.is_confirmed() && link.phase == crate::call::link::Phase::Connected
        };
        self.fit() && up(alice, bob) && up(bob, alice)
    }

    /// Time goes by, a second at a time, with what falls due.
    fn waits(&mut self, seconds: u64) {
        for _ in 0..seconds {
            for person in &mut self.people {
                person.now += 1_000;
                person.acts(Session::wake);
            }
            self.settles();
        }
    }
}

#[test]
fn a_connection_that_one_end_lost_is_made_anew_by_both() {
    for at in [0, 1] {
        for why in [PeerFailure::Silent, PeerFailure::NoPath] {
            let mut two = Two::connected();
            two.waits(30);
            let before = two.made;
            two.fails(at, why);
            two.settles();
            two.waits(6);
            assert!(two.are_in_touch(), "{at} {why:?}");
            assert!(two.made <= before + 4, "{at} {why:?}: {}", two.made);
        }
    }
}

#[test]
fn a_connection_that_both_ends_lost_is_made_anew() {
    for first in [0, 1] {
        let mut two = Two::connected();
        two.waits(30);
        for at in [first, 1 - first] {
            two.fails(at, PeerFailure::Silent);
        }
        two.settles();
        two.waits(6);
        assert!(two.are_in_touch());
    }
}

#[test]
fn a_handshake_that_never_ends_is_begun_anew() {
    for at in [0, 1] {
        let [alice, bob, _] = of_three();
        let mut two = Two {
            people: [alice, bob],
            media: [None, None],
            made: 0,
        };
        for end in [0, 1] {
            two.connects(end, end == 0);
        }
        // The descriptions pass, and no packet.
        two.media[1 - at] = None;
        two.settles();
        two.waits(12);
        two.fails(at, PeerFailure::Silent);
        two.fails(1 - at, PeerFailure::Silent);
        two.settles();
        two.waits(6);
        assert!(two.are_in_touch());
    }
}

#[test]
fn a_new_path_that_the_other_end_has_no_connection_for_makes_another() {
    let mut two = Two::connected();
    two.waits(30);
    // Bob's is gone; before he can say so, Alice looks for a new path.
    two.fails(1, PeerFailure::Silent);
    let lost = |deed: &Deed| matches!(deed, Deed::Signal { .. });
    two.people[1].out.retain(|deed| !lost(deed));
    two.people[0].acts(Session::network_changed);
    two.settles();
    two.waits(10);
    assert!(two.are_in_touch());
}

#[test]
fn people_are_told_that_it_is_reconnecting_and_not_that_it_begins() {
    let mut two = Two::connected();
    two.waits(30);
    two.fails(0, PeerFailure::Silent);
    // Nothing comes through.
    for person in &mut two.people {
        person.out.clear();
    }
    let [alice, bob] = &mut two.people;
    assert_eq!(alice.connection(bob), Connection::Connected);
    alice.now += 11_000;
    alice.acts(Session::wake);
    let shown = alice.connection(bob);
    assert!(
        matches!(shown, Connection::Reconnecting { .. }),
        "{shown:?}"
    );
    alice.now += GIVE_UP;
    alice.acts(Session::wake);
    let over = Connection::Failed(PeerFailure::Silent);
    assert_eq!(alice.connection(bob), over);
}

#[test]
fn one_that_breaks_again_and_again_is_not_made_without_pause() {
    let mut two = Two::connected();
    two.waits(30);
    let before = two.made;
    for _ in 0..50 {
        if two.media[0].is_some() {
            two.fails(0, PeerFailure::Silent);
        }
        two.settles();
    }
    assert!(two.made <= before + 2, "{} were made", two.made - before);
}
