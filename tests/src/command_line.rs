//! The command `sortie` as a person types it, to its end, and what may be said of that end.

use std::process::{Command, Stdio};

use serde_json::Value;

use crate::{Ended, Program, RunningHub};

impl RunningHub<'_> {
    /// `sortie WORDS`, which finds this hub by its data folder.
    pub fn command(&self, words: &[&str]) -> Command {
        let mut command = Program::Sortie.command();
        command.args(words).arg("--data").arg(self.data()).stdin(Stdio::null());
        command
    }

    /// The same, run to its end.
    pub fn sortie(&self, words: &[&str]) -> Ended {
        Ended::of(&mut self.command(words))
    }

    /// The same with `--json`: what it printed. It must have gone well.
    pub fn sortie_json(&self, words: &[&str]) -> Value {
        Ended::of(self.command(words).arg("--json")).well().json()
    }
}

impl Ended {
    /// What it printed, as JSON.
    ///
    /// # Panics
    /// If that is none.
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.stdout).unwrap_or_else(|error| panic!("no JSON ({error}): {self:?}"))
    }

    /// That it ended with this code, printed no data, and said each of these words.
    ///
    /// # Panics
    /// If it did otherwise.
    #[track_caller]
    pub fn failed(&self, code: i32, words: &[&str]) {
        assert_eq!((self.code, self.stdout.as_str()), (Some(code), ""), "{self:?}");
        for word in words {
            assert!(self.stderr.contains(word), "`{word}` is not said: {self:?}");
        }
    }
}
