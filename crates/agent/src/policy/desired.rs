//! The tables of desired state: which kinds of resources this site takes, where, and what does their work.

use std::collections::BTreeMap;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use sortie_rules::desired::ResourceKey;
use sortie_rules::limits::{APPLIER_OUTPUT_BYTES_MAX, APPLIER_WITHIN_DEFAULT, DRIFT_LOOKED_FOR_EVERY, OPERATORS_MAX};
use sortie_rules::tasks::Class;
use sortie_rules::time::Span;

use super::file::Policy;
use super::handlers::{Command, Kind};
use super::paths::Roots;
use super::privileged::{command, is_service, program};

/// What a site lets desired states do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Desired {
    /// The kinds of resources that are taken.
    pub kinds: Vec<String>,
    /// Those of them that only an operator may ask for.
    pub privileged_kinds: Vec<String>,
    /// How many operators must have signed those.
    pub signatures: u32,
    /// How often is looked for drift.
    pub look_every: Span,
    /// Where files and folders may be.
    pub file_roots: Roots,
    /// The services of the machine's own manager that may be started and stopped.
    pub services: Vec<String>,
    systemctl: PathBuf,
    /// The services that the agent runs itself, by name.
    pub programs: BTreeMap<String, Command>,
    /// What does the work of kinds that the agent does not know, by `KIND` or `KIND/NAME`.
    pub appliers: BTreeMap<String, Applier>,
}

/// The site's own programs for resources of a kind, or for one resource.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Applier {
    /// Who must have signed it.
    pub class: Class,
    /// How many operators must have, if it is privileged.
    pub signatures: u32,
    /// Says whether a resource is as it should be.
    pub check: Command,
    /// Makes it so.
    pub apply: Command,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct DesiredText {
    kinds: Vec<String>,
    privileged_kinds: Vec<String>,
    signatures: u32,
    look_every_s: u32,
}

impl Default for DesiredText {
    fn default() -> DesiredText {
        let look_every_s = u32::try_from(DRIFT_LOOKED_FOR_EVERY.0 / 1000).unwrap_or(u32::MAX);
        DesiredText { kinds: Vec::new(), privileged_kinds: Vec::new(), signatures: 1, look_every_s }
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct ServicesText {
    services: Vec<String>,
    systemctl: PathBuf,
    programs: BTreeMap<String, ProgramText>,
}

impl Default for ServicesText {
    fn default() -> ServicesText {
        ServicesText { services: Vec::new(), systemctl: "/usr/bin/systemctl".into(), programs: BTreeMap::new() }
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ProgramText {
    program: PathBuf,
    #[serde(default)]
    args: Vec<String>,
    #[serde(default)]
    environment: BTreeMap<String, String>,
    working_folder: Option<PathBuf>,
    memory_mb: Option<u32>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ApplierText {
    check: Vec<String>,
    apply: Vec<String>,
    class: Option<String>,
    signatures: Option<u32>,
    wall_s: Option<u32>,
    #[serde(default)]
    environment: BTreeMap<String, String>,
}

impl Desired {
    /// What the tables say, or the sentence that says what is wrong with them.
    pub(super) fn read(
        desired: DesiredText,
        roots: Vec<PathBuf>,
        services: ServicesText,
        appliers: BTreeMap<String, ApplierText>,
    ) -> Result<Desired, String> {
        let DesiredText { kinds, privileged_kinds, signatures, look_every_s } = desired;
        countable(signatures).map_err(|why| format!("[desired]: {why}"))?;
        for kind in kinds.iter().chain(&privileged_kinds) {
            sortie_rules::desired::check_kind(kind).map_err(|why| format!("[desired]: {why}"))?;
        }
        if look_every_s == 0 {
            return Err("[desired] look_every_s: it is at least 1".to_owned());
        }
        if let Some(odd) = services.services.iter().chain(services.programs.keys()).find(|name| !is_service(name)) {
            return Err(format!("[desired_services]: `{odd}` is no name of a service"));
        }
        if !services.systemctl.is_absolute() {
            return Err("[desired_services] systemctl: it is a program with its whole path".to_owned());
        }
        let read_program = |(name, text): (String, ProgramText)| {
            let read = text.read().map_err(|why| format!("[desired_services.programs.\"{name}\"]: {why}"))?;
            Ok((name, read))
        };
        let read_applier = |(name, text): (String, ApplierText)| {
            let read = text.read(&name).map_err(|why| format!("[appliers.\"{name}\"]: {why}"))?;
            Ok((name, read))
        };
        Ok(Desired {
            kinds,
            privileged_kinds,
            signatures,
            look_every: Span::seconds(look_every_s.into()),
            file_roots: Roots::new(roots),
            services: services.services,
            systemctl: services.systemctl,
            programs: services.programs.into_iter().map(read_program).collect::<Result<_, String>>()?,
            appliers: appliers.into_iter().map(read_applier).collect::<Result<_, String>>()?,
        })
    }

    /// Where the policy says nothing: no resource is taken.
    pub(super) fn nothing() -> Desired {
        Desired {
            kinds: Vec::new(),
            privileged_kinds: Vec::new(),
            signatures: 1,
            look_every: DRIFT_LOOKED_FOR_EVERY,
            file_roots: Roots::new(Vec::new()),
            services: Vec::new(),
            systemctl: ServicesText::default().systemctl,
            programs: BTreeMap::new(),
            appliers: BTreeMap::new(),
        }
    }

    /// Whether resources of this kind are taken.
    pub(crate) fn takes(&self, kind: &str) -> bool {
        self.kinds.iter().any(|taken| taken == kind)
    }

    /// What does the work of a resource, if the site has programs for it: its own come before those of its kind.
    pub(crate) fn applier(&self, resource: &ResourceKey) -> Option<&Applier> {
        self.appliers.get(&resource.to_string()).or_else(|| self.appliers.get(&resource.kind))
    }

    /// How many operators must have signed this resource; none if nobody must.
    pub(crate) fn signatures(&self, resource: &ResourceKey) -> Option<u32> {
        let applier = self.applier(resource).filter(|applier| applier.class == Class::Privileged);
        let by_kind = self.privileged_kinds.contains(&resource.kind).then_some(self.signatures);
        applier.map(|applier| applier.signatures).max(by_kind)
    }

    /// A word to the machine's service manager.
    pub(crate) fn systemctl(&self, words: &[&str]) -> Command {
        let all = std::iter::once(self.systemctl.display().to_string()).chain(words.iter().map(|word| (*word).into()));
        command(all.collect(), None, APPLIER_WITHIN_DEFAULT)
    }
}

impl ProgramText {
    fn read(self) -> Result<Command, String> {
        let ProgramText { program: path, args, environment, working_folder, memory_mb } = self;
        let words: Vec<String> = std::iter::once(path.display().to_string()).chain(args).collect();
        program(&words)?;
        settable(&environment)?;
        if working_folder.as_ref().is_some_and(|folder| !folder.is_absolute()) {
            return Err("`working_folder` must be a whole path, beginning with /".to_owned());
        }
        // It runs for as long as it is to: what is limited is what it takes of the machine at once.
        Ok(Command {
            environment,
            working_folder,
            memory_bytes: u64::from(memory_mb.unwrap_or(1024)) << 20,
            cpu_s: u64::from(u32::MAX),
            file_bytes: 1 << 40,
            ..command(words, None, Span::hours(24 * 365))
        })
    }
}

impl ApplierText {
    fn read(self, name: &str) -> Result<Applier, String> {
        let is_kind = |name: &str| sortie_rules::desired::check_kind(name).is_ok();
        if !is_kind(name) && name.parse::<ResourceKey>().is_err() {
            return Err("a table of appliers is named by a kind, or by one resource: KIND/NAME".to_owned());
        }
        let class = match self.class.as_deref() {
            None => Class::Routine,
            Some(word) => Class::parse(word).ok_or("`class` is \"routine\" or \"privileged\"")?,
        };
        if self.signatures.is_some() && class != Class::Privileged {
            return Err("`signatures` goes with class = \"privileged\"".to_owned());
        }
        let signatures = self.signatures.unwrap_or(1);
        countable(signatures)?;
        let wall = match self.wall_s {
            None => APPLIER_WITHIN_DEFAULT,
            Some(0) => return Err("`wall_s` is at least 1".to_owned()),
            Some(seconds) => Span::seconds(seconds.into()),
        };
        settable(&self.environment)?;
        let part = |key: &str, words: Vec<String>| {
            program(&words).map_err(|why| format!("{key}: {why}"))?;
            let limits = command(words, None, wall);
            Ok::<_, String>(Command {
                environment: self.environment.clone(),
                output_bytes: APPLIER_OUTPUT_BYTES_MAX,
                ..limits
            })
        };
        Ok(Applier { class, signatures, check: part("check", self.check)?, apply: part("apply", self.apply)? })
    }
}

fn countable(signatures: u32) -> Result<(), String> {
    let is_countable = (1..=OPERATORS_MAX).contains(&(signatures as usize));
    if is_countable { Ok(()) } else { Err(format!("`signatures` is a number from 1 to {OPERATORS_MAX}")) }
}

/// Whether a program's environment may be set so.
pub(super) fn settable(environment: &BTreeMap<String, String>) -> Result<(), String> {
    let is_odd = |(name, value): &(&String, &String)| {
        name.is_empty() || name.contains(['=', '\0']) || value.contains('\0') || name.starts_with("SORTIE_")
    };
    match environment.iter().find(is_odd) {
        Some((name, _)) => Err(format!("`environment` cannot set `{name}`")),
        None => Ok(()),
    }
}

impl Policy {
    /// Every file that the policy names as a program, or hands to one as a program, and the files with secrets that it
    /// names: nothing that comes from the hub may touch them.
    pub(crate) fn named_files(&self) -> Vec<PathBuf> {
        let mut files = Vec::new();
        let mut add = |command: &Command| {
            files.push(command.program.clone());
            // An interpreter's script is a program, too.
            let scripts = command.args.iter().map(PathBuf::from).filter(|path| is_program(path));
            files.extend(scripts);
        };
        for handling in self.handlers.values() {
            if let Kind::Command(command) = &handling.kind {
                add(command);
            }
        }
        self.desired.programs.values().for_each(&mut add);
        self.desired
            .appliers
            .values()
            .for_each(|applier| [&applier.check, &applier.apply].into_iter().for_each(&mut add));
        self.reports.programs.values().for_each(|program| add(&program.command));
        files.push(self.desired.systemctl.clone());
        files.extend(self.machine_programs());
        files.extend(self.handlers.values().filter_map(|handling| match &handling.kind {
            Kind::Http(service) => service.headers_file.clone(),
            _ => None,
        }));
        files
    }
}

fn is_program(path: &Path) -> bool {
    let is_executable = |meta: std::fs::Metadata| meta.is_file() && meta.permissions().mode() & 0o111 != 0;
    path.is_absolute() && std::fs::metadata(path).is_ok_and(is_executable)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn policy(text: &str) -> Result<Policy, String> {
        Policy::parse(text, Path::new("p")).map_err(|error| error.to_string())
    }

    #[test]
    fn a_site_that_says_nothing_takes_no_resource() {
        let site = policy("").unwrap();
        assert!(!site.desired.takes("file"));
        assert_eq!(site.desired.look_every, DRIFT_LOOKED_FOR_EVERY);
    }

    #[test]
    fn a_resource_s_own_applier_comes_before_that_of_its_kind() {
        let site = policy(
            "[desired]\nkinds = [\"command\"]\nprivileged_kinds = [\"tool\"]\n\
             [appliers.\"command\"]\ncheck = [\"/a\"]\napply = [\"/b\"]\n\
             [appliers.\"command/clock\"]\ncheck = [\"/c\", \"-q\"]\napply = [\"/d\"]\nwall_s = 5\n\
             class = \"privileged\"\nsignatures = 2",
        )
        .unwrap();
        let (clock, other): (ResourceKey, ResourceKey) =
            ("command/clock".parse().unwrap(), "command/other".parse().unwrap());
        let applier = site.desired.applier(&clock).unwrap();
        assert_eq!((applier.check.program.as_path(), applier.check.wall), (Path::new("/c"), Span::seconds(5)));
        assert_eq!(site.desired.applier(&other).unwrap().apply.program, Path::new("/b"));
        let tool = "tool/x".parse().unwrap();
        let asked = [&clock, &other, &tool].map(|key| site.desired.signatures(key));
        assert_eq!(asked, [Some(2), None, Some(1)]);
        for file in ["/a", "/b", "/c", "/d", "/usr/bin/systemctl"] {
            assert!(site.named_files().contains(&PathBuf::from(file)), "{file}");
        }
    }

    #[test]
    fn what_is_wrong_with_a_table_is_said() {
        for (text, said) in [
            ("[desired]\nkinds = [\"File\"]", "only a-z"),
            ("[desired]\nlook_every_s = 0", "at least 1"),
            ("[desired_services]\nservices = [\"-x\"]", "no name of a service"),
            ("[desired_services.programs.web]\nprogram = \"web\"", "whole path"),
            ("[appliers.\"command\"]\ncheck = [\"x\"]\napply = [\"/b\"]", "check: it begins with"),
            ("[appliers.\"Odd Name\"]\ncheck = [\"/a\"]\napply = [\"/b\"]", "KIND/NAME"),
            ("[appliers.\"a\"]\ncheck = [\"/a\"]\napply = [\"/b\"]\nclass = \"x\"", "`class` is"),
            ("[appliers.\"a\"]\ncheck = [\"/a\"]\napply = [\"/b\"]\nsignatures = 1", "goes with class"),
            ("[desired]\nsignatures = 0", "from 1 to"),
            ("[appliers.\"a\"]\ncheck = [\"/a\"]", "missing field `apply`"),
        ] {
            let refusal = policy(text).unwrap_err();
            assert!(refusal.contains(said), "{text}: {refusal}");
        }
    }
}
