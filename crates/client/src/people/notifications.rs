//! Notifications: who is told of alarms, by which rules, and what became of it.

use reqwest::Method;
use sortie_rules::ids::DispatchId;
use sortie_wire::notifications::{
    MyNotification, MyNotificationQuery, Notification, NotificationQuery, NotificationRuleInUse, PutNotificationRule,
    PutRecipient, ReadUntil, RecipientInUse, TestOutcome, TestRecipient, Unread,
};
use sortie_wire::pages::Page;

use super::Hub;
use crate::error::ClientError;

impl Hub {
    /// A page of recipients, by name.
    pub async fn recipients(
        &self,
        after: Option<String>,
        limit: Option<u32>,
    ) -> Result<Page<RecipientInUse>, ClientError> {
        self.get_page(&["recipients"], after, limit).await
    }

    /// One recipient.
    pub async fn recipient(&self, name: &str) -> Result<RecipientInUse, ClientError> {
        self.get(&["recipients", name], &()).await
    }

    /// Makes a recipient, or puts it in place of the one of its name.
    pub async fn set_recipient(&self, name: &str, recipient: &PutRecipient) -> Result<RecipientInUse, ClientError> {
        self.set(Method::PUT, &["recipients", name], recipient).await
    }

    /// Removes a recipient. Returns what it was.
    pub async fn remove_recipient(&self, name: &str) -> Result<RecipientInUse, ClientError> {
        self.remove(&["recipients", name]).await
    }

    /// Sends a recipient a test. Returns what came of it by each way.
    pub async fn test_recipient(&self, name: &str, test: &TestRecipient) -> Result<Vec<TestOutcome>, ClientError> {
        self.act_on(&["recipients", name, "test"], test).await
    }

    /// Every rule by which recipients are told, and those that are switched off, by name.
    pub async fn notification_rules(&self) -> Result<Page<NotificationRuleInUse>, ClientError> {
        self.get(&["notification-rules"], &()).await
    }

    /// Makes a rule of the org's own, or switches one off.
    pub async fn set_notification_rule(
        &self,
        name: &str,
        rule: &PutNotificationRule,
    ) -> Result<NotificationRuleInUse, ClientError> {
        self.set(Method::PUT, &["notification-rules", name], rule).await
    }

    /// Takes back what the org says of a rule. Returns what that was.
    pub async fn remove_notification_rule(&self, name: &str) -> Result<NotificationRuleInUse, ClientError> {
        self.remove(&["notification-rules", name]).await
    }

    /// A page of notifications, newest first.
    pub async fn notifications(&self, query: &NotificationQuery) -> Result<Page<Notification>, ClientError> {
        self.get(&["notifications"], query).await
    }

    /// A page of what stands in one's own console, newest first.
    pub async fn my_notifications(&self, query: &MyNotificationQuery) -> Result<Page<MyNotification>, ClientError> {
        self.get(&["me", "notifications"], query).await
    }

    /// Marks what stands in one's own console as read, up to one.
    pub async fn read_notifications(&self, until: DispatchId) -> Result<Unread, ClientError> {
        self.set(Method::POST, &["me", "notifications", "read"], &ReadUntil { until }).await
    }

    /// Marks one as read.
    pub async fn read_notification(&self, id: DispatchId) -> Result<Unread, ClientError> {
        self.act(&["me", "notifications", &id.to_string(), "read"]).await
    }
}
