//! The network: connections that keep order and delay, and, when the weather
//! is bad, break, repeat, reorder and replay. Frames travel as the text that
//! a real socket would carry.

use super::{Scene, Who, dice::Dice, machine::Fate};
use sotto_client::{Input, call::media::MediaReport};
use sotto_relay::hub::{ConnId, Event, memory::Out};
use sotto_wire::{
    ClientFrame, Millis, RelayAddress, RelayFrame,
    codec::{self, Envelope},
};

/// What the network and the machines suffer. Chances are per mille.
#[derive(Debug, Clone)]
pub struct Weather {
    /// Milliseconds that a frame travels.
    pub delay: (Millis, Millis),
    /// A connection breaks when a frame enters it.
    pub cut: u32,
    /// A frame is lost, in either direction, and the connection goes on as if
    /// nothing had happened. No network does that; a relay can. Only the
    /// greeting comes always: without it there is no connection.
    pub drop: u32,
    /// To clients: a frame arrives twice.
    pub repeat: u32,
    /// To clients: a frame overtakes others, or is overtaken.
    pub reorder: u32,
    /// To clients: a frame that came before comes again.
    pub replay: u32,
    /// A process dies while it handles an input.
    pub crash: u32,
    /// The relay's process dies when a frame arrives.
    pub relay_crash: u32,
}

impl Weather {
    pub const CALM: Self = Self {
        delay: (20, 20),
        cut: 0,
        drop: 0,
        repeat: 0,
        reorder: 0,
        replay: 0,
        crash: 0,
        relay_crash: 0,
    };
}

/// One connection, as both ends see it.
pub struct Wire {
    pub who: Who,
    pub relay: RelayAddress,
    /// The client still uses it.
    pub near: bool,
    /// The relay still uses it.
    pub far: bool,
    /// When the last frame of each direction arrives: none overtakes it.
    up: Millis,
    down: Millis,
}

/// What will happen.
pub enum Due {
    /// A client tries to connect.
    Dial {
        who: Who,
        relay: RelayAddress,
    },
    ToRelay {
        conn: ConnId,
        text: String,
    },
    ToClient {
        conn: ConnId,
        text: String,
    },
    /// The relay notices that a connection is gone.
    Lost {
        conn: ConnId,
    },
    /// Media of a process reports.
    Media {
        who: Who,
        life: u64,
        report: MediaReport,
    },
    /// A process starts.
    Boot {
        who: Who,
    },
}

/// A frame that passed, for those who want to replay it.
#[derive(Clone)]
pub struct Passed {
    pub who: Who,
    pub relay: RelayAddress,
    pub frame: Direction,
}

#[derive(Clone)]
pub enum Direction {
    Up(ClientFrame),
    Down(RelayFrame),
}

/// Between client and relay: what becomes of each frame.
pub type Hook<F> = Box<dyn FnMut(Who, F) -> Vec<F>>;

impl Scene {
    pub fn dial(&mut self, who: Who, relay: RelayAddress) {
        let machine = self.machine(who);
        let wanted = machine
            .client
            .as_ref()
            .is_some_and(|c| c.relays().contains(&relay));
        if !wanted || !machine.online || machine.wires.contains_key(&relay) {
            return;
        }
        let Some((user, device)) = machine.client.as_ref().map(|c| (c.user(), c.device())) else {
            return;
        };
        if !self.relays.get(&relay).is_some_and(|host| host.up) {
            return;
        }
        self.last_conn += 1;
        let conn = ConnId(self.last_conn);
        let now = self.t;
        let wire = Wire {
            who,
            relay: relay.clone(),
            near: true,
            far: true,
            up: now,
            down: now,
        };
        self.wires.insert(conn, wire);
        self.machine(who).wires.insert(relay.clone(), conn);
        self.tell_hub(&relay, Event::Connected { conn, user, device });
    }

    /// Puts a frame on the way to the relay.
    pub fn send_up(&mut self, conn: ConnId, envelope: &Envelope<ClientFrame>) {
        let delay = self.delay();
        let Some(wire) = self.wires.get_mut(&conn).filter(|wire| wire.near) else {
            return;
        };
        wire.up = wire.up.max(self.t + delay);
        let at = wire.up;
        self.later(
            at,
            Due::ToRelay {
                conn,
                text: codec::encode(envelope),
            },
        );
        if self.chance(|w| w.cut) {
            self.cut(conn);
        }
    }

    pub fn arrive_at_relay(&mut self, conn: ConnId, text: &str) {
        let Some(wire) = self.wires.get(&conn).filter(|wire| wire.far) else {
            return;
        };
        let (who, relay) = (wire.who, wire.relay.clone());
        if self.chance(|w| w.relay_crash) {
            return self.restart_relay(&relay);
        }
        if self.chance(|w| w.drop) {
            return;
        }
        let envelope: Envelope<ClientFrame> = match codec::decode(text) {
            Ok(envelope) => envelope,
            Err(error) => return self.send_down(conn, &RelayFrame::Error(error).into()),
        };
        let Envelope { id, frame } = envelope;
        let frames = match &mut self.hook_up {
            Some(hook) => hook(who, frame),
            None => vec![frame],
        };
        for frame in frames {
            self.record(who, &relay, Direction::Up(frame.clone()));
            let envelope = Envelope {
                id: id.clone(),
                frame,
            };
            self.tell_hub(&relay, Event::Frame { conn, envelope });
        }
    }

    pub fn tell_hub(&mut self, relay: &RelayAddress, event: Event) {
        let wall = self.wall();
        let Some(host) = self.relays.get_mut(relay).filter(|host| host.up) else {
            return;
        };
        for out in host.relay.handle(wall, event) {
            match out {
                Out::Send { conn, envelope } => self.send_down(conn, &envelope),
                Out::Close { conn, .. } => self.cut(conn),
            }
        }
    }

    fn send_down(&mut self, conn: ConnId, envelope: &Envelope<RelayFrame>) {
        let Some(wire) = self.wires.get(&conn).filter(|wire| wire.near) else {
            return;
        };
        let who = wire.who;
        let Envelope { id, frame } = envelope.clone();
        let frames = match &mut self.hook_down {
            Some(hook) => hook(who, frame),
            None => vec![frame],
        };
        for frame in frames {
            if !is_greeting(&frame) && self.chance(|w| w.drop) {
                continue;
            }
            let text = codec::encode(&Envelope {
                id: id.clone(),
                frame,
            });
            self.deliver(conn, text);
        }
    }

    fn deliver(&mut self, conn: ConnId, text: String) {
        let delay = self.delay();
        if self.chance(|w| w.repeat) {
            let again = self.t + delay + self.delay();
            self.later(
                again,
                Due::ToClient {
                    conn,
                    text: text.clone(),
                },
            );
        }
        if self.chance(|w| w.replay)
            && let Some(old) = self.old_frame(conn)
        {
            self.later(self.t + delay, Due::ToClient { conn, text: old });
        }
        let reorder = self.chance(|w| w.reorder);
        let now = self.t;
        let Some(wire) = self.wires.get_mut(&conn) else {
            return;
        };
        let at = if reorder {
            now + delay
        } else {
            wire.down = wire.down.max(now + delay);
            wire.down
        };
        self.later(at, Due::ToClient { conn, text });
    }

    fn old_frame(&mut self, conn: ConnId) -> Option<String> {
        let who = self.wires.get(&conn)?.who;
        let old: Vec<usize> = (0..self.tape.len())
            .filter(|i| {
                let Passed { who: to, frame, .. } = &self.tape[*i];
                *to == who && matches!(frame, Direction::Down(f) if !is_greeting(f))
            })
            .collect();
        let index = *self.dice.pick(&old)?;
        match &self.tape[index].frame {
            Direction::Down(frame) => Some(codec::encode(&Envelope::from(frame.clone()))),
            Direction::Up(_) => None,
        }
    }

    pub fn arrive_at_client(&mut self, conn: ConnId, text: &str) {
        let Some(wire) = self.wires.get(&conn).filter(|wire| wire.near) else {
            return;
        };
        let (who, relay) = (wire.who, wire.relay.clone());
        match codec::decode::<RelayFrame>(text) {
            Ok(envelope) => {
                self.record(who, &relay, Direction::Down(envelope.frame.clone()));
                if is_greeting(&envelope.frame) {
                    self.take(
                        who,
                        Input::RelayUp {
                            relay: relay.clone(),
                        },
                    );
                }
                self.take(who, Input::Relay { relay, envelope });
            }
            Err(error) => self.take(who, Input::Garbled { relay, error }),
        }
    }

    /// The connection breaks. What was on its way up may still arrive, what
    /// was on its way down does not.
    pub fn cut(&mut self, conn: ConnId) {
        if let Some((who, relay)) = self.unplug(conn) {
            self.take(
                who,
                Input::RelayDown {
                    relay: relay.clone(),
                },
            );
            let at = self.t + 500 + self.delay();
            self.later(at, Due::Dial { who, relay });
        }
    }

    /// Like [`Self::cut`], for a process that is no more: nobody is told.
    pub fn unplug(&mut self, conn: ConnId) -> Option<(Who, RelayAddress)> {
        let all_lost = self.dice.chance(500);
        let delay = self.delay();
        let wire = self.wires.get_mut(&conn).filter(|wire| wire.near)?;
        wire.near = false;
        let (who, relay) = (wire.who, wire.relay.clone());
        let at = wire.up.max(self.t) + delay;
        self.machine(who).wires.remove(&relay);
        if all_lost {
            self.lose(conn);
        } else {
            self.later(at, Due::Lost { conn });
        }
        Some((who, relay))
    }

    pub fn lose(&mut self, conn: ConnId) {
        let Some(wire) = self.wires.get_mut(&conn).filter(|wire| wire.far) else {
            return;
        };
        wire.far = false;
        let relay = wire.relay.clone();
        self.tell_hub(&relay, Event::Disconnected { conn });
    }

    /// Nothing of this connection reaches the relay for so long.
    pub fn hold_back(&mut self, conn: ConnId, time: Millis) {
        let of_it = |due: &Due| matches!(due, Due::ToRelay { conn: c, .. } if *c == conn);
        let held: Vec<_> = self
            .queue
            .iter()
            .filter(|(_, due)| of_it(due))
            .map(|(key, _)| *key)
            .collect();
        for (at, number) in held {
            if let Some(due) = self.queue.remove(&(at, number)) {
                self.queue.insert((at + time, number), due);
            }
        }
        if let Some(wire) = self.wires.get_mut(&conn) {
            wire.up += time;
        }
    }

    /// The relay's process dies and starts again: what was durable is there.
    pub fn restart_relay(&mut self, relay: &RelayAddress) {
        let of_it = |wire: &Wire| wire.relay == *relay && (wire.near || wire.far);
        let conns: Vec<ConnId> = self
            .wires
            .iter()
            .filter(|(_, wire)| of_it(wire))
            .map(|(conn, _)| *conn)
            .collect();
        for conn in &conns {
            if let Some(wire) = self.wires.get_mut(conn) {
                wire.far = false;
            }
        }
        if let Some(host) = self.relays.get_mut(relay) {
            host.relay.restart();
        }
        conns.into_iter().for_each(|conn| self.cut(conn));
    }

    fn delay(&mut self) -> Millis {
        let (least, most) = self.weather.delay;
        self.dice.number(least, most)
    }

    pub fn chance(&mut self, of: impl Fn(&Weather) -> u32) -> bool {
        let chance = of(&self.weather);
        chance > 0 && self.dice.chance(chance)
    }

    fn record(&mut self, who: Who, relay: &RelayAddress, frame: Direction) {
        self.tape.push(Passed {
            who,
            relay: relay.clone(),
            frame,
        });
    }

    /// How the process ends while it handles this input, if it does.
    pub fn fate(&mut self) -> Fate {
        if !self.chance(|w| w.crash) {
            return Fate::Lives;
        }
        random_end(&mut self.dice)
    }
}

fn random_end(dice: &mut Dice) -> Fate {
    match dice.number(0, 2) {
        0 => Fate::DiesBeforeCommit,
        1 => Fate::DiesAfterEffects(dice.number(0, 3) as usize),
        _ => Fate::DiskFails(dice.number(0, 40) as u32),
    }
}

fn is_greeting(frame: &RelayFrame) -> bool {
    matches!(frame, RelayFrame::AuthOk { .. })
}
