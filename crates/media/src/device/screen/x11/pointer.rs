//! The pointer, which the server does not paint into pictures of its screen.

use crate::video::Size;
use x11rb::protocol::xfixes::{ConnectionExt as _, GetCursorImageReply};
use x11rb::rust_connection::RustConnection;

/// Paint it into BGRA pixels whose upper left corner is there on the screen.
pub fn draw(connection: &RustConnection, pixels: &mut [u8], size: Size, corner: (i16, i16)) {
    let cursor = connection.xfixes_get_cursor_image();
    if let Some(cursor) = cursor.ok().and_then(|cookie| cookie.reply().ok()) {
        blend(&cursor, pixels, size, corner);
    }
}

fn blend(cursor: &GetCursorImageReply, pixels: &mut [u8], size: Size, corner: (i16, i16)) {
    let left = i32::from(cursor.x) - i32::from(cursor.xhot) - i32::from(corner.0);
    let top = i32::from(cursor.y) - i32::from(cursor.yhot) - i32::from(corner.1);
    let width = usize::from(cursor.width);
    if width == 0 {
        return;
    }
    for (row, line) in (0i32..).zip(cursor.cursor_image.chunks_exact(width)) {
        let Ok(y) = u32::try_from(top + row) else {
            continue;
        };
        for (column, color) in (0i32..).zip(line) {
            let Ok(x) = u32::try_from(left + column) else {
                continue;
            };
            if x >= size.width || y >= size.height {
                continue;
            }
            let at = (y as usize * size.width as usize + x as usize) * 4;
            if let Some(pixel) = pixels.get_mut(at..at + 3) {
                over(pixel, color.to_le_bytes());
            }
        }
    }
}

/// One pixel over another; the upper is multiplied by its alpha already.
fn over(pixel: &mut [u8], [blue, green, red, alpha]: [u8; 4]) {
    let rest = 255 - u16::from(alpha);
    for (below, above) in pixel.iter_mut().zip([blue, green, red]) {
        let through = u16::from(*below) * rest / 255;
        *below = above.saturating_add(through as u8);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cursor(x: i16, y: i16) -> GetCursorImageReply {
        GetCursorImageReply {
            x,
            y,
            width: 2,
            height: 2,
            cursor_image: vec![0xffff_ffff, 0x8080_8080, 0, 0xff00_00ff],
            ..GetCursorImageReply::default()
        }
    }

    #[test]
    fn it_is_painted_with_its_transparency() {
        let mut pixels = vec![100; 4 * 4 * 4];
        blend(&cursor(11, 21), &mut pixels, Size::new(4, 4), (10, 20));
        let pixel = |x: usize, y: usize| &pixels[(y * 4 + x) * 4..][..3];
        assert_eq!(pixel(0, 0), [100, 100, 100]);
        assert_eq!(pixel(1, 1), [255, 255, 255]);
        assert_eq!(pixel(2, 1), [177, 177, 177]);
        assert_eq!(pixel(1, 2), [100, 100, 100]);
        assert_eq!(pixel(2, 2), [255, 0, 0]);
    }

    #[test]
    fn beyond_the_edges_nothing_is_painted() {
        for (x, y) in [(-1, -1), (3, 3), (-30_000, 5), (30_000, 30_000)] {
            let mut pixels = vec![100; 4 * 4 * 4];
            blend(&cursor(x, y), &mut pixels, Size::new(4, 4), (0, 0));
        }
    }
}
