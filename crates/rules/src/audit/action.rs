//! What people do to a hub, and what becomes of what operators have signed: one stable word for each. A route that
//! changes something declares which of them it does, and the audit log is searched by them; a word never changes its
//! meaning and is never used again.

use std::fmt;

/// The list of actions: the word, and what it says.
macro_rules! actions {
    ($($(#[doc = $doc:literal])+ $name:ident = $word:literal,)+) => {
        /// Something that somebody does.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Action {
            $($(#[doc = $doc])+ $name,)+
        }

        impl Action {
            /// Every action.
            pub const ALL: &[Action] = &[$(Action::$name),+];

            /// The word for it: `noun.verb`.
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Action::$name => $word),+
                }
            }
        }
    };
}

actions! {
    /// Submits tasks: one, or a batch.
    TaskSubmit = "task.submit",
    /// Calls a task off.
    TaskCancel = "task.cancel",
    /// Puts an ended task back into the queue.
    TaskRequeue = "task.requeue",
    /// Begins anew with post-steps that were given up.
    PostStepRetry = "post_step.retry",
    /// Begins a job.
    JobCreate = "job.create",
    /// Pauses a job.
    JobPause = "job.pause",
    /// Lets a paused job go on.
    JobResume = "job.resume",
    /// Calls a job off.
    JobCancel = "job.cancel",
    /// Writes a layer's draft.
    DraftWrite = "draft.write",
    /// Discards a layer's draft.
    DraftDiscard = "draft.discard",
    /// Publishes a layer.
    DesiredPublish = "desired.publish",
    /// Stops a publication.
    PublicationStop = "publication.stop",
    /// Gives a secret its value.
    SecretWrite = "secret.write",
    /// Removes a secret.
    SecretRemove = "secret.remove",
    /// Proposes an operation.
    OperationPropose = "operation.propose",
    /// Brings what an operator signed.
    OperationSign = "operation.sign",
    /// Decides against an operation.
    OperationReject = "operation.reject",
    /// Ends an operation: its node tells how, or the hub gives it up.
    OperationEnd = "operation.end",
    /// Publishes a set of operators.
    OperatorsPublish = "operators.publish",
    /// Makes a node that has no certificate.
    NodeAdd = "node.add",
    /// Changes what is intended of a node.
    NodeChange = "node.change",
    /// Gives a node without a certificate another key.
    NodeChangeKey = "node.change_key",
    /// Ends a node's quarantine.
    NodeReadmit = "node.readmit",
    /// Shuts a node out.
    NodeRevoke = "node.revoke",
    /// Comes in with an invite: a new node, or one in place of another.
    NodeEnroll = "node.enroll",
    /// Makes a site or gives it another name.
    SiteChange = "site.change",
    /// Removes a site that nothing needs.
    SiteRemove = "site.remove",
    /// Makes an invite.
    InviteCreate = "invite.create",
    /// Withdraws an invite.
    InviteRevoke = "invite.revoke",
    /// Makes an API token.
    TokenCreate = "token.create",
    /// Revokes an API token.
    TokenRevoke = "token.revoke",
    /// Denies a token of the identity provider.
    TokenDeny = "token.deny",
    /// Makes an org.
    OrgCreate = "org.create",
    /// Makes another administrator's token for an org.
    OrgAdmin = "org.admin",
    /// Makes an account.
    AccountCreate = "account.create",
    /// Changes an account's role or password, disables or enables it.
    AccountChange = "account.change",
    /// Gives one's own account another password.
    AccountChangePassword = "account.change_password",
    /// Signs in.
    SessionBegin = "session.begin",
    /// Signs out, or signs somebody else out.
    SessionEnd = "session.end",
    /// Chooses an org setting, or goes back to its default.
    SettingsChange = "settings.change",
    /// Makes an alarm rule, switches one off, or takes that back.
    AlarmRuleChange = "alarm_rule.change",
    /// Makes a recipient, changes or removes one.
    RecipientChange = "recipient.change",
    /// Sends a recipient a test.
    RecipientTest = "recipient.test",
    /// Makes a notification rule, switches one off, or takes that back.
    NotificationRuleChange = "notification_rule.change",
    /// Says by when backups are expected, or takes that back.
    BackupDeadlineChange = "backup_deadline.change",
    /// Announces maintenance of nodes, from now on or later.
    MaintenanceStart = "maintenance.start",
    /// Ends maintenance before its time, or calls it off.
    MaintenanceEnd = "maintenance.end",
    /// Makes every hub forget what it has in memory of org settings.
    SettingsEvict = "settings.evict",
    /// Brings a new key of the hub's in.
    KeysRotate = "keys.rotate",
    /// Takes out keys of the hub's that are not used any more.
    KeysFinish = "keys.finish",
    /// Seals the hub's keys with another master key.
    KeysReseal = "keys.reseal",
    /// Restores the hub from a backup.
    HubRestore = "hub.restore",
}

impl fmt::Display for Action {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_action_has_a_word_of_its_own_that_names_noun_and_verb() {
        let words: BTreeSet<&str> = Action::ALL.iter().map(|action| action.as_str()).collect();
        assert_eq!(words.len(), Action::ALL.len());
        for word in words {
            let (noun, verb) = word.split_once('.').expect("a noun and a verb");
            let is_word = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_lowercase() || b == b'_');
            assert!(is_word(noun) && is_word(verb), "{word}");
        }
    }
}
