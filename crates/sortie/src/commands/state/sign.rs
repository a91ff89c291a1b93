//! `sortie state sign`: an operator signs resources of a draft, for sites that take them only so. What is signed is the
//! resource as nodes get it; the signature lies in the draft, beside what it is for.

use clap::Args;
use serde_json::{Value, json};
use sortie_client::people::Hub;
use sortie_rules::desired::{Layer, LayerName, Resource, ResourceKey, Resources, merge, read, without_hidden};
use sortie_rules::limits::OPERATION_LIFE_MAX;
use sortie_rules::time::{Millis, Span};
use sortie_wire::desired::LayerShown;
use sortie_wire::envelope::Envelope;
use sortie_wire::operations::Target;
use sortie_wire::operators::{open_resource, sign_resource, text_of_resource, unsigned};
use sortie_wire::resources::{RESOURCE, ResourceStatement, envelope_of, sha256_of};

use super::publish::draft;
use super::shown::pretty;
use crate::context::Context;
use crate::exit::{Done, Failure};
use crate::find_hub::HubOptions;
use crate::operator_keys::{KeyOptions, KnownNodes, Signing};
use crate::output::{details, moment};
use crate::values::confirm;

/// What it takes.
#[derive(Debug, Args)]
#[command(after_help = "Example: sortie state sign org service/firewall file/rules\n\
                        Sites whose policy calls a kind or an applier privileged take such resources only with \
                        operators' signatures. A change of the resource, in this layer or below it, voids them.")]
pub(super) struct Sign {
    /// org, site:KEY or node:NAME
    #[arg(value_name = "LAYER")]
    layer: LayerName,
    /// The resources, as KIND/NAME
    #[arg(value_name = "RESOURCE", required = true)]
    resources: Vec<ResourceKey>,
    /// For how long a node may take it for the first time, at most 30d
    #[arg(long, value_name = "SPAN", default_value = "30d")]
    valid_for: Span,
    #[command(flatten)]
    key: KeyOptions,
    /// Sign without asking; what is signed is told all the same
    #[arg(long)]
    yes: bool,
}

/// Shows each resource, asks, and puts the signatures into the draft.
pub(super) async fn run(sign: Sign, options: &HubOptions, context: &Context) -> Done {
    let (hub, output, layer) = (context.hub(options)?, context.output, &sign.layer);
    if sign.valid_for > OPERATION_LIFE_MAX || sign.valid_for <= Span::ZERO {
        return Err(Failure::usage(format!("--valid-for is at most {OPERATION_LIFE_MAX}")));
    }
    let mut shown = hub.layer(layer).await?;
    let mut state = shown.draft.as_ref().map_or(&shown.state, |draft| &draft.state).clone();
    if !state.is_object() {
        state = json!({});
    }
    let resources = as_nodes_get_them(&hub, layer, &state).await?;
    if let Some(missing) = sign.resources.iter().find(|key| !resources.contains_key(*key)) {
        let show = context.next_command(&format!("state show {layer} --draft"));
        return Err(Failure::usage(format!("nodes get no resource {missing} of the layer {layer} or below it"))
            .remedy(format!("`{show}` prints the draft")));
    }
    let target = target(&hub, layer).await?;
    let mut known = KnownNodes::read(&context.env)?;
    let now = context.clock.now();
    let mut wanted = Vec::new();
    for key in &sign.resources {
        let there = &state["resources"][key.to_string()]["signed"];
        let (statement, envelope) = statement(key, &resources[key], target.as_ref(), there, now, sign.valid_for)?;
        told(&statement, &envelope, &resources[key], layer, now).iter().for_each(|line| output.say(line));
        if let Some(target) = &target
            && known.target(hub.address(), &layer.of).is_some_and(|before| before != target)
        {
            output.say(&format!("  CAUTION: when you last signed for `{}`, it was another node.", layer.of));
        }
        if sign.yes || confirm("Sign it?")? {
            wanted.push((key, envelope));
        }
    }
    if wanted.is_empty() {
        output.say("Not signed.");
        return if output.json() { output.value(&shown) } else { Ok(()) };
    }
    let signing = sign.key.open(context)?;
    for (key, mut envelope) in wanted {
        put_signature(&mut envelope, &signing)?;
        state["resources"][key.to_string()]["signed"] = json!(envelope);
    }
    let after: LayerShown = draft(&hub, layer, &mut shown, state, context).await?;
    if let Some(target) = &target {
        known.remember(hub.address(), &layer.of, target)?;
    }
    output.either(&after, |_| {
        let next = context.next_command(&format!("state publish {layer} -m SENTENCE"));
        output.say(&format!("Signed, in the draft. `{next}` publishes it."));
        Ok(())
    })
}

/// The resources of the layer's nodes, with what stands below it, and without what never leaves the hub.
async fn as_nodes_get_them(hub: &Hub, layer: &LayerName, state: &Value) -> Result<Resources, Failure> {
    let mut below = Vec::new();
    match layer.layer {
        Layer::Org => {}
        Layer::Site => below.push(hub.layer(&LayerName { layer: Layer::Org, of: String::new() }).await?.state),
        Layer::Node => {
            let desired = hub.node_desired(&layer.of).await?;
            below.extend(desired.layers.into_iter().filter(|part| part.layer < Layer::Node).map(|part| part.state));
        }
    }
    let whole = merge(below.iter().chain(std::iter::once(state)));
    let mut resources = read(&whole).map_err(|bad| Failure::usage(format!("the state cannot be used: {bad}")))?;
    let kinds = hub.resource_kinds().await?.items;
    // The hub enforces these; no node gets them, so nobody signs them.
    resources.retain(|key, _| !kinds.iter().any(|kind| kind.name == key.kind && kind.enforcer.is_some()));
    for (key, resource) in &mut resources {
        let hidden = kinds.iter().find(|kind| kind.name == key.kind).map(|kind| kind.hub_only.as_slice());
        resource.spec = without_hidden(std::mem::take(&mut resource.spec), hidden.unwrap_or_default());
    }
    Ok(resources)
}

async fn target(hub: &Hub, layer: &LayerName) -> Result<Option<Target>, Failure> {
    if layer.layer != Layer::Node {
        return Ok(None);
    }
    let node = hub.node(&layer.of).await?;
    Ok(Some(Target { node: node.id, key: node.key_fingerprint }))
}

/// What is signed. What another operator has signed of the same is taken as it is, so that signatures add up.
fn statement(
    key: &ResourceKey,
    resource: &Resource,
    target: Option<&Target>,
    there: &Value,
    now: Millis,
    valid_for: Span,
) -> Result<(ResourceStatement, Envelope), Failure> {
    let sha256 = sha256_of(resource);
    if let Some(envelope) = envelope_of(there)
        && let Ok(signed) = open_resource(&envelope)
        && let Ok(found) = serde_json::from_slice::<ResourceStatement>(&signed.message)
        && (&found.resource, &found.sha256, found.target.as_ref()) == (key, &sha256, target)
        && found.expires_at > now
        && found.expires_at.since(found.issued_at) <= OPERATION_LIFE_MAX
    {
        return Ok((found, envelope));
    }
    let statement = ResourceStatement {
        resource: key.clone(),
        sha256,
        target: target.cloned(),
        issued_at: now,
        expires_at: now + valid_for,
    };
    let bytes = serde_json::to_vec(&statement).map_err(|error| Failure::other(error.to_string()))?;
    Ok((statement, unsigned(RESOURCE, &bytes)))
}

fn told(
    statement: &ResourceStatement,
    envelope: &Envelope,
    resource: &Resource,
    layer: &LayerName,
    now: Millis,
) -> Vec<String> {
    let signed = match envelope.signatures.len() {
        0 => "nobody yet".to_owned(),
        _ => envelope.signatures.iter().map(|one| one.keyid.as_str()).collect::<Vec<_>>().join(", "),
    };
    let at = match &statement.target {
        Some(target) => format!("the node {} with the key {}", target.node, target.key),
        None => "every node that believes its operators".to_owned(),
    };
    let mut rows = vec![("layer", layer.to_string()), ("at", at), ("taken until", moment(now, statement.expires_at))];
    rows.push(("signed by", signed));
    if !resource.after.is_empty() {
        rows.push(("after", resource.after.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")));
    }
    rows.push(("drift", json!(resource.drift).as_str().unwrap_or_default().to_owned()));
    rows.push(("spec", pretty(&json!(resource.spec)).trim_end().to_owned()));
    let heading = [String::new(), statement.resource.to_string()];
    let colours = crate::output::Colours::new(false, None, None);
    heading.into_iter().chain(details(&rows, colours).into_iter().map(|line| format!("  {line}"))).collect()
}

fn put_signature(envelope: &mut Envelope, signing: &Signing) -> Result<(), Failure> {
    let message = envelope.unverified_payload().ok_or_else(|| Failure::other("what is signed cannot be read"))?;
    let proof = signing.sign(&text_of_resource(&message))?;
    sign_resource(envelope, signing.key().clone(), proof);
    Ok(())
}
