//! QR codes as pictures in a page.

use std::fmt::Write;

use qrcode::{Color, EcLevel, QrCode};

/// The white border, in modules (ISO/IEC 18004).
const BORDER: usize = 4;

/// A QR code, drawn as the path of an SVG picture whose unit is a module.
#[derive(Debug, Clone)]
pub(crate) struct Picture {
    width: usize,
    ink: String,
}

impl Picture {
    /// Draws a text; nothing where it is longer than a QR code holds.
    pub(crate) fn of(text: &str) -> Option<Self> {
        let code = QrCode::with_error_correction_level(text, EcLevel::L).ok()?;
        let width = code.width();
        let mut ink = String::new();
        for (y, row) in code.to_colors().chunks(width).enumerate() {
            draw_row(&mut ink, y, row);
        }
        Some(Self { width, ink })
    }

    /// Returns the attribute `viewBox`.
    pub(super) fn view(&self) -> String {
        let side = self.width + 2 * BORDER;
        format!("-{BORDER} -{BORDER} {side} {side}")
    }

    /// Returns the path of the white ground.
    pub(super) fn paper(&self) -> String {
        let side = self.width + 2 * BORDER;
        format!("M-{BORDER}-{BORDER}h{side}v{side}h-{side}z")
    }

    /// Returns the path of the dark modules.
    pub(super) fn ink(&self) -> &str {
        &self.ink
    }
}

/// Draws each run of dark modules as one rectangle.
fn draw_row(ink: &mut String, y: usize, row: &[Color]) {
    let mut x = 0;
    for run in row.chunk_by(|a, b| a == b) {
        let length = run.len();
        if run.first() == Some(&Color::Dark) {
            _ = write!(ink, "M{x} {y}h{length}v1h-{length}z");
        }
        x += length;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Reads the modules back from the path.
    fn dark(picture: &Picture) -> Vec<(usize, usize)> {
        let mut found = Vec::new();
        for part in picture.ink.split('M').skip(1) {
            let (start, rest) = part.split_once('h').unwrap();
            let (x, y) = start.split_once(' ').unwrap();
            let (x, y): (usize, usize) = (x.parse().unwrap(), y.parse().unwrap());
            let length: usize = rest.split_once('v').unwrap().0.parse().unwrap();
            found.extend((x..x + length).map(|x| (x, y)));
        }
        found
    }

    /// Feature row 90: what is drawn is the code, module by module.
    #[test]
    fn a_picture_has_the_modules_of_the_code() {
        let text = "otpauth://totp/Halden%20Freight:ida@halden.example?secret=GEZDGNBVGY3TQOJQ&issuer=Halden%20Freight";
        let picture = Picture::of(text).unwrap();
        let code = QrCode::with_error_correction_level(text, EcLevel::L).unwrap();
        let drawn = dark(&picture);
        for y in 0..code.width() {
            for x in 0..code.width() {
                assert_eq!(drawn.contains(&(x, y)), code[(x, y)] == Color::Dark, "{x} {y}");
            }
        }
        assert!(Picture::of(&"x".repeat(3000)).is_none());
    }
}
