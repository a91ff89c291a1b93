//! The alarm rules of a pack: `[[alarms]]`, with the same fields as everywhere.

use std::collections::BTreeSet;

use serde::Deserialize as _;
use sortie_rules::alarms::{AlarmRule, known_rules};
use sortie_rules::limits::ALARM_RULES_MAX;
use toml::de::ValueDeserializer;

use super::reader::{Reader, Section};

const KEYS: [&str; 9] = ["name", "severity", "summary", "hold_s", "begins", "ends", "lasts_s", "subject", "facts"];

/// Reads them.
pub(super) fn read<'t>(reader: &mut Reader<'t>, sections: &[Section<'t>]) -> Vec<AlarmRule> {
    if let Some(extra) = sections.get(ALARM_RULES_MAX) {
        reader.mistake(&extra.span(), format!("a pack has at most {ALARM_RULES_MAX} alarm rules"));
    }
    let (mut seen, mut rules) = (BTreeSet::new(), Vec::new());
    for section in sections.iter().take(ALARM_RULES_MAX) {
        let before = reader.mistakes.len();
        reader.only(section, &KEYS);
        if reader.mistakes.len() > before {
            continue;
        }
        let rule = match AlarmRule::deserialize(ValueDeserializer::from(section.value())) {
            Ok(rule) => rule,
            Err(error) => {
                let span = error.span().unwrap_or_else(|| section.span());
                reader.mistake(&span, error.message());
                continue;
            }
        };
        if known_rules().iter().any(|known| known.name == rule.name) {
            let what = format!("every hub has an alarm rule `{}`; only an org says otherwise of it", rule.name);
            reader.mistake(&section.span(), what);
        } else if !seen.insert(rule.name.clone()) {
            reader.mistake(&section.span(), format!("the alarm rule `{}` is there twice", rule.name));
        } else {
            rules.push(rule);
        }
    }
    rules
}
