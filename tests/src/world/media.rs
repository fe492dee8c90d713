//! Media without sound: it obeys the client's orders and reports what a real
//! one would, with the same descriptions, certificates and keys going through.
//! Two ends are connected when each has the other's description and a way to
//! it, and nobody cut the line between them.

use super::{Scene, Who, net::Due};
use sotto_client::{
    Input,
    call::media::{
        Candidate, Description, DescriptionKind, Fingerprint, MediaKey, MediaOrder, MediaReport,
        Paths, Peer, Sending,
    },
};
use sotto_wire::{CallId, Millis, UserId};
use std::collections::{BTreeMap, BTreeSet};

/// Packets that stop coming are missed after this long.
const NOTICED: Millis = 3_000;

#[derive(Default)]
pub struct Media {
    /// Counts processes: what an older one was about to report is void.
    pub life: u64,
    pub call: Option<OpenCall>,
    /// Every order that opened a device, with the time of it.
    pub captured: Vec<(Millis, CallId, Sending)>,
    /// Everything that was ordered.
    pub orders: Vec<MediaOrder>,
    /// A man in the middle answers handshakes with a certificate of his own.
    pub intercepted: bool,
}

pub struct OpenCall {
    pub call: CallId,
    pub paths: Paths,
    pub sending: Sending,
    pub seals: Option<MediaKey>,
    pub ends: BTreeMap<Peer, End>,
    pub opens: BTreeMap<Peer, Vec<MediaKey>>,
}

pub struct End {
    ufrag: String,
    cert: Fingerprint,
    /// What the other end described: its ICE name, its certificate.
    theirs: Option<(String, Fingerprint)>,
    ways: BTreeSet<String>,
    pub connected: bool,
}

impl Scene {
    pub fn obey(&mut self, who: Who, order: MediaOrder) {
        use MediaOrder as O;
        let (now, media) = (self.t, &mut self.machine(who).media);
        media.orders.push(order.clone());
        match order {
            O::Begin { call, paths } => {
                media.call = Some(OpenCall {
                    call,
                    paths,
                    sending: Sending::default(),
                    seals: None,
                    ends: BTreeMap::new(),
                    opens: BTreeMap::new(),
                });
            }
            O::Send { call, sending } => {
                if sending != Sending::default() {
                    media.captured.push((now, call, sending));
                }
                self.in_call(who, call, |open| open.sending = sending);
            }
            O::Connect { call, peer, offers } => self.make_end(who, call, peer, offers),
            O::Describe {
                call,
                peer,
                description,
            } => self.take_description(who, call, peer, &description),
            O::AddCandidate {
                call,
                peer,
                candidate,
            } => {
                self.in_end(who, call, peer, |end| {
                    end.ways.insert(candidate.line);
                });
                self.try_pair(who, peer);
            }
            O::Restart { call, peer } => {
                let ufrag = self.name();
                self.in_end(who, call, peer, |end| {
                    (end.ufrag, end.theirs) = (ufrag, None);
                    end.ways.clear();
                });
                self.describe(who, call, peer, DescriptionKind::Offer);
            }
            O::Disconnect { call, peer } => {
                self.in_call(who, call, |open| {
                    open.ends.remove(&peer);
                    open.opens.remove(&peer);
                });
                self.falls_silent(who, Some(peer.user));
            }
            O::Reroute { call, paths } => self.in_call(who, call, |open| open.paths = paths),
            O::Expect { .. } => {}
            O::SealWith { call, key } => self.in_call(who, call, |open| open.seals = Some(key)),
            O::OpenWith { call, peer, key } => self.in_call(who, call, |open| {
                open.opens.entry(peer).or_default().push(key);
            }),
            O::Forget { call, peer, kid } => self.in_call(who, call, |open| {
                open.opens.entry(peer).or_default().retain(|k| k.kid >= kid);
            }),
            O::End { call } => {
                if media.call.as_ref().is_some_and(|open| open.call == call) {
                    media.call = None;
                    self.falls_silent(who, None);
                }
            }
        }
    }

    fn in_call(&mut self, who: Who, call: CallId, act: impl FnOnce(&mut OpenCall)) {
        let open = self.machine(who).media.call.as_mut();
        if let Some(open) = open.filter(|open| open.call == call) {
            act(open);
        }
    }

    fn in_end(&mut self, who: Who, call: CallId, peer: Peer, act: impl FnOnce(&mut End)) {
        self.in_call(who, call, |open| {
            if let Some(end) = open.ends.get_mut(&peer) {
                act(end);
            }
        });
    }

    fn make_end(&mut self, who: Who, call: CallId, peer: Peer, offers: bool) {
        let end = End {
            ufrag: self.name(),
            cert: Fingerprint(self.dice.seed()),
            theirs: None,
            ways: BTreeSet::new(),
            connected: false,
        };
        self.in_call(who, call, |open| {
            open.ends.insert(peer, end);
        });
        if offers {
            self.describe(who, call, peer, DescriptionKind::Offer);
        }
    }

    fn take_description(&mut self, who: Who, call: CallId, peer: Peer, description: &Description) {
        let theirs = read(&description.sdp);
        let is_offer = description.kind == DescriptionKind::Offer;
        let fresh = self.name();
        self.in_end(who, call, peer, |end| {
            end.theirs = Some(theirs);
            end.ways.clear();
            if is_offer {
                end.ufrag = fresh;
            }
        });
        if is_offer {
            self.describe(who, call, peer, DescriptionKind::Answer);
        }
    }

    fn describe(&mut self, who: Who, call: CallId, peer: Peer, kind: DescriptionKind) {
        let Some(open) = self.machine(who).media.call.as_ref() else {
            return;
        };
        let Some(end) = open.ends.get(&peer).filter(|_| open.call == call) else {
            return;
        };
        let relayed = !open.paths.servers.is_empty();
        let (sdp, port) = (sdp(kind, &end.ufrag, &end.cert), 40_000 + call.0[0] as u16);
        let description = Description { kind, sdp };
        self.report_in(
            5,
            who,
            MediaReport::Described {
                call,
                peer,
                description,
            },
        );
        // It tells of every way there is, wanted or not: what may leave is the
        // client's to know.
        let mut ways = vec![
            format!("192.168.1.7 {port} typ host"),
            format!("203.0.114.9 {port} typ host"),
        ];
        if relayed {
            ways.push(format!(
                "198.51.101.3 {port} typ relay raddr 0.0.0.0 rport 9"
            ));
        }
        for (number, way) in ways.into_iter().enumerate() {
            let line = format!("candidate:{number} 1 udp 2130706431 {way}");
            let candidate = Some(Candidate {
                line,
                mid: "0".into(),
            });
            let report = MediaReport::Gathered {
                call,
                peer,
                candidate,
            };
            self.report_in(10 + number as Millis, who, report);
        }
    }

    pub fn report_in(&mut self, time: Millis, who: Who, report: MediaReport) {
        let life = self.machine(who).media.life;
        self.later(self.t + time, Due::Media { who, life, report });
    }

    pub fn media_reports(&mut self, who: Who, life: u64, report: MediaReport) {
        if self.machine(who).media.life != life {
            return;
        }
        self.take(who, Input::Media(report));
        self.pair_all(who);
    }

    fn pair_all(&mut self, who: Who) {
        let open = self.machine(who).media.call.as_ref();
        let peers: Vec<Peer> = open.iter().flat_map(|o| o.ends.keys().copied()).collect();
        for peer in peers {
            self.try_pair(who, peer);
        }
    }

    pub fn who_is(&self, user: UserId) -> Option<Who> {
        let found = self.people.values().find(|m| m.user == user);
        found.map(|machine| machine.name)
    }

    /// Connects two ends that have all they need.
    fn try_pair(&mut self, who: Who, peer: Peer) {
        let Some(other) = self.who_is(peer.user) else {
            return;
        };
        let Some(me) = self.peer_of(who) else { return };
        if self.cut_lines.contains(&line(who, other)) {
            return;
        }
        let half = |scene: &Self, who: Who, peer: &Peer| {
            let open = scene.people[who].media.call.as_ref()?;
            let end = open.ends.get(peer)?;
            let theirs = end.theirs.clone()?;
            let ready = !end.ways.is_empty();
            ready.then(|| {
                (
                    open.call,
                    end.ufrag.clone(),
                    end.cert,
                    theirs,
                    end.connected,
                )
            })
        };
        let (Some(a), Some(b)) = (half(self, who, &peer), half(self, other, &me)) else {
            return;
        };
        let fits = a.0 == b.0 && a.3.0 == b.1 && b.3.0 == a.1;
        if !fits || (a.4 && b.4) {
            return;
        }
        let seen = |scene: &mut Self, by: Who, cert: Fingerprint| {
            if scene.machine(by).media.intercepted {
                Fingerprint([0x66; 32])
            } else {
                cert
            }
        };
        let (seen_here, seen_there) = (seen(self, who, b.2), seen(self, other, a.2));
        self.connect_end(who, a.0, peer, a.2, seen_here);
        self.connect_end(other, a.0, me, b.2, seen_there);
    }

    fn connect_end(
        &mut self,
        who: Who,
        call: CallId,
        peer: Peer,
        local: Fingerprint,
        remote: Fingerprint,
    ) {
        self.in_end(who, call, peer, |end| end.connected = true);
        let report = MediaReport::Connected {
            call,
            peer,
            local,
            remote,
        };
        self.report_in(15, who, report);
    }

    pub fn peer_of(&self, who: Who) -> Option<Peer> {
        let machine = &self.people[who];
        let device = machine.device;
        Some(Peer {
            user: machine.user,
            device,
        })
    }

    /// Nothing more comes from somebody; the others notice in a while. `to`:
    /// only this one.
    pub fn falls_silent(&mut self, who: Who, to: Option<UserId>) {
        let Some(me) = self.peer_of(who) else { return };
        let others: Vec<Who> = self.people.keys().copied().filter(|w| *w != who).collect();
        for other in others {
            let concerned = to.is_none_or(|to| self.people[other].user == to);
            let open = self.machine(other).media.call.as_mut();
            let Some(open) = open.filter(|_| concerned) else {
                continue;
            };
            let call = open.call;
            if let Some(end) = open.ends.get_mut(&me).filter(|end| end.connected) {
                end.connected = false;
                self.report_in(NOTICED, other, MediaReport::Interrupted { call, peer: me });
            }
        }
    }

    /// Packets between two people go nowhere from now on.
    pub fn cut_line(&mut self, one: Who, other: Who) {
        self.cut_lines.insert(line(one, other));
        let (a, b) = (self.people[one].user, self.people[other].user);
        self.falls_silent(one, Some(b));
        self.falls_silent(other, Some(a));
    }

    pub fn mend_line(&mut self, one: Who, other: Who) {
        self.cut_lines.remove(&line(one, other));
        self.pair_all(one);
        self.pair_all(other);
    }

    /// Whether somebody's frames open at another.
    pub fn hears(&self, listener: Who, speaker: Who) -> bool {
        let find = || {
            let speaks = self.people[speaker].media.call.as_ref()?;
            let listens = self.people[listener].media.call.as_ref()?;
            let (from, to) = (self.peer_of(speaker)?, self.peer_of(listener)?);
            let connected = listens.ends.get(&from)?.connected && speaks.ends.get(&to)?.connected;
            let key = speaks.seals.as_ref()?;
            let opens = listens.opens.get(&from)?.contains(key);
            Some(connected && opens && speaks.call == listens.call)
        };
        find().unwrap_or(false)
    }

    fn name(&mut self) -> String {
        self.dice
            .id()
            .iter()
            .map(|b| char::from(b'a' + b % 26))
            .collect()
    }
}

fn line(one: Who, other: Who) -> (Who, Who) {
    (one.min(other), one.max(other))
}

/// A description such as WebRTC stacks make, as far as anybody looks at it.
pub fn sdp(kind: DescriptionKind, ufrag: &str, cert: &Fingerprint) -> String {
    let hex: Vec<String> = cert.0.iter().map(|b| format!("{b:02X}")).collect();
    let (hex, setup) = (
        hex.join(":"),
        match kind {
            DescriptionKind::Offer => "actpass",
            DescriptionKind::Answer => "active",
        },
    );
    format!(
        "v=0\r\no=- 1 1 IN IP4 0.0.0.0\r\ns=-\r\nt=0 0\r\na=group:BUNDLE 0\r\n\
         a=fingerprint:sha-256 {hex}\r\nm=audio 9 UDP/TLS/RTP/SAVPF 111\r\n\
         c=IN IP4 0.0.0.0\r\na=setup:{setup}\r\na=mid:0\r\na=ice-ufrag:{ufrag}\r\n\
         a=ice-pwd:{ufrag}{ufrag}\r\na=rtcp-mux\r\na=rtpmap:111 opus/48000/2\r\n"
    )
}

/// ICE name and certificate of a description.
fn read(sdp: &str) -> (String, Fingerprint) {
    let value = |name: &str| {
        let found = sdp.lines().find_map(|line| line.strip_prefix(name));
        found.unwrap_or_default().to_owned()
    };
    let hex = value("a=fingerprint:sha-256 ");
    let mut cert = [0; 32];
    for (byte, pair) in cert.iter_mut().zip(hex.split(':')) {
        *byte = u8::from_str_radix(pair, 16).unwrap_or_default();
    }
    (value("a=ice-ufrag:"), Fingerprint(cert))
}
