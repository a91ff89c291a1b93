//! A member as it is typed: `NAME=FILE`, or a file of a public key whose comment is the name.

use std::path::Path;
use std::str::FromStr;

use sortie_rules::names::check_name;
use sortie_wire::operators::Operator;
use sortie_wire::ssh::SshKey;

/// A member as it was typed.
#[derive(Debug, Clone)]
pub(super) struct Member(pub(super) Operator);

impl FromStr for Member {
    type Err = String;

    fn from_str(typed: &str) -> Result<Member, String> {
        let (name, file) = match typed.split_once('=') {
            Some((name, file)) => (Some(name.to_owned()), file),
            None => (None, typed),
        };
        let text =
            std::fs::read_to_string(Path::new(file)).map_err(|error| format!("{file} cannot be read: {error}"))?;
        let line = text.lines().find(|line| !line.trim().is_empty()).unwrap_or_default();
        let key: SshKey = line.parse().map_err(|error| format!("{file}: {error}"))?;
        let comment = line.split_whitespace().nth(2).map(|comment| comment.split('@').next().unwrap_or(comment));
        let name = name.or_else(|| comment.map(str::to_owned));
        let name = name.ok_or_else(|| format!("{file} does not say whose key it is; write NAME={file}"))?;
        check_name("operator", &name).map_err(|bad| format!("{bad}; write NAME={file}"))?;
        Ok(Member(Operator { name, key }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: &str = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIGDvJnxwk0FiFP7w1h2xCwTQwwa6PV3w8cmQAQEo6jH5";

    #[test]
    fn a_member_has_a_name_from_the_file_or_from_whoever_types() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("a.pub").display().to_string();
        let read = |text: &str, typed: &str| {
            std::fs::write(&file, text).unwrap();
            typed.replace("FILE", &file).parse::<Member>().map(|member| member.0.name)
        };
        assert_eq!(read(&format!("{KEY} ada@home\n"), "FILE").unwrap(), "ada");
        assert_eq!(read(&format!("{KEY} ada@home\n"), "bob=FILE").unwrap(), "bob");
        assert!(read(KEY, "FILE").unwrap_err().contains("write NAME="));
        assert!(read(&format!("{KEY} Ada"), "FILE").unwrap_err().contains("only a-z"));
        assert!(read("nonsense", "a=FILE").unwrap_err().contains("not an SSH public key"));
        assert!("a=/no/such".parse::<Member>().is_err());
    }
}
