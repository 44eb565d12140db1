//! Lists an account's jobs page by page, newest first, in both directions.

use crate::cursor::Cursor;
use crate::port::{Clock, JobStore, ListRange, Order, StoreError};
use ryla_domain::id::AccountId;
use ryla_domain::job::Job;
use ryla_domain::time::UnixMs;
use std::sync::Arc;

/// What part of the list is wanted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wanted {
    /// Where an earlier page left off.
    pub cursor: Option<Cursor>,
    /// Only jobs created at this time or later.
    pub created_after: Option<UnixMs>,
    /// Only jobs created at this time or earlier.
    pub created_before: Option<UnixMs>,
    /// Jobs on a page, 1 to 100.
    pub page_size: u32,
}

/// A page of the list, newest job first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Page {
    /// The jobs.
    pub jobs: Vec<Job>,
    /// Leads to older jobs.
    pub next: Option<Cursor>,
    /// Leads to newer jobs.
    pub previous: Option<Cursor>,
}

/// Lists jobs.
#[derive(Clone)]
pub struct List {
    /// Where they lie.
    pub jobs: Arc<dyn JobStore>,
    /// Time.
    pub clock: Arc<dyn Clock>,
}

impl List {
    /// One page. One query and one batch read.
    pub async fn page(&self, account: &AccountId, wanted: &Wanted) -> Result<Page, StoreError> {
        let order = wanted.cursor.as_ref().map_or(Order::Newest, |c| c.order);
        let range = ListRange {
            from: wanted.created_after,
            until: wanted.created_before,
            order,
            after: wanted.cursor.as_ref().map(|c| (c.created_at, c.id.clone())),
            limit: wanted.page_size,
        };
        let page = self.jobs.list(account, &range, self.clock.now()).await?;
        let (mut jobs, more) = (page.jobs, page.more);
        if order == Order::Oldest {
            jobs.reverse();
        }
        let came_from_cursor = wanted.cursor.is_some();
        let (has_older, has_newer) = match order {
            Order::Newest => (more, came_from_cursor),
            Order::Oldest => (came_from_cursor, more),
        };
        let cursor = |job: Option<&Job>, order| {
            job.map(|job| Cursor {
                created_at: job.created_at,
                id: job.key.id.clone(),
                order,
            })
        };
        Ok(Page {
            next: cursor(jobs.last().filter(|_| has_older), Order::Newest),
            previous: cursor(jobs.first().filter(|_| has_newer), Order::Oldest),
            jobs,
        })
    }
}
