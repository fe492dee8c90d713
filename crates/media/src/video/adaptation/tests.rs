//! What is sent of a picture as bandwidth, viewers and the machine change, in
//! virtual time.

use super::*;

const HD: Size = Size::new(1280, 720);
const FULL: Size = Size::new(1920, 1080);

/// A stretch of time that a test walks along.
struct Walk {
    adaptation: Adaptation,
    now: Instant,
    seen: Seen,
}

impl Walk {
    fn new(content: Content, budget: u32) -> Self {
        Self {
            adaptation: Adaptation::new(content),
            now: Instant::now(),
            seen: Seen {
                budget,
                source: HD,
                shown: Some(FULL),
                load: 0.2,
            },
        }
    }

    /// Look four times a second for so long; the last decision.
    fn walk(&mut self, seconds: u64) -> Wish {
        let mut wish = self.look();
        for _ in 0..seconds * 4 {
            self.now += Duration::from_millis(250);
            wish = self.look();
        }
        wish
    }

    fn look(&mut self) -> Wish {
        self.adaptation.decide(self.now, self.seen)
    }
}

fn size(wish: Wish) -> Option<Size> {
    match wish {
        Wish::Pause(_) => None,
        Wish::Encode(target) => Some(target.size),
    }
}

fn height(wish: Wish) -> u32 {
    size(wish).map_or(0, |size| size.height)
}

#[test]
fn it_begins_as_high_as_the_budget_carries() {
    assert_eq!(height(Walk::new(Content::Camera, 2_000_000).look()), 720);
    assert_eq!(height(Walk::new(Content::Camera, 500_000).look()), 360);
    assert_eq!(height(Walk::new(Content::Camera, 90_000).look()), 180);
}

#[test]
fn what_nobody_shows_is_not_encoded() {
    let mut walk = Walk::new(Content::Camera, 2_000_000);
    walk.look();
    walk.seen.shown = None;
    assert_eq!(walk.look(), Wish::Pause(Pause::Unseen));
    walk.seen.shown = Some(Size::new(0, 0));
    assert_eq!(walk.look(), Wish::Pause(Pause::Unseen));
    walk.seen.shown = Some(FULL);
    assert_eq!(height(walk.look()), 720, "it goes on where it was");
}

#[test]
fn it_steps_down_at_once_and_up_slowly() {
    let mut walk = Walk::new(Content::Camera, 2_000_000);
    walk.look();
    walk.seen.budget = 320_000;
    assert_eq!(height(walk.look()), 360);
    walk.seen.budget = 2_000_000;
    assert_eq!(height(walk.walk(3)), 360);
    assert_eq!(height(walk.walk(2)), 540);
    assert_eq!(height(walk.walk(5)), 720);
}

#[test]
fn a_step_up_that_does_not_hold_is_tried_later_and_later() {
    let mut walk = Walk::new(Content::Camera, 320_000);
    walk.look();
    let mut waits = Vec::new();
    for _ in 0..3 {
        walk.seen.budget = 900_000;
        let mut waited = 0;
        while height(walk.look()) == 360 {
            walk.now += Duration::from_millis(250);
            waited += 1;
        }
        waits.push(waited);
        walk.seen.budget = 320_000;
        walk.now += Duration::from_millis(250);
        assert_eq!(height(walk.look()), 360);
    }
    assert!(waits[0] < waits[1] && waits[1] < waits[2], "{waits:?}");
}

#[test]
fn a_budget_on_the_edge_does_not_swing() {
    let mut walk = Walk::new(Content::Camera, 660_000);
    walk.look();
    let mut changes = 0;
    let mut last = height(walk.look());
    for step in 0..240 {
        walk.now += Duration::from_millis(250);
        walk.seen.budget = if step % 2 == 0 { 640_000 } else { 670_000 };
        let now = height(walk.look());
        changes += u32::from(now != last);
        last = now;
    }
    assert!(changes <= 1, "{changes} changes");
}

#[test]
fn without_bandwidth_only_sound_is_left_and_the_picture_comes_back() {
    let mut walk = Walk::new(Content::Camera, 2_000_000);
    walk.look();
    walk.seen.budget = 29_000;
    assert_eq!(walk.look(), Wish::Pause(Pause::Bandwidth));
    walk.seen.budget = 38_000;
    assert_eq!(
        walk.look(),
        Wish::Pause(Pause::Bandwidth),
        "not on the edge"
    );
    walk.seen.budget = 39_000;
    assert_eq!(height(walk.look()), 180);
}

#[test]
fn a_small_tile_is_not_sent_a_large_picture_and_a_grown_one_gets_it_back() {
    let mut walk = Walk::new(Content::Camera, 4_000_000);
    walk.look();
    walk.seen.shown = Some(Size::new(320, 180));
    assert_eq!(height(walk.look()), 180);
    walk.seen.shown = Some(Size::new(640, 360));
    assert_eq!(
        height(walk.look()),
        360,
        "the network has carried it before"
    );
    walk.seen.shown = Some(FULL);
    assert_eq!(height(walk.look()), 720);
    walk.seen.shown = Some(Size::new(200, 112));
    assert_eq!(height(walk.look()), 180);
    walk.seen.budget = 160_000;
    walk.seen.shown = Some(FULL);
    assert!(
        height(walk.look()) <= 270,
        "but not what it cannot carry now"
    );
}

#[test]
fn a_machine_that_cannot_keep_up_encodes_less() {
    let mut walk = Walk::new(Content::Camera, 2_000_000);
    assert_eq!(height(walk.look()), 720);
    walk.seen.load = 0.95;
    assert_eq!(height(walk.walk(1)), 720, "one slow second is nothing");
    assert_eq!(height(walk.walk(1)), 540);
    walk.seen.load = 0.5;
    assert_eq!(height(walk.walk(60)), 540, "it has no time to spare");
    walk.seen.load = 0.2;
    assert_eq!(height(walk.walk(60)), 720);
}

#[test]
fn text_keeps_its_size_and_gives_frames() {
    let mut walk = Walk::new(Content::Text, 2_000_000);
    walk.seen.source = FULL;
    let Wish::Encode(rich) = walk.look() else {
        panic!("it is encoded")
    };
    walk.seen.budget = 450_000;
    let Wish::Encode(poor) = walk.look() else {
        panic!("it is encoded")
    };
    assert_eq!(rich.size, FULL);
    assert_eq!(poor.size, FULL);
    assert!(poor.fps < rich.fps);
    let mut walk = Walk::new(Content::Motion, 450_000);
    walk.seen.source = FULL;
    assert!(height(walk.look()) < 720, "motion gives pixels instead");
}

#[test]
fn the_bitrate_stays_between_budget_and_use() {
    for budget in (60_000..8_000_000).step_by(33_333) {
        let Wish::Encode(target) = Walk::new(Content::Camera, budget).look() else {
            continue;
        };
        assert!(target.bitrate <= budget);
        assert!(target.fps <= 30);
        assert!(target.size.width % 2 == 0 && target.size.height % 2 == 0);
    }
}

#[test]
fn a_portrait_or_odd_source_keeps_its_shape() {
    let mut walk = Walk::new(Content::Camera, 2_000_000);
    walk.seen.source = Size::new(721, 1281);
    let size = size(walk.look()).expect("it is encoded");
    assert!(size.height > size.width);
    assert!(size.width.is_multiple_of(2) && size.height.is_multiple_of(2));
}
