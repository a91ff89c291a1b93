//! `sortie hub`: runs a hub until it is asked to stop.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};
use sortie_hub::clock::Clock;
use sortie_hub::settings::{DEFAULT_TOML, LogFormat as Configured};
use sortie_hub::{Settings, StartError};
use tokio::signal::unix::{Signal, SignalKind, signal};

use super::settings::settings_of;
use crate::context::Context;
use crate::exit::{Done, Failure, chain};
use crate::output::Output;
use crate::supervised;
use crate::telemetry::{self, LogFormat};

/// What `sortie hub` takes.
#[derive(Debug, Args)]
#[command(after_help = "Example: sortie hub --data /var/lib/sortie\n\
                        Every setting can also be given as a variable: SORTIE_HUB_LISTEN, and so on.")]
#[command(args_conflicts_with_subcommands = true, subcommand_negates_reqs = true)]
pub(crate) struct HubCommand {
    #[command(subcommand)]
    noun: Option<HubNoun>,
    /// The folder for everything that the hub keeps; made at the first start
    #[arg(long, value_name = "DIR", required_unless_present = "print_config")]
    data: Option<PathBuf>,
    /// Where agents and people connect [default: 0.0.0.0:8443, or what the settings say]
    #[arg(long, value_name = "ADDRESS", value_parser = address)]
    listen: Option<SocketAddr>,
    /// The file with settings [default: DIR/hub.toml, if there is one]
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Print every setting with its default and what it means, and do nothing else
    #[arg(long)]
    print_config: bool,
    /// Stop when stdin ends: for supervisors whose end shall be the hub's end too
    #[arg(long, hide = true)]
    until_stdin_closes: bool,
}

#[derive(Debug, Subcommand)]
enum HubNoun {
    /// Show and rotate the keys of a hub that runs
    Keys(super::keys::KeysCommand),
    /// Make the key that seals the hub's keys in a PostgreSQL database, or seal them with another
    MasterKey(super::master_key::MasterKeyCommand),
}

fn address(text: &str) -> Result<SocketAddr, String> {
    text.parse()
        .map_err(|_| "write an IP address and a port: 127.0.0.1:8443, or 0.0.0.0:8443 for all of them".to_owned())
}

/// Runs it, or asks one that runs.
pub(crate) fn run(mut command: HubCommand, context: &Context) -> Done {
    match command.noun.take() {
        Some(HubNoun::Keys(keys)) => return crate::cli::block_on(super::keys::run(keys, context)),
        Some(HubNoun::MasterKey(made)) => return crate::cli::block_on(super::master_key::run(made, context)),
        None => {}
    }
    let Some(data) = command.data.clone().filter(|_| !command.print_config) else {
        return context.output.line(DEFAULT_TOML.trim_end());
    };
    let settings = settings_of(data, command.config.as_deref(), command.listen)?;
    let json = settings.log_format == Configured::Json;
    let format = if json { LogFormat::Json } else { LogFormat::Text };
    let telemetry = telemetry::start("sortie-hub", format, settings.otlp_endpoint.as_deref(), &context.env)?;
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(|error| Failure::other(format!("the hub cannot start its runtime: {error}")))?;
    let done = runtime.block_on(async {
        // The signals are heard before anything can send one.
        let signals = Signals::new()?;
        if command.until_stdin_closes {
            supervised::stop_when_stdin_closes();
        }
        serve(settings, signals, !json, context.output).await
    });
    drop(runtime);
    telemetry.stop();
    done
}

async fn serve(settings: Settings, mut signals: Signals, talk: bool, output: Output) -> Done {
    let data = settings.data.clone();
    let hub = sortie_hub::start(settings, Clock::system()).await.map_err(|error| did_not_start(&error))?;
    if talk {
        greet(&hub, &data, output);
    } else {
        tracing::info!(url = hub.url(), listen = %hub.listen_addr(), first_start = hub.first_start(), "the hub serves");
    }
    while let Asked::Reload = signals.next().await {
        reload(&hub).await;
    }
    tracing::info!("asked to stop: answering what is held, finishing what is under way");
    tokio::select! {
        () = hub.stop() => Ok(()),
        () = signals.stop() => Err(Failure::other("asked twice to stop: ended at once; what was acknowledged is kept")),
    }
}

fn did_not_start(error: &StartError) -> Failure {
    let what = chain(error);
    if error.is_the_caller_s() { Failure::usage(what) } else { Failure::other(what) }
}

fn greet(hub: &sortie_hub::Hub, data: &Path, output: Output) {
    let colours = output.talk_colours();
    output.say(&format!("The hub is at {} (listening on {}).", colours.bold(hub.url()), hub.listen_addr()));
    if hub.first_start() {
        output.say(&format!("First start: the administrator's token is in {}.", hub.admin_token_path().display()));
    }
    let data = data.display();
    output.say(&format!("Invite an agent: sortie invite create --node NAME --data {data}"));
}

/// Reads the packs again. One that has a mistake changes nothing.
async fn reload(hub: &sortie_hub::Hub) {
    match hub.reload().await {
        Ok(types) => tracing::info!(types, "asked to read the packs again: done"),
        Err(error) => {
            tracing::error!("asked to read the packs again: nothing is changed, since one has a mistake");
            error.0.iter().for_each(|mistake| tracing::error!("{mistake}"));
        }
    }
}

/// What a signal asks for.
enum Asked {
    Stop,
    Reload,
}

/// The signals that ask for something.
struct Signals {
    terminate: Signal,
    interrupt: Signal,
    hangup: Signal,
}

impl Signals {
    fn new() -> Result<Signals, Failure> {
        let listen = |kind| signal(kind).map_err(|error| Failure::other(format!("signals cannot be heard: {error}")));
        Ok(Signals {
            terminate: listen(SignalKind::terminate())?,
            interrupt: listen(SignalKind::interrupt())?,
            hangup: listen(SignalKind::hangup())?,
        })
    }

    /// Waits for the next one.
    async fn next(&mut self) -> Asked {
        tokio::select! {
            _ = self.terminate.recv() => Asked::Stop,
            _ = self.interrupt.recv() => Asked::Stop,
            _ = self.hangup.recv() => Asked::Reload,
        }
    }

    /// Waits for the next one that asks to stop.
    async fn stop(&mut self) {
        while !matches!(self.next().await, Asked::Stop) {}
    }
}
