//! The only file that prints. Data goes to stdout and is what was asked for; talk goes to stderr and
//! may be thrown away.

use std::io::{self, IsTerminal as _, Write as _};

use serde::Serialize;

use super::colours::{Colours, plain_but_for_colours};
use super::table::Table;
use super::waiting::{ProgressBar, Spinner};
use crate::exit::{Done, Failure};

/// Where data and talk go, and how they look.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Output {
    json: bool,
    data_colours: Colours,
    talk_colours: Colours,
    width: Option<usize>,
    someone_looks: bool,
}

impl Output {
    /// The process's own streams.
    pub(crate) fn process(json: bool, variable: impl Fn(&str) -> Option<String>) -> Output {
        let (no_color, term) = (variable("NO_COLOR"), variable("TERM"));
        let colours = |terminal| Colours::new(terminal, no_color.as_deref(), term.as_deref());
        let (data_is_terminal, talk_is_terminal) = (io::stdout().is_terminal(), io::stderr().is_terminal());
        let columns = || rustix::termios::tcgetwinsize(io::stdout()).ok().map(|size| usize::from(size.ws_col));
        Output {
            json,
            data_colours: colours(data_is_terminal),
            talk_colours: colours(talk_is_terminal),
            width: data_is_terminal.then(columns).flatten().filter(|columns| *columns > 0),
            someone_looks: talk_is_terminal && term.as_deref() != Some("dumb"),
        }
    }

    /// Whether data is wanted as JSON.
    pub(crate) fn json(self) -> bool {
        self.json
    }

    /// Colours for data.
    pub(crate) fn colours(self) -> Colours {
        self.data_colours
    }

    /// Colours for talk.
    pub(crate) fn talk_colours(self) -> Colours {
        self.talk_colours
    }

    /// Says something to whoever is looking. Whatever a stranger has put into it is told without what a terminal
    /// would obey, but for our own colours.
    pub(crate) fn say(self, sentence: &str) {
        let (mut talk, sentence) = (io::stderr().lock(), plain_but_for_colours(sentence));
        // If even this cannot be written, there is nowhere left to say so.
        let _unheard = writeln!(talk, "{sentence}").and_then(|()| talk.flush());
    }

    /// Prints a line of data.
    pub(crate) fn line(self, line: &str) -> Done {
        let mut data = io::stdout().lock();
        writeln!(data, "{line}").and_then(|()| data.flush()).map_err(not_written)
    }

    /// Prints bytes of data as they are.
    pub(crate) fn bytes(self, bytes: &[u8]) -> Done {
        let mut data = io::stdout().lock();
        data.write_all(bytes).and_then(|()| data.flush()).map_err(not_written)
    }

    /// Prints lines of data.
    pub(crate) fn lines(self, lines: impl IntoIterator<Item = String>) -> Done {
        lines.into_iter().try_for_each(|line| self.line(&line))
    }

    /// Prints a table.
    pub(crate) fn table(self, table: &Table) -> Done {
        self.lines(table.lines(self.data_colours, self.width))
    }

    /// Prints a value as JSON for people and programs alike.
    pub(crate) fn value(self, value: &impl Serialize) -> Done {
        self.written(serde_json::to_string_pretty(value))
    }

    /// Prints a value as one line of JSON, for streams of them.
    pub(crate) fn value_line(self, value: &impl Serialize) -> Done {
        self.written(serde_json::to_string(value))
    }

    fn written(self, json: serde_json::Result<String>) -> Done {
        self.line(&json.map_err(|error| Failure::other(format!("the output cannot be written as JSON: {error}")))?)
    }

    /// The wire's shape with `--json`, else what `shown` prints.
    pub(crate) fn either<T: Serialize>(self, value: &T, shown: impl FnOnce(&T) -> Done) -> Done {
        if self.json { self.value(value) } else { shown(value) }
    }

    /// Whether someone looks at what is said.
    pub(crate) fn someone_looks(self) -> bool {
        self.someone_looks
    }

    /// How far something is, of `whole`.
    pub(crate) fn progress_bar(self, whole: u64) -> ProgressBar {
        ProgressBar::start(whole, self.someone_looks)
    }

    /// A sign that something is waited for.
    pub(crate) fn spinner(self, sentence: impl Into<String>) -> Spinner {
        Spinner::start(sentence, self.someone_looks)
    }
}

fn not_written(error: io::Error) -> Failure {
    match error.kind() {
        io::ErrorKind::BrokenPipe => Failure::ReaderLeft,
        _ => Failure::other(format!("the output cannot be written: {error}")),
    }
}
