//! How a node stands to what is meant for it by now, in the words by which lists of nodes are narrowed.

use super::conditions::Standing;

/// What a list is asked for to have the nodes for which nothing is meant and that have told of nothing wrong.
pub const NO_STANDING: &str = "none";

/// How a node stands by what it said last, the generation that it had accepted and how it stood to that, now that
/// this generation is meant for it. Nothing if nothing was ever published for it and it told of nothing wrong. What was
/// in order with an earlier generation, or has said nothing yet, is on its way.
pub fn stands_now(said: Option<(u64, Standing)>, meant: u64) -> Option<Standing> {
    match said {
        None | Some((_, Standing::Converged)) if meant == 0 => None,
        None => Some(Standing::Converging),
        Some((generation, Standing::Converged)) if generation < meant => Some(Standing::Converging),
        Some((_, standing)) => Some(standing),
    }
}

/// Which standings somebody asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Standings(Vec<Option<Standing>>);

/// A word that is no standing.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{word}` is none of {}", standing_words().join(", "))]
pub struct BadStanding {
    /// What was written.
    pub word: String,
}

impl Standings {
    /// What words with commas between them ask for: at least one.
    pub fn parse(text: &str) -> Result<Standings, BadStanding> {
        let asked = text.split(',').map(|word| match word.trim() {
            NO_STANDING => Ok(None),
            word => Standing::parse(word).map(Some).ok_or_else(|| BadStanding { word: word.to_owned() }),
        });
        asked.collect::<Result<_, _>>().map(Standings)
    }

    /// Whether a node that stands so is asked for.
    pub fn contain(&self, standing: Option<Standing>) -> bool {
        self.0.contains(&standing)
    }

    /// Their words, as they were asked for.
    pub fn words(&self) -> Vec<&'static str> {
        self.0.iter().map(|standing| standing.map_or(NO_STANDING, Standing::as_str)).collect()
    }
}

/// The words that may be asked for.
pub fn standing_words() -> Vec<&'static str> {
    Standing::ALL.into_iter().map(Standing::as_str).chain([NO_STANDING]).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_node_stands_by_what_it_said_and_what_is_meant_by_now() {
        use Standing::{Converged, Converging, Drifted, Failing};
        let now = |said, meant| stands_now(said, meant);
        assert_eq!(now(None, 0), None, "nothing was ever published for it");
        assert_eq!(now(Some((0, Converged)), 0), None, "it told that its policy is mended");
        assert_eq!(now(None, 1), Some(Converging), "it has said nothing yet");
        assert_eq!(now(Some((1, Converged)), 2), Some(Converging), "it was in order with an earlier generation");
        assert_eq!(now(Some((2, Converged)), 2), Some(Converged));
        assert_eq!(now(Some((3, Converged)), 2), Some(Converged), "the hub was set back");
        for other in [Converging, Drifted, Failing] {
            assert_eq!(now(Some((2, other)), 2), Some(other));
            assert_eq!(now(Some((1, other)), 2), Some(other), "until it says otherwise");
            assert_eq!(now(Some((0, other)), 0), Some(other));
        }
    }

    #[test]
    fn standings_are_asked_for_by_their_words() {
        let asked = Standings::parse("failing, none").unwrap();
        assert!(asked.contain(Some(Standing::Failing)) && asked.contain(None));
        assert_eq!(asked.words(), ["failing", "none"]);
        assert!(!asked.contain(Some(Standing::Converged)));
        for word in standing_words() {
            assert!(Standings::parse(word).is_ok(), "{word}");
        }
        for bad in ["", "failing,", "Failing", "ok"] {
            let said = Standings::parse(bad).unwrap_err().to_string();
            assert!(said.ends_with("is none of converged, converging, drifted, failing, none"), "{said}");
        }
    }
}
