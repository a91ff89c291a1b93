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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::notifications::matter::tests::matter;
    use serde_json::{Value, json};
    use sortie_rules::alarms::known_rules;
    use sortie_rules::notifications::{NotificationRule, Template};

    const HUB: &str = "https://hub.example";

    fn operator() -> Value {
        json!({ "name": "on-call", "audience": "operator", "mail": "a@b.example", "locale": "hu" })
    }

    fn customer(locale: &str) -> Value {
        json!({
            "name": "kovacs", "audience": "customer", "mail": "a@b.example", "locale": locale,
            "time_zone": "Europe/Budapest",
        })
    }

    #[test]
    fn an_operator_is_told_in_english_with_every_detail() {
        let words = of(&matter(operator(), "node.down", true, 1), HUB);
        assert_eq!((words.subject.as_str(), &words.failed), ("[critical] node.down at box-1", &None));
        for said in ["It is so.", "homes", "2026-07-15 11:59 UTC", "{\"value\":9}", HUB, "sortie alarm show 0000"] {
            assert!(words.text.contains(said), "`{said}` is not in {}", words.text);
        }
        let over = of(&matter(operator(), "node.down", false, 1), HUB);
        assert!(over.subject.starts_with("[resolved]") && over.text.contains("It is over."), "{over:?}");
        assert_eq!(of(&matter(operator(), "x", true, 2), HUB).subject, "[critical] x at box-2, and 1 more");
        let storm = of(&matter(operator(), "x", true, 1000), HUB);
        assert!(storm.subject == "[critical] 1000 alarms" && storm.text.contains("and 950 more"), "{storm:?}");
    }

    #[test]
    fn a_customer_is_told_in_their_language_whatever_it_is_about() {
        for rule in known_rules() {
            for (locale, greeting) in [("en", "Hello,"), ("hu", "Tisztelt Ügyfelünk!")] {
                for (opened, count) in [(true, 1), (false, 1), (true, 7), (true, 70)] {
                    let words = of(&matter(customer(locale), &rule.name, opened, count), HUB);
                    assert!(words.text.starts_with(greeting) && words.text.contains("box-1"), "{words:?}");
                    let all = words.subject.clone() + &words.text;
                    assert!(!all.contains(&rule.name) && !all.contains(HUB) && !all.contains('{'), "{all}");
                }
            }
        }
        let down = of(&matter(customer("hu"), "node.down", true, 1), HUB);
        assert!(down.text.contains("(box-1) július 15. 13:59 óta nem érhető el."), "{down:?}");
        let down = of(&matter(customer("en"), "node.down", true, 1), HUB);
        assert!(down.text.contains("your device box-1 since 15 July, 13:59."), "{down:?}");
    }

    #[test]
    fn a_template_is_used_or_left_aside_with_the_reason() {
        let with = |recipient: Value, text: &str| {
            let rule: NotificationRule = serde_json::from_value(json!({ "name": "own" })).unwrap();
            let template = Template { subject: "{{ count }}".into(), text: text.into() };
            let mut matter = matter(recipient, "node.down", true, 1);
            matter.rule = Some(NotificationRule { template: Some(template), ..rule });
            of(&matter, HUB)
        };
        let own = with(operator(), "{{ alarms[0].node }} {{ alarms[0].began_at }} {{ recipient }} {{ opened }}");
        assert_eq!((own.subject.as_str(), own.text.as_str()), ("1", "box-1 2026-07-15 11:59 UTC on-call True"));
        let failed = with(operator(), "{{ colour }}");
        assert!(failed.text.contains("It is so.") && failed.text.contains("rule `own` failed"), "{failed:?}");
        assert_eq!(failed.failed.map(|failed| failed.rule), Some("own".into()));
        let customers = with(customer("hu"), "{{ colour }}");
        assert!(customers.failed.is_some() && !customers.text.contains("own"), "a customer could do nothing about it");
    }
}
