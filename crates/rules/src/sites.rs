//! Whether a site may be removed: nobody is at it, nobody can come in there, and nothing is meant for it.

use std::fmt;

/// What there is of a site.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Needs {
    /// Nodes at it that are not revoked.
    pub nodes: u64,
    /// Revoked nodes at it. Each may come back, with an invite that replaces it.
    pub revoked: u64,
    /// Invites with which somebody can still come in there.
    pub invites: u64,
    /// The revision of its layer that stands, if that says something; 0 if not.
    pub stands: u64,
    /// Whether its layer has a draft.
    pub has_draft: bool,
    /// Whether a publication of its layer is not over.
    pub goes_out: bool,
}

/// Why a site is not removed, with what to do about each reason.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StillNeeded {
    key: String,
    needs: Needs,
}

/// Whether the site of this key may be removed.
pub fn may_remove(key: &str, needs: Needs) -> Result<(), StillNeeded> {
    if needs == Needs::default() { Ok(()) } else { Err(StillNeeded { key: key.to_owned(), needs }) }
}

impl fmt::Display for StillNeeded {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "The site `{}` is needed and stays: {}.", self.key, self.reasons().join("; "))
    }
}

impl StillNeeded {
    fn reasons(&self) -> Vec<String> {
        let StillNeeded { key, needs } = self;
        let mut all = Vec::new();
        if needs.nodes + needs.revoked > 0 {
            let revoked = match needs.revoked {
                0 => String::new(),
                many => format!(", {many} of them revoked"),
            };
            let nodes = count(needs.nodes + needs.revoked, "node is", "nodes are");
            all.push(format!(
                "{nodes} at it{revoked} (`sortie node list --site {key}`, `sortie node set NAME --site ''`)"
            ));
        }
        if needs.invites > 0 {
            let invites = count(needs.invites, "invite to it is", "invites to it are");
            all.push(format!("{invites} open (`sortie invite list`, `sortie invite revoke ID`)"));
        }
        if needs.goes_out {
            all.push(format!("a publication of its layer goes out (`sortie state history site:{key}`)"));
        }
        if needs.stands > 0 {
            let revision = needs.stands;
            all.push(format!(
                "revision {revision} of its layer stands and says something (`sortie state show site:{key}`; publish \
                 `{{}}` to have it say nothing)"
            ));
        }
        if needs.has_draft {
            all.push(format!("its layer has a draft (`sortie state discard site:{key}`)"));
        }
        all
    }
}

fn count(many: u64, one: &str, more: &str) -> String {
    if many == 1 { format!("1 {one}") } else { format!("{many} {more}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_nothing_needs_may_go() {
        assert_eq!(may_remove("homes", Needs::default()), Ok(()));
    }

    #[test]
    fn each_need_keeps_a_site_and_is_told_with_its_number() {
        let none = Needs::default();
        for (needs, told) in [
            (Needs { nodes: 1, ..none }, "1 node is at it (`sortie node list --site homes`"),
            (Needs { nodes: 2, revoked: 1, ..none }, "3 nodes are at it, 1 of them revoked ("),
            (Needs { revoked: 1, ..none }, "1 node is at it, 1 of them revoked ("),
            (Needs { invites: 1, ..none }, "1 invite to it is open"),
            (Needs { invites: 2, ..none }, "2 invites to it are open"),
            (Needs { goes_out: true, ..none }, "goes out"),
            (Needs { stands: 3, ..none }, "revision 3 of its layer stands"),
            (Needs { has_draft: true, ..none }, "sortie state discard site:homes"),
        ] {
            let why = may_remove("homes", needs).unwrap_err().to_string();
            assert!(why.starts_with("The site `homes` is needed and stays: ") && why.contains(told), "{why}");
        }
        let all = Needs { nodes: 1, revoked: 1, invites: 1, stands: 1, has_draft: true, goes_out: true };
        assert_eq!(may_remove("homes", all).unwrap_err().reasons().len(), 5, "each of them is told at once");
    }
}
