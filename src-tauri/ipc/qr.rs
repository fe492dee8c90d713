//! A QR code as SVG path data: one unit a module, no colors, no quiet zone
//! (the page draws both).

use qrcodegen::{QrCode, QrCodeEcc};
use std::fmt::Write as _;

/// Path data and the number of modules a side; `None` for more than a QR code
/// holds.
pub fn path(content: &str) -> Option<(String, u32)> {
    let code = QrCode::encode_text(content, QrCodeEcc::Medium).ok()?;
    let size = code.size();
    let mut path = String::new();
    for y in 0..size {
        let mut x = 0;
        while x < size {
            let start = x;
            while x < size && code.get_module(x, y) {
                x += 1;
            }
            if x > start {
                let run = x - start;
                // Writing to a string cannot fail.
                let _ = write!(path, "M{start} {y}h{run}v1h-{run}z");
            }
            x += 1;
        }
    }
    Some((path, size.unsigned_abs()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_draws_its_three_corners() {
        let (path, size) = path("12345 67890").unwrap();
        assert!(
            path.starts_with("M0 0h7v1h-7z"),
            "the corner at the top left"
        );
        assert!(
            path.contains(&format!("M{} 0h7v1h-7z", size - 7)),
            "at the top right"
        );
        assert!(
            path.contains(&format!("M0 {}h7v1h-7z", size - 1)),
            "at the bottom left"
        );
    }

    #[test]
    fn what_no_code_holds_is_none() {
        assert_eq!(path(&"a".repeat(4000)), None);
    }
}
