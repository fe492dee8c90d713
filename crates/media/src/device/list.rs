//! What devices there are, looked up again and again on a thread of its own,
//! and which of them a choice means.
//!
//! Looking up may block for seconds and is therefore never done elsewhere. It
//! opens nothing.

use super::{Device, DeviceKind, DeviceName, sound};
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::time::Duration;
use tokio::sync::watch;

/// How often devices are looked for: the longest that a plugged-in headset
/// waits to be seen.
const EVERY: Duration = Duration::from_secs(2);

/// Which device is meant.
#[derive(Debug, Clone, PartialEq, Eq, Default, Hash)]
pub enum DeviceChoice {
    /// The system's default, whichever it is at the time.
    #[default]
    Default,
    /// This one; the default while it is not there.
    Named(DeviceName),
}

/// The devices at some time.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Listing {
    /// They have been looked up at least once.
    pub known: bool,
    pub devices: Vec<Device>,
}

impl Listing {
    pub fn of(devices: Vec<Device>) -> Self {
        Self {
            known: true,
            devices,
        }
    }

    pub fn has(&self, name: &DeviceName) -> bool {
        self.devices.iter().any(|d| d.name == *name)
    }

    /// The device to open for a choice; `avoid` do not work. Falls over to the
    /// default and then to any other of the system, and never to something of
    /// ours: nobody wants to be heard as a test tone by accident.
    pub fn pick(
        &self,
        choice: &DeviceChoice,
        kind: DeviceKind,
        avoid: &[DeviceName],
    ) -> Option<DeviceName> {
        if let DeviceChoice::Named(name) = choice
            && !avoid.contains(name)
            && (sound::ours(name)
                || self
                    .devices
                    .iter()
                    .any(|d| d.name == *name && d.kind == kind))
        {
            return Some(name.clone());
        }
        let mut real = self
            .devices
            .iter()
            .filter(|d| d.kind == kind && !d.synthetic && !avoid.contains(&d.name));
        let default = real.clone().find(|d| d.default);
        default.or_else(|| real.next()).map(|d| d.name.clone())
    }
}

/// Looks up the devices of some kinds. Runs on the list's thread.
pub type Finder = Box<dyn FnMut() -> Vec<Device> + Send>;

/// The list of devices, kept up to date while this lives.
#[derive(Debug)]
pub struct DeviceList {
    listing: watch::Receiver<Listing>,
    refresh: Sender<()>,
}

impl DeviceList {
    /// Starts to look for devices with `finders`, in whose order they are
    /// listed.
    pub fn start(mut finders: Vec<Finder>) -> std::io::Result<Self> {
        let (show, listing) = watch::channel(Listing::default());
        let (refresh, asked) = channel();
        std::thread::Builder::new()
            .name("sotto-devices".into())
            .spawn(move || {
                loop {
                    let found = finders.iter_mut().flat_map(|find| find()).collect();
                    let found = Listing::of(found);
                    let changed = show.send_if_modified(|listing| {
                        let changed = *listing != found;
                        *listing = found;
                        changed
                    });
                    if changed {
                        tracing::debug!("the devices changed");
                    }
                    match asked.recv_timeout(EVERY) {
                        Err(RecvTimeoutError::Disconnected) => return,
                        Ok(()) | Err(RecvTimeoutError::Timeout) => {}
                    }
                }
            })?;
        Ok(Self { listing, refresh })
    }

    /// The list as it changes. Not known at first.
    pub fn watch(&self) -> watch::Receiver<Listing> {
        self.listing.clone()
    }

    /// Looks now.
    pub fn refresh(&self) {
        let _ = self.refresh.send(());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn device(name: &str, default: bool, synthetic: bool) -> Device {
        Device {
            name: DeviceName(name.into()),
            kind: DeviceKind::Microphone,
            label: name.into(),
            default,
            synthetic,
        }
    }

    fn named(name: &str) -> DeviceChoice {
        DeviceChoice::Named(DeviceName(name.into()))
    }

    #[track_caller]
    fn check(listing: &Listing, choice: &DeviceChoice, avoid: &[&str], expect: Option<&str>) {
        let avoid: Vec<_> = avoid.iter().map(|n| DeviceName((*n).into())).collect();
        let picked = listing.pick(choice, DeviceKind::Microphone, &avoid);
        assert_eq!(picked.as_ref().map(|n| n.0.as_str()), expect);
    }

    #[test]
    fn a_choice_falls_over_to_the_default_and_never_to_a_tone() {
        let all = Listing::of(vec![
            device("tone:440", false, true),
            device("desk", false, false),
            device("headset", true, false),
        ]);
        check(&all, &DeviceChoice::Default, &[], Some("headset"));
        check(&all, &DeviceChoice::Default, &["headset"], Some("desk"));
        check(&all, &DeviceChoice::Default, &["headset", "desk"], None);
        check(&all, &named("desk"), &[], Some("desk"));
        check(&all, &named("desk"), &["desk"], Some("headset"));
        check(&all, &named("gone"), &[], Some("headset"));
        check(&all, &named("tone:440"), &[], Some("tone:440"));
        check(&all, &named("tone:660"), &[], Some("tone:660"));
        check(&Listing::of(vec![]), &DeviceChoice::Default, &[], None);
    }

    #[test]
    fn a_device_that_comes_is_shown_without_being_asked_for() {
        let (ask, asked) = channel();
        let mut plugged = false;
        let list = DeviceList::start(vec![Box::new(move || {
            let found = if plugged {
                vec![device("headset", true, false)]
            } else {
                vec![]
            };
            plugged = true;
            let _ = ask.send(());
            found
        })])
        .expect("a thread");
        let mut watch = list.watch();
        asked.recv().expect("a first look");
        list.refresh();
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_time()
            .build()
            .expect("a runtime");
        let seen = runtime.block_on(async {
            let seen = watch.wait_for(|l| !l.devices.is_empty());
            let within = tokio::time::timeout(Duration::from_secs(5), seen).await;
            within.expect("in time").expect("the list lives").clone()
        });
        assert!(seen.known && seen.has(&DeviceName("headset".into())));
    }
}
