//! Alarms: what is wrong, and the rules by which that is judged.

use reqwest::Method;
use sortie_rules::ids::AlarmId;
use sortie_wire::alarms::{Alarm, AlarmQuery, AlarmRuleInUse, PutAlarmRule};
use sortie_wire::pages::Page;

use super::Hub;
use crate::error::ClientError;

impl Hub {
    /// A page of alarms, newest first.
    pub async fn alarms(&self, query: &AlarmQuery) -> Result<Page<Alarm>, ClientError> {
        self.get(&["alarms"], query).await
    }

    /// One alarm.
    pub async fn alarm(&self, id: AlarmId) -> Result<Alarm, ClientError> {
        self.get(&["alarms", &id.to_string()], &()).await
    }

    /// Every rule by which alarms are judged, and those that are switched off, by name.
    pub async fn alarm_rules(&self) -> Result<Page<AlarmRuleInUse>, ClientError> {
        self.get(&["alarm-rules"], &()).await
    }

    /// Makes a rule of the org's own, or switches one off.
    pub async fn set_alarm_rule(&self, name: &str, rule: &PutAlarmRule) -> Result<AlarmRuleInUse, ClientError> {
        self.set(Method::PUT, &["alarm-rules", name], rule).await
    }

    /// Takes back what the org says of a rule. Returns what that was.
    pub async fn remove_alarm_rule(&self, name: &str) -> Result<AlarmRuleInUse, ClientError> {
        self.remove(&["alarm-rules", name]).await
    }
}
