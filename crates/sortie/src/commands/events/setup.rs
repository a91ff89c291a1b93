//! `sortie events setup`: the stream and the consumers as they were asked for, however often it is run.

use async_nats::jetstream::context::{ConsumerInfoErrorKind, GetStreamErrorKind};
use async_nats::jetstream::stream::Stream;
use async_nats::jetstream::{self, Context as JetStream, ErrorCode};
use clap::Args;
use serde::Serialize;
use sortie_client::events_nats::NatsError;
use sortie_rules::time::Span;

use super::change::{Change, Done as What};
use super::nats::NatsOptions;
use super::wish::{ConsumerWish, NamedFilters, StreamWish, prefix, stream_name, subjects};
use super::{consumers, stream};
use crate::context::Context;
use crate::exit::{Done, Failure, chain};

const AFTER_HELP: &str = "\
Examples:
  sortie events setup --nats tls://nats.example:4222
  sortie events setup --consumer billing=task.completed --consumer audit --dry-run

It can be run again at any time: it changes what differs from what is said, says what that
was, and leaves everything else as it is. Several kinds for one consumer need NATS 2.10.";

/// What `sortie events setup` takes.
#[derive(Debug, Args)]
#[command(after_help = AFTER_HELP)]
pub(crate) struct Setup {
    /// The stream's name, as `stream` of [nats] in hub.toml
    #[arg(long, value_name = "NAME", default_value = "SORTIE", value_parser = stream_name)]
    stream: String,
    /// What stands before every subject, as `subject_prefix` of [nats] in hub.toml
    #[arg(long, value_name = "WORDS", default_value = "sortie.events", value_parser = prefix)]
    prefix: String,
    /// How long the stream keeps events; 0 for ever [usual: 30d]
    #[arg(long, value_name = "SPAN")]
    max_age: Option<Span>,
    /// How large the stream may become; then the oldest events go [usual: unlimited]
    #[arg(long, value_name = "BYTES", value_parser = clap::value_parser!(u64).range(1..))]
    max_bytes: Option<u64>,
    /// For how long the stream drops events that are sent twice [usual: 10m]
    #[arg(long, value_name = "SPAN")]
    duplicates_within: Option<Span>,
    /// How many servers of a cluster keep each event [usual: 1]
    #[arg(long, value_name = "NUMBER", value_parser = clap::value_parser!(u8).range(1..=5))]
    replicas: Option<u8>,
    /// A durable pull consumer, with the kinds of events or the subjects that it wants; all if absent
    #[arg(long = "consumer", value_name = "NAME[=KIND,…]")]
    consumers: Vec<NamedFilters>,
    /// How long NATS waits for an acknowledgement before it hands an event out again [usual: 30s]
    #[arg(long, value_name = "SPAN", requires = "consumers")]
    ack_wait: Option<Span>,
    /// How often an event is handed out that is never acknowledged; 0 without end [usual: 0]
    #[arg(long, value_name = "TIMES", requires = "consumers")]
    max_deliver: Option<u32>,
    /// Consumers that are made begin with what happens next, not with the oldest event of the stream
    #[arg(long, requires = "consumers")]
    only_new: bool,
    /// Change nothing, say what would be changed
    #[arg(long)]
    dry_run: bool,
    // The last, for its heading holds for what follows.
    #[command(flatten)]
    nats: NatsOptions,
}

/// What `--json` prints.
#[derive(Debug, Serialize)]
struct Outcome {
    dry_run: bool,
    changes: Vec<Change>,
}

/// Does it.
pub(super) async fn run(setup: Setup, context: &Context) -> Done {
    let (dry_run, stream, consumers) = (setup.dry_run, setup.stream_wish(), setup.consumer_wishes());
    let wishes = consumers
        .into_iter()
        .map(|wish| subjects(&stream.prefix, &wish.filters).map(|subjects| (wish, subjects)).map_err(Failure::usage))
        .collect::<Result<Vec<_>, _>>()?;
    let client = setup.nats.nats().connect().await.map_err(|error| not_connected(&error))?;
    let many = wishes.iter().find(|(_, subjects)| subjects.len() > 1);
    if let Some((wish, _)) = many.filter(|_| !client.is_server_compatible(2, 10, 0)) {
        let (name, version) = (&wish.name, client.server_info().version);
        let what =
            format!("the consumer `{name}` has several filters; NATS takes them from 2.10 on, this is {version}");
        return Err(Failure::usage(what).remedy("make a consumer for each"));
    }
    let jetstream = jetstream::new(client);
    let mut changes = Vec::with_capacity(1 + wishes.len());
    let (change, made) = see_to_stream(&jetstream, &stream, dry_run).await?;
    changes.push(change);
    for (wish, subjects) in wishes {
        changes.push(see_to_consumer(made.as_ref(), &wish, &subjects, dry_run).await?);
    }
    let outcome = Outcome { dry_run, changes };
    context.output.either(&outcome, |outcome| {
        context.output.lines(outcome.changes.iter().flat_map(|change| change.lines(outcome.dry_run)))
    })
}

impl Setup {
    fn stream_wish(&self) -> StreamWish {
        StreamWish {
            name: self.stream.clone(),
            prefix: self.prefix.clone(),
            max_age: self.max_age,
            max_bytes: self.max_bytes,
            duplicates_within: self.duplicates_within,
            replicas: self.replicas,
        }
    }

    fn consumer_wishes(&self) -> Vec<ConsumerWish> {
        let wish = |named: &NamedFilters| ConsumerWish {
            name: named.name.clone(),
            filters: named.filters.clone(),
            ack_wait: self.ack_wait,
            max_deliver: self.max_deliver,
            only_new: self.only_new,
        };
        self.consumers.iter().map(wish).collect()
    }
}

/// Makes the stream, or changes it. In a dry run there may be none afterwards.
async fn see_to_stream(
    jetstream: &JetStream,
    wish: &StreamWish,
    dry_run: bool,
) -> Result<(Change, Option<Stream>), Failure> {
    let existing = match jetstream.get_stream(&wish.name).await {
        Ok(stream) => Some(stream),
        Err(error) => match error.kind() {
            GetStreamErrorKind::JetStream(refusal) if refusal.error_code() == ErrorCode::STREAM_NOT_FOUND => None,
            _ => return Err(refused(&format!("the stream `{}` cannot be looked at", wish.name), &error)),
        },
    };
    let before = existing.as_ref().map(|stream| stream.cached_info().config.clone());
    let config = stream::wanted(wish, before.as_ref());
    let change = Change::between("stream", &wish.name, before.as_ref().map(stream::fields), stream::fields(&config));
    if dry_run || change.change == What::Unchanged {
        return Ok((change, existing));
    }
    let what = format!("the stream `{}` cannot be made as it should be", wish.name);
    match change.change {
        What::Created => jetstream.create_stream(config).await.map(drop).map_err(|error| refused(&what, &error))?,
        _ => jetstream.update_stream(config).await.map(drop).map_err(|error| refused(&what, &error))?,
    }
    let made = jetstream.get_stream(&wish.name).await.map_err(|error| refused(&what, &error))?;
    Ok((change, Some(made)))
}

/// Makes a consumer, or changes it.
async fn see_to_consumer(
    stream: Option<&Stream>,
    wish: &ConsumerWish,
    subjects: &[String],
    dry_run: bool,
) -> Result<Change, Failure> {
    let what = format!("the consumer `{}` cannot be made as it should be", wish.name);
    let before = match stream {
        None => None,
        Some(stream) => match stream.consumer_info(&wish.name).await {
            Ok(info) => Some(info.config),
            Err(error) if error.kind() == ConsumerInfoErrorKind::NotFound => None,
            Err(error) => return Err(refused(&what, &error)),
        },
    };
    let config = consumers::wanted(wish, subjects, before.as_ref())
        .map_err(|why| Failure::other(why).remedy("choose another name, or delete that one with the tools of NATS"))?;
    let change =
        Change::between("consumer", &wish.name, before.as_ref().map(consumers::fields), consumers::fields(&config));
    if let Some(stream) = stream.filter(|_| !dry_run && change.change != What::Unchanged) {
        stream.create_consumer(config).await.map_err(|error| refused(&what, &error))?;
    }
    Ok(change)
}

fn not_connected(error: &NatsError) -> Failure {
    let failure = Failure::other(error.to_string());
    if error.is_refused() {
        failure.remedy("look at --nats-credentials, or --nats-user and --nats-password-file")
    } else {
        failure.remedy("look at --nats and, with tls://, at --nats-ca")
    }
}

fn refused(what: &str, error: &dyn std::error::Error) -> Failure {
    Failure::other(format!("{what}: {}", chain(error))).remedy("is JetStream on, and may this user manage it?")
}
