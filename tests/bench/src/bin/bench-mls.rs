//! Group operations through our client, beside bare OpenMLS.

use sotto_bench::mls::{SIZES, bare, ours};
use sotto_bench::{Samples, row};

fn main() {
    for size in SIZES {
        let bare = bare::measure(size);
        let ours = ours::measure(size);
        let pairs = [
            ("add", &ours.add, &bare.add),
            ("join", &ours.join, &bare.join),
            ("commit", &ours.commit, &bare.commit),
            ("follow a commit", &ours.follow, &bare.follow),
            ("encrypt", &ours.encrypt, &bare.encrypt),
            ("decrypt", &ours.decrypt, &bare.decrypt),
        ];
        for (what, ours, bare) in pairs {
            print(size, what, ours, bare);
        }
    }
}

fn print(size: usize, what: &str, ours: &Samples, bare: &Samples) {
    let (ours, bare) = (ours.median(), bare.median());
    row(
        &format!("{what}, {size} members (bare OpenMLS {bare:.3} ms)"),
        &format!("{ours:.3} ms, {:.2}×", ours / bare),
        "≤ 1.3×",
    );
}
