//! How much memory a process has, as Linux tells it.

use crate::people::Failure;
use std::fs;

/// Bytes that a process (`self` or its number) has resident now.
pub fn resident(process: &str) -> Result<u64, Failure> {
    status(process, "VmRSS:")
}

/// The most there ever were.
pub fn peak(process: &str) -> Result<u64, Failure> {
    status(process, "VmHWM:")
}

fn status(process: &str, name: &str) -> Result<u64, Failure> {
    let status = fs::read_to_string(format!("/proc/{process}/status"))?;
    let line = status.lines().find_map(|line| line.strip_prefix(name));
    let number = line.and_then(|line| line.split_whitespace().next());
    let kib: u64 = number.ok_or("no such line")?.parse()?;
    Ok(kib * 1024)
}
