//! An account's jobs: one query of the index by account for their keys, one batch read for the rows.

use super::{DynamoJobStore, text};
use crate::Operation;
use crate::error::TableFault;
use crate::row::{self, Row};
use aws_sdk_dynamodb::types::{KeysAndAttributes, ReturnConsumedCapacity};
use ryla_domain::id::AccountId;
use ryla_domain::job::Job;
use ryla_domain::time::{Ms, UnixMs};
use ryla_engine::port::{JobPage, ListRange, Order, StoreError};
use std::collections::HashMap;

/// Keys that one `BatchGetItem` takes.
const BATCH: usize = 100;
/// Tries to get all rows of a batch out of a table that hands over fewer than it was asked for.
const BATCH_TRIES: u32 = 5;
const BATCH_PAUSE: Ms = Ms(25);

/// The table kept back rows of a batch read again and again.
#[derive(Debug, thiserror::Error)]
#[error("rows of a batch read were not handed over in {BATCH_TRIES} tries")]
struct KeptBack;

impl DynamoJobStore {
    /// Reads on while a page has lost rows to expiry or to other builds, so that a short answer
    /// always means the end.
    pub(super) async fn list_pages(
        &self,
        account: &AccountId,
        range: &ListRange,
        now: UnixMs,
    ) -> Result<JobPage, StoreError> {
        let wanted = usize::try_from(range.limit).unwrap_or(usize::MAX);
        let mut jobs = Vec::new();
        let mut more = false;
        let mut stretch = Stretch::of(range);
        let mut page = wanted.min(BATCH);
        while jobs.len() < wanted && !stretch.is_empty() {
            let mut keys = self
                .page_of_keys(account, range.order, &stretch, page)
                .await?;
            more = keys.len() > page;
            keys.truncate(page);
            let Some(last) = keys.last() else { break };
            stretch.cut(range.order, last.gsk.clone());
            jobs.extend(self.read_all(&keys, now).await?);
            if !more {
                break;
            }
            page = BATCH;
        }
        more |= jobs.len() > wanted;
        jobs.truncate(wanted);
        Ok(JobPage { jobs, more })
    }

    /// The next keys of the stretch, one more than a page of them where there are more.
    async fn page_of_keys(
        &self,
        account: &AccountId,
        order: Order,
        stretch: &Stretch,
        page: usize,
    ) -> Result<Vec<Listed>, StoreError> {
        self.capacity.request(Operation::ListQuery);
        // The place that the stretch begins behind may come back with it.
        let limit = page + 1 + usize::from(stretch.behind.is_some());
        let found = self
            .client
            .query()
            .table_name(&self.table)
            .index_name(crate::schema::BY_ACCOUNT)
            .key_condition_expression("#gpk = :account AND #gsk BETWEEN :low AND :high")
            .expression_attribute_names("#gpk", "gpk")
            .expression_attribute_names("#gsk", "gsk")
            .expression_attribute_values(":account", text(row::gpk(account)))
            .expression_attribute_values(":low", text(&stretch.low))
            .expression_attribute_values(":high", text(&stretch.high))
            .scan_index_forward(order == Order::Oldest)
            .limit(i32::try_from(limit).unwrap_or(i32::MAX))
            .return_consumed_capacity(ReturnConsumedCapacity::Total)
            .send()
            .await
            .map_err(TableFault::of)?;
        self.capacity
            .took(Operation::ListQuery, found.consumed_capacity());
        let mut keys: Vec<Listed> = found.items().iter().filter_map(Listed::of).collect();
        keys.retain(|listed| stretch.behind.as_ref() != Some(&listed.gsk));
        Ok(keys)
    }

    /// The rows in the order of their keys, without those that are gone, expired or unreadable.
    async fn read_all(&self, keys: &[Listed], now: UnixMs) -> Result<Vec<Job>, StoreError> {
        let mut rows = HashMap::new();
        let mut missing: Vec<Row> = keys
            .iter()
            .map(|listed| row::raw_primary_key(&listed.pk))
            .collect();
        for tries in 0..BATCH_TRIES {
            if missing.is_empty() {
                break;
            }
            if tries > 0 {
                tokio::time::sleep(BATCH_PAUSE.doubled(tries).duration()).await;
            }
            missing = self.read_batch(missing, &mut rows).await?;
        }
        if !missing.is_empty() {
            return Err(StoreError::Throttled(Box::new(KeptBack)));
        }
        let readable = |listed: &Listed| {
            let row: &Row = rows.get(&listed.pk)?;
            row::decode(row).ok().filter(|_| !row::expired(row, now))
        };
        Ok(keys.iter().filter_map(readable).collect())
    }

    /// One batch read; returns the keys that the table kept back.
    async fn read_batch(
        &self,
        keys: Vec<Row>,
        rows: &mut HashMap<String, Row>,
    ) -> Result<Vec<Row>, StoreError> {
        self.capacity.request(Operation::ListRead);
        let wanted = KeysAndAttributes::builder().set_keys(Some(keys)).build();
        let wanted = wanted.map_err(|error| StoreError::Unavailable(Box::new(error)))?;
        let mut got = self
            .client
            .batch_get_item()
            .request_items(&self.table, wanted)
            .return_consumed_capacity(ReturnConsumedCapacity::Total)
            .send()
            .await
            .map_err(TableFault::of)?;
        for consumed in got.consumed_capacity() {
            self.capacity.took(Operation::ListRead, Some(consumed));
        }
        let found = got.responses.as_mut().and_then(|by| by.remove(&self.table));
        for row in found.unwrap_or_default() {
            let pk = row.get("pk").and_then(|pk| pk.as_s().ok()).cloned();
            rows.extend(pk.map(|pk| (pk, row)));
        }
        let kept_back = got
            .unprocessed_keys
            .and_then(|mut by| by.remove(&self.table));
        Ok(kept_back.map(|kept| kept.keys).unwrap_or_default())
    }
}

/// A key of the index by account.
struct Listed {
    pk: String,
    gsk: String,
}

impl Listed {
    fn of(row: &Row) -> Option<Self> {
        Some(Self {
            pk: row.get("pk")?.as_s().ok()?.clone(),
            gsk: row.get("gsk")?.as_s().ok()?.clone(),
        })
    }
}

/// What is left to read of the index: both bounds belong to it, except for `behind`.
#[derive(Debug, PartialEq, Eq)]
struct Stretch {
    low: String,
    high: String,
    behind: Option<String>,
}

impl Stretch {
    fn of(range: &ListRange) -> Self {
        let mut stretch = Self {
            low: row::gsk_from(range.from.unwrap_or(UnixMs(0))),
            high: row::gsk_until(range.until.unwrap_or(UnixMs(i64::MAX))),
            behind: None,
        };
        if let Some((at, id)) = &range.after {
            stretch.cut(range.order, row::gsk(*at, id));
        }
        stretch
    }

    /// Only what lies behind that place, if it lies in the stretch at all.
    fn cut(&mut self, order: Order, place: String) {
        match order {
            Order::Newest if place <= self.high => self.high.clone_from(&place),
            Order::Oldest if place >= self.low => self.low.clone_from(&place),
            Order::Newest | Order::Oldest => return,
        }
        self.behind = Some(place);
    }

    fn is_empty(&self) -> bool {
        self.low > self.high
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn range(from: i64, until: i64, order: Order, after: Option<i64>) -> ListRange {
        ListRange {
            from: Some(UnixMs(from)),
            until: Some(UnixMs(until)),
            order,
            after: after.map(|at| (UnixMs(at), "some-id-1".parse().unwrap())),
            limit: 10,
        }
    }

    #[test]
    fn a_cursor_outside_the_range_changes_nothing_or_leaves_nothing() {
        let all = Stretch::of(&range(10, 20, Order::Newest, None));
        assert_eq!(Stretch::of(&range(10, 20, Order::Newest, Some(30))), all);
        assert_eq!(Stretch::of(&range(10, 20, Order::Oldest, Some(5))), all);
        assert!(Stretch::of(&range(10, 20, Order::Newest, Some(5))).is_empty());
        assert!(Stretch::of(&range(10, 20, Order::Oldest, Some(30))).is_empty());
        let cut = Stretch::of(&range(10, 20, Order::Oldest, Some(15)));
        assert_eq!(cut.low, "000000000000015#some-id-1");
        assert_eq!(cut.behind.as_deref(), Some("000000000000015#some-id-1"));
    }

    #[test]
    fn both_ends_of_a_range_belong_to_it_and_a_range_the_wrong_way_round_is_empty() {
        let stretch = Stretch::of(&range(10, 10, Order::Newest, None));
        let inside = row::gsk(UnixMs(10), &"zzzzzzzz-z".parse().unwrap());
        assert!(stretch.low < inside && inside < stretch.high);
        let outside = row::gsk(UnixMs(11), &"00000000".parse().unwrap());
        assert!(outside > stretch.high);
        assert!(Stretch::of(&range(20, 10, Order::Newest, None)).is_empty());
    }
}
