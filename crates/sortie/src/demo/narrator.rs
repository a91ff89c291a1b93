//! Tells what happens, in plain sentences with the time since the beginning. On stdout; with
//! `--json` on stderr, since stdout is then for the one object at the end.

use sortie_client::Steady;

use crate::exit::Done;
use crate::output::Output;

/// Whoever tells the story.
#[derive(Debug, Clone, Copy)]
pub(super) struct Narrator {
    output: Output,
    began: Steady,
}

impl Narrator {
    /// Begins to count the time.
    pub(super) fn new(output: Output) -> Narrator {
        Narrator { output, began: Steady::now() }
    }

    /// Since the beginning, in seconds to the millisecond.
    pub(super) fn seconds(self) -> f64 {
        (self.began.elapsed().to_std().as_secs_f64() * 1000.0).round() / 1000.0
    }

    /// Says a sentence.
    pub(super) fn say(self, sentence: impl AsRef<str>) -> Done {
        let colours = if self.output.json() { self.output.talk_colours() } else { self.output.colours() };
        let time = colours.dim(&format!("{:6.1} s", self.seconds()));
        self.line(&format!("{time}  {}", sentence.as_ref()))
    }

    /// Says something that belongs to the sentence before.
    pub(super) fn aside(self, sentence: impl AsRef<str>) -> Done {
        self.line(&format!("          {}", sentence.as_ref()))
    }

    /// Says a line without time.
    pub(super) fn line(self, line: &str) -> Done {
        if self.output.json() {
            self.output.say(line);
            return Ok(());
        }
        self.output.line(line)
    }

    /// A word that stands out.
    pub(super) fn strong(self, word: &str) -> String {
        let colours = if self.output.json() { self.output.talk_colours() } else { self.output.colours() };
        colours.bold(word)
    }
}
