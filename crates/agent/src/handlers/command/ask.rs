//! A program of the site's that belongs to no task: what it is told comes on its standard input, what it answers on its
//! standard output, and how it ended is for the asker to judge.

use std::io;

use sortie_rules::exits::{CutShort, Exit};
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, BufReader};
use tokio_util::sync::CancellationToken;

use super::leader::{Leader, Stream};
use super::run::{PIPES_CLOSE, Places, WorkingFolder, stop_gently};
use super::step::can_begin;
use crate::handlers::Failure;
use crate::launch;
use crate::policy::Command;

/// Longest last words that are kept, in bytes.
const LAST_WORDS_BYTES_MAX: u64 = 300;

/// What is asked.
#[derive(Debug)]
pub(crate) struct Question<'q> {
    /// The program and its limits.
    pub(crate) command: &'q Command,
    /// What its environment says of why it runs.
    pub(crate) variables: Vec<(&'static str, String)>,
    /// What comes on its standard input.
    pub(crate) input: Vec<u8>,
    /// What its working folder is called; no two that run at once are called the same.
    pub(crate) name: &'q str,
    /// Whether it runs for as long as it likes, and nobody reads what it writes but for its last words.
    pub(crate) lasts: bool,
    /// Where that folder is.
    pub(crate) places: &'q Places,
    /// Rings when it is to stop.
    pub(crate) stop: &'q CancellationToken,
}

/// What came of it.
#[derive(Debug)]
pub(crate) struct Answered {
    /// How it ended.
    pub(crate) exit: Exit,
    /// Why it was ended, if it did not end by itself.
    pub(crate) cut: Option<CutShort>,
    /// What it wrote to standard output; empty if it was more than it may.
    pub(crate) output: Vec<u8>,
    /// The last line that it wrote to standard error, or else to standard output.
    pub(crate) last_words: String,
}

/// How often the size of a program is looked at.
const LOOK_EVERY: std::time::Duration = std::time::Duration::from_millis(50);

/// Runs it to its end. `begun` is called when it runs.
///
/// # Errors
/// A sentence, if it could not be begun or nobody could see how it ended.
pub(crate) async fn ask(question: Question<'_>, begun: impl FnOnce()) -> Result<Answered, String> {
    let Question { command, variables, input, name, lasts, places, stop } = question;
    can_begin(command, false).map_err(words_of)?;
    let trouble = |error: io::Error| format!("{}: {error}", command.program.display());
    let folder = WorkingFolder::make(command, &places.work.join(name)).map_err(trouble)?;
    let mut leader = Leader::begin(command, variables, input, folder.path()).map_err(trouble)?;
    begun();
    let (stdout, stderr) = leader.streams();
    let keep = if lasts { 0 } else { command.output_bytes };
    let mut hearing = Box::pin(async { tokio::join!(read(stdout, keep), last_line(stderr)) });
    let (mut cut, mut heard, mut stopped) = (None, None, None);
    let wall = tokio::time::sleep(command.wall.to_std());
    tokio::pin!(wall);
    let exit = loop {
        if let Some(ended) = stopped.take() {
            break ended;
        }
        tokio::select! {
            ended = leader.wait() => break ended,
            said = &mut hearing, if heard.is_none() => {
                if said.0.is_none() {
                    cut = Some(CutShort::Output);
                    leader.kill();
                }
                heard = Some(said);
            }
            () = stop.cancelled(), if cut.is_none() => {
                cut = Some(CutShort::Cancelled);
                stopped = stop_gently(&mut leader, command.stop_grace.to_std()).await;
            }
            () = &mut wall, if cut.is_none() && !lasts => {
                cut = Some(CutShort::WallTime);
                stopped = stop_gently(&mut leader, command.stop_grace.to_std()).await;
            }
            () = tokio::time::sleep(LOOK_EVERY), if cut.is_none() && !lasts => {
                cut = leader.over(command);
                if cut.is_some() {
                    leader.kill();
                }
            }
        }
    };
    leader.clear(&name).await;
    if heard.is_none() {
        heard = tokio::time::timeout(PIPES_CLOSE, &mut hearing).await.ok();
    }
    drop(hearing);
    let (said, complained) = heard.unwrap_or((Some((Vec::new(), String::new())), String::new()));
    let (output, last_said) = said.unwrap_or_default();
    let exit = exit.map_err(trouble)?;
    if exit == Exit::Code(launch::FAILED)
        && let Some(why) = complained.strip_prefix(launch::COMPLAINT)
    {
        return Err(why.trim_end().to_owned());
    }
    let last_words = if complained.trim().is_empty() { last_said } else { complained };
    Ok(Answered { exit, cut, output, last_words: last_words.trim().to_owned() })
}

impl Answered {
    /// How it ended, in words.
    pub(crate) fn in_words(&self) -> String {
        let ended = match (self.cut, self.exit) {
            (Some(CutShort::WallTime), _) => "it ran longer than the policy allows".to_owned(),
            (Some(CutShort::Cancelled), _) => "it was stopped".to_owned(),
            (Some(CutShort::Memory), _) => "it took more memory than the policy allows".to_owned(),
            (Some(CutShort::Processes), _) => "it began more processes than the policy allows".to_owned(),
            (Some(CutShort::Output), _) => "it wrote more than it may".to_owned(),
            (None, Exit::Code(code)) => format!("it ended with {code}"),
            (None, Exit::Signal(signal)) => format!("it was ended by signal {signal}"),
        };
        if self.last_words.is_empty() { ended } else { format!("{ended}; its last words: {}", self.last_words) }
    }
}

fn words_of(failure: Failure) -> String {
    match failure {
        Failure::Failed { message, .. } | Failure::Rejected { message, .. } => message,
        Failure::Cancelled => "it was stopped".to_owned(),
    }
}

/// What is written, up to so many bytes, and its last line; `None` if it is more. With 0 nothing is kept, and there is
/// no limit.
async fn read(stream: Option<Stream>, bytes_max: u64) -> Option<(Vec<u8>, String)> {
    if bytes_max == 0 {
        return Some((Vec::new(), last_line(stream).await));
    }
    let Some(stream) = stream else { return Some(Default::default()) };
    let mut output = Vec::new();
    let _what_came_counts = stream.take(bytes_max + 1).read_to_end(&mut output).await;
    (output.len() as u64 <= bytes_max).then_some((output, String::new()))
}

/// The last line that is not empty, or the beginning of it.
async fn last_line(stream: Option<Stream>) -> String {
    let Some(stream) = stream else { return String::new() };
    let mut lines = BufReader::new(stream);
    let (mut line, mut last) = (Vec::new(), Vec::new());
    let mut is_new_line = true;
    loop {
        line.clear();
        let read = (&mut lines).take(LAST_WORDS_BYTES_MAX).read_until(b'\n', &mut line).await;
        if !matches!(read, Ok(1..)) {
            return String::from_utf8_lossy(&last).into_owned();
        }
        let ends = line.ends_with(b"\n");
        if is_new_line && line.iter().any(|byte| !byte.is_ascii_whitespace()) {
            last.clone_from(&line);
        }
        is_new_line = ends;
    }
}
