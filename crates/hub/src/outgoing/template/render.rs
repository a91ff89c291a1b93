//! Reads templates, and fills them in.

use minijinja::{Environment, UndefinedBehavior};
use serde_json::Value;
use sortie_rules::limits::{MAIL_BYTES_MAX, TEMPLATE_FUEL};

use super::filters;
use super::grammar::{self, Unreadable};
use crate::outgoing::trouble::Trouble;

/// Reads templates.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Engine;

/// What reads templates.
pub(crate) fn engine() -> Engine {
    Engine
}

impl Engine {
    /// Reads a template, or says why it cannot be read.
    pub(crate) fn template_from_str(self, text: &str) -> Result<(), Unreadable> {
        grammar::check(text)?;
        filling().template_from_str(text)?;
        Ok(())
    }
}

/// What fills one template in: what is not there is an error, and nothing takes long.
fn filling() -> Environment<'static> {
    let mut engine = Environment::empty();
    engine.set_undefined_behavior(UndefinedBehavior::Strict);
    engine.set_fuel(Some(TEMPLATE_FUEL));
    filters::add(&mut engine);
    engine
}

/// What a template makes of this.
pub(crate) fn render(template: &str, matter: &Value) -> Result<String, Trouble> {
    let failed = |why: String| Trouble::final_("template_failed", format!("the template: {why}"));
    grammar::check(template).map_err(|unreadable| failed(unreadable.to_string()))?;
    let engine = filling();
    let read = engine.template_from_str(template).map_err(|error| failed(Unreadable::from(error).to_string()))?;
    let mut text = Text::default();
    if let Err(error) = read.render_captured_to(minijinja::value::Serde(matter), &mut text) {
        if text.is_full {
            return Err(Trouble::final_("mail_invalid", format!("a mail has at most {MAIL_BYTES_MAX} bytes")));
        }
        // The error names what is missing and where, and repeats no values.
        let line = error.line().map(|line| format!(" (line {line})")).unwrap_or_default();
        return Err(failed(format!("{} {}{line}", error.kind(), error.detail().unwrap_or_default())));
    }
    String::from_utf8(text.bytes).map_err(|error| failed(error.to_string()))
}

/// A text that grows as far as a mail may be long.
#[derive(Debug, Default)]
struct Text {
    bytes: Vec<u8>,
    is_full: bool,
}

impl std::io::Write for Text {
    fn write(&mut self, more: &[u8]) -> std::io::Result<usize> {
        self.is_full |= self.bytes.len() + more.len() > MAIL_BYTES_MAX;
        if self.is_full {
            return Err(std::io::Error::other("the text is longer than a mail may be"));
        }
        self.bytes.extend_from_slice(more);
        Ok(more.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn sees() -> Value {
        let alarm = json!({ "rule": "disk.full", "node": "box-1", "summary": "It is full.", "data": { "left": 3 } });
        json!({ "name": "Ann", "count": 2, "long": "x".repeat(200_000), "alarms": vec![alarm; 50] })
    }

    fn rendered(template: &str) -> String {
        render(template, &sees()).unwrap_or_else(|trouble| panic!("{template}: {}", trouble.why))
    }

    /// What somebody reads who wrote this template: it cannot be read.
    fn refused(template: &str) -> String {
        let why = engine().template_from_str(template).expect_err(template).to_string();
        let trouble = render(template, &sees()).expect_err(template);
        assert_eq!(
            (trouble.code, trouble.retry, trouble.why),
            ("template_failed", false, format!("the template: {why}"))
        );
        why
    }

    /// It can be read, and not be filled in.
    fn fails(template: &str) -> Trouble {
        engine().template_from_str(template).unwrap_or_else(|why| panic!("{template}: {why}"));
        let trouble = render(template, &sees()).expect_err(template);
        assert!(!trouble.retry);
        trouble
    }

    #[test]
    fn a_template_ends_and_names_what_is_missing() {
        assert_eq!(rendered("Dear {{ name }}"), "Dear Ann");
        let missing = fails("Dear\n{{ mane }}");
        assert!(missing.code == "template_failed" && missing.why.contains("line 2"), "{}", missing.why);
        let loops = "{% for a in alarms %}".repeat(6) + &"{% endfor %}".repeat(6);
        assert_eq!(fails(&loops).code, "template_failed");
    }

    #[test]
    fn what_people_write_works() {
        for (template, text) in [
            ("{% if count > 1 and name in ['Ann', \"Ben\"] %}a{% elif count %}b{% else %}c{% endif %}", "a"),
            ("{% if name is not defined or name in ('x', 'y') %}a{% else %}b{% endif %}", "b"),
            ("{% for alarm in alarms[:2] %}{{ loop.index }}{{ alarm.node }} {% endfor %}", "1box-1 2box-1 "),
            ("{% for key, value in alarms[0].data|items %}{{ key }}={{ value }}{% endfor %}", "left=3"),
            ("{% set first = alarms[0] %}{{ first.data['left'] - 1 }} {{ first.rule[:4]|upper }}", "2 DISK"),
            ("{{ alarms|map(attribute='node')|first|capitalize }}", "Box-1"),
            ("{{ alarms[:2]|map(attribute='rule')|join(', ') }}", "disk.full, disk.full"),
            ("{{ nick|default(name) }} {{ alarms|length }} {{ name|replace('n', 'm') }}", "Ann 50 Amm"),
            ("{{ 'many' if (count > 1) else 'one' }}{# no #}{% raw %}{{ x ~ y }}{% endraw %}", "many{{ x ~ y }}"),
            ("{{ '%}' }}{{- ' a ' | trim -}} {{ 7 / 2 }} {{ 7 // 2 }} {{ not count }}", "%}a3.5 3 False"),
        ] {
            engine().template_from_str(template).unwrap_or_else(|why| panic!("{template}: {why}"));
            assert_eq!(rendered(template), text, "{template}");
        }
    }

    #[test]
    fn what_makes_one_value_of_two_cannot_be_read() {
        for (template, said) in [
            ("{% set a = long ~ long %}", "`~` puts values together"),
            ("{{ name + name }}", "`+` puts values together"),
            ("{{ 'x' * 100000000 }}", "may not use `*`"),
            ("{{ 9 ** 99 }}", "may not use `**`"),
            ("{% set a %}{{ long }}{{ long }}{% endset %}", "`set` needs a value"),
            ("{% filter upper %}{{ long }}{% endfilter %}", "no `{% filter %}`"),
            ("{% with a = long %}{{ a }}{% endwith %}", "no `{% with %}`"),
            ("{% autoescape true %}{% endautoescape %}", "no `{% autoescape %}`"),
            ("{{ long|indent(1000000000) }}", "no filter `indent`"),
            ("{{ '%999999999s'|format(name) }}", "no filter `format`"),
            ("{% for a in range(999999) %}{% endfor %}", "no function `range`"),
            ("{% set a = namespace(b=1) %}", "no function `namespace`"),
            ("{% for a in alarms recursive %}{{ loop(alarms) }}{% endfor %}", "no function `loop`"),
            ("{% set a = [long, long] %}", "only texts and numbers"),
            ("{% set a = (long, long) %}", "a list of values"),
            ("{% set a = long, long %}", "a list of values"),
            ("{% for a in long, long %}{% endfor %}", "a list of values"),
            ("{{ a|default((long, long)) }}", "a list of values"),
            ("{% if x is in [long, long] %}{% endif %}", "no test `is in`"),
            ("{% set a = {'a': long} %}", "make a map"),
            ("{% set a = alarms[1:] %}", "may not be named by `set`"),
            ("{{ (name)(name) }}", "cannot call this"),
            ("{% if %}", "unexpected end of block"),
            ("{{ 'x' * 100000000", "is not closed"),
        ] {
            let why = refused(template);
            assert!(why.contains(said), "{template}: {why}");
        }
        assert!(refused("a\n{{ name ~ name }}").ends_with("(line 2)"));
    }

    #[test]
    fn what_would_be_too_deep_for_the_engine_cannot_be_read() {
        for template in [
            format!("{{{{ a{} }}}}", ".b".repeat(7000)),
            format!("{{{{ a{} }}}}", " and a".repeat(2500)),
            format!("{{{{ {}a{} }}}}", "(".repeat(7000), ")".repeat(7000)),
            format!("{{{{ {}a }}}}", "not ".repeat(4000)),
            format!("{{% if a %}}{}{{% endif %}}", "{% elif a %}".repeat(1300)),
            "{% if count %}".repeat(600) + &"{% endif %}".repeat(600),
        ] {
            refused(&template);
        }
    }

    #[test]
    fn a_text_is_no_longer_than_a_mail() {
        for template in [
            "{% for a in alarms %}{% for b in alarms %}{{ long }}{% endfor %}{% endfor %}".to_owned(),
            format!("{{% for a in alarms %}}{{% for b in alarms %}}{}{{% endfor %}}{{% endfor %}}", "x".repeat(9000)),
            "{{ long }}{{ alarms }}{{ long }}".to_owned(),
        ] {
            assert_eq!(fails(&template).code, "mail_invalid");
        }
    }

    #[test]
    fn filters_have_a_bound_of_their_own() {
        let often =
            |what: &str| format!("{{% for a in alarms %}}{{% for b in alarms %}}{what}{{% endfor %}}{{% endfor %}}");
        for template in [
            "{{ long|replace('x', long) }}".to_owned(),
            "{{ long|replace('', long) }}".to_owned(),
            "{% set a = long|replace('x', 'xxxxxxxxxx') %}{% set a = a|replace('x', 'xxxxxxxxxx') %}".repeat(3),
            "{% for a in [1,2,3,4,5,6,7,8,9,10] %}{% set b = alarms|map(attribute='node')|join(long) %}{% endfor %}"
                .to_owned(),
            often("{% set c = long|upper %}"),
            often("{% set c = long|length %}"),
        ] {
            let trouble = fails(&template);
            assert!(trouble.why.contains("too much to do"), "{template}: {}", trouble.why);
        }
        assert!(fails("{{ alarms|upper }}").why.contains("takes a text"));
        assert!(fails("{{ name|join }}").why.contains("takes a list"));
    }

    /// The templates that a page or a file shows, between its quotes or as a whole.
    #[test]
    fn templates_that_the_docs_and_the_packs_show_can_be_read() {
        let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
        let read =
            |file: &str| std::fs::read_to_string(root.join(file)).unwrap_or_else(|error| panic!("{file}: {error}"));
        let mut shown: Vec<String> = ["credentials", "added-to-project"]
            .map(|name| read(&format!("packs/imaging-trust/mails/{name}.txt")))
            .into();
        for page in ["docs/notifications.md", "docs/post-steps.md", "packs/imaging-trust/pack.toml"] {
            let text = read(page);
            let lines = text.lines().filter(|line| line.starts_with("template = {") || line.starts_with("to = "));
            let quoted = lines.flat_map(|line| line.split('"').skip(1).step_by(2));
            let before = shown.len();
            shown.extend(quoted.map(str::to_owned));
            assert!(shown.len() > before, "{page} shows no template");
        }
        for template in shown {
            engine().template_from_str(&template).unwrap_or_else(|why| panic!("{template}: {why}"));
        }
        let sees = json!({ "item": { "email": "a@b" }, "payload": { "users": [{ "email": "a@b" }] } });
        let to = "{% if item.email in payload.users | map(attribute='email') %}{{ item.email }}{% endif %}";
        assert_eq!(render(to, &sees).unwrap(), "a@b");
    }
}
