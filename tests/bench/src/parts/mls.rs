//! Group operations through our client, beside bare OpenMLS.

use crate::mls::{SIZES, Times, bare, ours, rounds};
use crate::{Samples, Target, row};

/// How much longer our client may take than OpenMLS for somebody who wants to
/// know who the members are.
const OVERHEAD: f64 = 1.3;

/// One of the measured operations.
type Pick = fn(&Times) -> &Samples;

const OPERATIONS: [(&str, Pick); 6] = [
    ("add", |times| &times.add),
    ("join", |times| &times.join),
    ("commit", |times| &times.commit),
    ("follow a commit", |times| &times.follow),
    ("encrypt", |times| &times.encrypt),
    ("decrypt", |times| &times.decrypt),
];

pub fn run() {
    for size in SIZES {
        let (mut ours, mut bare) = (Times::default(), bare::Bare::default());
        for _ in 0..rounds(size) {
            bare::round(size, &mut bare);
            ours::round(size, &mut ours);
        }
        for (what, pick) in OPERATIONS {
            let ours = pick(&ours).median();
            let authenticated = pick(&bare.authenticated).median();
            let alone = pick(&bare.alone).median();
            print(
                &format!("{what}, {size} members"),
                ours,
                authenticated,
                alone,
            );
        }
    }
}

fn print(what: &str, ours: f64, authenticated: f64, alone: f64) {
    let overhead = ours / authenticated;
    let value = format!(
        "{ours:.3} ms: {overhead:.2}× of {authenticated:.3} (OpenMLS and certificates), \
         {:.2}× of {alone:.3} (OpenMLS alone)",
        ours / alone
    );
    let target = Target {
        words: "≤ 1.3× of OpenMLS and certificates",
        met: overhead <= OVERHEAD,
    };
    row(what, &value, Some(target));
}
