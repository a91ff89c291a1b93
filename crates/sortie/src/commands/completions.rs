//! `sortie completions SHELL`: completions for a shell.

use clap::Args;
use clap_complete::Shell;

use crate::context::Context;
use crate::exit::Done;

/// What `sortie completions` takes.
#[derive(Debug, Args)]
#[command(after_help = "For example: sortie completions bash > ~/.local/share/bash-completion/completions/sortie")]
pub(crate) struct CompletionsCommand {
    /// For which shell
    shell: Shell,
}

/// Prints them.
pub(crate) fn run(command: &CompletionsCommand, context: &Context) -> Done {
    let mut script = Vec::new();
    clap_complete::generate(command.shell, &mut crate::command(), "sortie", &mut script);
    context.output.line(String::from_utf8_lossy(&script).trim_end())
}
