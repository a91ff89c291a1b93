//! `sortie state publish` and `rollback`: give a layer's state to the nodes.

use std::io::{BufRead as _, IsTerminal as _};

use clap::Args;
use serde_json::Value;
use sortie_client::people::Hub;
use sortie_rules::desired::{LayerName, layers_differ};
use sortie_wire::desired::{DiffQuery, LayerShown, Publication, Publish as Asked, WriteDraft};

use super::diff::tell;
use super::differences::lines;
use super::edit::read_state;
use super::going_out::GoingOut;
use super::watch;
use crate::context::Context;
use crate::exit::{Done, Exit, Failure};
use crate::find_hub::HubOptions;
use crate::output::ago;
use crate::values::confirm;

/// What `publish` takes.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  sortie state publish org -m 'motd for all'\n  \
                        sortie state publish site:berlin --file berlin.json -m 'new proxy' --yes\n  \
                        sortie state publish org -m 'new proxy' --at-a-time 10 --stop-after 3 --roll-back --watch\n\n\
                        What differs is shown, and it asks before it publishes.")]
pub(super) struct Publish {
    /// org, site:KEY or node:NAME
    #[arg(value_name = "LAYER")]
    layer: LayerName,
    /// Publish this state (JSON), or - for stdin, and not the draft
    #[arg(long, value_name = "FILE|-")]
    file: Option<String>,
    #[command(flatten)]
    going_out: GoingOut,
}

/// What `rollback` takes.
#[derive(Debug, Args)]
#[command(after_help = "Example: sortie state rollback org --to 3 -m 'revision 4 broke the proxy'\n\
                        `sortie state history LAYER` lists the revisions.")]
pub(super) struct Rollback {
    /// org, site:KEY or node:NAME
    #[arg(value_name = "LAYER")]
    layer: LayerName,
    /// The revision to go back to
    #[arg(long, value_name = "REVISION")]
    to: u64,
    #[command(flatten)]
    going_out: GoingOut,
}

/// Publishes the draft or a file.
pub(super) async fn run(publish: Publish, options: &HubOptions, context: &Context) -> Done {
    let hub = context.hub(options)?;
    let mut shown = hub.layer(&publish.layer).await?;
    if let Some(file) = &publish.file {
        let state = read_state(file)?;
        if let Some(there) = &shown.draft {
            let (by, age) = (&there.changed_by, ago(context.clock.now(), there.changed_at));
            context.output.say(&format!("The draft that {by} wrote {age} gives way to the file."));
        }
        shown = draft(&hub, &publish.layer, &mut shown, state, context).await?;
    }
    if shown.draft.is_none() {
        let edit = context.next_command(&format!("state edit {}", publish.layer));
        return Err(Failure::usage(format!("the layer {} has no draft", publish.layer))
            .remedy(format!("`{edit}` begins one; or give the state with --file")));
    }
    publish_draft(&publish.layer, &shown, &publish.going_out, options, context).await
}

/// Publishes what a revision said once more.
pub(super) async fn roll_back(rollback: Rollback, options: &HubOptions, context: &Context) -> Done {
    let (hub, Rollback { layer, to, going_out }) = (context.hub(options)?, &rollback);
    let shown = hub.layer(layer).await?;
    let from = (shown.stands > 0).then_some(shown.stands);
    let asked = Asked { revision: Some(*to), after: Some(shown.revision), ..Asked::default() };
    let query = DiffQuery { from, to: Some(*to) };
    go(layer, query, asked, going_out, &format!("Back to revision {to}"), options, context).await
}

/// Writes a draft on top of what was seen. If somebody else was quicker, shows what theirs and this one differ in, and
/// takes theirs for what was seen.
pub(super) async fn draft(
    hub: &Hub,
    layer: &LayerName,
    shown: &mut LayerShown,
    state: Value,
    context: &Context,
) -> Result<LayerShown, Failure> {
    let version = shown.draft.as_ref().map_or(0, |draft| draft.version);
    let asked = WriteDraft { state, based_on: shown.revision, version };
    let refused = match hub.write_draft(layer, &asked).await {
        Ok(after) => return Ok(after),
        Err(refused) => refused,
    };
    let current = refused.problem().and_then(|problem| problem.current.clone());
    if let Some(theirs) = current.and_then(|current| serde_json::from_value::<LayerShown>(current).ok()) {
        let output = context.output;
        let there = theirs.draft.as_ref().map_or(&theirs.state, |draft| &draft.state);
        output.say("What yours changes of what is there now:");
        lines(&layers_differ(there, &asked.state), output.talk_colours()).iter().for_each(|line| output.say(line));
        *shown = theirs;
    }
    Err(refused.into())
}

/// Publishes the draft that was seen.
pub(super) async fn publish_draft(
    layer: &LayerName,
    shown: &LayerShown,
    going_out: &GoingOut,
    options: &HubOptions,
    context: &Context,
) -> Done {
    let based_on = shown.draft.as_ref().map_or(shown.revision, |draft| draft.based_on);
    if based_on < shown.revision {
        let newest = shown.revision;
        let what =
            format!("revision {newest} of {layer} was published since this draft was begun, on revision {based_on}");
        if going_out.yes || !std::io::stdin().is_terminal() {
            let diff = context.next_command(&format!("state diff {layer}"));
            return Err(Failure::new(Exit::Refused, what).remedy(format!(
                "`{diff}` shows what the draft would change of it; publish without --yes to be asked"
            )));
        }
        context.output.say(&format!("CAUTION: {what}. What differs is told against what stands now."));
    }
    let draft = shown.draft.as_ref().map(|draft| draft.version);
    let asked = Asked { draft, after: Some(shown.revision), ..Asked::default() };
    go(layer, DiffQuery::default(), asked, going_out, "", options, context).await
}

async fn go(
    layer: &LayerName,
    query: DiffQuery,
    asked: Asked,
    going_out: &GoingOut,
    usual: &str,
    options: &HubOptions,
    context: &Context,
) -> Done {
    let (hub, output) = (context.hub(options)?, context.output);
    let diff = hub.layer_diff(layer, &query).await?;
    tell(&diff, context);
    lines(&diff.changes, output.talk_colours()).iter().for_each(|line| output.say(line));
    if !going_out.yes {
        if !std::io::stdin().is_terminal() {
            return Err(
                Failure::usage("nobody is there to be asked").remedy("say --yes to publish without being asked")
            );
        }
        if !confirm("Publish it?")? {
            output.say("Nothing was published; the draft stays.");
            return Ok(());
        }
    }
    let message = message(going_out, usual, context)?;
    let publication = hub.publish(layer, &going_out.to_wire(message, asked), going_out.key.as_deref()).await?;
    if going_out.watch {
        told(&publication, context);
        return watch::follow(publication.id, None, &context.patient_hub(options)?, context).await;
    }
    output.either(&publication, |publication| {
        told(publication, context);
        let next = context.next_command(&format!("state watch {}", publication.id));
        output.say(&format!("`{next}` shows how it goes."));
        output.line(&publication.id.to_string())
    })
}

fn told(publication: &Publication, context: &Context) {
    let nodes = publication.nodes;
    let (revision, nodes) =
        (publication.revision, if nodes == 1 { "1 node".to_owned() } else { format!("{nodes} nodes") });
    context.output.say(&format!("Revision {revision} goes out to {nodes}."));
}

fn message(going_out: &GoingOut, usual: &str, context: &Context) -> Result<String, Failure> {
    if let Some(message) = &going_out.message {
        return Ok(message.clone());
    }
    if !std::io::stdin().is_terminal() {
        if usual.is_empty() {
            return Err(Failure::usage("a publication has a message").remedy("say why with -m 'SENTENCE'"));
        }
        return Ok(usual.to_owned());
    }
    context.output.say("Why? One sentence, for the history:");
    let mut line = String::new();
    let read = std::io::stdin().lock().read_line(&mut line);
    read.map_err(|error| Failure::other(format!("the answer cannot be read: {error}")))?;
    let line = line.trim();
    Ok(if line.is_empty() { usual.to_owned() } else { line.to_owned() })
}
