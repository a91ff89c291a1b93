//! The `[handlers."TYPE"]` tables of a policy: what does the work of a type at this site.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use sortie_rules::addresses::Allowed;
use sortie_rules::limits::OPERATORS_MAX;
use sortie_rules::tasks::Class;
use sortie_rules::time::Span;

use super::privileged::is_privileged;
use crate::handlers::BUILTIN_TYPES;

/// How a type is run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Handling {
    /// Who must have signed it.
    pub class: Class,
    /// How many operators must have, if it is privileged.
    pub signatures: u32,
    /// What does it.
    pub kind: Kind,
}

/// What does the work.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Kind {
    /// A handler that the agent has, by the name of its type.
    Builtin(String),
    /// A program.
    Command(Command),
    /// A local service.
    Http(Service),
}

/// A program and its limits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Command {
    /// The program.
    pub program: PathBuf,
    /// Its arguments; nothing of a task ever stands in them.
    pub args: Vec<String>,
    /// As which user it runs, by way of the helper; as the agent's own if absent.
    pub user: Option<String>,
    /// Where it starts; an empty folder of its own for each run if absent.
    pub working_folder: Option<PathBuf>,
    /// What its environment holds beside what the agent says.
    pub environment: BTreeMap<String, String>,
    /// Longest run.
    pub wall: Span,
    /// Most processor time of one process, in seconds.
    pub cpu_s: u64,
    /// Most memory of the program and all that it begins, in bytes.
    pub memory_bytes: u64,
    /// Most processes at once.
    pub processes: usize,
    /// Most bytes on standard output.
    pub output_bytes: u64,
    /// Largest file that it may write, in bytes.
    pub file_bytes: u64,
    /// Exit codes by which it asks for another try.
    pub retry_codes: Vec<i32>,
    /// Between asking it to stop and ending it.
    pub stop_grace: Span,
}

/// A local service.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Service {
    /// Where the payload is posted.
    pub url: String,
    /// What that address may turn out to be.
    pub allowed: Allowed,
    /// A file with more headers, one `Name: value` a line: secrets belong there.
    pub headers_file: Option<PathBuf>,
    /// Longest wait for the whole answer.
    pub wall: Span,
}

/// A table as it is written. Which keys belong to which kind is checked afterwards.
#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields, default)]
pub(super) struct HandlerText {
    kind: String,
    class: Option<String>,
    signatures: Option<u32>,
    builtin: Option<String>,
    program: Option<PathBuf>,
    args: Option<Vec<String>>,
    user: Option<String>,
    working_folder: Option<PathBuf>,
    environment: Option<BTreeMap<String, String>>,
    wall_s: Option<u32>,
    cpu_s: Option<u32>,
    memory_mb: Option<u32>,
    processes: Option<u32>,
    output_mb: Option<u32>,
    file_mb: Option<u32>,
    retry_codes: Option<Vec<i32>>,
    stop_grace_s: Option<u32>,
    url: Option<String>,
    allow: Option<Vec<String>>,
    headers_file: Option<PathBuf>,
}

const MIB: u64 = 1 << 20;

impl HandlerText {
    /// What the table of this type says, or the sentence that says what is wrong with it.
    pub(super) fn read(self, type_name: &str) -> Result<Handling, String> {
        let done_by = self.builtin.as_deref().unwrap_or(type_name);
        let class = match self.class.as_deref() {
            None if is_privileged(type_name) || is_privileged(done_by) => Class::Privileged,
            None => Class::Routine,
            Some(word) => Class::parse(word).ok_or("`class` is \"routine\" or \"privileged\"")?,
        };
        let signatures = match self.signatures {
            Some(_) if class != Class::Privileged => {
                return Err("`signatures` goes with class = \"privileged\"".to_owned());
            }
            None => 1,
            Some(number) if (1..=OPERATORS_MAX).contains(&(number as usize)) => number,
            Some(_) => return Err(format!("`signatures` is a number from 1 to {OPERATORS_MAX}")),
        };
        let kind = match self.kind.as_str() {
            "builtin" => {
                self.has_only("builtin", &["builtin"])?;
                let own = BUILTIN_TYPES.contains(&type_name).then(|| type_name.to_owned());
                let builtin = self.builtin.or(own);
                Kind::Builtin(builtin.ok_or("`builtin` is missing: the name of the type that the agent can do")?)
            }
            "command" => {
                let own = "program args user working_folder environment wall_s cpu_s memory_mb processes output_mb \
                           file_mb retry_codes stop_grace_s";
                self.has_only("command", &own.split_whitespace().collect::<Vec<_>>())?;
                Kind::Command(self.command()?)
            }
            "http" => {
                self.has_only("http", &["url", "allow", "headers_file", "wall_s"])?;
                Kind::Http(self.service()?)
            }
            // A table of the agent's own type says no more than who must have signed it.
            "" if BUILTIN_TYPES.contains(&type_name) && self.has_only("builtin", &[]).is_ok() => {
                Kind::Builtin(type_name.to_owned())
            }
            "" => return Err("`kind` is missing: \"command\", \"http\" or \"builtin\"".into()),
            other => return Err(format!("`kind` is \"command\", \"http\" or \"builtin\", not \"{other}\"")),
        };
        Ok(Handling { class, signatures, kind })
    }

    fn has_only(&self, kind: &str, own: &[&str]) -> Result<(), String> {
        let given = [
            ("builtin", self.builtin.is_some()),
            ("program", self.program.is_some()),
            ("args", self.args.is_some()),
            ("user", self.user.is_some()),
            ("working_folder", self.working_folder.is_some()),
            ("environment", self.environment.is_some()),
            ("wall_s", self.wall_s.is_some()),
            ("cpu_s", self.cpu_s.is_some()),
            ("memory_mb", self.memory_mb.is_some()),
            ("processes", self.processes.is_some()),
            ("output_mb", self.output_mb.is_some()),
            ("file_mb", self.file_mb.is_some()),
            ("retry_codes", self.retry_codes.is_some()),
            ("stop_grace_s", self.stop_grace_s.is_some()),
            ("url", self.url.is_some()),
            ("allow", self.allow.is_some()),
            ("headers_file", self.headers_file.is_some()),
        ];
        match given.iter().find(|(key, is_given)| *is_given && !own.contains(key)) {
            Some((key, _)) => Err(format!("a handler of kind \"{kind}\" has no `{key}`; it has {}", own.join(", "))),
            None => Ok(()),
        }
    }

    fn command(self) -> Result<Command, String> {
        let program = self.program.ok_or("`program` is missing: the program to run, with its whole path")?;
        whole("program", &program)?;
        if self.user.as_ref().is_some_and(String::is_empty) {
            return Err("`user` is the name of a user; leave it out for the agent's own".into());
        }
        if let Some(folder) = &self.working_folder {
            whole("working_folder", folder)?;
        }
        let environment = self.environment.unwrap_or_default();
        if let Some((name, _)) = environment.iter().find(|(name, value)| {
            name.is_empty() || name.contains(['=', '\0']) || value.contains('\0') || name.starts_with("SORTIE_")
        }) {
            return Err(format!("`environment` cannot set `{name}`"));
        }
        let megabytes = |given: Option<u32>, usual: u32| u64::from(given.unwrap_or(usual)) * MIB;
        let command = Command {
            program,
            args: self.args.unwrap_or_default(),
            user: self.user,
            working_folder: self.working_folder,
            environment,
            wall: Span::seconds(self.wall_s.unwrap_or(3600).into()),
            cpu_s: self.cpu_s.unwrap_or(3600).into(),
            memory_bytes: megabytes(self.memory_mb, 1024),
            processes: self.processes.unwrap_or(100) as usize,
            output_bytes: megabytes(self.output_mb, 64),
            file_bytes: megabytes(self.file_mb, 1024),
            retry_codes: self.retry_codes.unwrap_or_else(|| vec![75]),
            stop_grace: Span::seconds(self.stop_grace_s.unwrap_or(5).into()),
        };
        let limits = [
            command.wall.0.unsigned_abs(),
            command.cpu_s,
            command.memory_bytes,
            command.processes as u64,
            command.output_bytes,
            command.file_bytes,
        ];
        if limits.contains(&0) {
            return Err("a limit of 0 lets nothing run; leave it out for the usual one".into());
        }
        Ok(command)
    }

    fn service(self) -> Result<Service, String> {
        let url = self.url.ok_or("`url` is missing: where the payload is posted")?;
        let rest = url.strip_prefix("http://").or_else(|| url.strip_prefix("https://"));
        let authority =
            rest.and_then(|rest| rest.split(['/', '?', '#']).next()).filter(|authority| !authority.is_empty());
        let authority = authority.ok_or("`url` must begin with http:// or https:// and name a host")?;
        if authority.contains('@') {
            return Err("`url` must not hold credentials; put them into the headers_file".into());
        }
        let has_port = authority.rsplit(':').next().is_some_and(|port| port.bytes().all(|b| b.is_ascii_digit()))
            && authority.contains(':')
            && !authority.ends_with(']');
        let usual_port = if url.starts_with("https") { 443 } else { 80 };
        let own = if has_port { authority.to_owned() } else { format!("{authority}:{usual_port}") };
        let mut entries = vec![own];
        entries.extend(self.allow.unwrap_or_default());
        let allowed = Allowed::parse(&entries).map_err(|error| error.to_string())?;
        if let Some(file) = &self.headers_file {
            whole("headers_file", file)?;
        }
        let wall = Span::seconds(self.wall_s.unwrap_or(60).max(1).into());
        Ok(Service { url, allowed, headers_file: self.headers_file, wall })
    }
}

fn whole(key: &str, path: &Path) -> Result<(), String> {
    if path.is_absolute() { Ok(()) } else { Err(format!("`{key}` must be a whole path, beginning with /")) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Handling, String> {
        toml_text(text).read("x.y")
    }

    fn toml_text(text: &str) -> HandlerText {
        sortie_rules::config::load(text, "p", std::iter::empty(), "", &["*"]).unwrap()
    }

    #[test]
    fn a_program_has_limits_whether_or_not_they_are_named() {
        let Kind::Command(usual) = read("kind = \"command\"\nprogram = \"/bin/x\"").unwrap().kind else { panic!() };
        assert_eq!((usual.memory_bytes, usual.processes, usual.retry_codes), (1 << 30, 100, vec![75]));
        let Kind::Command(named) = read("kind = \"command\"\nprogram = \"/bin/x\"\nmemory_mb = 5").unwrap().kind else {
            panic!()
        };
        assert_eq!(named.memory_bytes, 5 << 20);
    }

    #[test]
    fn a_service_may_be_where_its_address_says_and_where_the_site_adds() {
        let Kind::Http(service) = read("kind = \"http\"\nurl = \"http://localhost:8042/x\"").unwrap().kind else {
            panic!()
        };
        assert!(service.allowed.allows("localhost", "127.0.0.1:8042".parse().unwrap()));
        assert!(!service.allowed.allows("localhost", "127.0.0.1:80".parse().unwrap()));
        let Kind::Http(usual) = read("kind = \"http\"\nurl = \"https://10.0.0.1/x\"").unwrap().kind else { panic!() };
        assert!(usual.allowed.allows("10.0.0.1", "10.0.0.1:443".parse().unwrap()));
    }

    #[test]
    fn a_table_of_the_agent_s_own_type_may_say_who_must_have_signed_it_and_no_more() {
        let own = |text: &str| toml_text(text).read("service.restart");
        let two = own("signatures = 2").unwrap();
        assert_eq!((two.class, two.signatures), (Class::Privileged, 2));
        assert_eq!(two.kind, Kind::Builtin("service.restart".to_owned()));
        assert_eq!(two, own("kind = \"builtin\"\nbuiltin = \"service.restart\"\nsignatures = 2").unwrap());
        assert_eq!(own("class = \"routine\"").unwrap().class, Class::Routine);
        assert!(own("program = \"/bin/x\"").unwrap_err().contains("`kind` is missing"));
        assert!(own("kind = \"builtin\"\nsignatures = 2").is_ok());
    }

    #[test]
    fn what_is_wrong_is_said() {
        for (text, said) in [
            ("", "`kind` is missing"),
            ("kind = \"shell\"", "not \"shell\""),
            ("kind = \"command\"", "`program` is missing"),
            ("kind = \"command\"\nprogram = \"x\"", "whole path"),
            ("kind = \"command\"\nprogram = \"/x\"\nwall_s = 0", "a limit of 0"),
            ("kind = \"command\"\nprogram = \"/x\"\nurl = \"http://x\"", "has no `url`"),
            ("kind = \"command\"\nprogram = \"/x\"\nenvironment = { SORTIE_RUN = \"1\" }", "cannot set"),
            ("kind = \"http\"", "`url` is missing"),
            ("kind = \"http\"\nurl = \"ftp://x\"", "http:// or https://"),
            ("kind = \"http\"\nurl = \"http://u:p@x\"", "credentials"),
            ("kind = \"builtin\"", "`builtin` is missing"),
            ("kind = \"builtin\"\nbuiltin = \"sleep\"\nclass = \"x\"", "`class` is"),
            ("kind = \"builtin\"\nbuiltin = \"sleep\"\nsignatures = 1", "goes with class"),
            ("kind = \"builtin\"\nbuiltin = \"sleep\"\nclass = \"privileged\"\nsignatures = 17", "from 1 to 16"),
        ] {
            assert!(read(text).unwrap_err().contains(said), "{text}: {:?}", read(text));
        }
    }
}
