//! Every limit, with its name and its unit. Meeting one gives a clear error, never a surprise.
//!
//! Values marked with a number come from the requirement of that number. Those of alarms, of who is told of them, and
//! of what people look back at are in `signs`.

mod signs;

pub use signs::*;

use crate::time::Span;

/// Largest payload of one task, in bytes of JSON text.
pub const TASK_PAYLOAD_BYTES_MAX: usize = 1 << 20;
/// Largest result carried inline, in bytes of JSON text (F-18).
pub const RESULT_INLINE_BYTES_MAX: usize = 10_000_000;
/// Largest body of any other request, in bytes.
pub const BODY_BYTES_MAX: usize = 1 << 20;
/// Longest silence within a body.
pub const BODY_SILENCE_MAX: Span = Span::seconds(30);
/// Longest time from the first byte of a body to the last: enough for the largest over 150 kbit/s.
pub const BODY_TIME_MAX: Span = Span::minutes(15);
/// How much of a body that is too large is read all the same, in bytes, so that whoever is still
/// sending it hears the refusal.
pub const REFUSED_BODY_BYTES_MAX: usize = 64 << 20;
/// Largest body of a batch of tasks or of results, in bytes.
pub const BATCH_BODY_BYTES_MAX: usize = 16 << 20;
/// Most tasks in one submission.
pub const TASKS_PER_BATCH_MAX: usize = 1000;
/// Most results in one report of an agent.
pub const RESULTS_PER_BATCH_MAX: usize = 1000;
/// Most tasks handed out in one delivery.
pub const TASKS_PER_DELIVERY_MAX: u32 = 100;
/// Most payload bytes in one delivery; a larger backlog is split over several.
pub const DELIVERY_BYTES_MAX: usize = 8 << 20;
/// Most tasks waiting for one node.
pub const PENDING_TASKS_PER_NODE_MAX: u64 = 100_000;
/// Longest hold of an agent's wait (shorter than the usual idle cut of proxies, 60 s).
pub const WAIT_MAX: Span = Span::seconds(55);
/// Usual hold of an agent's wait.
pub const WAIT_DEFAULT: Span = Span::seconds(50);
/// How often an agent that holds tasks says so.
pub const HEARTBEAT_EVERY: Span = Span::seconds(20);
/// Highest number of a delivery, attempt or run that an agent may name; no count ever comes near it.
pub const COUNT_MAX: u32 = 1 << 30;
/// Most tasks in one heartbeat.
pub const HELD_TASKS_MAX: usize = 10_000;
/// How long a claim lasts unless the task type says otherwise.
pub const LEASE_DEFAULT: Span = Span::seconds(60);
/// Shortest lease that heartbeats can keep alive.
pub const LEASE_MIN: Span = Span::seconds(5);
/// Within which time each hub of several has written down what agents said at it of the leases that they hold: it does
/// so once a second, the write takes a moment, and clocks may differ by another. The hub that ends leases looks back
/// over it, so a lease of which nobody spoke ends so much later.
pub const RENEWALS_WRITTEN_WITHIN: Span = Span::seconds(3);
/// A hub that has not reached its database for longer has not heard agents meanwhile: no lease ends before one whole
/// lease has passed since it could.
pub const HEARING_GAP_MAX: Span = Span::seconds(3);
/// Longest lease.
pub const LEASE_MAX: Span = Span::hours(24);
/// How often a task is handed out again after a failure or a lapsed lease (F-33).
pub const RETRIES_DEFAULT: u32 = 3;
/// Most retries a task may ask for.
pub const RETRIES_MAX: u32 = 100;
/// Highest and, negated, lowest priority.
pub const PRIORITY_MAX: i32 = 100;
/// Silence after which a node is called stale (B-24).
pub const STALE_AFTER: Span = Span::minutes(30);
/// Silence after which a node is called down (B-24: twice the above).
pub const DOWN_AFTER: Span = Span::minutes(60);
/// How often silence is looked at (B-24).
pub const PRESENCE_CHECK_EVERY: Span = Span::seconds(60);
/// How often presence is written down, all nodes at once.
pub const PRESENCE_FLUSH_EVERY: Span = Span::minutes(3);
/// How long an invite can be used.
pub const INVITE_LIFE: Span = Span::hours(1);
/// Longest life an invite may be given.
pub const INVITE_LIFE_MAX: Span = Span::days(30);
/// Life of a node's certificate. It is renewed at half of it.
pub const NODE_CERTIFICATE_LIFE: Span = Span::days(30);
/// Most keys and authorities that are believed at a time.
pub const KEYS_PER_SET_MAX: usize = 16;
/// Most key sets in one answer to somebody who follows their chain.
pub const KEY_LINKS_PER_ANSWER_MAX: usize = 50;
/// Largest key set, in bytes.
pub const KEY_SET_BYTES_MAX: usize = 64 << 10;
/// Most key sets that an agent follows at one go; it goes on with the next.
pub const KEY_LINKS_FOLLOWED_MAX: usize = 1000;
/// How long a new key is announced before it is used, if nodes have not heard of it by then.
pub const KEYS_ANNOUNCED_FOR: Span = Span::hours(1);
/// Most names of nodes that lag in one answer.
pub const LAGGARDS_SHOWN_MAX: u32 = 100;
/// How many nodes are told of new keys in a second.
pub const NODES_TOLD_PER_SECOND: usize = 500;
/// How many nodes are asked to renew their certificates in a second, when all are asked to.
pub const RENEWALS_PER_SECOND: i64 = 10;
/// Life of the hub's own server certificate, made anew at each start and at half life.
pub const SERVER_CERTIFICATE_LIFE: Span = Span::days(90);
/// Life of the hub's certificate authority.
pub const AUTHORITY_LIFE: Span = Span::days(3650);
/// How far certificates are back-dated, for clocks that run behind.
pub const BACKDATE: Span = Span::minutes(5);
/// How long after its end a node's certificate can be renewed with the node's key.
pub const RENEWAL_GRACE: Span = Span::days(365);
/// Longest life of an assertion.
pub const ASSERTION_LIFE_MAX: Span = Span::seconds(300);
/// Life that an agent gives an assertion.
pub const ASSERTION_LIFE: Span = Span::seconds(120);
/// How far ahead of the hub's clock an assertion may have been made.
pub const ASSERTION_EARLY_MAX: Span = Span::seconds(1);
/// From which difference to the hub's clock on a node's is called skewed.
pub const CLOCK_SKEWED_FROM: Span = Span::minutes(2);
/// Within which difference it is called right again.
pub const CLOCK_RIGHT_WITHIN: Span = Span::minutes(1);
/// Shortest and longest id of an assertion, in bytes.
pub const ASSERTION_ID_BYTES_MIN: usize = 16;
/// See [`ASSERTION_ID_BYTES_MIN`].
pub const ASSERTION_ID_BYTES_MAX: usize = 64;
/// Largest assertion, in bytes; a larger one is refused unread.
pub const ASSERTION_BYTES_MAX: usize = 4096;
/// Most assertions that one hub remembers as used; while there are more, others wait.
pub const ASSERTIONS_REMEMBERED_MAX: usize = 2_000_000;
/// How long a delivery may be accepted after it was signed.
pub const DELIVERY_LIFE: Span = Span::minutes(10);
/// How long an operation may be carried out after it was signed, at most.
pub const OPERATION_LIFE_MAX: Span = Span::days(30);
/// How long an operation may be carried out after it was signed, unless it is said otherwise.
pub const OPERATION_LIFE_DEFAULT: Span = Span::days(1);
/// How long a proposed operation waits for its signatures.
pub const OPERATION_WAITS: Span = Span::days(30);
/// Largest payload of an operation, in bytes of JSON text: somebody has to read it.
pub const OPERATION_PAYLOAD_BYTES_MAX: usize = 64 << 10;
/// Longest reason of an operation, in bytes.
pub const REASON_BYTES_MAX: usize = 500;
/// Most proposed operations of one org that wait for signatures.
pub const OPERATIONS_WAITING_MAX: u64 = 1000;
/// How far an operator's clock may be ahead of a site's.
pub const OPERATOR_CLOCK_AHEAD_MAX: Span = Span::minutes(10);
/// Most members of a set of operators, and with them the most signatures that a site may demand.
pub const OPERATORS_MAX: usize = 16;
/// Most sets of operators that an org may have had.
pub const OPERATOR_SETS_MAX: u64 = 1000;
/// How long a service may take to restart.
pub const SERVICE_RESTART_MAX: Span = Span::minutes(5);
/// How long a service may take, after it was restarted, until it is active, unless the policy says otherwise.
pub const SERVICE_ACTIVE_WITHIN_DEFAULT: Span = Span::seconds(30);
/// How long a program that asks for a reboot may take.
pub const REBOOT_PROGRAM_MAX: Span = Span::minutes(5);
/// How long after it was asked for a reboot may begin, unless the policy says otherwise.
pub const REBOOT_WITHIN_DEFAULT: Span = Span::minutes(10);
/// Longest delay of a reboot.
pub const REBOOT_DELAY_MAX: Span = Span::hours(1);
/// How often a hub tries to bring a node's line to itself while other hubs do the same.
pub const ARRIVAL_TRIES_MAX: u32 = 3;
/// Waits of an ended start of an agent that may come after those of its next: so many it has open at once.
pub const HELD_UP_WAITS_MAX: u8 = 3;
/// Longest life that an agent lets a delivery have; a hub whose clock is set back does not lengthen it.
pub const DELIVERY_LIFE_MAX: Span = Span::hours(1);
/// How far ahead of the hub's time, as an agent knows it, a delivery may have been signed.
pub const DELIVERY_AHEAD_MAX: Span = Span::minutes(5);
/// Most reasons for which an agent may say that it has refused deliveries.
pub const REFUSAL_CODES_MAX: usize = 32;
/// How long the answer to an `Idempotency-Key` is remembered.
pub const IDEMPOTENCY_LIFE: Span = Span::hours(24);
/// Longest `Idempotency-Key`, in bytes.
pub const IDEMPOTENCY_KEY_BYTES_MAX: usize = 128;
/// How long an agent remembers what it finished, so that nothing is run twice.
pub const LEDGER_KEEPS: Span = Span::days(90);
/// Most tasks an agent runs at once, unless its configuration says otherwise.
pub const AGENT_CONCURRENCY_DEFAULT: u32 = 4;
/// How many tasks an agent takes beyond those it runs, so that the next is at hand.
pub const AGENT_PREFETCH_DEFAULT: u32 = 4;
/// Most packs of one hub, beside the base pack.
pub const PACKS_MAX: usize = 100;
/// Most task types of one pack.
pub const TASK_TYPES_PER_PACK_MAX: usize = 200;
/// Largest file of a pack, in bytes.
pub const PACK_FILE_BYTES_MAX: u64 = 1 << 20;
/// Most places of a payload that a type may declare secret, and of a spec that a kind may declare hub-only.
pub const POINTERS_MAX: usize = 64;
/// Results up to this size are held against their schema beside other writes, in bytes; larger ones before.
pub const RESULT_CHECKED_AT_ONCE_BYTES_MAX: usize = 16 << 10;
/// Most bytes of the log of one run, the mark of a cut one included.
pub const TASK_LOG_BYTES_MAX: u64 = 10_000_000;
/// Most bytes of logs in one request of an agent, before base64.
pub const LOG_BATCH_BYTES_MAX: usize = 256 << 10;
/// Most bytes of one run's log in such a request, so that the others have their turn, before base64.
pub const LOG_PIECE_BYTES_MAX: usize = 64 << 10;
/// Most bytes of logs that an agent keeps for a hub that is away, all runs together.
pub const LOG_SPOOL_BYTES_MAX: u64 = 1 << 30;
/// Most pieces of logs in one request of an agent.
pub const LOG_PIECES_MAX: usize = 100;
/// Most bytes of a log in one answer, before base64.
pub const LOG_PART_BYTES_MAX: usize = 256 << 10;
/// Longest message of a run's progress, in bytes.
pub const PROGRESS_BYTES_MAX: usize = 200;
/// Most streams of server-sent events that one principal holds.
pub const STREAMS_PER_PRINCIPAL_MAX: usize = 20;
/// How often a stream on which nothing happens shows that it is there.
pub const STREAM_ALIVE_EVERY: Span = Span::seconds(15);
/// Largest access token of a provider, in bytes; a larger one is refused unread.
pub const PROVIDER_TOKEN_BYTES_MAX: usize = 8 << 10;
/// Largest document of a provider that is read, in bytes.
pub const PROVIDER_DOCUMENT_BYTES_MAX: usize = 256 << 10;
/// Most keys of a provider that are kept.
pub const PROVIDER_KEYS_MAX: usize = 100;
/// How long a provider may take to answer.
pub const PROVIDER_ANSWER_MAX: Span = Span::seconds(10);
/// How soon a provider that did not answer is asked for its keys again.
pub const PROVIDER_RETRY: Span = Span::seconds(5);
/// How long after unknown keys were asked for they are not asked for again.
pub const UNKNOWN_KEY_PAUSE: Span = Span::seconds(10);
/// Largest difference of clocks that may be allowed for.
pub const LEEWAY_MAX: Span = Span::minutes(5);
/// How often it is asked whether somebody has signed in on another device, if the provider does not say.
pub const POLL_DEFAULT: Span = Span::seconds(5);
/// By how much more slowly it is asked when the provider says that it was too often.
pub const POLL_SLOWER: Span = Span::seconds(5);
/// Longest pause between two such questions.
pub const POLL_MAX: Span = Span::minutes(1);
/// How long before its end a person's token is renewed.
pub const RENEW_BEFORE: Span = Span::minutes(1);
/// Most tokens of a provider that are remembered as verified.
pub const VERIFIED_TOKENS_MAX: usize = 10_000;
/// Longest id of a person or a token at a provider, in bytes.
pub const SUBJECT_BYTES_MAX: usize = 255;
/// Longest name of a person, in bytes; a longer one is cut.
pub const PERSON_NAME_BYTES_MAX: usize = 100;
/// Most tokens that an org denies at a time.
pub const DENIED_TOKENS_MAX: u64 = 10_000;
/// How long a token is denied of which only the id is known.
pub const DENIAL_DEFAULT: Span = Span::days(30);
/// Longest time for which a token may be denied.
pub const DENIAL_MAX: Span = Span::days(365);
/// Shortest value that is masked in logs, in bytes; shorter ones would be found everywhere.
pub const SECRET_BYTES_MIN: usize = 4;
/// Most results that an agent keeps because they were too large to send.
pub const RESULTS_KEPT_MAX: usize = 100;
/// Most bytes of them together; the newest is kept whatever its size.
pub const RESULTS_KEPT_BYTES_MAX: u64 = 2 << 30;
/// Tasks that a client of the trust API gets at once (as the system F hands out).
pub const TRUST_TASKS_MAX: u32 = 50;
/// How long a client of the trust API may take for a task, which it cannot renew (F-32).
pub const TRUST_LEASE: Span = Span::minutes(30);
/// Nodes of one job.
pub const NODES_PER_JOB_MAX: usize = 100_000;
/// Jobs of one org that are not over.
pub const OPEN_JOBS_MAX: u64 = 500;
/// Names in one selector.
pub const SELECTOR_NAMES_MAX: usize = 10_000;
/// Bytes of a selector on labels.
pub const SELECTOR_BYTES_MAX: usize = 4096;
/// A job gives a task to a node that was heard within this time.
pub const JOB_HEARD_WITHIN: Span = Span::seconds(90);
/// Most post-steps of one task type.
pub const POST_STEPS_PER_TYPE_MAX: usize = 20;
/// Most items of a result for which one post-step is done.
pub const POST_STEP_ITEMS_MAX: usize = 1000;
/// How long a post-step is tried before it is given up.
pub const POST_STEP_LIFE: Span = Span::days(3);
/// How long one try of a post-step may take; after that it is begun anew.
pub const POST_STEP_HELD: Span = Span::minutes(2);
/// How long a webhook or a mail server may take to answer.
pub const POST_STEP_ANSWER_MAX: Span = Span::seconds(20);
/// Largest value that a `status` step takes from a result, in bytes of JSON text.
pub const FIELD_BYTES_MAX: usize = 4096;
/// Largest result that a webhook carries, in bytes of JSON text; a larger one is only named.
pub const WEBHOOK_RESULT_BYTES_MAX: usize = 256 << 10;
/// Most steps a mail's template may take, in the units of its engine.
pub const TEMPLATE_FUEL: u64 = 100_000;
/// Largest mail that a template may make, in bytes.
pub const MAIL_BYTES_MAX: usize = 256 << 10;
/// Requests of one node with a certificate in a second, and how many may come at once. Far more than work needs: it
/// keeps one that was taken over from starving the others.
pub const NODE_REQUESTS_PER_SECOND: u32 = 1000;
/// How many requests of one node with a certificate may come at once after a pause.
pub const NODE_REQUESTS_BURST: u32 = 5000;
/// How many notes on one node may be written down at once: its clock, its keys, its certificates. One more a minute.
pub const NODE_NOTES_BURST: u32 = 60;
/// How often a leader of several hubs beats.
pub const LEADER_BEAT: Span = Span::seconds(1);
/// After how long without a beat another hub leads, and half of it after how long one that cannot beat leads no more.
pub const LEADER_LAPSE: Span = Span::seconds(6);
/// Most bells that go to other hubs in one message.
pub const BELLS_PER_MESSAGE_MAX: usize = 75;
/// Most bells that wait for their way to other hubs; what is too much is lost, and looked for later.
pub const BELLS_WAITING_MAX: usize = 20_000;
/// How far the clocks of hubs on one database may be apart.
pub const HUB_CLOCKS_APART_MAX: Span = Span::minutes(10);
/// How long what was read for a summary is served before it is read again.
pub const READ_MODEL_LIFE: Span = Span::seconds(2);
/// How long it is served at most where it cannot be read again.
pub const READ_MODEL_KEPT: Span = Span::hours(1);
/// How long somebody who could be given something older waits for what is read anew.
pub const READ_MODEL_WAIT: Span = Span::seconds(1);
/// Most orgs of which one read model is kept.
pub const READ_MODELS_MAX: usize = 1000;
/// Most events that are looked through for what they change; where there are more, all of it may have changed.
pub const READ_MODEL_EVENTS_MAX: u64 = 5000;
/// Up to where a summary counts what grows without an end: this number means so many or more.
pub const SUMMARY_COUNTED_MAX: u64 = 10_000;
/// For how long back a summary counts what has ended.
pub const SUMMARY_ENDED_WITHIN: Span = Span::hours(24);
/// Most jobs of which a summary tells how they fare, the newest.
pub const SUMMARY_JOBS_MAX: usize = 10;
/// Most callers whose requests are counted apart, of each kind; any more are counted together.
pub const CALLERS_COUNTED_MAX: usize = 100_000;
/// Most proofs that are remembered to have held.
pub const PROOFS_REMEMBERED_MAX: usize = 20_000;
/// Rows in a page, unless asked otherwise.
pub const PAGE_DEFAULT: u32 = 100;
/// Most rows in a page.
pub const PAGE_MAX: u32 = 1000;
/// Longest name of a node, site, type or label, in bytes.
pub const NAME_BYTES_MAX: usize = 63;
/// Longest value of a label, in bytes.
pub const LABEL_VALUE_BYTES_MAX: usize = 255;
/// Most labels on one node.
pub const LABELS_MAX: usize = 64;
/// Longest message of an outcome, in bytes; longer ones are cut with a mark.
pub const MESSAGE_BYTES_MAX: usize = 4096;
/// A sign-in at the provider's page is waited for so long.
pub const SIGN_IN_LIFE: Span = Span::minutes(10);
/// For so long at most the replaced secret of a session holds still.
pub const SESSION_GRACE: Span = Span::seconds(60);
/// Most passwords that are hashed at once: each takes 19 MiB and a processor for some 30 ms.
pub const PASSWORDS_AT_ONCE: usize = 2;
/// Most sign-ins that wait for that.
pub const SIGN_INS_WAITING_MAX: usize = 32;
/// Failed sign-ins of one account that cost no wait.
pub const FAILURES_FREE_PER_ACCOUNT: u32 = 5;
/// Failed sign-ins from one address that cost no wait.
pub const FAILURES_FREE_PER_ADDRESS: u32 = 20;
/// Longest `traceparent`, in bytes (W3C Trace Context, version 00).
pub const TRACEPARENT_BYTES_MAX: usize = 55;
/// First wait of a retry, doubled each time.
pub const RETRY_BACKOFF_FIRST: Span = Span::seconds(1);
/// Longest wait of a retry.
pub const RETRY_BACKOFF_MAX: Span = Span::minutes(5);
/// Largest block of links of the audit log that is kept as one row, in bytes, unless one link alone is larger.
pub const AUDIT_BLOCK_BYTES_MAX: usize = 256 << 10;
/// Largest entry of the audit log, in bytes; of what makes it larger, the account of what changed, it has the SHA-256.
pub const AUDIT_ENTRY_BYTES_MAX: usize = 8 << 10;
/// Most blocks of the audit log that are looked through for one page of a list; a page that found fewer entries
/// than were asked for says where to go on.
pub const AUDIT_BLOCKS_PER_PAGE_MAX: u32 = 2000;
/// Blocks of the audit log that are read at once.
pub const AUDIT_BLOCKS_AT_ONCE: u32 = 32;
/// Most callers whose refusals are counted apart for the audit log.
pub const AUDIT_REFUSED_CALLERS_MAX: usize = 10_000;
/// Where an export of the audit log that was asked for in parts ends a part, in bytes.
pub const AUDIT_EXPORT_BYTES_MAX: usize = 8 << 20;
/// Most connections that a hub holds to a PostgreSQL server, unless its settings say otherwise.
pub const DATABASE_CONNECTIONS: u32 = 16;
/// Longest time of one statement on a PostgreSQL server, unless the settings say otherwise.
pub const DATABASE_STATEMENT_MAX: Span = Span::seconds(30);
/// How long a hub may say nothing in the middle of a transaction before a PostgreSQL server ends that: one that was cut
/// off holds what it has locked no longer than the others wait for a lock, and than it takes another to lead.
pub const DATABASE_SILENCE_MAX: Span = Span::seconds(5);
/// Longest wait for a connection to a PostgreSQL server, unless the settings say otherwise.
pub const DATABASE_CONNECTION_WAIT: Span = Span::seconds(10);
/// How long a hub that starts waits for a PostgreSQL server that is away, unless the settings say otherwise.
pub const DATABASE_START_WAIT: Span = Span::seconds(60);
/// How often a transaction is tried of which it is sure that nothing was kept.
pub const DATABASE_TRIES_MAX: u32 = 3;
/// Longest prefix of the subjects under which events leave for NATS, in bytes.
pub const SUBJECT_PREFIX_BYTES_MAX: usize = 100;
/// Most events that are under way to NATS at once, unless the settings say otherwise.
pub const OUTBOX_IN_FLIGHT_DEFAULT: u32 = 256;
/// Most that the settings may say.
pub const OUTBOX_IN_FLIGHT_MAX: u32 = 4096;
/// Events that are read for NATS at once; after each of these lots it is written down how far they are.
pub const OUTBOX_LOT: u32 = 1000;
/// Lots that are sent before others have their turn.
pub const OUTBOX_LOTS_PER_TURN: u32 = 50;
/// How long events that NATS has not got are kept beyond their retention, unless the settings say otherwise.
pub const OUTBOX_HELD_DEFAULT: Span = Span::days(30);
/// How long NATS may take to let the hub in, or to acknowledge an event.
pub const NATS_ANSWER_MAX: Span = Span::seconds(10);
/// First wait before NATS is tried again, doubled each time.
pub const NATS_BACKOFF_FIRST: Span = Span(500);
/// Longest such wait.
pub const NATS_BACKOFF_MAX: Span = Span::seconds(15);
/// How often NATS shows to somebody who waits for events that it is there.
pub const NATS_HEARTBEAT_EVERY: Span = Span::seconds(5);
/// Most events that NATS hands to a subscriber ahead of its acknowledgements.
pub const EVENTS_AHEAD_MAX: usize = 100;
/// By how much a hub that was restored from a backup raises the numbers of its events: more than were ever given out
/// between two backups, and 9,000 restores fit below what programs take for a whole number (2^53).
pub const EVENT_NUMBERS_LEAPT: u64 = 1_000_000_000_000;
/// Highest generation of a desired state that an agent may name: what programs take for a whole number. A restore
/// raises generations to the time in milliseconds.
pub const GENERATION_MAX: u64 = 1 << 53;
/// Largest manifest of a backup, in bytes.
pub const BACKUP_MANIFEST_BYTES_MAX: u64 = 64 << 20;
/// Most bytes of one blob.
pub const BLOB_BYTES_MAX: u64 = 64 << 20;
/// Blobs above this are sent in parts of this size, in bytes: the least that S3 takes of a part.
pub const BLOB_PART_BYTES: usize = 5 << 20;
/// Longest call to the place of blobs, its repetitions included.
pub const BLOB_CALL_MAX: Span = Span::seconds(30);
/// The same of a call for whose end somebody waits, and of those at the start of a hub.
pub const BLOB_WAITED_MAX: Span = Span::seconds(10);
/// Longest time until a connection to an S3 store stands.
pub const BLOB_CONNECT_MAX: Span = Span::seconds(5);
/// How often a call to an S3 store is repeated within its time.
pub const BLOB_REPEATS_MAX: usize = 3;
/// Blobs that are looked at in one turn, whether somebody still refers to them.
pub const BLOBS_LOOKED_AT: u32 = 2000;
/// Blobs that are removed in one turn.
pub const BLOBS_REMOVED: u32 = 500;
/// Logs that are put away in one turn.
pub const LOGS_ARCHIVED: u32 = 200;
/// Of which so many at once.
pub const LOGS_ARCHIVED_AT_ONCE: usize = 8;
/// Archived logs that a hub has unpacked in memory, for those who read them part by part.
pub const LOGS_UNPACKED_MAX: usize = 4;
/// Largest desired state of one layer, in bytes of JSON text.
pub const LAYER_BYTES_MAX: usize = 512 << 10;
/// Most resources of one node.
pub const RESOURCES_MAX: usize = 1000;
/// Most others that a resource comes after.
pub const RESOURCE_AFTER_MAX: usize = 100;
/// Most resource kinds of one pack.
pub const RESOURCE_KINDS_PER_PACK_MAX: usize = 100;
/// Longest message of a publication, in bytes.
pub const PUBLICATION_MESSAGE_BYTES_MAX: usize = 1000;
/// How long a node has to come in order with what was published, unless the publication says otherwise.
pub const CONVERGES_WITHIN_DEFAULT: Span = Span::minutes(5);
/// Shortest time that a publication may give.
pub const CONVERGES_WITHIN_MIN: Span = Span::seconds(5);
/// Longest time that a publication may give.
pub const CONVERGES_WITHIN_MAX: Span = Span::days(7);
/// A staged publication goes to a node that was heard within this time.
pub const PUBLICATION_HEARD_WITHIN: Span = Span::seconds(90);
/// Largest desired state of one node, in bytes of JSON text: three layers with their secrets sealed.
pub const DESIRED_BYTES_MAX: usize = 4 << 20;
/// Largest content of a file resource, in bytes.
pub const RESOURCE_CONTENT_BYTES_MAX: usize = 256 << 10;
/// Longest content of a file that is told to the hub when it is otherwise, in bytes.
pub const ACTUAL_CONTENT_BYTES_MAX: usize = 64 << 10;
/// Most resources that an agent looks at or applies at once.
pub const RESOURCES_AT_ONCE: usize = 4;
/// How long a look at a file, or its writing, may take.
pub const RESOURCE_FILE_WITHIN: Span = Span::seconds(60);
/// How long a program of an applier may take, unless the policy says otherwise.
pub const APPLIER_WITHIN_DEFAULT: Span = Span::seconds(60);
/// Most bytes that a program of an applier may write to standard output.
pub const APPLIER_OUTPUT_BYTES_MAX: u64 = 128 << 10;
/// How often an agent tells the hub facts of its machine, if they do not change.
pub const FACTS_EVERY: Span = Span::hours(24);
/// How often an agent looks whether they have changed.
pub const FACTS_LOOKED_AT_EVERY: Span = Span::minutes(10);
/// How often a program makes reports, unless the policy says otherwise.
pub const REPORT_EVERY_DEFAULT: Span = Span::hours(24);
/// Most reports that a program makes at once.
pub const REPORTS_AT_ONCE_MAX: usize = 100;
/// How often an agent looks for drift, unless its policy says otherwise.
pub const DRIFT_LOOKED_FOR_EVERY: Span = Span::minutes(5);
/// Largest account of conditions that a node reports, in bytes of JSON text.
pub const OBSERVED_BYTES_MAX: usize = 1 << 20;
/// Longest message of a condition, in bytes; longer ones are cut.
pub const CONDITION_MESSAGE_BYTES_MAX: usize = 500;
/// Largest report of a node, in bytes of JSON text.
pub const REPORT_BYTES_MAX: usize = 1 << 20;
/// How long reports are kept; the newest of each kind stays.
pub const REPORTS_KEPT: Span = Span::days(30);
/// Most kinds of reports of one node.
pub const REPORT_KINDS_PER_NODE_MAX: u64 = 100;
/// Most reports of one node and kind that are kept, whatever their age.
pub const REPORTS_PER_KIND_MAX: u64 = 10_000;
/// A node that no hub on the database has heard for so long is away: each writes down whom it hears every
/// [`PRESENCE_FLUSH_EVERY`], and reads the others' word every [`PRESENCE_CHECK_EVERY`].
pub const AWAY_AFTER: Span = Span::minutes(5);
/// How many nodes are told in a second that their generation has risen.
pub const NODES_TOLD_OF_STATES_PER_SECOND: usize = 5000;
/// What revisions of layers say, kept in memory by a hub.
pub const STATES_IN_MEMORY_MAX: usize = 64;
/// How many of its guests are named with a node; a list of nodes can be asked for all.
pub const GUESTS_SHOWN_MAX: u32 = 100;
/// Most different sets of pins of a layer's nodes that are looked at before a publication.
pub const PINS_LOOKED_AT_MAX: u32 = 1000;
/// Most secrets of one org.
pub const SECRETS_MAX: u64 = 1000;
/// Longest secret, in bytes.
pub const SECRET_VALUE_BYTES_MAX: usize = 64 << 10;
/// Longest name of a report's source, in bytes.
pub const REPORT_SOURCE_BYTES_MAX: usize = 64;
/// Most reports in an answer that has their facts in it.
pub const REPORTS_WITH_FACTS_MAX: u32 = 20;
/// How long the edge may take to answer one request.
pub const EDGE_ANSWER_MAX: Span = Span::seconds(15);
/// Largest answer of the edge that is read, in bytes: all custom rules of a zone stand in it.
pub const EDGE_ANSWER_BYTES_MAX: usize = 4 << 20;
/// Zones at the edge that are called at once.
pub const EDGE_CALLS_AT_ONCE: usize = 8;
/// Longest wait before the edge is tried again.
pub const EDGE_RETRY_MAX: Span = Span::minutes(15);
/// Longest wait for which the edge may ask.
pub const EDGE_RETRY_AFTER_MAX: Span = Span::hours(1);
/// How often what is at the edge is looked at, unless the settings say otherwise.
pub const EDGE_LOOKED_AT_EVERY: Span = Span::hours(1);
/// How often all pins are looked through for enforced resources that nobody rang for.
pub const ENFORCEMENTS_NOTED_EVERY: Span = Span::minutes(10);
/// Most names of hosts in one resource of geo rules.
pub const GEO_HOSTNAMES_MAX: usize = 10;
