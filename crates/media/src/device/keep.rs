//! Keeps what a choice means open while devices come and go: follows the
//! default, falls over to it, comes back when the chosen one does.

use super::list::{DeviceChoice, Listing};
use super::{DeviceError, DeviceKind, DeviceName, sound};
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::sync::watch;

/// How soon it is tried again when nothing opened.
const AGAIN: Duration = Duration::from_secs(2);

/// How soon the better device is tried again while another stands in for it;
/// each time twice as long, since a try may be heard.
const BETTER_AGAIN: Duration = Duration::from_secs(4);
const BETTER_AGAIN_MOST: Duration = Duration::from_secs(64);

/// What became of the device.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Change {
    Opened(DeviceName),
    /// It did not open or stopped. Another may be opened next.
    Failed(DeviceError),
}

pub(crate) type Opener<D> = dyn Fn(&DeviceName) -> Result<Box<D>, DeviceError> + Send + Sync;

pub(crate) struct Kept<D: ?Sized> {
    kind: DeviceKind,
    list: watch::Receiver<Listing>,
    opener: Arc<Opener<D>>,
    choice: DeviceChoice,
    /// Listed, but they do not work.
    avoid: Vec<DeviceName>,
    open: Option<(DeviceName, Box<D>)>,
    again: Option<Instant>,
    /// When the better device is tried, and how long after the last try.
    better: Option<(Instant, Duration)>,
    reported: Option<Change>,
}

impl<D: ?Sized> Kept<D> {
    pub(crate) fn new(
        kind: DeviceKind,
        mut list: watch::Receiver<Listing>,
        opener: Arc<Opener<D>>,
        choice: DeviceChoice,
    ) -> Self {
        list.mark_changed();
        Self {
            kind,
            list,
            opener,
            choice,
            avoid: Vec::new(),
            open: None,
            again: None,
            better: None,
            reported: None,
        }
    }

    pub(crate) fn device(&mut self) -> Option<&mut D> {
        self.open.as_mut().map(|(_, device)| &mut **device)
    }

    pub(crate) fn choose(&mut self, choice: DeviceChoice) {
        self.choice = choice;
        self.avoid.clear();
        self.again = None;
        self.better = None;
        let picked = self.pick(&self.list.borrow());
        if self.name() != picked.as_ref() {
            self.open = None;
        }
    }

    pub(crate) fn close(&mut self) {
        self.open = None;
        self.better = None;
        self.again = None;
        self.avoid.clear();
        self.reported = None;
    }

    /// The open device said that it does not work any more.
    pub(crate) fn broke(&mut self, why: DeviceError, report: &mut dyn FnMut(Change)) {
        if let Some((name, _)) = self.open.take() {
            self.avoid.push(name);
        }
        self.report(Change::Failed(why), report);
    }

    /// Follows the list and opens what should be open. May block.
    pub(crate) fn tend(&mut self, now: Instant, report: &mut dyn FnMut(Change)) {
        if self.list.has_changed().unwrap_or(false) {
            let listing = self.list.borrow_and_update().clone();
            self.follow(&listing, report);
        }
        if self.open.is_none() && self.again.is_none_or(|again| now >= again) {
            self.open_one(now, report);
        }
        if self.better.is_some_and(|(at, _)| now >= at) {
            self.try_better(now, report);
        }
    }

    /// Another device stands in for the one that was meant and did not work.
    fn try_better(&mut self, now: Instant, report: &mut dyn FnMut(Change)) {
        let wished = self.list.borrow().pick(&self.choice, self.kind, &[]);
        let waited = self
            .better
            .take()
            .map_or(BETTER_AGAIN, |(_, waited)| waited);
        let Some(wished) = wished.filter(|wished| self.name() != Some(wished)) else {
            return;
        };
        if let Ok(device) = (self.opener)(&wished) {
            self.avoid.retain(|name| *name != wished);
            self.open = Some((wished.clone(), device));
            return self.report(Change::Opened(wished), report);
        }
        let wait = (waited * 2).min(BETTER_AGAIN_MOST);
        self.better = Some((now + wait, wait));
    }

    fn follow(&mut self, listing: &Listing, report: &mut dyn FnMut(Change)) {
        // What went away and comes back deserves another try.
        self.avoid.retain(|name| listing.has(name));
        self.again = None;
        let Some(name) = self.name().cloned() else {
            return;
        };
        let picked = self.pick(listing);
        if picked.as_ref() == Some(&name) || !listing.known {
            return;
        }
        self.open = None;
        if !listing.has(&name) && !sound::ours(&name) {
            self.report(Change::Failed(DeviceError::Vanished), report);
        }
    }

    fn open_one(&mut self, now: Instant, report: &mut dyn FnMut(Change)) {
        let mut why = DeviceError::NoDevice;
        let listing = self.list.borrow().clone();
        while let Some(name) = self.pick(&listing) {
            match (self.opener)(&name) {
                Ok(device) => {
                    self.open = Some((name.clone(), device));
                    self.better =
                        (!self.avoid.is_empty()).then_some((now + BETTER_AGAIN, BETTER_AGAIN));
                    return self.report(Change::Opened(name), report);
                }
                Err(error) => {
                    why = error;
                    self.avoid.push(name);
                }
            }
        }
        if listing.known || !self.avoid.is_empty() {
            self.avoid.clear();
            self.again = Some(now + AGAIN);
            self.report(Change::Failed(why), report);
        }
    }

    fn pick(&self, listing: &Listing) -> Option<DeviceName> {
        listing.pick(&self.choice, self.kind, &self.avoid)
    }

    fn name(&self) -> Option<&DeviceName> {
        self.open.as_ref().map(|(name, _)| name)
    }

    fn report(&mut self, change: Change, report: &mut dyn FnMut(Change)) {
        if self.reported.as_ref() != Some(&change) {
            self.reported = Some(change.clone());
            report(change);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::device::Device;
    use std::sync::Mutex;

    struct Room {
        show: watch::Sender<Listing>,
        broken: Arc<Mutex<Vec<String>>>,
        kept: Kept<str>,
        now: Instant,
    }

    impl Room {
        fn with(devices: &[&str], choice: &str) -> Self {
            let (show, list) = watch::channel(listing(devices));
            let broken = Arc::new(Mutex::new(Vec::<String>::new()));
            let jammed = broken.clone();
            let opener: Arc<Opener<str>> = Arc::new(move |name| {
                if jammed.lock().expect("lock").contains(&name.0) {
                    return Err(DeviceError::Busy);
                }
                Ok(name.0.as_str().into())
            });
            let choice = match choice {
                "" => DeviceChoice::Default,
                name => DeviceChoice::Named(DeviceName(name.into())),
            };
            let kept = Kept::new(DeviceKind::Microphone, list, opener, choice);
            Self {
                show,
                broken,
                kept,
                now: Instant::now(),
            }
        }

        fn plug(&self, devices: &[&str]) {
            self.show.send_replace(listing(devices));
        }

        #[track_caller]
        fn expect(&mut self, reports: &[&str]) {
            let mut seen = Vec::new();
            self.now += Duration::from_secs(3);
            self.kept.tend(self.now, &mut |change| {
                seen.push(match change {
                    Change::Opened(name) => name.0,
                    Change::Failed(why) => format!("{why:?}"),
                });
            });
            assert_eq!(seen, reports);
        }
    }

    /// The first with a star is the default.
    fn listing(devices: &[&str]) -> Listing {
        let device = |name: &&str| Device {
            name: DeviceName(name.trim_start_matches('*').into()),
            kind: DeviceKind::Microphone,
            label: String::new(),
            default: name.starts_with('*'),
            synthetic: false,
        };
        Listing::of(devices.iter().map(device).collect())
    }

    #[test]
    fn the_default_is_followed() {
        let mut room = Room::with(&["*desk"], "");
        room.expect(&["desk"]);
        room.plug(&["desk", "*headset"]);
        room.expect(&["headset"]);
        room.plug(&["*desk"]);
        room.expect(&["Vanished", "desk"]);
        room.expect(&[]);
    }

    #[test]
    fn a_chosen_device_that_vanishes_is_come_back_to() {
        let mut room = Room::with(&["*desk", "headset"], "headset");
        room.expect(&["headset"]);
        room.plug(&["*desk"]);
        room.expect(&["Vanished", "desk"]);
        room.plug(&["*desk", "headset"]);
        room.expect(&["headset"]);
    }

    #[test]
    fn a_busy_device_is_passed_over_and_not_tried_again_and_again() {
        let mut room = Room::with(&["*desk", "headset"], "headset");
        room.broken.lock().expect("lock").push("headset".into());
        room.expect(&["desk"]);
        room.plug(&["*desk", "headset", "third"]);
        room.expect(&[]);
    }

    #[test]
    fn a_device_that_works_again_is_come_back_to_without_being_plugged() {
        let mut room = Room::with(&["*desk", "headset"], "headset");
        room.expect(&["headset"]);
        room.broken.lock().expect("lock").push("headset".into());
        room.kept.broke(DeviceError::Vanished, &mut |_| {});
        room.expect(&["desk"]);
        room.expect(&[]);
        room.expect(&[]);
        room.broken.lock().expect("lock").clear();
        for _ in 0..2 {
            room.expect(&[]);
        }
        room.expect(&["headset"]);
        room.expect(&[]);
    }

    #[test]
    fn without_any_device_it_says_so_once_and_goes_on_trying() {
        let mut room = Room::with(&[], "");
        room.expect(&["NoDevice"]);
        room.expect(&[]);
        room.plug(&["*desk"]);
        room.broken.lock().expect("lock").push("desk".into());
        room.expect(&["Busy"]);
        room.expect(&[]);
        room.broken.lock().expect("lock").clear();
        room.expect(&["desk"]);
        room.kept.broke(DeviceError::Broken, &mut |_| {});
        room.expect(&["NoDevice"]);
        room.expect(&["desk"]);
    }
}
