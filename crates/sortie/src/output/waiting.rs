//! A sign that something is waited for, on stderr and only where someone is looking.

use std::time::Duration;

use indicatif::{ProgressBar as Bar, ProgressDrawTarget, ProgressStyle};

/// A spinner with a sentence. It is gone when it is dropped.
#[derive(Debug)]
pub(crate) struct Spinner(Bar);

impl Spinner {
    /// Starts one; `shown` says whether anyone would see it.
    pub(crate) fn start(sentence: impl Into<String>, shown: bool) -> Spinner {
        let bar = Bar::new_spinner();
        bar.set_draw_target(target(shown));
        if let Ok(style) = ProgressStyle::with_template("{spinner} {msg} ({elapsed})") {
            bar.set_style(style);
        }
        bar.set_message(sentence.into());
        bar.enable_steady_tick(Duration::from_millis(120));
        Spinner(bar)
    }

    /// Says something else from now on.
    pub(crate) fn say(&self, sentence: impl Into<String>) {
        self.0.set_message(sentence.into());
    }
}

impl Drop for Spinner {
    fn drop(&mut self) {
        self.0.finish_and_clear();
    }
}

/// A bar that shows how far something is, with a sentence below it. It is gone when it is dropped.
#[derive(Debug)]
pub(crate) struct ProgressBar(Bar);

impl ProgressBar {
    /// Starts one of this length; `shown` says whether anyone would see it.
    pub(crate) fn start(whole: u64, shown: bool) -> ProgressBar {
        let bar = Bar::with_draw_target(Some(whole), target(shown));
        if let Ok(style) = ProgressStyle::with_template("{bar:40} {pos} of {len} ({elapsed})\n{msg}") {
            bar.set_style(style.progress_chars("━━╌"));
        }
        bar.enable_steady_tick(Duration::from_millis(200));
        ProgressBar(bar)
    }

    /// It is so far now.
    pub(crate) fn set(&self, position: u64, sentence: String) {
        self.0.set_message(sentence);
        self.0.set_position(position);
    }
}

impl Drop for ProgressBar {
    fn drop(&mut self) {
        self.0.finish_and_clear();
    }
}

fn target(shown: bool) -> ProgressDrawTarget {
    if shown { ProgressDrawTarget::stderr() } else { ProgressDrawTarget::hidden() }
}
