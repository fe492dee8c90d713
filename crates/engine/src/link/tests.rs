//! The link against a relay that does as it is told, under paused time.

use super::{
    dial::{Dial, Refusal},
    *,
};
use crate::api::LinkProblem;
use futures_util::{SinkExt, StreamExt};
use sotto_wire::{
    ClientFrame, DeviceId,
    auth::{Challenge, TokenRequest},
    codec,
    frame::Token,
    limits::Limits,
};
use std::sync::Mutex;
use tokio::{
    io::DuplexStream,
    time::{Instant, timeout},
};
use tokio_tungstenite::{
    WebSocketStream,
    tungstenite::{
        Message,
        protocol::{CloseFrame, Role},
    },
};

const NOW: Millis = 1_700_000_000_000;
const HOUR: Millis = 3_600_000;

type Socket = WebSocketStream<DuplexStream>;

/// What was asked of the relay, in order.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Asked {
    Challenge,
    SignIn,
    Refresh(String),
    Open(String),
}

#[derive(Default)]
struct Script {
    asked: Vec<Asked>,
    /// Answers to come; then everything is fine.
    open: Vec<Refusal>,
    refresh: Vec<Refusal>,
    token: Vec<Refusal>,
    /// The relay's time, where it says it.
    time: Option<Millis>,
    given: u32,
}

struct FakeRelay {
    script: Arc<Mutex<Script>>,
    sockets: mpsc::UnboundedSender<Socket>,
}

impl FakeRelay {
    fn next(
        &self,
        asked: Asked,
        which: impl FnOnce(&mut Script) -> &mut Vec<Refusal>,
    ) -> Result<u32, Refusal> {
        let mut script = self.script.lock().unwrap();
        script.asked.push(asked);
        let answers = which(&mut script);
        if !answers.is_empty() {
            return Err(answers.remove(0));
        }
        script.given += 1;
        Ok(script.given)
    }
}

impl Dial for FakeRelay {
    type Io = DuplexStream;

    async fn challenge(&self, _: UserId) -> Result<Challenge, Refusal> {
        self.script.lock().unwrap().asked.push(Asked::Challenge);
        Ok(Challenge {
            challenge: vec![7; 32].into(),
            expires: NOW + 60_000,
            server_time: self.script.lock().unwrap().time,
        })
    }

    async fn token(&self, request: TokenRequest) -> Result<Tokens, Refusal> {
        assert_eq!(request.audience, "relay.example:3030");
        assert_eq!(&*request.signature, b"signed");
        self.next(Asked::SignIn, |s| &mut s.token).map(tokens)
    }

    async fn refresh(&self, refresh: Token) -> Result<Tokens, Refusal> {
        self.next(Asked::Refresh(refresh.0.clone()), |s| &mut s.refresh)
            .map(tokens)
    }

    async fn open(&self, access: Token) -> Result<Socket, Refusal> {
        self.next(Asked::Open(access.0.clone()), |s| &mut s.open)?;
        let (ours, theirs) = tokio::io::duplex(64 * 1024);
        let theirs = WebSocketStream::from_raw_socket(theirs, Role::Server, None).await;
        self.sockets.send(theirs).unwrap();
        Ok(WebSocketStream::from_raw_socket(ours, Role::Client, None).await)
    }
}

fn tokens(n: u32) -> Tokens {
    Tokens {
        access: Token(format!("access {n}")),
        refresh: Token(format!("refresh {n}")),
        expires: NOW + HOUR,
    }
}

/// A link, the relay behind it and the engine before it.
struct Scene {
    link: LinkHandle,
    heard: mpsc::Receiver<FromLink>,
    sockets: mpsc::UnboundedReceiver<Socket>,
    script: Arc<Mutex<Script>>,
}

impl Scene {
    fn new(tokens: Option<Tokens>, script: Script) -> Self {
        let script = Arc::new(Mutex::new(script));
        let (sockets, opened) = mpsc::unbounded_channel();
        let (engine, heard) = mpsc::channel(INBOX);
        let setup = LinkSetup {
            relay: "wss://relay.example".parse().unwrap(),
            link: 1,
            user: UserId([1; 32]),
            tokens,
            seed: [9; 32],
            wall: || NOW,
            engine,
        };
        let heard = sign_for(heard);
        let relay = FakeRelay {
            script: script.clone(),
            sockets,
        };
        let link = start_with(setup, relay, &tokio::runtime::Handle::current());
        Self {
            link,
            heard,
            sockets: opened,
            script,
        }
    }

    /// What the link says next.
    async fn said(&mut self) -> Said {
        self.heard.recv().await.expect("the link lives").said
    }

    async fn status(&mut self) -> LinkStatus {
        loop {
            if let Said::Status(status) = self.said().await {
                return status;
            }
        }
    }

    async fn waiting(&mut self) -> LinkProblem {
        loop {
            if let LinkStatus::Waiting { why, .. } = self.status().await {
                return why;
            }
        }
    }

    /// Accepts the next connection and greets; its number.
    async fn greet(&mut self) -> (Socket, u64) {
        let mut socket = self.sockets.recv().await.expect("the link dials");
        say(&mut socket, greeting()).await;
        loop {
            if let Said::Up { connection } = self.said().await {
                let Said::Frame(frame) = self.said().await else {
                    panic!("the greeting follows")
                };
                assert_eq!(frame.frame, greeting());
                return (socket, connection);
            }
        }
    }

    fn asked(&self) -> Vec<Asked> {
        std::mem::take(&mut self.script.lock().unwrap().asked)
    }
}

/// Signs what the link wants signed and passes the rest on.
fn sign_for(mut link: mpsc::Receiver<FromLink>) -> mpsc::Receiver<FromLink> {
    let (engine, heard) = mpsc::channel(INBOX);
    tokio::spawn(async move {
        while let Some(from) = link.recv().await {
            let Said::Sign { challenge, signed } = from.said else {
                match engine.send(from).await {
                    Ok(()) => continue,
                    Err(_) => return,
                }
            };
            assert_eq!(&*challenge, &[7; 32]);
            let _ = signed.send(Signed {
                certificate: certificate(),
                signature: Bytes::from(&b"signed"[..]),
                admission: None,
            });
        }
    });
    heard
}

fn certificate() -> DeviceCertificate {
    DeviceCertificate {
        account_key: Bytes::default(),
        device: DeviceId([2; 16]),
        leaf_key: Bytes::default(),
        not_before: 0,
        not_after: NOW,
        signature: Bytes::default(),
    }
}

fn greeting() -> RelayFrame {
    RelayFrame::AuthOk {
        user: UserId([1; 32]),
        device: DeviceId([2; 16]),
        server_time: NOW,
        limits: Limits::default(),
    }
}

async fn say(socket: &mut Socket, frame: RelayFrame) {
    socket
        .send(Message::text(codec::encode(&frame.into())))
        .await
        .unwrap();
}

/// The next frame that the link sends.
async fn sent(socket: &mut Socket) -> ClientFrame {
    loop {
        match socket.next().await.expect("the link is there").unwrap() {
            Message::Text(text) => return codec::decode(&text).unwrap().frame,
            Message::Close(_) => panic!("the link closed"),
            _ => {}
        }
    }
}

async fn close(socket: &mut Socket, code: u16) {
    let frame = CloseFrame {
        code: code.into(),
        reason: "".into(),
    };
    let _ = socket.close(Some(frame)).await;
}

fn problem(why: LinkProblem) -> Refusal {
    why.into()
}

#[tokio::test(start_paused = true)]
async fn a_new_link_signs_in_and_has_its_tokens_kept_before_it_uses_them() {
    let mut scene = Scene::new(None, Script::default());
    assert_eq!(scene.status().await, LinkStatus::Connecting);
    assert!(matches!(scene.said().await, Said::Tokens(Some(kept)) if kept == tokens(1)));
    let (_socket, connection) = scene.greet().await;
    assert_eq!(connection, 1);
    let access = "access 1".to_owned();
    assert_eq!(
        scene.asked(),
        [Asked::Challenge, Asked::SignIn, Asked::Open(access)]
    );
}

#[tokio::test(start_paused = true)]
async fn kept_tokens_save_the_sign_in() {
    let mut scene = Scene::new(Some(tokens(0)), Script::default());
    scene.greet().await;
    assert_eq!(scene.asked(), [Asked::Open("access 0".into())]);
}

#[tokio::test(start_paused = true)]
async fn a_refused_token_is_refreshed_and_a_refused_refresh_signs_in() {
    let script = Script {
        open: vec![Refusal::Credential, Refusal::Credential],
        refresh: vec![Refusal::Credential],
        ..Script::default()
    };
    let mut scene = Scene::new(Some(tokens(0)), script);
    scene.greet().await;
    let opened = |n: u32| Asked::Open(format!("access {n}"));
    let refresh = |n: u32| Asked::Refresh(format!("refresh {n}"));
    assert_eq!(
        scene.asked(),
        [
            opened(0),
            refresh(0),
            Asked::Challenge,
            Asked::SignIn,
            opened(1),
            refresh(1),
            opened(2)
        ]
    );
}

#[tokio::test(start_paused = true)]
async fn a_relay_that_refuses_every_credential_is_not_asked_for_ever() {
    let script = Script {
        token: vec![Refusal::Credential],
        ..Script::default()
    };
    let mut scene = Scene::new(None, script);
    assert_eq!(scene.waiting().await, LinkProblem::Refused);
    assert_eq!(scene.asked(), [Asked::Challenge, Asked::SignIn]);
}

#[tokio::test(start_paused = true)]
async fn the_relays_time_is_told_before_anything_is_signed_and_blamed_when_it_differs() {
    const DAYS: Millis = 48 * HOUR;
    for (time, expect) in [
        (NOW, LinkProblem::Refused),
        (NOW - DAYS, LinkProblem::Clock),
        (NOW + DAYS, LinkProblem::Clock),
    ] {
        let script = Script {
            token: vec![Refusal::Credential],
            time: Some(time),
            ..Script::default()
        };
        let mut scene = Scene::new(None, script);
        assert_eq!(scene.status().await, LinkStatus::Connecting);
        assert!(matches!(scene.said().await, Said::Clock(told) if told == time));
        assert_eq!(scene.waiting().await, expect);
    }
}

#[tokio::test(start_paused = true)]
async fn every_failure_is_named_and_tried_again() {
    let all = [
        LinkProblem::Unreachable,
        LinkProblem::Tls,
        LinkProblem::PinMismatch,
        LinkProblem::NotARelay,
        LinkProblem::Version,
        LinkProblem::NotAdmitted,
    ];
    let script = Script {
        open: all.map(problem).to_vec(),
        ..Script::default()
    };
    let mut scene = Scene::new(Some(tokens(0)), script);
    for why in all {
        assert_eq!(scene.waiting().await, why);
    }
    scene.greet().await;
}

#[tokio::test(start_paused = true)]
async fn a_relay_that_asks_for_patience_gets_it() {
    let retry_after = Some(Duration::from_secs(120));
    let refusal = Refusal::Problem {
        why: LinkProblem::Refused,
        retry_after,
    };
    let mut scene = Scene::new(
        Some(tokens(0)),
        Script {
            open: vec![refusal],
            ..Script::default()
        },
    );
    let began = Instant::now();
    scene.waiting().await;
    scene.greet().await;
    assert!(began.elapsed() >= Duration::from_secs(120));
}

#[tokio::test(start_paused = true)]
async fn try_now_ends_the_waiting() {
    let retry_after = Some(Duration::from_secs(120));
    let refusal = Refusal::Problem {
        why: LinkProblem::Refused,
        retry_after,
    };
    let mut scene = Scene::new(
        Some(tokens(0)),
        Script {
            open: vec![refusal],
            ..Script::default()
        },
    );
    scene.waiting().await;
    let began = Instant::now();
    scene.link.reconnect_now();
    scene.greet().await;
    assert!(began.elapsed() < Duration::from_secs(1));
}

#[tokio::test(start_paused = true)]
async fn frames_go_both_ways_and_nonsense_is_passed_on_as_such() {
    let mut scene = Scene::new(Some(tokens(0)), Script::default());
    let (mut socket, connection) = scene.greet().await;
    scene
        .link
        .send(connection, codec::encode(&ClientFrame::Ping.into()));
    assert_eq!(sent(&mut socket).await, ClientFrame::Ping);

    let frame = RelayFrame::KeysLow { count: 3 };
    say(&mut socket, frame.clone()).await;
    assert!(matches!(scene.said().await, Said::Frame(e) if e.frame == frame));
    socket.send(Message::text("{")).await.unwrap();
    assert!(matches!(scene.said().await, Said::Garbled(_)));
    socket.send(Message::binary(vec![1, 2, 3])).await.unwrap();
    assert!(matches!(scene.said().await, Said::Garbled(_)));
    say(&mut socket, frame.clone()).await;
    assert!(matches!(scene.said().await, Said::Frame(e) if e.frame == frame));
}

#[tokio::test(start_paused = true)]
async fn frames_for_an_earlier_connection_are_not_sent() {
    let mut scene = Scene::new(Some(tokens(0)), Script::default());
    let (mut socket, first) = scene.greet().await;
    close(&mut socket, 1001).await;
    assert_eq!(scene.waiting().await, LinkProblem::ClosedByRelay);
    let typed = |token: &str| ClientFrame::Auth {
        token: Token(token.into()),
    };
    scene.link.send(first, codec::encode(&typed("late").into()));
    let (mut socket, second) = scene.greet().await;
    assert_ne!(first, second);
    scene.link.send(second, codec::encode(&typed("now").into()));
    assert_eq!(sent(&mut socket).await, typed("now"));
}

#[tokio::test(start_paused = true)]
async fn an_idle_connection_is_pinged_and_a_silent_one_is_dead_after_ninety_seconds() {
    let mut scene = Scene::new(Some(tokens(0)), Script::default());
    let (mut socket, _) = scene.greet().await;
    let began = Instant::now();
    for beat in 1..=4 {
        assert_eq!(sent(&mut socket).await, ClientFrame::Ping);
        assert_eq!(began.elapsed().as_secs(), beat * 30);
        say(&mut socket, RelayFrame::Pong).await;
    }
    let fell_silent = Instant::now();
    assert_eq!(scene.waiting().await, LinkProblem::Unreachable);
    assert_eq!(fell_silent.elapsed().as_secs(), 90);
}

#[tokio::test(start_paused = true)]
async fn try_now_on_a_dead_connection_finds_out_at_once() {
    let mut scene = Scene::new(Some(tokens(0)), Script::default());
    let (mut socket, _) = scene.greet().await;
    scene.link.reconnect_now();
    assert_eq!(sent(&mut socket).await, ClientFrame::Ping);
    let began = Instant::now();
    assert_eq!(scene.waiting().await, LinkProblem::Unreachable);
    assert_eq!(began.elapsed().as_secs(), 5);
}

#[tokio::test(start_paused = true)]
async fn another_network_is_dialed_from_at_once_whatever_the_link_was_doing() {
    let mut scene = Scene::new(Some(tokens(0)), Script::default());
    let began = Instant::now();
    let (_live, first) = scene.greet().await;
    scene.link.moved();
    // Dialed, and not greeted: a relay behind an address that is gone.
    let _silent = scene.sockets.recv().await.expect("the link dials");
    scene.link.moved();
    let (_live, second) = scene.greet().await;
    assert!(second > first);
    assert!(began.elapsed() < Duration::from_millis(100));
}

#[tokio::test(start_paused = true)]
async fn another_network_ends_the_waiting() {
    let script = Script {
        open: vec![problem(LinkProblem::Unreachable); 8],
        ..Script::default()
    };
    let mut scene = Scene::new(Some(tokens(0)), script);
    for _ in 0..8 {
        scene.waiting().await;
    }
    let began = Instant::now();
    scene.link.moved();
    scene.greet().await;
    assert!(began.elapsed() < Duration::from_millis(100));
}

#[tokio::test(start_paused = true)]
async fn the_token_is_renewed_on_the_live_socket_before_it_ends() {
    let mut scene = Scene::new(Some(tokens(0)), Script::default());
    let (mut socket, _) = scene.greet().await;
    scene.asked();
    let began = Instant::now();
    for _ in 0..2 {
        let token = loop {
            match sent(&mut socket).await {
                ClientFrame::Ping => say(&mut socket, RelayFrame::Pong).await,
                ClientFrame::Auth { token } => break token,
                other => panic!("{other:?}"),
            }
        };
        let Said::Tokens(Some(kept)) = scene.said().await else {
            panic!("kept first")
        };
        assert_eq!(kept.access, token);
        say(&mut socket, greeting()).await;
    }
    assert_eq!(began.elapsed().as_secs(), 2 * 48 * 60);
    let refreshes = scene.asked();
    assert!(matches!(&refreshes[..], [Asked::Refresh(a), Asked::Refresh(_)] if a == "refresh 0"));
    // The answer to it is the link's own affair.
    say(&mut socket, RelayFrame::KeysLow { count: 0 }).await;
    assert!(matches!(
        scene.said().await,
        Said::Frame(e) if matches!(e.frame, RelayFrame::KeysLow { .. })
    ));
}

#[tokio::test(start_paused = true)]
async fn a_socket_closed_for_its_token_comes_back_with_a_fresh_one() {
    let mut scene = Scene::new(Some(tokens(0)), Script::default());
    let (mut socket, _) = scene.greet().await;
    scene.asked();
    close(&mut socket, 4401).await;
    assert_eq!(scene.waiting().await, LinkProblem::Refused);
    scene.greet().await;
    assert!(matches!(
        &scene.asked()[..],
        [Asked::Refresh(_), Asked::Open(_)]
    ));
}

#[tokio::test(start_paused = true)]
async fn something_that_is_no_relay_is_called_so() {
    let mut scene = Scene::new(Some(tokens(0)), Script::default());
    let mut socket = scene.sockets.recv().await.unwrap();
    socket
        .send(Message::text("220 mail.example ESMTP"))
        .await
        .unwrap();
    assert_eq!(scene.waiting().await, LinkProblem::NotARelay);
    // Whoever never greets is none either.
    let _mute = scene.sockets.recv().await.unwrap();
    assert_eq!(scene.waiting().await, LinkProblem::NotARelay);
}

#[tokio::test(start_paused = true)]
async fn a_relay_that_closes_at_once_is_not_hammered() {
    let mut scene = Scene::new(Some(tokens(0)), Script::default());
    let mut waits = Vec::new();
    for _ in 0..8 {
        let (mut socket, _) = scene.greet().await;
        close(&mut socket, 1013).await;
        loop {
            if let LinkStatus::Waiting { retry_in_ms, why } = scene.status().await {
                assert_eq!(why, LinkProblem::SlowReader);
                waits.push(retry_in_ms);
                break;
            }
        }
    }
    assert!(waits.iter().any(|ms| *ms > 4000), "{waits:?}");
}

#[tokio::test(start_paused = true)]
async fn a_stopped_link_sends_what_it_holds_and_says_goodbye() {
    let mut scene = Scene::new(Some(tokens(0)), Script::default());
    let (mut socket, connection) = scene.greet().await;
    for _ in 0..3 {
        scene
            .link
            .send(connection, codec::encode(&ClientFrame::Ping.into()));
    }
    let Scene {
        link,
        heard: _heard,
        ..
    } = scene;
    tokio::join!(link.stop(), async {
        for _ in 0..3 {
            assert_eq!(sent(&mut socket).await, ClientFrame::Ping);
        }
        assert!(matches!(
            socket.next().await,
            Some(Ok(Message::Close(Some(_))))
        ));
    });
}

#[tokio::test(start_paused = true)]
async fn a_link_without_an_engine_ends() {
    let scene = Scene::new(Some(tokens(0)), Script::default());
    let Scene { link, heard, .. } = scene;
    drop(heard);
    timeout(Duration::from_secs(60), link.stop()).await.unwrap();
}
