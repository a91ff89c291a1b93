//! Long lists: one page, or every page.

use std::future::Future;

use clap::Args;
use sortie_client::ClientError;
use sortie_rules::limits::PAGE_MAX;
use sortie_wire::pages::Page;

use crate::exit::Failure;
use crate::output::Output;

/// How much of a list is wanted.
#[derive(Debug, Clone, Copy, Args)]
pub(crate) struct Pages {
    /// Show at most so many rows
    #[arg(long, value_name = "ROWS", value_parser = clap::value_parser!(u32).range(1..=i64::from(PAGE_MAX)))]
    limit: Option<u32>,

    /// Show every row, however many there are
    #[arg(long, conflicts_with = "limit")]
    all: bool,
}

impl Pages {
    /// Every row.
    pub(crate) fn all() -> Pages {
        Pages { limit: None, all: true }
    }

    /// Whether every row is wanted.
    pub(crate) fn wants_all(self) -> bool {
        self.all
    }

    /// Reads as much as is wanted. `read` gets the `after` and the `limit` of each page.
    pub(crate) async fn read<T, F>(self, read: impl Fn(Option<String>, Option<u32>) -> F) -> Result<Page<T>, Failure>
    where
        F: Future<Output = Result<Page<T>, ClientError>>,
    {
        if !self.all {
            return Ok(read(None, self.limit).await?);
        }
        let mut page = read(None, Some(PAGE_MAX)).await?;
        while let Some(after) = page.next.take() {
            let more = read(Some(after), Some(PAGE_MAX)).await?;
            page.next = more.next;
            // A list that grows (events) always says where to go on; it has ended for now.
            if more.items.is_empty() {
                break;
            }
            page.items.extend(more.items);
        }
        Ok(page)
    }
}

/// Says that a list goes on, or that it is empty, to whoever looks at a table.
pub(crate) fn tell_rest<T>(page: &Page<T>, none: &str, output: Output) {
    if page.items.is_empty() {
        output.say(none);
    } else if page.next.is_some() {
        output.say(&format!("These are {} rows; there are more: --all shows every one.", page.items.len()));
    }
}
