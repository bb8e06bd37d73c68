//! How far long work has come: a bar on standard error for whoever watches, nothing for a script.

use std::io::{self, IsTerminal};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

/// A bar in the style of a [template](ProgressStyle::with_template).
pub(super) fn bar(template: &str) -> ProgressBar {
    if !io::stderr().is_terminal() {
        return ProgressBar::hidden();
    }
    let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr());
    ProgressStyle::with_template(template).map_or(bar.clone(), |style| bar.with_style(style))
}
