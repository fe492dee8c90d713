//! Sixteen-bit sequence numbers, laid out on a line that does not wrap.

/// Where each number stands, taken as the one nearest to those before.
#[derive(Debug, Default)]
pub(super) struct Unwrapper {
    last: Option<u64>,
}

/// The line begins here, so that what comes early has room to the left.
const ORIGIN: u64 = 1 << 32;

impl Unwrapper {
    pub(super) fn place(&mut self, sequence: u16) -> u64 {
        let Some(last) = self.last else {
            let placed = ORIGIN | u64::from(sequence);
            self.last = Some(placed);
            return placed;
        };
        let step = sequence.wrapping_sub(last as u16) as i16;
        let placed = last.saturating_add_signed(i64::from(step));
        self.last = Some(last.max(placed));
        placed
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_go_on_after_the_wrap_and_back_across_it() {
        let mut unwrapper = Unwrapper::default();
        let placed: Vec<_> = [65534, 65535, 0, 65533, 1, 3, 2]
            .into_iter()
            .map(|n| unwrapper.place(n) - ORIGIN)
            .collect();
        assert_eq!(placed, [65534, 65535, 65536, 65533, 65537, 65539, 65538]);
    }
}
