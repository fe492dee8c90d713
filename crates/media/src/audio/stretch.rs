//! Makes a block of sound shorter or longer by a period of what is heard,
//! overlapping and adding, so that pitch stays and nothing clicks.

/// The shortest piece taken out or put in: 2.5 ms.
const SHORTEST: usize = 120;
/// The longest: 12.5 ms, a period of the deepest voice.
const LONGEST: usize = 600;
/// The cross-fade, 5 ms.
const FADE: usize = 240;
/// The two places must sound this alike, as a correlation.
const ALIKE: f32 = 0.6;
/// Below this power anything may be cut: nobody hears it. −60 dBFS.
const QUIET: f32 = 1e-6;

/// A block shorter than this cannot be stretched.
pub const LEAST: usize = LONGEST + FADE;

/// Takes a period out. The answer is how many samples went; none if the sound
/// does not repeat itself.
pub fn shorten(samples: &mut Vec<f32>) -> usize {
    let Some(lag) = period(samples) else { return 0 };
    for n in 0..FADE {
        samples[n] = fade(samples[n], samples[n + lag], n);
    }
    samples.drain(FADE..FADE + lag);
    lag
}

/// Puts a period in. The answer is how many samples came.
pub fn lengthen(samples: &mut Vec<f32>) -> usize {
    let Some(lag) = period(samples) else { return 0 };
    let mut longer = Vec::with_capacity(samples.len() + lag);
    longer.extend_from_slice(&samples[..lag]);
    longer.extend((0..FADE).map(|n| fade(samples[n + lag], samples[n], n)));
    longer.extend_from_slice(&samples[FADE..]);
    *samples = longer;
    lag
}

/// From `from` to `to` over the cross-fade.
fn fade(from: f32, to: f32, n: usize) -> f32 {
    let part = (n as f32 + 0.5) / FADE as f32;
    from + (to - from) * part
}

/// After how many samples the beginning of the block comes again.
fn period(samples: &[f32]) -> Option<usize> {
    if samples.len() < LEAST {
        return None;
    }
    let power = samples[..LEAST].iter().map(|s| s * s).sum::<f32>() / LEAST as f32;
    if power < QUIET {
        return Some(LONGEST);
    }
    // Coarse first: every fourth lag, every second sample.
    let coarse = best(samples, (SHORTEST..=LONGEST).step_by(4), 2)?.0;
    let near = coarse.saturating_sub(3).max(SHORTEST)..=(coarse + 3).min(LONGEST);
    let (lag, alike) = best(samples, near, 1)?;
    (alike >= ALIKE).then_some(lag)
}

fn best(samples: &[f32], lags: impl Iterator<Item = usize>, stride: usize) -> Option<(usize, f32)> {
    lags.map(|lag| {
        (
            lag,
            alike(&samples[..FADE], &samples[lag..lag + FADE], stride),
        )
    })
    .max_by(|a, b| a.1.total_cmp(&b.1))
}

/// Normalized correlation of two pieces of one length, −1 to 1.
fn alike(a: &[f32], b: &[f32], stride: usize) -> f32 {
    let (mut both, mut left, mut right) = (0.0f32, 1e-9f32, 1e-9f32);
    for (x, y) in a.iter().zip(b).step_by(stride) {
        both += x * y;
        left += x * x;
        right += y * y;
    }
    both / (left * right).sqrt()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::audio::pitch::{level_at, strongest};

    fn sine(hz: f32, from: usize, count: usize) -> Vec<f32> {
        (from..from + count)
            .map(|n| 0.3 * (n as f32 * std::f32::consts::TAU * hz / 48_000.0).sin())
            .collect()
    }

    fn biggest_jump(samples: &[f32]) -> f32 {
        samples
            .windows(2)
            .map(|w| (w[1] - w[0]).abs())
            .fold(0.0, f32::max)
    }

    #[test]
    fn a_tone_keeps_its_pitch_and_level_and_does_not_click() {
        for hz in [90.0, 220.0, 440.0, 1000.0] {
            let natural = biggest_jump(&sine(hz, 0, 4800));
            let (mut short, mut long) = (Vec::new(), Vec::new());
            let (mut gone, mut come) = (0, 0);
            for block in 0..50 {
                let mut shorter = sine(hz, block * 960, 960);
                let mut longer = shorter.clone();
                gone += shorten(&mut shorter);
                come += lengthen(&mut longer);
                short.extend(shorter);
                long.extend(longer);
            }
            assert_eq!(short.len() + gone, 48_000);
            assert_eq!(long.len() - come, 48_000);
            assert!(gone > 5_000 && come > 5_000, "{hz}: {gone} {come}");
            for stretched in [&short, &long] {
                let found = strongest(stretched, f64::from(hz) - 20.0, f64::from(hz) + 20.0, 1.0);
                assert!((found - f64::from(hz)).abs() <= 3.0, "{hz}: {found}");
                let inside = &stretched[..960];
                assert!(biggest_jump(inside) < natural * 1.3, "{hz}");
            }
            assert!(level_at(&short, f64::from(hz)) > -18.0, "{hz}");
        }
    }

    #[test]
    fn what_does_not_repeat_is_left_alone_and_silence_is_not() {
        let mut seed = 1u32;
        let mut hiss: Vec<f32> = (0..960)
            .map(|_| {
                seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                seed as f32 / u32::MAX as f32 - 0.5
            })
            .collect();
        assert_eq!(shorten(&mut hiss), 0);
        assert_eq!(hiss.len(), 960);
        let mut silence = vec![0.0; 960];
        assert_eq!(shorten(&mut silence), LONGEST);
        assert_eq!(lengthen(&mut vec![0.0; 100]), 0);
    }
}
