//! How a run of a task ended, as the agent tells it or as the hub had to conclude.

use std::fmt;

use serde::{Deserialize, Serialize};

/// Why a task did not complete: a stable word that programs may decide on. Handlers may use words of
/// their own; those below are Sortie's.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Code(pub String);

impl Code {
    /// The hub waited for the agent as often as it may; the work was never reported.
    pub const LEASE_EXPIRED: &'static str = "lease_expired";
    /// `not_after` passed before the work was done.
    pub const EXPIRED: &'static str = "expired";
    /// Someone cancelled it.
    pub const CANCELLED: &'static str = "cancelled";
    /// The agent stopped in the middle of work that may not be repeated.
    pub const INTERRUPTED: &'static str = "interrupted";
    /// The agent has no handler for this type, or its policy does not list it.
    pub const TYPE_NOT_ALLOWED: &'static str = "type_not_allowed";
    /// The agent's policy forbids what the payload asks for.
    pub const FORBIDDEN_BY_POLICY: &'static str = "forbidden_by_policy";
    /// The payload is not what the handler takes.
    pub const BAD_PAYLOAD: &'static str = "bad_payload";
    /// The handler failed.
    pub const HANDLER_FAILED: &'static str = "handler_failed";
    /// The program that the policy names is not there.
    pub const HANDLER_MISSING: &'static str = "handler_missing";
    /// The program that the policy names cannot be executed.
    pub const HANDLER_NOT_EXECUTABLE: &'static str = "handler_not_executable";
    /// The site's policy file cannot be used at the moment.
    pub const POLICY_UNUSABLE: &'static str = "policy_unusable";
    /// The helper that runs programs as other users is away.
    pub const HELPER_UNAVAILABLE: &'static str = "helper_unavailable";
    /// The helper did not run a program.
    pub const HELPER_REFUSED: &'static str = "helper_refused";
    /// Anybody may write the program that the policy names.
    pub const HANDLER_UNSAFE: &'static str = "handler_unsafe";
    /// A signal ended the program.
    pub const HANDLER_KILLED: &'static str = "handler_killed";
    /// The program ended with an exit code other than 0.
    pub const EXIT_CODE: &'static str = "exit_code";
    /// The program ended well and wrote no result.
    pub const NO_RESULT: &'static str = "no_result";
    /// What the program or the service gave is no result.
    pub const OUTPUT_INVALID: &'static str = "output_invalid";
    /// The program wrote more to standard output than the policy allows.
    pub const OUTPUT_TOO_LARGE: &'static str = "output_too_large";
    /// It took longer than the policy allows.
    pub const OVER_WALL_TIME: &'static str = "over_wall_time";
    /// The program used more processor time than the policy allows.
    pub const OVER_CPU_TIME: &'static str = "over_cpu_time";
    /// The program wrote a file larger than the policy allows.
    pub const OVER_FILE_SIZE: &'static str = "over_file_size";
    /// The program took more memory than the policy allows.
    pub const OUT_OF_MEMORY: &'static str = "out_of_memory";
    /// The program began more processes than the policy allows.
    pub const TOO_MANY_PROCESSES: &'static str = "too_many_processes";
    /// The service that the policy names does not answer.
    pub const SERVICE_UNREACHABLE: &'static str = "service_unreachable";
    /// The service that the policy names answered with another status than 2xx.
    pub const SERVICE_REFUSED: &'static str = "service_refused";
    /// The site demands an operator's signature for this type.
    pub const SIGNATURE_MISSING: &'static str = "signature_missing";
    /// The site demands an operator's signature, and knows no operators.
    pub const OPERATORS_UNKNOWN: &'static str = "operators_unknown";
    /// What was signed, or a signature on it, is damaged or does not fit.
    pub const SIGNATURE_INVALID: &'static str = "signature_invalid";
    /// Nobody among the operators whom the site knows has signed it.
    pub const SIGNER_UNKNOWN: &'static str = "signer_unknown";
    /// Fewer operators have signed than the site demands.
    pub const SIGNATURES_TOO_FEW: &'static str = "signatures_too_few";
    /// What was signed is no operation that can be read.
    pub const OPERATION_UNREADABLE: &'static str = "operation_unreadable";
    /// The operation is another node's, or was signed before this node enrolled anew.
    pub const OPERATION_OTHER_TARGET: &'static str = "operation_other_target";
    /// The operation came with another task than its own.
    pub const OPERATION_OTHER_TASK: &'static str = "operation_other_task";
    /// The operation was to be carried out a second time.
    pub const OPERATION_REPEATED: &'static str = "operation_repeated";
    /// Another operation bore the same nonce.
    pub const OPERATION_REPLAYED: &'static str = "operation_replayed";
    /// The operation is valid for longer than may be.
    pub const OPERATION_TOO_LONG: &'static str = "operation_too_long";
    /// The operation's time has passed.
    pub const OPERATION_EXPIRED: &'static str = "operation_expired";
    /// The operation was signed in the future.
    pub const OPERATION_NOT_YET_VALID: &'static str = "operation_not_yet_valid";
    /// The operation's payload is larger than may be.
    pub const OPERATION_TOO_LARGE: &'static str = "operation_too_large";
    /// A service was restarted and is not active.
    pub const SERVICE_NOT_ACTIVE: &'static str = "service_not_active";
    /// A machine that was asked to reboot has not.
    pub const REBOOT_DID_NOT_HAPPEN: &'static str = "reboot_did_not_happen";
    /// The result is larger than may be sent inline.
    pub const RESULT_TOO_LARGE: &'static str = "result_too_large";
    /// The result does not fit the type's schema.
    pub const RESULT_INVALID: &'static str = "result_invalid";

    /// A code from a word.
    pub fn new(word: impl Into<String>) -> Code {
        Code(word.into())
    }
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// How one run ended at the agent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// The work is done.
    Completed,
    /// The work failed. If `retry`, it may go better another time.
    Failed {
        /// Why.
        code: Code,
        /// Whether another try makes sense.
        retry: bool,
    },
    /// A crash cut work that may not be repeated. Never retried by itself.
    Interrupted,
    /// The agent refused: policy, verification or payload. Never retried by itself.
    Rejected {
        /// Why.
        code: Code,
    },
    /// The agent stopped it because it was told to.
    Cancelled,
}
