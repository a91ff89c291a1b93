//! Limits of alarms, of backups' deadlines, of maintenance and history, and of who is told.

use super::NODE_CERTIFICATE_LIFE;
use crate::time::Span;

/// A node's certificate that ends within this time was not renewed when it should have been: a quarter of its life.
pub const CERTIFICATE_ENDS_WITHIN: Span = Span(NODE_CERTIFICATE_LIFE.0 / 4);
/// Certificates of which it is told in one transaction that they end.
pub const CERTIFICATES_TOLD_AT_ONCE: u32 = 1000;
/// How long a key has been announced, or in use, when nodes that do not know it are told of.
pub const KEYS_LAG_TOLD_AFTER: Span = Span::hours(1);
/// Nodes that lag of which it is told in one transaction.
pub const LAGGARDS_TOLD_AT_ONCE: u32 = 1000;
/// By how much the hub's own clock must have been put forward or back at once to be called a jump.
pub const CLOCK_JUMP_FROM: Span = Span::minutes(1);
/// Longest time for which something must be so before it is an alarm.
pub const ALARM_HOLD_MAX: Span = Span::days(7);
/// Longest time for which an alarm stands that nothing ends.
pub const ALARM_LAST_MAX: Span = Span::days(90);
/// Most patterns of events of one alarm rule.
pub const ALARM_PATTERNS_MAX: usize = 16;
/// Longest summary of an alarm rule, in bytes.
pub const ALARM_SUMMARY_BYTES_MAX: usize = 200;
/// Longest alarm rule of an org, in bytes of JSON.
pub const ALARM_RULE_BYTES_MAX: usize = 16 << 10;
/// Most alarm rules of one pack, and of one org.
pub const ALARM_RULES_MAX: usize = 200;
/// After a change of rules, when nobody judges by the former ones any more, at whichever hub.
pub const ALARM_RULES_KNOWN_WITHIN: Span = Span::seconds(5);
/// Most bytes of an alarm's subject; what is longer is cut.
pub const ALARM_SUBJECT_BYTES_MAX: usize = 255;
/// Most bytes of what an alarm keeps of the event or the facts that began it, as JSON.
pub const ALARM_DATA_BYTES_MAX: usize = 4096;
/// Events that are read at once to see what they mean for alarms.
pub const ALARM_EVENTS_AT_ONCE: u32 = 1000;
/// Alarms that may change in one transaction, give or take those of one event.
pub const ALARMS_AT_ONCE: u32 = 2000;
/// Longest time of one maintenance.
pub const MAINTENANCE_MAX: Span = Span::days(30);
/// How far ahead maintenance can be announced.
pub const MAINTENANCE_AHEAD_MAX: Span = Span::days(365);
/// Most maintenances of one org that are not over.
pub const MAINTENANCES_PER_ORG_MAX: u64 = 200;
/// Longest reason for maintenance, in bytes.
pub const MAINTENANCE_REASON_BYTES_MAX: usize = 200;
/// How long after a backup's deadline it is judged, if nobody says otherwise: a little more than programs take to
/// report.
pub const BACKUP_GRACE_DEFAULT: Span = Span::minutes(20);
/// The longest such time.
pub const BACKUP_GRACE_MAX: Span = Span::hours(6);
/// How long a hub that has come back hears nodes before it judges their backups: longer than they wait before they try
/// to report again.
pub const BACKUPS_HEARD_FOR: Span = Span::minutes(10);
/// Nodes whose backups are judged in one transaction.
pub const BACKUPS_AT_ONCE: u32 = 1000;
/// Most backup deadlines of one org.
pub const BACKUP_DEADLINES_MAX: usize = 200;
/// Longest error that a report of a backup tells, in bytes.
pub const BACKUP_ERROR_BYTES_MAX: usize = 500;
/// Most events that a node sends in one request.
pub const NODE_EVENTS_AT_ONCE: usize = 100;
/// Requests with events that a node may send at once; one more a minute.
pub const NODE_EVENT_REQUESTS_BURST: u32 = 200;
/// Most events that an agent keeps while the hub is away; beyond that the oldest go.
pub const NODE_EVENTS_KEPT: u64 = 10_000;
/// Largest request with events of a node, in bytes.
pub const NODE_EVENTS_BYTES_MAX: usize = 256 << 10;
/// How long hours of history are kept.
pub const HISTORY_HOURS_KEPT: Span = Span::days(14);
/// How long days of history are kept.
pub const HISTORY_DAYS_KEPT: Span = Span::days(731);
/// Most points of history in one answer.
pub const HISTORY_POINTS_MAX: i64 = 1000;
/// Events that are entered into history in one transaction.
pub const HISTORY_EVENTS_AT_ONCE: u32 = 1000;
/// Nodes whose presence changes in one transaction.
pub const PRESENCE_CHANGES_AT_ONCE: usize = 1000;
/// So many notifications for one recipient at once are a storm, and told in one dispatch.
pub const DIGEST_FROM: u64 = 5;
/// A storm is over when nothing more of it has come for so long.
pub const DIGEST_QUIET: Span = Span::seconds(10);
/// Longest wait for a storm to be over.
pub const DIGEST_WAIT_MAX: Span = Span::seconds(40);
/// So many dispatches to one recipient by one way go out as they come.
pub const DISPATCH_BURST: u32 = 5;
/// If they went out within so long, the next ones have pauses between them.
pub const DISPATCH_BURST_WITHIN: Span = Span::minutes(5);
/// How long such a pause is.
pub const DISPATCH_PACE: Span = Span::seconds(20);
/// How long a dispatch is tried before it is given up.
pub const DISPATCH_LIFE: Span = Span::days(3);
/// How long one try of a dispatch may take; after that it is begun anew.
pub const DISPATCH_HELD: Span = Span::minutes(2);
/// Most alarms that one dispatch names; of more it says how many they are.
pub const DISPATCH_ALARMS_MAX: u32 = 50;
/// Groups of what waits that become dispatches in one transaction.
pub const DISPATCHES_AT_ONCE: u32 = 200;
/// Events that are read at once to see who is told of them.
pub const NOTIFICATION_EVENTS_AT_ONCE: u32 = 1000;
/// Notifications that are written in one transaction, give or take those of one event.
pub const NOTIFICATIONS_AT_ONCE: usize = 5000;
/// Most recipients of one org.
pub const RECIPIENTS_MAX: u64 = 5000;
/// Most notification rules of one org.
pub const NOTIFICATION_RULES_MAX: usize = 100;
/// Most rules of alarms that a recipient or a notification rule names.
pub const NAMED_RULES_MAX: usize = 200;
/// Most recipients that a notification rule names.
pub const NAMED_RECIPIENTS_MAX: usize = 1000;
/// Longest time for which the same is not told again.
pub const COOL_DOWN_MAX: Span = Span::days(30);
/// Longest template of a notification rule, in bytes.
pub const NOTIFICATION_TEMPLATE_BYTES_MAX: usize = 16 << 10;
/// Longest mail address, in bytes (RFC 5321).
pub const MAIL_ADDRESS_BYTES_MAX: usize = 254;
/// Longest address of a recipient's webhook, in bytes.
pub const WEBHOOK_URL_BYTES_MAX: usize = 2048;
/// Longest name of a person, in bytes.
pub const PERSON_BYTES_MAX: usize = 255;
