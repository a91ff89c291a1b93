//! Makes an invite. Its secret is shown once; the store keeps a hash.

use sortie_rules::ids::{InviteId, OrgId};
use sortie_rules::limits::INVITE_LIFE_MAX;
use sortie_rules::names::{check_labels, check_name};
use sortie_rules::org_settings::{INVITES_VALID_FOR_MAX, invite_life};
use sortie_rules::time::Span;
use sortie_store::Tx;
use sortie_store::invites::{self, InviteRow};
use sortie_store::nodes::{self, NodeRow};
use sortie_wire::enrollment::Invite;
use sortie_wire::invites::{CreateInvite, CreatedInvite};
use sortie_wire::problem::ProblemCode;

use super::invites::details;
use crate::app::{App, Shared};
use crate::audit::{self, Act};
use crate::events::{self, Record};
use crate::fault::{Fault, refuse_at};
use crate::http::Once;
use crate::nodes::{hosts, sites};
use crate::people::Principal;

/// Makes an invite, or shows again the one that was made under the same key.
pub(crate) async fn create(
    app: &Shared,
    who: &Principal,
    request: CreateInvite,
    once: Once,
) -> Result<CreatedInvite, Fault> {
    check(app, &request)?;
    let life = life(app, who, request.valid_for).await;
    let now = app.clock.now();
    let id: InviteId = app.entropy.id(now);
    let row = InviteRow {
        id,
        org: who.org,
        node_name: request.node,
        site: request.site,
        kind: request.kind.unwrap_or_else(|| if request.host.is_some() { "guest" } else { "host" }.to_owned()),
        host: request.host,
        labels: request.labels,
        replace: request.replace,
        secret_hash: app.keys.secret_of("invite", id).hash(),
        created_by: who.name.to_string(),
        created_at: now,
        expires_at: now,
        revoked_at: None,
        used_at: None,
        used_by_key: None,
        node: None,
    };
    let act = Act::by(who, now)?.on("invite", id);
    let (org, first) = (who.org, once.clone());
    let written = app
        .store
        .write(move |tx| {
            Box::pin(async move {
                if let Some(answer) = once.recall(tx).await? {
                    return remembered(tx, row.org, &answer).await;
                }
                let mut row = InviteRow { expires_at: now + life?, ..row };
                let there = nodes::get_by_name(tx, row.org, &row.node_name).await?;
                if !row.replace && there.is_some() {
                    let detail = format!(
                        "A node `{}` exists; choose another name, or make the invite with --replace \
                         (`\"replace\": true`), which gives that node another key.",
                        row.node_name
                    );
                    return Err(refuse_at(ProblemCode::NodeExists, "/node", detail));
                }
                row.host = host(tx, &row, there).await?;
                once.remember(tx, &row.id.to_string(), row.created_at).await?;
                if let Some(site) = &row.site {
                    sites::make_if_missing(tx, row.org, site, row.created_at).await?;
                }
                invites::insert(tx, &row).await?;
                let data = serde_json::json!({ "invite": row.id, "node": row.node_name, "replace": row.replace });
                let record = Record::new(row.org, row.created_at, "invite.created", &row.created_by).data(&data);
                events::record(tx, record).await?;
                let changes = serde_json::json!({
                    "node": row.node_name, "replace": row.replace, "site": row.site, "host": row.host, "kind": row.kind,
                    "labels": row.labels, "expires_at": row.expires_at,
                });
                audit::record(tx, act.changes(changes)).await?;
                Ok::<_, Fault>(row)
            })
        })
        .await;
    let row = match written {
        Ok(row) => row,
        Err(refusal) => {
            let answer = first.recall_after(&app.store, refusal).await?;
            app.store.read(move |tx| Box::pin(async move { remembered(tx, org, &answer).await })).await?
        }
    };
    let invite = Invite {
        hub: request.hub.unwrap_or_else(|| app.url.clone()),
        ca: app.tls.fingerprint().to_string(),
        id: row.id,
        secret: app.keys.secret_of("invite", row.id).expose().to_owned(),
    };
    Ok(CreatedInvite { invite: invite.to_string(), details: details(app, row) })
}

/// How long the invite is valid, as far as the org's settings allow.
async fn life(app: &App, who: &Principal, asked: Option<Span>) -> Result<Span, Fault> {
    let most = app.org_settings.read(&app.store, who.org, &INVITES_VALID_FOR_MAX).await?;
    invite_life(asked, most).map_err(|most| {
        let detail = format!(
            "Invites of this org are valid for at most {most}, which is {} milliseconds; ask for no more. An \
             administrator can change the org setting `{}`.",
            most.0, INVITES_VALID_FOR_MAX.setting.key
        );
        refuse_at(ProblemCode::FieldInvalid, "/valid_for", detail)
    })
}

/// The name of the node that the invited one will live on. One that exists lives where it lives.
async fn host(tx: &mut Tx, row: &InviteRow, there: Option<NodeRow>) -> Result<Option<String>, Fault> {
    let Some(host) = &row.host else { return Ok(None) };
    let found = hosts::find(tx, row.org, there.as_ref().map(|node| node.id), host).await;
    let found = found.map_err(hosts::NotThere::in_request)?;
    if there.is_some_and(|node| node.host.is_none_or(|host| host.id != found.id)) {
        let detail = format!(
            "The node `{0}` exists and does not live on `{1}`; an invite gives it another key and leaves it where it \
             is. `sortie node set {0} --host {1}` moves it.",
            row.node_name, found.name
        );
        return Err(refuse_at(ProblemCode::FieldInvalid, "/host", detail));
    }
    Ok(Some(found.name))
}

/// The invite that was made under the same key.
async fn remembered(tx: &mut Tx, org: OrgId, answer: &str) -> Result<InviteRow, Fault> {
    let broken = || Fault::Broken("the invite of a remembered answer is gone".to_owned());
    let id: InviteId = answer.parse().map_err(|_| broken())?;
    invites::get(tx, org, id).await?.ok_or_else(broken)
}

fn check(app: &App, request: &CreateInvite) -> Result<(), Fault> {
    let invalid = |pointer: &'static str, why: String| Err(refuse_at(ProblemCode::FieldInvalid, pointer, why));
    let names = [
        ("node", "/node", Some(&request.node)),
        ("site", "/site", request.site.as_ref()),
        ("kind", "/kind", request.kind.as_ref()),
    ];
    for (what, pointer, name) in names {
        if let Err(error) = name.map_or(Ok(()), |name| check_name(what, name)) {
            return invalid(pointer, format!("{error}."));
        }
    }
    if let Err(error) = check_labels(&request.labels) {
        return invalid("/labels", format!("{error}."));
    }
    if !app.settings.node_names.is_empty() && !app.settings.node_names.contains(&request.node) {
        return invalid(
            "/node",
            format!("This hub admits only the names in its setting `node_names`; `{}` is none of them.", request.node),
        );
    }
    if request.valid_for.is_some_and(|span| span.0 <= 0 || span > INVITE_LIFE_MAX) {
        return invalid("/valid_for", "An invite is valid for at least a millisecond and at most 30 days.".to_owned());
    }
    if request.hub.as_deref().is_some_and(|hub| !hub.starts_with("https://")) {
        return invalid("/hub", "The hub's address begins with https://.".to_owned());
    }
    Ok(())
}
