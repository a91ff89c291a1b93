//! The chain itself, line by line, for those who keep it elsewhere; and where it stands, signed.

use axum::body::Bytes;
use futures_util::{Stream, stream};
use sortie_rules::audit::{Head, NO_HASH, canonical, hex, write_head};
use sortie_rules::limits::{AUDIT_BLOCKS_AT_ONCE, AUDIT_EXPORT_BYTES_MAX};
use sortie_store::audit::{self, Block};
use sortie_wire::audit::{AuditExportQuery, AuditHead, AuditLink};
use sortie_wire::envelope::AUDIT_HEAD;
use sortie_wire::problem::ProblemCode;

use super::seal::seal;
use crate::app::{App, Shared};
use crate::fault::{Fault, refuse};
use crate::http::Seat;
use crate::people::{Principal, still_holds};

/// Where the chain stands.
pub(super) async fn head(app: &App, who: &Principal) -> Result<AuditHead, Fault> {
    seal(app).await?;
    let org = who.org;
    let head = app.store.read(move |tx| Box::pin(async move { audit::head(tx, org).await })).await?;
    let (number, hash) = head.unwrap_or((0, NO_HASH));
    Ok(signed(app, Head { at: app.clock.now(), hash: hex(&hash), number, org }))
}

fn signed(app: &App, head: Head) -> AuditHead {
    let text = canonical(&serde_json::to_value(&head).unwrap_or_default());
    AuditHead { signed: app.ring.held().signer().sign(AUDIT_HEAD, text.as_bytes()), head }
}

/// What goes on between two parts of an export.
struct Export {
    app: Shared,
    who: Principal,
    after: u64,
    until: u64,
    /// The hash of the link `after`, once one was sent or it is the first.
    hash: Option<String>,
    bytes_left: usize,
    is_over: bool,
    _seat: Seat,
}

/// The lines of the links that the query means, and one that says where the chain stands then.
pub(super) async fn export(
    app: Shared,
    who: Principal,
    query: AuditExportQuery,
    seat: Seat,
) -> Result<impl Stream<Item = Result<Bytes, Fault>> + Send, Fault> {
    let newest = head(&app, &who).await?.head;
    let after = query.after.unwrap_or(0);
    if after > newest.number {
        let detail = format!("The chain ends with link {}; nothing comes after {after}.", newest.number);
        return Err(refuse(ProblemCode::MalformedParameter, detail));
    }
    let until = query.limit.map_or(newest.number, |limit| newest.number.min(after + u64::from(limit)));
    let bytes_left = if query.limit.is_some() { AUDIT_EXPORT_BYTES_MAX } else { usize::MAX };
    let hash = (after == newest.number).then_some(newest.hash);
    let export = Export { app, who, after, until, hash, bytes_left, is_over: false, _seat: seat };
    Ok(stream::unfold(export, |mut export| async move {
        let part = export.next().await.transpose()?;
        // What was sent until then is a part of the chain without a head, so that it is seen to be cut.
        export.is_over |= part.is_err();
        Some((part, export))
    }))
}

impl Export {
    async fn next(&mut self) -> Result<Option<Bytes>, Fault> {
        if self.is_over || !still_holds(&self.app, &self.who).await {
            return Ok(None);
        }
        if self.after >= self.until || self.bytes_left == 0 {
            self.is_over = true;
            return self.head_line().await.map(Some);
        }
        let (org, after) = (self.who.org, self.after);
        let blocks = self
            .app
            .store
            .read(move |tx| Box::pin(async move { audit::list(tx, org, after, AUDIT_BLOCKS_AT_ONCE).await }))
            .await?;
        let mut lines = String::new();
        for block in blocks {
            if block.first > self.until || self.bytes_left == 0 {
                break;
            }
            self.take(&block, &mut lines);
        }
        Ok(Some(lines.into()))
    }

    /// Those of a block's lines that are wanted: they stand in order, one for each number.
    fn take(&mut self, block: &Block, lines: &mut String) {
        let (skip, last) = (self.after + 1 - block.first, self.until.min(block.last));
        let wanted = block.lines.split_inclusive('\n').skip(skip.try_into().unwrap_or(usize::MAX));
        for (line, number) in wanted.zip(self.after + 1..=last) {
            lines.push_str(line);
            self.after = number;
            self.hash = None;
            self.bytes_left = self.bytes_left.saturating_sub(line.len());
            if self.bytes_left == 0 {
                break;
            }
        }
    }

    async fn head_line(&self) -> Result<Bytes, Fault> {
        let hash = match &self.hash {
            Some(hash) => hash.clone(),
            None => self.hash_of_last().await?,
        };
        let head = Head { at: self.app.clock.now(), hash, number: self.after, org: self.who.org };
        let AuditHead { head, signed } = signed(&self.app, head);
        Ok(write_head(&head, &serde_json::to_value(signed).unwrap_or_default()).into())
    }

    async fn hash_of_last(&self) -> Result<String, Fault> {
        if self.after == 0 {
            return Ok(hex(&NO_HASH));
        }
        let (org, before) = (self.who.org, self.after - 1);
        let blocks =
            self.app.store.read(move |tx| Box::pin(async move { audit::list(tx, org, before, 1).await })).await?;
        let broken = || Fault::Broken(format!("the link {} of an audit log is gone", before + 1));
        let block = blocks.into_iter().next().ok_or_else(broken)?;
        let at = usize::try_from(before + 1 - block.first).unwrap_or(usize::MAX);
        let link: AuditLink =
            block.lines.lines().nth(at).and_then(|line| serde_json::from_str(line).ok()).ok_or_else(broken)?;
        Ok(link.hash)
    }
}
