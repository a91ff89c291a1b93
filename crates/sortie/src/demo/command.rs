//! `sortie demo`: where it happens, how it ends, and that nothing is left behind.

use std::path::{Path, PathBuf};

use clap::Args;
use tempfile::TempDir;
use tokio::signal::unix::{SignalKind, signal};

use super::farewell;
use super::fleet::{Fleet, make_folder};
use super::narrator::Narrator;
use super::story::{Outcome, Story};
use crate::context::Context;
use crate::exit::{Done, Exit, Failure};

/// What `sortie demo` takes.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  sortie demo\n  sortie demo --once --json\n\n\
                        The exit code is 1 if anything was lost or done twice.")]
pub(crate) struct Demo {
    /// End by itself when everything is counted
    #[arg(long)]
    once: bool,
    /// Keep everything in this folder, which must be empty or not exist, instead of a temporary one
    #[arg(long, value_name = "DIR")]
    keep: Option<PathBuf>,
}

/// Where it happens.
#[derive(Debug)]
enum Scene {
    /// Gone when it is over.
    Temporary(TempDir),
    /// Stays.
    Kept(PathBuf),
}

/// Plays it.
pub(crate) async fn run(demo: Demo, context: &Context) -> Done {
    let scene = Scene::set(demo.keep.as_deref())?;
    let narrator = Narrator::new(context.output);
    let mut fleet = Fleet::new(scene.path(), context)?;
    let outcome = tokio::select! {
        // A story that has ended waits for the same signals, and then ends well.
        biased;
        outcome = play(&demo, &mut fleet, narrator, context) => outcome,
        () = told_to_stop() => Err(Failure::new(Exit::Interrupted, "the demo was interrupted")),
    };
    fleet.stop().await;
    if let Scene::Kept(folder) = &scene {
        narrator.say(format!("Everything is kept in {}.", folder.display()))?;
    }
    let outcome = outcome?;
    if outcome.tally.lost + outcome.tally.duplicated > 0 {
        return Err(Failure::Silent(Exit::Failed));
    }
    Ok(())
}

async fn play(demo: &Demo, fleet: &mut Fleet, narrator: Narrator, context: &Context) -> Result<Outcome, Failure> {
    let outcome = Story::new(fleet, narrator).tell().await?;
    farewell::tell(&outcome, narrator)?;
    if context.output.json() {
        context.output.value(&outcome)?;
    }
    if !demo.once {
        farewell::invite_to_stay(fleet, narrator)?;
        told_to_stop().await;
        narrator.say("Everything stops and is cleared away.")?;
    }
    Ok(outcome)
}

/// Waits for Ctrl-C, or for the signals with which supervisors and closing terminals end programs.
async fn told_to_stop() {
    let hear = |kind| signal(kind).ok();
    let (mut terminate, mut hangup) = (hear(SignalKind::terminate()), hear(SignalKind::hangup()));
    let heard = async |signal: &mut Option<tokio::signal::unix::Signal>| match signal {
        Some(signal) => {
            signal.recv().await;
        }
        None => std::future::pending().await,
    };
    tokio::select! {
        _ = tokio::signal::ctrl_c() => {}
        () = heard(&mut terminate) => {}
        () = heard(&mut hangup) => {}
    }
}

impl Scene {
    fn set(keep: Option<&Path>) -> Result<Scene, Failure> {
        let Some(folder) = keep else {
            let temporary = tempfile::Builder::new().prefix("sortie-demo-").tempdir();
            return temporary
                .map(Scene::Temporary)
                .map_err(|error| Failure::other(format!("no temporary folder can be made: {error}")));
        };
        make_folder(folder)?;
        let folder = folder
            .canonicalize()
            .map_err(|error| Failure::usage(format!("{} cannot be used: {error}", folder.display())))?;
        let empty = std::fs::read_dir(&folder).is_ok_and(|mut entries| entries.next().is_none());
        if !empty {
            return Err(Failure::usage(format!("{} is not empty", folder.display()))
                .remedy("name a folder that does not exist"));
        }
        Ok(Scene::Kept(folder))
    }

    fn path(&self) -> &Path {
        match self {
            Scene::Temporary(folder) => folder.path(),
            Scene::Kept(folder) => folder,
        }
    }
}
