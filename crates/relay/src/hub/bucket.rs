//! A leaky bucket on a clock that is handed in.

use sotto_wire::Millis;

/// How much a bucket holds, and how fast it leaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rate {
    /// Requests at once.
    pub burst: u32,
    /// Milliseconds per request afterwards.
    pub every: Millis,
}

/// How full one bucket is: the time at which it will be empty.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Bucket {
    empty_at: Millis,
}

impl Bucket {
    /// One request more. `Err` is the time to wait, in milliseconds; the
    /// bucket stays as it was.
    pub fn pour(self, now: Millis, rate: Rate) -> Result<Bucket, Millis> {
        self.pour_many(now, rate, 1)
    }

    /// A request that counts as `many`; never as more than the bucket holds,
    /// or it would never fit.
    pub fn pour_many(self, now: Millis, rate: Rate, many: u32) -> Result<Bucket, Millis> {
        let all = rate.every.saturating_mul(u64::from(many.min(rate.burst)));
        let empty_at = self.empty_at.max(now).saturating_add(all);
        let brim = now.saturating_add(rate.every.saturating_mul(u64::from(rate.burst)));
        match empty_at.checked_sub(brim) {
            Some(over) if over > 0 => Err(over),
            _ => Ok(Bucket { empty_at }),
        }
    }

    /// Nothing is left to remember.
    pub fn is_empty(self, now: Millis) -> bool {
        self.empty_at <= now
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bucket_takes_its_burst_and_then_one_at_a_time() {
        let rate = Rate {
            burst: 3,
            every: 100,
        };
        let mut bucket = Bucket::default();
        for _ in 0..3 {
            bucket = bucket.pour(1_000, rate).unwrap();
        }
        assert_eq!(bucket.pour(1_000, rate), Err(100));
        assert_eq!(bucket.pour(1_060, rate), Err(40));
        bucket = bucket.pour(1_100, rate).unwrap();
        assert_eq!(bucket.pour(1_100, rate), Err(100));
        assert!(!bucket.is_empty(1_399));
        assert!(bucket.is_empty(1_400));
    }

    #[test]
    fn a_large_request_counts_as_many_and_fits_an_empty_bucket() {
        let rate = Rate {
            burst: 3,
            every: 100,
        };
        let bucket = Bucket::default().pour_many(1_000, rate, 2).unwrap();
        assert_eq!(bucket.pour_many(1_000, rate, 2), Err(100));
        assert!(bucket.pour(1_000, rate).is_ok());
        assert!(Bucket::default().pour_many(1_000, rate, 1_000).is_ok());
    }

    #[test]
    fn a_clock_that_jumps_back_does_not_panic() {
        let rate = Rate {
            burst: 1,
            every: u64::MAX,
        };
        let bucket = Bucket::default().pour(5, rate).unwrap();
        assert!(bucket.pour(0, Rate { burst: 1, every: 1 }).is_err());
    }
}
