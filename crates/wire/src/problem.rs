//! Problems: what every refused request is answered with (RFC 9457), with a stable code that
//! programs may decide on and a sentence that tells a person what to do next.

use serde::{Deserialize, Serialize};

/// The media type of a problem.
pub const MEDIA_TYPE: &str = "application/problem+json";

/// A refused request.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[error("{detail} ({code})", code = self.code.as_str())]
pub struct Problem {
    /// A URI for the kind of problem: `urn:sortie:problem:` and the code.
    #[serde(rename = "type")]
    pub kind: String,
    /// The kind of problem in a few words.
    pub title: String,
    /// The HTTP status, repeated here for those who only keep the body.
    pub status: u16,
    /// The kind of problem for programs.
    pub code: ProblemCode,
    /// What happened here and what to do about it.
    pub detail: String,
    /// Where in the request the fault lies, as a JSON pointer, for example `/payload/path`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pointer: Option<String>,
    /// The correlation id of the request; it stands in the hub's log.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub instance: Option<String>,
    /// On a `conflict` over something that several people write: what is there now, as its route shows it, for those
    /// who may read it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<Object>))]
    pub current: Option<serde_json::Value>,
}

impl Problem {
    /// A problem of this kind, with a sentence for whoever reads it.
    pub fn new(code: ProblemCode, detail: impl Into<String>) -> Problem {
        Problem {
            kind: format!("urn:sortie:problem:{}", code.as_str()),
            title: code.title().to_owned(),
            status: code.status(),
            code,
            detail: detail.into(),
            pointer: None,
            instance: None,
            current: None,
        }
    }

    /// The same, pointing at a place in the request.
    #[must_use]
    pub fn at(mut self, pointer: impl Into<String>) -> Problem {
        self.pointer = Some(pointer.into());
        self
    }
}

macro_rules! problem_codes {
    ($($(#[doc = $doc:literal])+ $name:ident = $word:literal, $status:literal, $title:literal;)+) => {
        /// Every kind of problem. The words are stable; programs may decide on them.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
        #[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
        pub enum ProblemCode {
            $($(#[doc = $doc])+ #[serde(rename = $word)] $name,)+
        }

        impl ProblemCode {
            /// All of them.
            pub const ALL: &'static [ProblemCode] = &[$(ProblemCode::$name),+];

            /// The stable word.
            pub const fn as_str(self) -> &'static str {
                match self { $(ProblemCode::$name => $word),+ }
            }
            /// The HTTP status it is answered with.
            pub const fn status(self) -> u16 {
                match self { $(ProblemCode::$name => $status),+ }
            }
            /// The kind of problem in a few words.
            pub const fn title(self) -> &'static str {
                match self { $(ProblemCode::$name => $title),+ }
            }
        }
    };
}

problem_codes! {
    /// The body is not JSON, or not of the shape that the route takes.
    MalformedBody = "malformed_body", 400, "The request's body cannot be read";
    /// A query or path parameter cannot be read.
    MalformedParameter = "malformed_parameter", 400, "A parameter of the request cannot be read";
    /// No proof of who is asking, or one that does not hold.
    Unauthenticated = "unauthenticated", 401, "The caller is not known";
    /// This hub does not know the node that the proof names.
    NodeUnknown = "node_unknown", 401, "The node is not known here";
    /// The assertion is not for this request, or not signed by its key.
    AssertionInvalid = "assertion_invalid", 401, "The assertion does not hold";
    /// The assertion's time is over, or has not begun, by the hub's clock.
    AssertionUntimely = "assertion_untimely", 401, "The assertion's time is not now";
    /// The assertion was used before.
    AssertionReplayed = "assertion_replayed", 401, "The assertion was used before";
    /// The node's certificate has ended and must be renewed first.
    CertificateEnded = "certificate_ended", 401, "The node's certificate has ended";
    /// The node's certificate was revoked.
    CertificateRevoked = "certificate_revoked", 403, "The node was revoked";
    /// The caller's role does not allow this.
    Forbidden = "forbidden", 403, "The caller may not do this";
    /// The certificate names another node than the path.
    NodeMismatch = "node_mismatch", 403, "The certificate is another node's";
    /// The task belongs to another node.
    NotYourTask = "not_your_task", 403, "The task is another node's";
    /// The invite is not one of this hub's, or its secret is wrong.
    InviteUnknown = "invite_unknown", 403, "The invite is not known";
    /// The invite's time has passed.
    InviteExpired = "invite_expired", 403, "The invite has expired";
    /// The invite was withdrawn.
    InviteRevoked = "invite_revoked", 403, "The invite was withdrawn";
    /// Another agent enrolled with the invite.
    InviteUsed = "invite_used", 409, "The invite has been used";
    /// There is no such route.
    UnknownRoute = "unknown_route", 404, "There is nothing at this address";
    /// The route does not take this method.
    MethodNotAllowed = "method_not_allowed", 405, "The address does not take this method";
    /// There is no such node.
    UnknownNode = "unknown_node", 404, "There is no such node";
    /// There is no such site.
    UnknownSite = "unknown_site", 404, "There is no such site";
    /// There is no such task.
    UnknownTask = "unknown_task", 404, "There is no such task";
    /// There is no such operation.
    UnknownOperation = "unknown_operation", 404, "There is no such operation";
    /// The operation waits for signatures no more.
    OperationOver = "operation_over", 409, "The operation is not waiting for signatures";
    /// Somebody else has signed another text for the same operation.
    OtherStatement = "other_statement", 409, "Another text was signed for this operation";
    /// What was signed does not fit the operation, or a signature does not fit what was signed.
    SignatureInvalid = "signature_invalid", 422, "The signature does not hold for this operation";
    /// The key is not one of an operator's.
    SignerUnknown = "signer_unknown", 422, "The key is not an operator's";
    /// The set of operators does not follow the one that stands.
    OperatorsInvalid = "operators_invalid", 422, "The set of operators does not follow";
    /// There is no such job.
    UnknownJob = "unknown_job", 404, "There is no such job";
    /// There is no such publication.
    UnknownPublication = "unknown_publication", 404, "There is no such publication";
    /// The layer has no such revision.
    UnknownRevision = "unknown_revision", 404, "There is no such revision";
    /// There is no such secret.
    UnknownSecret = "unknown_secret", 404, "There is no such secret";
    /// The publication is over, or about to be.
    PublicationOver = "publication_over", 409, "The publication is over";
    /// What stands refers to the secret.
    SecretInUse = "secret_in_use", 409, "The secret is in use";
    /// Nodes, invites or its layer need the site.
    SiteInUse = "site_in_use", 409, "The site is in use";
    /// There is no such resource kind.
    UnknownResourceKind = "unknown_resource_kind", 422, "There is no such resource kind";
    /// The desired state cannot be used.
    StateInvalid = "state_invalid", 422, "The desired state cannot be used";
    /// There is no such invite.
    UnknownInvite = "unknown_invite", 404, "There is no such invite";
    /// There is no such account.
    UnknownAccount = "unknown_account", 404, "There is no such account";
    /// There is no such session.
    UnknownSession = "unknown_session", 404, "There is no such session";
    /// There is no such token.
    UnknownToken = "unknown_token", 404, "There is no such token";
    /// There is no such alarm.
    UnknownAlarm = "unknown_alarm", 404, "There is no such alarm";
    /// There is no such alarm rule.
    UnknownAlarmRule = "unknown_alarm_rule", 404, "There is no such alarm rule";
    /// There is no such recipient.
    UnknownRecipient = "unknown_recipient", 404, "There is no such recipient";
    /// There is no such notification rule.
    UnknownNotificationRule = "unknown_notification_rule", 404, "There is no such notification rule";
    /// There is no such notification.
    UnknownNotification = "unknown_notification", 404, "There is no such notification";
    /// There is no such maintenance.
    UnknownMaintenance = "unknown_maintenance", 404, "There is no such maintenance";
    /// There is no such backup deadline.
    UnknownBackupDeadline = "unknown_backup_deadline", 404, "There is no such backup deadline";
    /// There is no such org setting.
    UnknownOrgSetting = "unknown_org_setting", 404, "There is no such org setting";
    /// The request comes from a page of another site.
    CrossSite = "cross_site", 403, "The request comes from another site";
    /// An account of this name exists.
    AccountExists = "account_exists", 409, "An account of this name exists";
    /// With this the org would lose its last administrator.
    LastAdministrator = "last_administrator", 409, "The org would lose its last administrator";
    /// There is no such org.
    UnknownOrg = "unknown_org", 404, "There is no such org";
    /// An org of this name or id exists.
    OrgExists = "org_exists", 409, "An org of this name exists";
    /// A node of this name exists.
    NodeExists = "node_exists", 409, "A node of this name exists";
    /// The node was revoked and takes no tasks.
    NodeRevoked = "node_revoked", 409, "The node was revoked";
    /// The task has ended.
    TaskEnded = "task_ended", 409, "The task has ended";
    /// The task was not handed out, so it has no result.
    NotInProgress = "not_in_progress", 409, "The task is not in progress";
    /// The trust API is not switched on.
    TrustApiOff = "trust_api_off", 409, "The trust API is not switched on";
    /// The job is over, or about to be.
    JobOver = "job_over", 409, "The job is over";
    /// The task cannot be put back into the queue.
    NotRequeueable = "not_requeueable", 409, "The task cannot be requeued";
    /// Another result stands.
    OtherResult = "other_result", 409, "Another result has been recorded";
    /// A wait that was held up on its way.
    WaitLate = "wait_late", 409, "The wait came late";
    /// Two agents share one identity; until an operator has decided, neither gets tasks.
    NodeQuarantined = "node_quarantined", 409, "The node is quarantined";
    /// Whoever asks did not sign in, so there is nothing to sign out of.
    NotSignedIn = "not_signed_in", 409, "The caller did not sign in";
    /// The change met another one; read again and repeat.
    Conflict = "conflict", 409, "The change met another one";
    /// The caller speaks no version of the protocol that this hub serves.
    ProtocolUnsupported = "protocol_unsupported", 426, "The protocol's version is not served";
    /// The hub's keys are not as the caller saw them any more.
    KeysChanged = "keys_changed", 409, "The keys have changed";
    /// A rotation cannot be finished without leaving nodes behind.
    NodesLag = "nodes_lag", 409, "Nodes lag behind the keys";
    /// The body came too slowly, or fell silent.
    BodyTooSlow = "body_too_slow", 408, "The request's body took too long";
    /// The body is larger than the route takes.
    TooLarge = "too_large", 413, "The request is too large";
    /// The body is not declared as JSON.
    UnsupportedMediaType = "unsupported_media_type", 415, "The body must be application/json";
    /// There is no such task type.
    UnknownTaskType = "unknown_task_type", 422, "There is no such task type";
    /// Tasks of this type must be signed by an operator.
    SignatureNeeded = "signature_needed", 422, "An operator must sign tasks of this type";
    /// The payload does not fit the type's schema.
    PayloadInvalid = "payload_invalid", 422, "The payload does not fit its schema";
    /// A field has a value that cannot be.
    FieldInvalid = "field_invalid", 422, "A field has a value that cannot be";
    /// The selector names no node that could be meant.
    SelectorMatchesNothing = "selector_matches_nothing", 422, "The selector matches no node";
    /// The `Idempotency-Key` was used for another request.
    IdempotencyKeyReused = "idempotency_key_reused", 422, "The Idempotency-Key was used for another request";
    /// Too many tasks wait for this node.
    QueueFull = "queue_full", 429, "Too many tasks wait for this node";
    /// Too many requests.
    RateLimited = "rate_limited", 429, "Too many requests";
    /// The identity provider cannot be reached, and its keys are not known yet.
    ProviderUnavailable = "provider_unavailable", 503, "The identity provider is away";
    /// The hub is stopping; another try will meet its successor.
    Stopping = "stopping", 503, "The hub is stopping";
    /// What was asked for lies in the hub's blobs, whose place cannot be reached.
    BlobsAway = "blobs_away", 503, "The hub's blobs are away";
    /// The disk is full; nothing was kept.
    StorageFull = "storage_full", 503, "The hub's storage is full";
    /// The database cannot be reached; nothing was kept.
    StorageUnavailable = "storage_unavailable", 503, "The hub's storage is away";
    /// The hub lost its storage at the moment when it kept the request: it may have been kept or not.
    OutcomeUnknown = "outcome_unknown", 503, "It is not known whether the request was kept";
    /// What was asked for lay in a blob of the hub that is lost or changed.
    BlobLost = "blob_lost", 500, "A blob of the hub is lost";
    /// A fault of the hub.
    Internal = "internal", 500, "The hub has a fault";
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_code_is_one_word_that_is_read_back() {
        let mut seen = std::collections::BTreeSet::new();
        for code in ProblemCode::ALL {
            assert!(seen.insert(code.as_str()), "{} twice", code.as_str());
            let json = serde_json::to_string(code).unwrap();
            assert_eq!(json, format!("\"{}\"", code.as_str()));
            assert_eq!(serde_json::from_str::<ProblemCode>(&json).unwrap(), *code);
            assert!((400..600).contains(&code.status()));
        }
    }

    #[test]
    fn a_problem_looks_like_rfc_9457() {
        let problem = Problem::new(ProblemCode::PayloadInvalid, "`path` is missing").at("/payload");
        let json = serde_json::to_value(&problem).unwrap();
        assert_eq!(
            json,
            serde_json::json!({
                "type": "urn:sortie:problem:payload_invalid", "title": "The payload does not fit its schema",
                "status": 422, "code": "payload_invalid", "detail": "`path` is missing", "pointer": "/payload"
            })
        );
    }
}
