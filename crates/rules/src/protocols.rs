//! Which versions of the agents' protocol there are, which one two speak, and that an agent never speaks a lower one
//! than it has spoken with its hub.
//!
//! A version is served for at least two minor versions of the program after the one that brings its successor: when
//! 0.N brings version 2, every hub up to 0.N+2 serves version 1, too. So far there is one.

/// One version that a hub serves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Served {
    /// Its number.
    pub version: u32,
    /// The minor version of the program (0.N) that brought its successor, if one has.
    pub followed_in: Option<u32>,
}

/// What this program serves and speaks, oldest first. Whoever takes a line out holds to [`may_be_dropped`].
pub const SERVED: &[Served] = &[Served { version: 1, followed_in: None }];
/// The newest.
pub const NEWEST: u32 = SERVED[SERVED.len() - 1].version;
/// For how many minor versions an old one is served after its successor has come.
pub const SERVED_FOR_MINORS: u32 = 2;
/// The header with which both sides say which versions they speak, newest last: `1,2`.
pub const HEADER: &str = "sortie-protocol";
/// Longest value of that header, in bytes.
const HEADER_BYTES_MAX: usize = 100;

/// Nothing that the other side speaks is served here.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("no version of the protocol is spoken on both sides")]
pub struct Unsupported;

/// The hub speaks a lower version than it has spoken before.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "it speaks version {offered} of the protocol, and version {spoken} has been spoken with this hub before; either \
     the hub was put back to an older program, or something on the way makes it believe that this agent is older"
)]
pub struct Lower {
    /// What was offered.
    pub offered: u32,
    /// The highest that was spoken.
    pub spoken: u32,
}

/// What this program speaks, as the header says it.
pub fn spoken() -> String {
    SERVED.iter().map(|served| served.version.to_string()).collect::<Vec<_>>().join(",")
}

/// The highest version that both speak. Who says nothing speaks the first.
pub fn choose(header: Option<&str>) -> Result<u32, Unsupported> {
    let text = header.unwrap_or("1");
    if text.len() > HEADER_BYTES_MAX {
        return Err(Unsupported);
    }
    let theirs = text.split(',').filter_map(|word| word.trim().parse::<u32>().ok());
    theirs.filter(|version| SERVED.iter().any(|served| served.version == *version)).max().ok_or(Unsupported)
}

/// The highest version that was spoken, once the hub has spoken this one.
pub fn goes_on(spoken: u32, offered: u32) -> Result<u32, Lower> {
    if offered < spoken { Err(Lower { offered, spoken }) } else { Ok(offered) }
}

/// Whether a program of this minor version need not serve a version any more.
pub fn may_be_dropped(served: Served, minor: u32) -> bool {
    served.followed_in.is_some_and(|since| minor > since + SERVED_FOR_MINORS)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_highest_that_both_speak_is_chosen() {
        assert_eq!(choose(None), Ok(1));
        assert_eq!(choose(Some(&spoken())), Ok(NEWEST));
        assert_eq!(choose(Some("1, 7,9")), Ok(1));
        for other in ["7", "", "x", "0", "-1", "99999999999"] {
            assert_eq!(choose(Some(other)), Err(Unsupported), "{other}");
        }
        assert_eq!(choose(Some(&"1,".repeat(100))), Err(Unsupported));
    }

    #[test]
    fn it_never_goes_down() {
        assert_eq!(goes_on(0, 1), Ok(1));
        assert_eq!(goes_on(1, 2), Ok(2));
        assert_eq!(goes_on(2, 1), Err(Lower { offered: 1, spoken: 2 }));
    }

    #[test]
    fn an_old_version_is_served_for_two_more_minor_versions() {
        let first = Served { version: 1, followed_in: Some(4) };
        assert!([4, 5, 6].into_iter().all(|minor| !may_be_dropped(first, minor)));
        assert!(may_be_dropped(first, 7));
        assert!(SERVED.is_sorted_by_key(|served| served.version));
        assert!(SERVED.iter().any(|served| served.version == 1), "nothing may be dropped yet");
    }
}
