//! What a jitter buffer answers, and what it has counted.

use bytes::Bytes;

/// What to do with the next piece of sound.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Next {
    Play {
        data: Bytes,
        tempo: Tempo,
    },
    /// The packet is lost and the one after it repeats it (FEC).
    Recover {
        samples: usize,
        from: Bytes,
    },
    /// Make something up.
    Conceal {
        samples: usize,
    },
    /// Nothing is meant to be heard for this long.
    Pause {
        samples: usize,
    },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tempo {
    Normal,
    Faster,
    Slower,
}

/// What became of a packet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Taken {
    Held,
    /// Its place was played already.
    Late,
    Duplicate,
    /// It is not Opus.
    Broken,
    /// It begins another stream; everything before it is forgotten.
    Restarted,
}

/// Since the beginning of the stream; packets.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct JitterCounts {
    pub received: u64,
    /// Never came in time, late ones included.
    pub lost: u64,
    pub late: u64,
    pub duplicate: u64,
    /// Thrown away because they came too much at once or too old.
    pub skipped: u64,
    /// Of the lost ones, brought back by FEC.
    pub recovered: u64,
    /// Samples that were made up.
    pub concealed: u64,
}
