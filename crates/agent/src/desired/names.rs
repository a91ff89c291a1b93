//! Users and groups of the machine, by name and by number.

use std::process::{Command, Stdio};

use crate::helper::uid_of;

/// What `/etc/passwd` and `/etc/group` say.
#[derive(Debug)]
pub(super) struct Names {
    users: String,
    groups: String,
}

impl Names {
    /// Reads them.
    pub(super) fn read() -> Names {
        let text = |path| std::fs::read_to_string(path).unwrap_or_default();
        Names { users: text("/etc/passwd"), groups: text("/etc/group") }
    }

    /// The number of a user, by name or as it is.
    pub(super) fn uid(&self, name: &str) -> Result<u32, String> {
        // Also users that come from a directory.
        number(name).or_else(|| find(&self.users, name)).map_or_else(|| uid_of(name), Ok)
    }

    /// The number of a group, by name or as it is.
    pub(super) fn gid(&self, name: &str) -> Result<u32, String> {
        number(name).or_else(|| find(&self.groups, name)).map_or_else(|| gid_of(name), Ok)
    }

    /// The name of a user, or the number if it has none.
    pub(super) fn user(&self, uid: u32) -> String {
        named(&self.users, uid)
    }

    /// The name of a group, or the number if it has none.
    pub(super) fn group(&self, gid: u32) -> String {
        named(&self.groups, gid)
    }
}

/// All ones stands for nobody in the kernel's calls.
fn number(name: &str) -> Option<u32> {
    name.parse().ok().filter(|number| *number != u32::MAX)
}

fn rows(text: &str) -> impl Iterator<Item = (&str, u32)> {
    text.lines().filter_map(|line| {
        let mut fields = line.split(':');
        Some((fields.next()?, fields.nth(1)?.parse().ok()?))
    })
}

fn find(text: &str, name: &str) -> Option<u32> {
    rows(text).find(|(row, _)| *row == name).map(|(_, number)| number)
}

fn named(text: &str, number: u32) -> String {
    rows(text).find(|(_, row)| *row == number).map_or_else(|| number.to_string(), |(name, _)| name.to_owned())
}

fn gid_of(name: &str) -> Result<u32, String> {
    let unknown = || format!("this machine knows no group `{name}`");
    if name.is_empty() || name.starts_with('-') || !name.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Err(format!("`{name}` is no name of a group"));
    }
    let mut command = Command::new("/usr/bin/getent");
    let said = command.env_clear().args(["group", "--", name]).stdin(Stdio::null()).output();
    let said = said.map_err(|error| format!("/usr/bin/getent: {error}"))?;
    find(&String::from_utf8_lossy(&said.stdout), name).ok_or_else(unknown)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn users_and_groups_are_found_by_name_and_by_number() {
        let names = Names { users: "root:x:0:0::/:/bin/sh\napp:x:77:78::/:\n".into(), groups: "app:x:78:\n".into() };
        assert_eq!((names.uid("app"), names.gid("app"), names.uid("12")), (Ok(77), Ok(78), Ok(12)));
        assert_eq!((names.user(77), names.user(5), names.group(78)), ("app".into(), "5".into(), "app".into()));
        for nobody in ["", "-x", "sortie-nobody-has-this-name", "4294967295"] {
            assert!(names.uid(nobody).is_err() && names.gid(nobody).is_err(), "{nobody}");
        }
    }
}
