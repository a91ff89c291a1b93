//! Texts from templates, within bounds of steps and size.

use minijinja::{Environment, UndefinedBehavior};
use serde_json::Value;
use sortie_rules::limits::{MAIL_BYTES_MAX, TEMPLATE_FUEL};

use super::trouble::Trouble;

/// The engine of templates: what is not there is an error, and nothing takes long.
pub(crate) fn engine() -> Environment<'static> {
    let mut engine = Environment::new();
    engine.set_undefined_behavior(UndefinedBehavior::Strict);
    engine.set_fuel(Some(TEMPLATE_FUEL));
    engine
}

/// What a template makes of this.
pub(crate) fn render(template: &str, matter: &Value) -> Result<String, Trouble> {
    let text = engine().render_str(template, minijinja::value::Serde(matter)).map_err(|error| {
        // The error names what is missing and where, and repeats no values.
        let line = error.line().map(|line| format!(" (line {line})")).unwrap_or_default();
        let detail = error.detail().unwrap_or_default();
        Trouble::final_("template_failed", format!("the template: {} {detail}{line}", error.kind()))
    })?;
    if text.len() > MAIL_BYTES_MAX {
        return Err(Trouble::final_("mail_invalid", format!("a mail has at most {MAIL_BYTES_MAX} bytes")));
    }
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_template_ends_and_names_what_is_missing() {
        let matter = json!({ "name": "Ann" });
        assert_eq!(render("Dear {{ name }}", &matter).unwrap(), "Dear Ann");
        let missing = render("Dear {{ mane }}", &matter).unwrap_err();
        assert_eq!((missing.code, missing.retry), ("template_failed", false));
        let endless = "{% for a in range(9999) %}{% for b in range(9999) %}x{% endfor %}{% endfor %}";
        assert_eq!(render(endless, &matter).unwrap_err().code, "template_failed");
    }
}
