//! A clock that the story sets, from one moment to the next, for programs that are started with its variables.

use std::ffi::OsString;
use std::path::PathBuf;

use sortie_rules::time::{Millis, Span};

use crate::{HubPlan, Scene, now};

/// A clock that the story sets. Only the time of day moves, not the time that passes.
#[derive(Debug)]
pub struct HandSet {
    file: PathBuf,
}

impl HandSet {
    /// One that shows the machine's time until it is set.
    ///
    /// # Panics
    /// If the story's folder cannot be written.
    pub fn new(scene: &Scene) -> HandSet {
        let clock = HandSet { file: scene.folder().join("clock") };
        clock.set("+0d");
        clock
    }

    /// Sets it so far from the machine's time, for example `+400d`.
    ///
    /// # Panics
    /// If the story's folder cannot be written.
    pub fn set(&self, by: &str) {
        // A program that reads it at this moment sees one or the other.
        let written = self.file.with_extension("next");
        std::fs::write(&written, by).expect("the story's folder can be written");
        std::fs::rename(&written, &self.file).expect("the story's folder can be written");
    }

    /// Sets it so far ahead of the machine's time.
    pub fn ahead(&self, by: Span) {
        self.set(&format!("{:+}", by.0 / 1000));
    }

    /// Sets it so that it shows this moment now.
    pub fn show(&self, at: Millis) {
        self.ahead(Span(at.0 - now().0));
    }

    /// A hub that goes by it.
    #[must_use]
    pub fn for_hub<'s>(&self, plan: HubPlan<'s>) -> HubPlan<'s> {
        self.variables().into_iter().fold(plan, |plan, (name, value)| plan.variable(name, value))
    }

    /// What a program goes by it with.
    ///
    /// # Panics
    /// If the library that sets clocks is not installed.
    pub fn variables(&self) -> [(&'static str, OsString); 5] {
        let folders = std::fs::read_dir("/usr/lib").expect("Debian has one");
        let libraries = folders.flatten().map(|folder| folder.path().join("faketime/libfaketimeMT.so.1"));
        let library = libraries.into_iter().find(|path| path.exists()).expect("`xtask test` installs faketime");
        [
            ("LD_PRELOAD", library.into()),
            ("FAKETIME_TIMESTAMP_FILE", self.file.clone().into()),
            ("FAKETIME_NO_CACHE", "1".into()),
            ("FAKETIME_DONT_FAKE_MONOTONIC", "1".into()),
            ("NO_FAKE_STAT", "1".into()),
        ]
    }
}
