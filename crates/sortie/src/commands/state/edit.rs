//! `sortie state edit`: change a layer in an editor.

use std::io::{IsTerminal as _, Read as _};

use clap::Args;
use serde_json::Value;
use sortie_rules::desired::LayerName;
use sortie_rules::limits::LAYER_BYTES_MAX;
use sortie_wire::desired::LayerShown;

use super::editor::edited;
use super::going_out::GoingOut;
use super::publish::{draft, publish_draft};
use super::shown::pretty;
use crate::context::Context;
use crate::exit::{Done, Exit, Failure};
use crate::find_hub::HubOptions;
use crate::values::confirm;

/// What a layer looks like in which nothing was ever said.
const EMPTY: &str = "{\n  \"resources\": {\n  }\n}\n";

/// What it takes.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  sortie state edit org\n  sortie state edit node:box-7 --file box-7.json\n\n\
                        The editor is the one of $VISUAL or $EDITOR. What was edited is kept as a draft; what differs \
                        is shown, and it asks whether to publish it.")]
pub(super) struct Edit {
    /// org, site:KEY or node:NAME
    #[arg(value_name = "LAYER")]
    layer: LayerName,
    /// Take the state from this file (JSON), or - for stdin, and open no editor
    #[arg(long, value_name = "FILE|-")]
    file: Option<String>,
    #[command(flatten)]
    going_out: GoingOut,
}

/// Opens the editor, keeps the draft, and offers to publish it.
pub(super) async fn run(edit: Edit, options: &HubOptions, context: &Context) -> Done {
    let (hub, output, layer) = (context.hub(options)?, context.output, &edit.layer);
    let mut shown = hub.layer(layer).await?;
    let after = match &edit.file {
        Some(file) => draft(&hub, layer, &mut shown, read_state(file)?, context).await?,
        None => {
            let before = text_of(&shown);
            let mut text = before.clone();
            loop {
                text = edited(&text, &format!("{}.json", layer.to_string().replace([':', '/'], "-")), &context.env)?;
                if text == before {
                    output.say("Nothing was changed.");
                    return if output.json() { output.value(&shown) } else { Ok(()) };
                }
                let kept = match parse(&text, "what was edited") {
                    Ok(state) => draft(&hub, layer, &mut shown, state, context).await,
                    Err(failure) => Err(failure),
                };
                match kept {
                    Ok(after) => break after,
                    Err(failure) => once_more(failure, &text, context)?,
                }
            }
        }
    };
    if edit.going_out.yes || (!output.json() && std::io::stdin().is_terminal()) {
        return publish_draft(layer, &after, &edit.going_out, options, context).await;
    }
    output.either(&after, |_| {
        let next = context.next_command(&format!("state publish {layer} -m SENTENCE"));
        output.say(&format!("The draft is kept. `{next}` publishes it."));
        Ok(())
    })
}

fn text_of(shown: &LayerShown) -> String {
    let state = shown.draft.as_ref().map_or(&shown.state, |draft| &draft.state);
    if state.as_object().is_none_or(serde_json::Map::is_empty) { EMPTY.to_owned() } else { pretty(state) }
}

/// What cannot be kept can be edited again, and is not lost if nobody wants to.
fn once_more(failure: Failure, text: &str, context: &Context) -> Result<(), Failure> {
    let may_be_mended = matches!(failure.exit(), Some(Exit::Usage | Exit::Refused));
    if may_be_mended && std::io::stdin().is_terminal() {
        context.output.say(&failure.to_string());
        if confirm("Edit it again?")? {
            return Ok(());
        }
    }
    let kept = tempfile::Builder::new().prefix("sortie-draft-").suffix(".json").tempfile();
    let kept = kept.and_then(|file| {
        std::fs::write(file.path(), text)?;
        file.into_temp_path().keep().map_err(std::io::Error::from)
    });
    match kept {
        Ok(path) => Err(failure.remedy(format!("what you wrote is in {}", path.display()))),
        Err(_) => Err(failure),
    }
}

/// Reads a state from a file, or from stdin.
pub(super) fn read_state(file: &str) -> Result<Value, Failure> {
    let most = LAYER_BYTES_MAX as u64 + 1;
    let mut text = String::new();
    let read = if file == "-" {
        std::io::stdin().take(most).read_to_string(&mut text)
    } else {
        std::fs::File::open(file).and_then(|open| open.take(most).read_to_string(&mut text))
    };
    let whence = if file == "-" { "the state on stdin".to_owned() } else { format!("the state in {file}") };
    read.map_err(|error| Failure::usage(format!("{whence} cannot be read: {error}")))?;
    if text.len() > LAYER_BYTES_MAX {
        return Err(Failure::usage(format!("{whence} has more than {LAYER_BYTES_MAX} bytes, which are the most")));
    }
    parse(&text, &whence)
}

fn parse(text: &str, whence: &str) -> Result<Value, Failure> {
    serde_json::from_str(text).map_err(|error| Failure::usage(format!("{whence} is not JSON: {error}")))
}
