//! Which words: those of the rule's template if it has one and it can be filled in, else the hub's own.

use sortie_rules::notifications::Tier;

use super::{customer, operator};
use crate::notifications::matter::Matter;
use crate::outgoing::render;

/// What somebody reads.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::notifications) struct Words {
    /// The line by which it is told from others.
    pub(in crate::notifications) subject: String,
    /// The text.
    pub(in crate::notifications) text: String,
    /// Why a template was not used, and whose it is.
    pub(in crate::notifications) failed: Option<Failed>,
}

/// A template that could not be filled in.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(in crate::notifications) struct Failed {
    /// The rule whose template it is.
    pub(in crate::notifications) rule: String,
    /// Why not, in a sentence.
    pub(in crate::notifications) why: String,
}

/// The words for this.
pub(in crate::notifications) fn of(matter: &Matter, hub_url: &str) -> Words {
    let rule = matter.rule.as_ref().filter(|_| !matter.is_test);
    let Some((rule, template)) = rule.and_then(|rule| Some((rule, rule.template.as_ref()?))) else {
        return own(matter, hub_url);
    };
    let seen = matter.to_json(hub_url);
    let filled = render(&template.subject, &seen).and_then(|subject| Ok((subject, render(&template.text, &seen)?)));
    match filled {
        Ok((subject, text)) => Words { subject, text, failed: None },
        Err(trouble) => {
            let plain = own(matter, hub_url);
            let failed = Failed { rule: rule.name.clone(), why: trouble.why };
            let text = match matter.recipient.audience {
                Tier::Operator => {
                    format!(
                        "{}\n(The template of the notification rule `{}` failed: {}.)\n",
                        plain.text, failed.rule, failed.why
                    )
                }
                // A customer could do nothing about it.
                Tier::Customer => plain.text,
            };
            Words { text, failed: Some(failed), ..plain }
        }
    }
}

fn own(matter: &Matter, hub_url: &str) -> Words {
    let (subject, text) = match matter.recipient.audience {
        Tier::Operator => operator::write(matter, hub_url),
        Tier::Customer => customer::write(matter),
    };
    Words { subject, text, failed: None }
}
