//! Opens what lies on disk and connects the parts.

use std::fs::DirBuilder;
use std::os::unix::fs::DirBuilderExt as _;
use std::path::Path;
use std::sync::Arc;

use sortie_rules::time::Span;
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::builder::Agent;
use super::error::AgentError;
use super::site::Site;
use crate::clock::{Clock, boot_id};
use crate::data_folder::{DataFolder, FolderError};
use crate::desired::Own;
use crate::handlers::command::Places;
use crate::heartbeat::Heart;
use crate::helper::Helper;
use crate::hub::Hub;
use crate::ledger::{Ledger, Recovered, RunKey, WriterThread};
use crate::line::{HubTime, Taker, WaitLoop};
use crate::logs::{Desk, Shipper};
use crate::operations::{Following, OperationTime, Standing};
use crate::refusals::{Refusals, Teller};
use crate::renewal::Renewal;
use crate::reporter::{Outbox, Reporter};
use crate::runner::{Board, HandlerSet, Me, Runner};
use crate::settings::Settings;

/// An agent whose parts are connected and whose loops have not begun.
pub(super) struct Life {
    pub(super) thread: WriterThread,
    pub(super) recovered: Recovered,
    pub(super) runner: Arc<Runner>,
    pub(super) wait_loop: WaitLoop,
    pub(super) heart: Heart,
    pub(super) reporter: Reporter,
    pub(super) shipper: Shipper,
    pub(super) following: Following,
    pub(super) teller: Teller,
    pub(super) site: Site,
    pub(super) renewal: Renewal,
    pub(super) ledger: Ledger,
    pub(super) clock: Clock,
    pub(super) stop_grace: Span,
    /// Rings when nothing new is to be taken.
    pub(super) stop_taking: CancellationToken,
    /// Rings when everything is to end.
    pub(super) stop: CancellationToken,
}

/// Opens the ledger and connects the parts of the agent. The folder is locked until it is dropped.
pub(super) fn start(agent: Agent) -> Result<(Life, DataFolder), AgentError> {
    let Agent { settings, folder, identity, policy, handlers, outgoing, clock, entropy } = agent;
    let (ledger, thread, line, recovered) =
        WriterThread::start(&folder.path().join("ledger.db"), |last| boot_id(last, &clock, &entropy))?;
    let hub_time = Arc::new(HubTime::new(clock.clone(), line.hub_time));
    let me = Me { node: identity.node(), key: identity.key_fingerprint() };
    let standing = Arc::new(Standing::new(folder.path().to_owned(), line.operators_version));
    let hub = Arc::new(Hub::open(identity, &settings, Arc::clone(&hub_time), entropy.clone())?);
    let (stop_taking, stop) = (CancellationToken::new(), CancellationToken::new());
    let board = Arc::new(Board::new(settings.concurrency, settings.prefetch));
    let outbox = Arc::new(Outbox::default());
    let logs = logs(folder.path(), &recovered, &clock);
    let runner = Arc::new(Runner {
        board: Arc::clone(&board),
        handlers: HandlerSet(handlers),
        policy,
        ledger: ledger.clone(),
        outbox: Arc::clone(&outbox),
        logs: Arc::clone(&logs),
        places: places(folder.path(), &settings, &hub)?,
        outgoing,
        refusals: Refusals::new(folder.path().to_owned()),
        hub_time: Arc::clone(&hub_time),
        operation_time: Arc::new(OperationTime::new(clock.clone(), Arc::clone(&hub_time))),
        standing: Arc::clone(&standing),
        me,
        clock: clock.clone(),
        entropy: entropy.clone(),
        runs: TaskTracker::new(),
        abandon: CancellationToken::new(),
    });
    let refused = Arc::new(Notify::new());
    let site = Site::start(&runner, &hub, Own::new(&settings, folder.path()), folder.path(), (&stop_taking, &stop))?;
    let taker = Taker {
        hub: Arc::clone(&hub),
        hub_time: Arc::clone(&hub_time),
        ledger: ledger.clone(),
        board: Arc::clone(&board),
        runner: Arc::clone(&runner),
        outbox: Arc::clone(&outbox),
        refused: Arc::clone(&refused),
        heard: Arc::clone(&site.heard),
        clock: clock.clone(),
        entropy: entropy.clone(),
    };
    let wait_loop = WaitLoop {
        taker: taker.clone(),
        board: Arc::clone(&board),
        entropy: entropy.clone(),
        boot: line.boot,
        acknowledged: line.acknowledged,
        stop: stop_taking.clone(),
    };
    let heart = Heart {
        hub: Arc::clone(&hub),
        board: Arc::clone(&board),
        taker,
        boot: line.boot,
        entropy: entropy.clone(),
        stop: stop.clone(),
    };
    let reporter = Reporter {
        hub: Arc::clone(&hub),
        ledger: ledger.clone(),
        board,
        outbox,
        entropy: entropy.clone(),
        stop: stop.clone(),
    };
    let shipper = Shipper { hub: Arc::clone(&hub), desk: logs, entropy: entropy.clone(), stop: stop.clone() };
    let following = Following { standing, hub: Arc::clone(&hub), entropy: entropy.clone(), stop: stop.clone() };
    let teller = Teller {
        hub: Arc::clone(&hub),
        ledger: ledger.clone(),
        entropy: entropy.clone(),
        bell: refused,
        stop: stop.clone(),
    };
    let renewal = Renewal { hub, hub_time, runner: Arc::clone(&runner), entropy, stop: stop.clone() };
    let life = Life {
        thread,
        recovered,
        runner,
        wait_loop,
        heart,
        reporter,
        shipper,
        following,
        teller,
        site,
        renewal,
        ledger,
        clock,
        stop_grace: settings.stop_grace(),
        stop_taking,
        stop,
    };
    Ok((life, folder))
}

/// Where runs have their logs; those that are under way keep theirs.
fn logs(folder: &Path, recovered: &Recovered, clock: &Clock) -> Arc<Desk> {
    let rebooting = recovered.rebooting.iter().map(|rebooting| &rebooting.handed);
    let under_way = recovered.run.iter().chain(rebooting);
    let under_way = under_way.map(|handed| RunKey { task: handed.id, run: handed.run }).collect();
    Arc::new(Desk::open(&folder.join("logs"), &under_way, clock.clone()))
}

/// Where runs have their places.
fn places(folder: &Path, settings: &Settings, hub: &Arc<Hub>) -> Result<Places, FolderError> {
    let (work, results) = (folder.join("work"), folder.join("results"));
    let places = Places { work, results, helper: Helper::new(settings.helper.clone(), Arc::clone(hub)) };
    prepare(&places)?;
    Ok(places)
}

/// Makes the folders of runs. Whatever an earlier life has left in them of runs that were cut is gone.
fn prepare(places: &Places) -> Result<(), FolderError> {
    for folder in [&places.work, &places.results] {
        let fault = |source| FolderError::Io { path: folder.clone(), source };
        DirBuilder::new().recursive(true).mode(0o700).create(folder).map_err(fault)?;
    }
    for left in std::fs::read_dir(&places.work).into_iter().flatten().flatten() {
        if let Err(error) = std::fs::remove_dir_all(left.path()) {
            tracing::warn!(folder = %left.path().display(), %error, "a working folder could not be removed");
        }
    }
    for left in std::fs::read_dir(&places.results).into_iter().flatten().flatten() {
        if left.path().extension().is_some_and(|extension| extension == "part") {
            let _not_there = std::fs::remove_file(left.path());
        }
    }
    Ok(())
}
