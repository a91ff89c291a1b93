//! `cargo xtask partition`: the stories of a network that breaks, for as long as one likes.

use crate::programs::{Done, cargo, must, target_folder};

/// The story that draws its faults.
const STORY: &str = "drawn::whatever_faults_are_drawn_nothing_is_lost_and_nothing_done_twice";
const USAGE: &str = "use: cargo xtask partition [--minutes N] [--seed N]";

/// What was asked for.
#[derive(Debug, PartialEq, Eq)]
struct Asked {
    minutes: String,
    seed: Option<String>,
}

/// Builds the programs and tells the story.
pub(crate) fn run(args: &[String]) -> Done {
    let asked = read(args)?;
    must(&mut cargo(&["build", "--workspace", "--bins", "--examples"]))?;
    // Not through nextest, which ends what takes long.
    let mut story = cargo(&["test", "--package", "stories", "--test", "partition", "--"]);
    story.args(["--exact", STORY, "--nocapture"]);
    story.env("PARTITION_MINUTES", &asked.minutes).env("SORTIE_BIN_DIR", target_folder()?.join("debug"));
    if let Some(seed) = &asked.seed {
        story.env("SEED", seed);
    }
    must(&mut story)
}

fn read(args: &[String]) -> Result<Asked, String> {
    let mut asked = Asked { minutes: "10".to_owned(), seed: None };
    for pair in args.chunks(2) {
        match pair {
            [name, value] if name == "--minutes" && value.parse::<f64>().is_ok_and(|minutes| minutes > 0.0) => {
                asked.minutes.clone_from(value);
            }
            [name, value] if name == "--seed" && value.parse::<u64>().is_ok() => asked.seed = Some(value.clone()),
            _ => return Err(format!("`{}` is not understood; {USAGE}", pair.join(" "))),
        }
    }
    Ok(asked)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(words: &str) -> Result<Asked, String> {
        read(&words.split_whitespace().map(str::to_owned).collect::<Vec<_>>())
    }

    #[test]
    fn minutes_and_a_seed_are_understood_and_nothing_else() {
        let given = Asked { minutes: "0.5".to_owned(), seed: Some("7".to_owned()) };
        assert_eq!(asked("--minutes 0.5 --seed 7"), Ok(given));
        assert_eq!(asked(""), Ok(Asked { minutes: "10".to_owned(), seed: None }));
        for wrong in ["--minutes", "--minutes 0", "--minutes soon", "--seed -1", "--hours 2"] {
            assert!(asked(wrong).is_err_and(|why| why.contains(USAGE)), "{wrong}");
        }
    }
}
