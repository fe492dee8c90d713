//! What a relay that lies can do: see, hold back, change and make up frames.

use super::{Actor, Direction, Who, World, home};
use sotto_client::{Input, Rejected};
use sotto_wire::{ClientFrame, RelayAddress, RelayFrame, codec::Envelope};

impl World {
    /// Every frame of a client passes here on its way to the relay.
    pub fn on_the_way_up(&self, hook: impl FnMut(Who, ClientFrame) -> Vec<ClientFrame> + 'static) {
        self.scene().hook_up = Some(Box::new(hook));
    }

    /// Every frame of the relay passes here on its way to a client.
    pub fn on_the_way_down(&self, hook: impl FnMut(Who, RelayFrame) -> Vec<RelayFrame> + 'static) {
        self.scene().hook_down = Some(Box::new(hook));
    }

    pub fn honest_again(&self) {
        let mut scene = self.scene();
        scene.hook_up = None;
        scene.hook_down = None;
    }

    /// What reached the relay so far.
    pub fn sent_by(&self, who: &Actor) -> Vec<ClientFrame> {
        let up = |passed: &super::Passed| match &passed.frame {
            Direction::Up(frame) if passed.who == who.name() => Some(frame.clone()),
            _ => None,
        };
        self.scene().tape.iter().filter_map(up).collect()
    }

    /// What reached this person so far.
    pub fn heard_by(&self, who: &Actor) -> Vec<RelayFrame> {
        let down = |passed: &super::Passed| match &passed.frame {
            Direction::Down(frame) if passed.who == who.name() => Some(frame.clone()),
            _ => None,
        };
        self.scene().tape.iter().filter_map(down).collect()
    }

    /// The relay says something of its own making, and it arrives at once.
    /// What the client refuses because of it comes back.
    pub fn relay_says(&self, to: &Actor, frame: RelayFrame) -> Vec<Rejected> {
        self.relay_at_says(home(), to, frame)
    }

    pub fn relay_at_says(
        &self,
        relay: RelayAddress,
        to: &Actor,
        frame: RelayFrame,
    ) -> Vec<Rejected> {
        let mut scene = self.scene();
        let before = scene.machine(to.name()).rejects.len();
        let envelope = Envelope::from(frame);
        scene.take(to.name(), Input::Relay { relay, envelope });
        scene.machine(to.name()).rejects.split_off(before)
    }
}
