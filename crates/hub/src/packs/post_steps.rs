//! The `[[task_types.post_steps]]` of a pack.

use std::collections::BTreeSet;

use sortie_rules::limits::POST_STEPS_PER_TYPE_MAX;
use sortie_rules::names::check_name;
use sortie_rules::post_steps::When;
use toml::de::DeValue;

use super::files::PackFiles;
use super::mistake::Mistake;
use super::reader::{Reader, Section};
use crate::outgoing::engine;
use crate::post_steps::{Act, Field, HolderKind, MailSpec, PostStep};

const COMMON: [&str; 4] = ["name", "kind", "when", "for_each"];
const MAIL: [&str; 2] = ["to", "template"];
const WEBHOOK: [&str; 1] = ["endpoint"];
const STATUS: [&str; 3] = ["of", "fields", "optional"];

/// Reads the steps of a type.
pub(super) fn read<'t>(
    reader: &mut Reader<'t>,
    section: &Section<'t>,
    files: &PackFiles,
    elsewhere: &mut Vec<Mistake>,
) -> Vec<PostStep> {
    let sections = reader.sections(section, "post_steps");
    if let Some(extra) = sections.get(POST_STEPS_PER_TYPE_MAX) {
        reader.mistake(&extra.span(), format!("a type has at most {POST_STEPS_PER_TYPE_MAX} post-steps"));
    }
    let mut seen = BTreeSet::new();
    let mut steps = Vec::new();
    for section in sections.iter().take(POST_STEPS_PER_TYPE_MAX) {
        steps.extend(read_step(reader, section, files, &mut seen, elsewhere));
    }
    steps
}

fn read_step<'t>(
    reader: &mut Reader<'t>,
    section: &Section<'t>,
    files: &PackFiles,
    seen: &mut BTreeSet<String>,
    elsewhere: &mut Vec<Mistake>,
) -> Option<PostStep> {
    let name = reader.text(section, "name");
    if let Some(name) = &name {
        if let Err(error) = check_name("post-step", &name.value) {
            reader.mistake(&name.span, error.to_string());
        } else if !seen.insert(name.value.clone()) {
            reader.mistake(&name.span, format!("the post-step `{}` is there twice", name.value));
        }
    }
    let when = match reader.text_or_none(section, "when") {
        None => Some(When::Completed),
        Some(word) => {
            let when = When::parse(&word.value);
            if when.is_none() {
                reader.mistake(&word.span, "`when` must be \"completed\", \"failed\" or \"ended\"");
            }
            when
        }
    };
    let for_each = read_pointer(reader, section, "for_each");
    let kind = reader.text(section, "kind")?;
    let act = match kind.value.as_str() {
        "mail" => {
            reader.only(section, &[&COMMON[..], &MAIL].concat());
            read_mail(reader, section, files, elsewhere).map(Act::Mail)
        }
        "webhook" => {
            reader.only(section, &[&COMMON[..], &WEBHOOK].concat());
            reader.text(section, "endpoint").map(|endpoint| Act::Webhook(endpoint.value))
        }
        "status" => {
            reader.only(section, &[&COMMON[..], &STATUS].concat());
            if for_each.is_some() {
                reader.mistake(&section.span(), "a step of kind \"status\" takes fields once, and has no `for_each`");
            }
            read_status(reader, section)
        }
        _ => {
            reader.mistake(&kind.span, "`kind` must be \"mail\", \"webhook\" or \"status\"");
            None
        }
    };
    Some(PostStep { name: name?.value, when: when?, for_each, act: act? })
}

fn read_pointer<'t>(reader: &mut Reader<'t>, section: &Section<'t>, key: &str) -> Option<String> {
    let pointer = reader.text_or_none(section, key)?;
    if !pointer.value.starts_with('/') {
        reader.mistake(&pointer.span, format!("`{key}` is a JSON pointer into the result, such as `/users`"));
    }
    Some(pointer.value)
}

fn read_mail<'t>(
    reader: &mut Reader<'t>,
    section: &Section<'t>,
    files: &PackFiles,
    elsewhere: &mut Vec<Mistake>,
) -> Option<MailSpec> {
    let to = reader.texts(section, "to");
    if to.is_empty() {
        reader.mistake(&section.span(), "`to` is missing; it is a list of mail addresses, each a template");
    }
    for address in &to {
        if let Err(error) = engine().template_from_str(&address.value) {
            reader.mistake(&address.span, format!("not a template: {error}"));
        }
    }
    let file = reader.text(section, "template")?;
    let text = match files.read(&file.value) {
        Ok(text) => text,
        Err(why) => {
            reader.mistake(&file.span, format!("`template` names {}: {}", file.value, why.what));
            return None;
        }
    };
    let shown = files.shown(&file.value);
    let Some((subject, body)) = text.strip_prefix("Subject: ").and_then(|rest| rest.split_once("\n\n")) else {
        elsewhere.push(Mistake::of_file(shown, "a mail begins with `Subject: …` and an empty line"));
        return None;
    };
    if let Err(error) = engine().template_from_str(&text) {
        let line = error.line().unwrap_or(1);
        let what = format!("not a template: {} {}", error.kind(), error.detail().unwrap_or_default());
        elsewhere.push(Mistake { file: shown, line, column: 1, what });
        return None;
    }
    let to = to.into_iter().map(|address| address.value).collect();
    Some(MailSpec { to, subject: subject.to_owned(), body: body.to_owned() })
}

fn read_status<'t>(reader: &mut Reader<'t>, section: &Section<'t>) -> Option<Act> {
    let of = reader.text(section, "of");
    let holder = of.as_ref().and_then(|of| match of.value.as_str() {
        "node" => Some(HolderKind::Node),
        "site" => Some(HolderKind::Site),
        _ => None,
    });
    if let (Some(of), None) = (&of, holder) {
        reader.mistake(&of.span, "`of` must be \"node\" or \"site\"");
    }
    let optional = reader.texts(section, "optional");
    let Some(table) = reader.section(section, "fields") else {
        reader
            .mistake(&section.span(), "`fields` is missing; it is a table of names and JSON pointers into the result");
        return None;
    };
    let mut fields = Vec::new();
    for (name, value) in table.entries() {
        if let Err(error) = check_name("field", &name.value) {
            reader.mistake(&name.span, error.to_string());
        }
        match value.get_ref() {
            DeValue::String(pointer) if pointer.is_empty() || pointer.starts_with('/') => {
                let is_optional = optional.iter().any(|optional| optional.value == name.value);
                fields.push(Field { name: name.value, pointer: pointer.to_string(), optional: is_optional });
            }
            _ => reader.mistake(&value.span(), format!("`{}` is a JSON pointer into the result", name.value)),
        }
    }
    for name in &optional {
        if !fields.iter().any(|field| field.name == name.value) {
            reader.mistake(&name.span, format!("`{}` is none of the fields", name.value));
        }
    }
    Some(Act::Status { of: holder?, fields })
}
