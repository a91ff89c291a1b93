//! Builtins that change a machine as a whole. They are privileged by themselves: an operator must have signed
//! them, unless the policy says of one that it is routine. What they run, and as whom, is for the policy to say.

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde::Deserialize;
use serde_json::value::RawValue;
use sortie_rules::limits::{
    REBOOT_DELAY_MAX, REBOOT_PROGRAM_MAX, REBOOT_WITHIN_DEFAULT, SERVICE_ACTIVE_WITHIN_DEFAULT, SERVICE_RESTART_MAX,
};
use sortie_rules::time::Span;

use super::file::Policy;
use super::handlers::{Command, Kind};

/// Restarts a service of the machine.
pub(crate) const SERVICE_RESTART: &str = "service.restart";
/// Reboots the machine.
pub(crate) const HOST_REBOOT: &str = "host.reboot";
/// What stands for the name of a service in the arguments of a program.
const SERVICE: &str = "{service}";
/// Most bytes of a reason.
const REASON_BYTES_MAX: usize = 1000;

/// Whether a builtin is privileged by itself.
pub(super) fn is_privileged(builtin: &str) -> bool {
    matches!(builtin, SERVICE_RESTART | HOST_REBOOT)
}

/// The table `[service_restart]`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServiceRestart {
    /// The services that may be restarted.
    pub services: Vec<String>,
    restart: Vec<String>,
    check: Vec<String>,
    user: String,
    /// How long it may take, after a restart, until the service is active.
    pub active_within: Span,
}

/// The table `[host_reboot]`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HostReboot {
    reboot: Vec<String>,
    user: String,
    /// How long it may take until the machine goes down.
    pub within: Span,
}

/// What `service.restart` gets.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct RestartPayload {
    pub(crate) service: String,
}

/// What `host.reboot` gets.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct RebootPayload {
    #[serde(default)]
    pub(crate) reason: Option<String>,
    #[serde(default)]
    pub(crate) delay_s: u32,
}

/// Why a builtin does not do what it was asked for.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum NotDone {
    /// What was asked for cannot be read.
    #[error("the payload does not fit {0}: {1}")]
    Payload(&'static str, String),
    /// The policy does not let it.
    #[error("the policy of this site does not list the service {0} under [service_restart]")]
    Service(String),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct RestartText {
    services: Vec<String>,
    restart: Vec<String>,
    check: Vec<String>,
    user: String,
    active_within_s: u32,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct RebootText {
    reboot: Vec<String>,
    user: String,
    within_s: u32,
}

fn seconds(span: Span) -> u32 {
    u32::try_from(span.0 / 1000).unwrap_or(u32::MAX)
}

fn words(text: &str) -> Vec<String> {
    text.split(' ').map(str::to_owned).collect()
}

impl Default for RestartText {
    fn default() -> RestartText {
        RestartText {
            services: Vec::new(),
            restart: words("/usr/bin/systemctl restart {service}"),
            check: words("/usr/bin/systemctl is-active --quiet {service}"),
            user: "root".to_owned(),
            active_within_s: seconds(SERVICE_ACTIVE_WITHIN_DEFAULT),
        }
    }
}

impl Default for RebootText {
    fn default() -> RebootText {
        let within_s = seconds(REBOOT_WITHIN_DEFAULT);
        RebootText { reboot: words("/usr/bin/systemctl reboot"), user: "root".to_owned(), within_s }
    }
}

impl ServiceRestart {
    /// Where the policy says nothing: no service may be restarted.
    pub(super) fn usual() -> ServiceRestart {
        let RestartText { services, restart, check, user, active_within_s } = RestartText::default();
        ServiceRestart { services, restart, check, user, active_within: Span::seconds(active_within_s.into()) }
    }
}

impl HostReboot {
    /// Where the policy says nothing.
    pub(super) fn usual() -> HostReboot {
        let RebootText { reboot, user, within_s } = RebootText::default();
        HostReboot { reboot, user, within: Span::seconds(within_s.into()) }
    }
}

impl RestartText {
    pub(super) fn read(self) -> Result<ServiceRestart, String> {
        let RestartText { services, restart, check, user, active_within_s } = self;
        if let Some(odd) = services.iter().find(|name| !is_service(name)) {
            return Err(format!("[service_restart]: `{odd}` is no name of a service"));
        }
        for (key, words) in [("restart", &restart), ("check", &check)] {
            program(words).map_err(|why| format!("[service_restart] {key}: {why}"))?;
            if words.iter().any(|word| word.contains(SERVICE) && word != SERVICE) {
                return Err(format!("[service_restart] {key}: {SERVICE} stands for a whole argument"));
            }
        }
        named(&user).map_err(|why| format!("[service_restart]: {why}"))?;
        Ok(ServiceRestart { services, restart, check, user, active_within: Span::seconds(active_within_s.into()) })
    }
}

impl RebootText {
    pub(super) fn read(self) -> Result<HostReboot, String> {
        let RebootText { reboot, user, within_s } = self;
        program(&reboot).map_err(|why| format!("[host_reboot] reboot: {why}"))?;
        named(&user).map_err(|why| format!("[host_reboot]: {why}"))?;
        Ok(HostReboot { reboot, user, within: Span::seconds(within_s.into()) })
    }
}

pub(super) fn is_service(name: &str) -> bool {
    !name.is_empty() && !name.starts_with('-') && name.bytes().all(|byte| byte.is_ascii_graphic())
}

pub(super) fn program(words: &[String]) -> Result<(), String> {
    match words.first() {
        Some(first) if first.starts_with('/') => Ok(()),
        _ => Err("it begins with a program and its whole path, and its arguments follow".to_owned()),
    }
}

fn named(user: &str) -> Result<(), String> {
    if user.is_empty() { Err("`user` is the name of a user".to_owned()) } else { Ok(()) }
}

impl ServiceRestart {
    fn of(&self, words: &[String], params: &RawValue) -> Result<Vec<String>, NotDone> {
        let RestartPayload { service } = read(SERVICE_RESTART, params)?;
        if !self.services.contains(&service) {
            return Err(NotDone::Service(service));
        }
        let word = |word: &String| if word == SERVICE { service.clone() } else { word.clone() };
        Ok(words.iter().map(word).collect())
    }
}

impl Policy {
    /// The builtin that does the work of a type.
    pub(crate) fn builtin_of<'n>(&'n self, type_name: &'n str) -> Option<&'n str> {
        match self.handlers.get(type_name).map(|handling| &handling.kind) {
            Some(Kind::Builtin(name)) => Some(name),
            Some(_) => None,
            None => Some(type_name),
        }
    }

    /// What a privileged builtin runs for these params.
    pub(crate) fn privileged_command(&self, builtin: &str, params: &RawValue) -> Result<Command, NotDone> {
        if builtin == SERVICE_RESTART {
            let ServiceRestart { restart, user, .. } = &self.service_restart;
            let words = self.service_restart.of(restart, params)?;
            return Ok(command(words, Some(user.clone()), SERVICE_RESTART_MAX));
        }
        reboot_payload(params)?;
        let HostReboot { reboot, user, .. } = &self.host_reboot;
        Ok(command(reboot.clone(), Some(user.clone()), REBOOT_PROGRAM_MAX))
    }

    /// The programs of the machine's own that builtins run.
    pub(super) fn machine_programs(&self) -> Vec<PathBuf> {
        let ServiceRestart { restart, check, .. } = &self.service_restart;
        let programs = [restart, check, &self.host_reboot.reboot];
        programs.into_iter().filter_map(|words| words.first()).map(PathBuf::from).collect()
    }

    /// What says whether the service is active: as the agent's own user.
    pub(crate) fn service_check(&self, params: &RawValue) -> Result<Command, NotDone> {
        let words = self.service_restart.of(&self.service_restart.check, params)?;
        Ok(command(words, None, SERVICE_RESTART_MAX))
    }
}

/// What a reboot is asked for with.
pub(crate) fn reboot_payload(params: &RawValue) -> Result<RebootPayload, NotDone> {
    let payload: RebootPayload = read(HOST_REBOOT, params)?;
    let unfit = |why: String| Err(NotDone::Payload(HOST_REBOOT, why));
    if i64::from(payload.delay_s) > REBOOT_DELAY_MAX.0 / 1000 {
        return unfit(format!("delay_s is at most {}", REBOOT_DELAY_MAX.0 / 1000));
    }
    if payload.reason.as_ref().is_some_and(|reason| reason.len() > REASON_BYTES_MAX) {
        return unfit(format!("a reason has at most {REASON_BYTES_MAX} bytes"));
    }
    Ok(payload)
}

fn read<'p, T: Deserialize<'p>>(builtin: &'static str, params: &'p RawValue) -> Result<T, NotDone> {
    serde_json::from_str(params.get()).map_err(|error| NotDone::Payload(builtin, error.to_string()))
}

pub(super) fn command(mut words: Vec<String>, user: Option<String>, wall: Span) -> Command {
    let program = PathBuf::from(words.remove(0));
    Command {
        program,
        args: words,
        user,
        working_folder: None,
        environment: BTreeMap::new(),
        wall,
        cpu_s: 3600,
        memory_bytes: 1 << 30,
        processes: 100,
        output_bytes: 1 << 20,
        file_bytes: 1 << 30,
        retry_codes: Vec::new(),
        stop_grace: Span::seconds(5),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::Path;

    fn policy(text: &str) -> Result<Policy, String> {
        Policy::parse(text, Path::new("p")).map_err(|error| error.to_string())
    }
    fn raw(text: &str) -> Box<RawValue> {
        RawValue::from_string(text.to_owned()).unwrap()
    }

    #[test]
    fn a_service_of_the_list_is_an_argument_of_its_own() {
        let site = policy("[service_restart]\nservices = [\"nginx\"]").unwrap();
        let command = site.privileged_command(SERVICE_RESTART, &raw(r#"{"service":"nginx"}"#)).unwrap();
        assert_eq!(
            (command.program.as_path(), command.user.as_deref()),
            (Path::new("/usr/bin/systemctl"), Some("root"))
        );
        assert_eq!(command.args, ["restart", "nginx"]);
        let check = site.service_check(&raw(r#"{"service":"nginx"}"#)).unwrap();
        assert_eq!((check.args.last().unwrap().as_str(), check.user), ("nginx", None));
        let other = site.privileged_command(SERVICE_RESTART, &raw(r#"{"service":"nginx.service"}"#));
        assert_eq!(other, Err(NotDone::Service("nginx.service".to_owned())));
        for odd in ["{}", r#"{"service":"nginx","force":true}"#, "7"] {
            assert!(matches!(site.privileged_command(SERVICE_RESTART, &raw(odd)), Err(NotDone::Payload(..))), "{odd}");
        }
    }

    #[test]
    fn a_reboot_is_not_put_off_for_ever() {
        let site = policy("").unwrap();
        assert_eq!(site.privileged_command(HOST_REBOOT, &raw("{}")).unwrap().args, ["reboot"]);
        assert_eq!(reboot_payload(&raw(r#"{"reason":"kernel","delay_s":60}"#)).unwrap().delay_s, 60);
        for odd in [r#"{"delay_s":3601}"#, r#"{"delay_s":-1}"#, r#"{"now":true}"#] {
            assert!(reboot_payload(&raw(odd)).is_err(), "{odd}");
        }
    }

    #[test]
    fn what_is_wrong_with_a_table_is_said() {
        for (text, said) in [
            ("[service_restart]\nservices = [\"-f\"]", "no name of a service"),
            ("[service_restart]\nrestart = []", "whole path"),
            ("[service_restart]\ncheck = [\"/x\", \"unit={service}\"]", "a whole argument"),
            ("[service_restart]\nuser = \"\"", "name of a user"),
            ("[host_reboot]\nreboot = [\"reboot\"]", "whole path"),
        ] {
            assert!(policy(text).unwrap_err().contains(said), "{text}");
        }
    }
}
