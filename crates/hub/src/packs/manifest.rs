//! What may stand in a `pack.toml`, and what it comes to.

use std::collections::BTreeSet;
use std::sync::Arc;

use sortie_rules::alarms::AlarmRule;
use sortie_rules::desired::{check_kind, steps_of};
use sortie_rules::enforcement::Enforcer;
use sortie_rules::limits::{LEASE_MAX, LEASE_MIN, RESOURCE_KINDS_PER_PACK_MAX, RETRIES_MAX, TASK_TYPES_PER_PACK_MAX};
use sortie_rules::names::{check_name, check_type_name};
use sortie_rules::tasks::Class;
use sortie_rules::time::Span;
use sortie_wire::desired::ResourceKind;
use sortie_wire::task_types::{HandlerHint, TaskType};
use toml::de::DeTable;

use super::alarms;
use super::files::PackFiles;
use super::kinds::KnownKind;
use super::mistake::Mistake;
use super::post_steps;
use super::reader::{At, Reader, Section};
use super::schema::{self, Schema};
use super::secrets;
use super::types::Known;

/// The file that makes a folder a pack.
pub(super) const MANIFEST: &str = "pack.toml";
/// Where the schemas of a pack are.
const SCHEMAS: &str = "schemas";

const PACK_KEYS: [&str; 5] = ["name", "summary", "task_types", "resource_kinds", "alarms"];
const TYPE_KEYS: [&str; 11] = [
    "name",
    "summary",
    "class",
    "idempotent",
    "lease_s",
    "max_retries",
    "payload",
    "result",
    "secrets",
    "handler",
    "post_steps",
];
const KIND_KEYS: [&str; 6] = ["name", "summary", "schema", "hub_only", "unique", "enforcer"];
const HANDLER_KEYS: [&str; 3] = ["kind", "program", "note"];

/// A pack that was read.
#[derive(Debug)]
pub(super) struct Pack {
    pub(super) name: String,
    pub(super) types: Vec<Arc<Known>>,
    pub(super) kinds: Vec<Arc<KnownKind>>,
    pub(super) alarms: Vec<AlarmRule>,
}

/// Reads a pack. Either it is sound, or every mistake is told.
pub(super) fn read(files: &PackFiles) -> Result<Pack, Vec<Mistake>> {
    let text = files.read(MANIFEST).map_err(|mistake| vec![mistake])?;
    let shown = files.shown(MANIFEST);
    let parsed = DeTable::parse(&text).map_err(|error| {
        let offset = error.span().map_or(0, |span| span.start);
        vec![Mistake::in_text(&shown, &text, offset, error.message())]
    })?;
    let whole = Section::whole(&parsed);
    let mut reader = Reader::new(shown, &text);
    reader.only(&whole, &PACK_KEYS);
    let name = reader.text(&whole, "name");
    reader.text_or_none(&whole, "summary");
    if let Some(name) = &name
        && let Err(error) = check_name("pack", &name.value)
    {
        reader.mistake(&name.span, error.to_string());
    }
    let name = name.map(|name| name.value).unwrap_or_default();
    let sections = reader.sections(&whole, "task_types");
    let kind_sections = reader.sections(&whole, "resource_kinds");
    let alarm_sections = reader.sections(&whole, "alarms");
    let is_empty = sections.is_empty() && kind_sections.is_empty() && alarm_sections.is_empty();
    if is_empty && reader.mistakes.is_empty() {
        reader.mistake(&(0..0), "a pack has at least one [[task_types]], [[resource_kinds]] or [[alarms]]");
    }
    if let Some(extra) = kind_sections.get(RESOURCE_KINDS_PER_PACK_MAX) {
        reader.mistake(&extra.span(), format!("a pack has at most {RESOURCE_KINDS_PER_PACK_MAX} resource kinds"));
    }
    if let Some(extra) = sections.get(TASK_TYPES_PER_PACK_MAX) {
        reader.mistake(&extra.span(), format!("a pack has at most {TASK_TYPES_PER_PACK_MAX} task types"));
    }
    let (mut seen, mut types, mut elsewhere) = (BTreeSet::new(), Vec::new(), Vec::new());
    for section in sections.iter().take(TASK_TYPES_PER_PACK_MAX) {
        let known = read_type(&mut reader, section, files, &name, &mut seen, &mut elsewhere);
        types.extend(known.map(Arc::new));
    }
    let (mut seen, mut kinds) = (BTreeSet::new(), Vec::new());
    for section in kind_sections.iter().take(RESOURCE_KINDS_PER_PACK_MAX) {
        let known = read_kind(&mut reader, section, files, &name, &mut seen, &mut elsewhere);
        kinds.extend(known.map(Arc::new));
    }
    let alarms = alarms::read(&mut reader, &alarm_sections);
    let mut mistakes = reader.mistakes;
    mistakes.extend(elsewhere);
    if mistakes.is_empty() { Ok(Pack { name, types, kinds, alarms }) } else { Err(mistakes) }
}

fn read_type<'t>(
    reader: &mut Reader<'t>,
    section: &Section<'t>,
    files: &PackFiles,
    pack: &str,
    seen: &mut BTreeSet<String>,
    elsewhere: &mut Vec<Mistake>,
) -> Option<Known> {
    reader.only(section, &TYPE_KEYS);
    let name = read_name(reader, section, seen);
    let summary = reader.text(section, "summary");
    let class = read_class(reader, section);
    let idempotent = reader.flag(section, "idempotent");
    let lease_bounds = seconds(LEASE_MIN)..=seconds(LEASE_MAX);
    let lease_s = reader.number(section, "lease_s", lease_bounds);
    let max_retries = reader.number(section, "max_retries", 0..=RETRIES_MAX);
    let payload = read_schema(reader, section, "payload", files, elsewhere);
    let result = read_schema(reader, section, "result", files, elsewhere);
    let pointers = reader.texts(section, "secrets");
    let secrets = secrets::read(reader, "secrets", pointers, payload.as_ref().map(|schema| &schema.written));
    let handler = read_hint(reader, section, files, elsewhere);
    let post_steps = post_steps::read(reader, section, files, elsewhere);
    let (payload, result) = (payload?, result?);
    let described = TaskType {
        name: name?,
        pack: pack.to_owned(),
        summary: summary?.value,
        class: class?,
        idempotent: idempotent?,
        lease: Span::seconds(lease_s?.into()),
        max_retries: max_retries?,
        secrets,
        handler,
        post_steps: post_steps.iter().map(|step| step.name.clone()).collect(),
        payload_schema: payload.written,
        result_schema: result.written,
    };
    Some(Known { described, payload: payload.validator, result: result.validator, post_steps })
}

fn read_kind<'t>(
    reader: &mut Reader<'t>,
    section: &Section<'t>,
    files: &PackFiles,
    pack: &str,
    seen: &mut BTreeSet<String>,
    elsewhere: &mut Vec<Mistake>,
) -> Option<KnownKind> {
    reader.only(section, &KIND_KEYS);
    let name = reader.text(section, "name").and_then(|At { value, span }| {
        let why = match check_kind(&value) {
            Err(why) => why,
            Ok(()) if !seen.insert(value.clone()) => format!("the resource kind `{value}` is there twice"),
            Ok(()) => return Some(value),
        };
        reader.mistake(&span, why);
        None
    });
    let summary = reader.text(section, "summary");
    let schema = read_schema(reader, section, "schema", files, elsewhere);
    let pointers = reader.texts(section, "hub_only");
    let hub_only = secrets::read(reader, "hub_only", pointers, schema.as_ref().map(|schema| &schema.written));
    let pointers = reader.texts(section, "unique");
    for pointer in pointers.iter().filter(|pointer| steps_of(&pointer.value).iter().any(|step| step == "*")) {
        reader.mistake(&pointer.span, "`unique` names single fields; `*` has no meaning in it");
    }
    let unique = secrets::read(reader, "unique", pointers, schema.as_ref().map(|schema| &schema.written));
    let enforcer = read_enforcer(reader, section);
    let Schema { written, validator } = schema?;
    let (name, pack, summary) = (name?, pack.to_owned(), summary?.value);
    let described = ResourceKind { name, pack, summary, hub_only, unique, enforcer, schema: written };
    Some(KnownKind { described, schema: validator })
}

/// What of the hub enforces the kind; nothing: nodes apply it.
fn read_enforcer<'t>(reader: &mut Reader<'t>, section: &Section<'t>) -> Option<Enforcer> {
    let word = reader.text_or_none(section, "enforcer")?;
    let enforcer = Enforcer::parse(&word.value);
    if enforcer.is_none() {
        let known: Vec<&str> = Enforcer::ALL.into_iter().map(Enforcer::as_str).collect();
        reader.mistake(&word.span, format!("the hub has no enforcer `{}`; it has {}", word.value, known.join(", ")));
    }
    enforcer
}

fn read_name<'t>(reader: &mut Reader<'t>, section: &Section<'t>, seen: &mut BTreeSet<String>) -> Option<String> {
    let At { value, span } = reader.text(section, "name")?;
    if let Err(error) = check_type_name(&value) {
        reader.mistake(&span, error.to_string());
        return None;
    }
    if !seen.insert(value.clone()) {
        reader.mistake(&span, format!("the task type `{value}` is there twice"));
        return None;
    }
    Some(value)
}

fn read_class<'t>(reader: &mut Reader<'t>, section: &Section<'t>) -> Option<Class> {
    let Some(word) = reader.text_or_none(section, "class") else { return Some(Class::Routine) };
    let class = Class::parse(&word.value);
    if class.is_none() {
        reader.mistake(&word.span, "`class` must be \"routine\" or \"privileged\"");
    }
    class
}

fn read_schema<'t>(
    reader: &mut Reader<'t>,
    section: &Section<'t>,
    key: &str,
    files: &PackFiles,
    elsewhere: &mut Vec<Mistake>,
) -> Option<Schema> {
    let named = reader.text(section, key)?;
    let file = format!("{SCHEMAS}/{}", named.value);
    if let Err(why) = files.read(&file) {
        // The file is not there or not ours to read: the mistake is where it is named.
        reader.mistake(&named.span, format!("`{key}` names {file}: {}", why.what));
        return None;
    }
    schema::read(files, &file).map_err(|mistake| elsewhere.push(mistake)).ok()
}

/// What a site may put into its policy to run the type. The hub only shows it.
fn read_hint<'t>(
    reader: &mut Reader<'t>,
    section: &Section<'t>,
    files: &PackFiles,
    elsewhere: &mut Vec<Mistake>,
) -> Option<HandlerHint> {
    let hint = reader.section(section, "handler")?;
    reader.only(&hint, &HANDLER_KEYS);
    let kind = reader.text(&hint, "kind")?;
    if !["builtin", "command", "http"].contains(&kind.value.as_str()) {
        reader.mistake(&kind.span, "`kind` must be \"builtin\", \"command\" or \"http\"");
    }
    let program = reader.text_or_none(&hint, "program");
    if let Some(program) = &program
        && let Err(mistake) = files.read(&program.value)
    {
        elsewhere.push(Mistake { what: format!("the handler's program: {}", mistake.what), ..mistake });
    }
    let note = reader.text_or_none(&hint, "note").map(|note| note.value);
    Some(HandlerHint { kind: kind.value, program: program.map(|program| program.value), note })
}

/// A bound in whole seconds.
fn seconds(span: Span) -> u32 {
    u32::try_from(span.0 / 1000).unwrap_or(u32::MAX)
}
