//! The home of somebody at the command line, with profiles of their own.

use std::path::PathBuf;
use std::process::{Command, Stdio};

use crate::{Ended, Program, Scene};

/// Somebody's home, in the folder of a story.
#[derive(Debug)]
pub struct Home(PathBuf);

impl Home {
    /// A home in which nothing is kept yet.
    pub fn new(scene: &Scene) -> Home {
        Home::named(scene, "home")
    }

    /// The same, where several people have one each.
    pub fn named(scene: &Scene, name: &str) -> Home {
        Home(scene.folder().join(name))
    }

    /// Where the command keeps a file of this name.
    pub fn file(&self, name: &str) -> PathBuf {
        self.0.join(".config/sortie").join(name)
    }

    /// The command, as they type it.
    pub fn command(&self, words: &[&str]) -> Command {
        let mut command = Program::Sortie.command();
        command.env_remove("XDG_CONFIG_HOME").env("HOME", &self.0).args(words).stdin(Stdio::null());
        command
    }

    /// The same, to its end.
    pub fn run(&self, words: &[&str]) -> Ended {
        Ended::of(&mut self.command(words))
    }
}
