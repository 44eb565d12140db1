//! What becomes of a run that is stopped, and of those beside it.

use super::order::Order;
use super::{AFTER_ALL, Gpus, LONG, MOMENT, Sites};
use ryla_domain::failure::Code;
use ryla_domain::overdue::Answer;
use ryla_domain::time::Ms;
use ryla_engine::complete::Event;
use ryla_engine::port::{Cancelled, StartOutcome};

/// Its worker says so, and puts nothing.
pub(super) async fn a_running_run_is_cancelled_and_stays_so(sites: &dyn Sites) {
    let site = sites.open(Gpus::Slow).await;
    let order = Order::of(site.as_ref(), 1).await;
    site.started(&order).await;
    site.until_running(&order).await;
    let cancelled = site.cancel(&order).await;
    assert_ne!(cancelled, Cancelled::Unreachable, "a cancel of a run");
    site.until_canceled(&order).await;
    site.hears(&order, &["started", "cancelled"]).await;
    let again = site.cancel(&order).await;
    assert_eq!(again, Cancelled::Confirmed, "once it is stopped");
    site.pass(AFTER_ALL).await;
    assert_eq!(site.check(&order).await, Answer::Canceled, "later");
    site.nothing_lies(&order).await;
}

/// Neither where it waits for its container nor where it waits for a free one does it cost anything.
pub(super) async fn a_waiting_run_is_cancelled_before_it_ran(sites: &dyn Sites) {
    for gpus in Gpus::WITH_A_WAIT {
        let site = sites.open(gpus).await;
        let order = Order::of(site.as_ref(), 1).await;
        site.started(&order).await;
        site.pass(Ms(LONG.0 / 10)).await;
        assert_eq!(site.check(&order).await, Answer::Pending, "{gpus:?}");
        let cancelled = site.cancel(&order).await;
        assert_ne!(cancelled, Cancelled::Unreachable, "{gpus:?}");
        site.until_canceled(&order).await;
        site.pass(AFTER_ALL).await;
        assert_eq!(site.check(&order).await, Answer::Canceled, "{gpus:?}");
        assert_eq!(site.begun(order.job()), 0, "runs, {gpus:?}");
        // Whether there was a worker that could say so is the backend's own affair.
        let said = site.said(order.run());
        let stopped = |event: &Event| matches!(event, Event::Cancelled { .. });
        assert!(said.iter().all(stopped), "{gpus:?}: {said:?}");
        site.nothing_lies(&order).await;
    }
}

/// The picture was faster than the user.
pub(super) async fn a_cancel_of_what_has_ended_changes_nothing(sites: &dyn Sites) {
    let site = sites.open(Gpus::Quick).await;
    let order = Order::of(site.as_ref(), 1).await;
    site.started(&order).await;
    let done = site.until_done(&order).await;
    let pictures = site.pictures(&order).await;
    for _ in 0..2 {
        assert_eq!(site.cancel(&order).await, Cancelled::Confirmed, "a cancel");
        assert_eq!(site.check(&order).await, done, "after a cancel");
    }
    assert_eq!(site.pictures(&order).await, pictures, "its picture");
    site.hears(&order, &["started", "succeeded"]).await;
}

/// Neither another job's run nor another attempt of the same job is touched by a cancel.
pub(super) async fn two_runs_do_not_see_each_other(sites: &dyn Sites) {
    let site = sites.open(Gpus::Slow).await;
    let first = Order::of(site.as_ref(), 1).await;
    let beside = Order::of(site.as_ref(), 1).await;
    for order in [&first, &beside] {
        site.started(order).await;
    }
    for order in [&first, &beside] {
        site.until_running(order).await;
    }
    site.cancel(&first).await;
    site.until_canceled(&first).await;
    let next = first.next(site.as_ref()).await;
    assert_eq!(site.check(&next).await, Answer::Unknown, "the next attempt");
    site.started(&next).await;
    for order in [&beside, &next] {
        site.until_done(order).await;
        let said = site.hears(order, &["started", "succeeded"]).await;
        let beats = |event: &Event| matches!(event, Event::Progress { .. });
        let can = site.backend().capabilities();
        let wanted = can.calls_back && can.progress;
        assert_eq!(said.iter().any(beats), wanted, "signs of life: {said:?}");
    }
    // The first attempt had begun before it was stopped.
    assert_eq!(site.begun(beside.job()), 1, "runs of the other job");
    assert_eq!(
        site.begun(first.job()),
        2,
        "runs of the job with two attempts"
    );
    let own = site.pictures(&beside).await;
    let other = site.pictures(&next).await;
    assert_ne!(own[0].etag, other[0].etag, "each has a picture of its own");
    assert_eq!(site.check(&first).await, Answer::Canceled, "the first");
    site.nothing_lies(&first).await;
}

/// The start was under way for longer than its cancel, which leaves a tombstone.
pub(super) async fn a_run_cancelled_before_it_arrives_is_refused(sites: &dyn Sites) {
    let site = sites.open(Gpus::Quick).await;
    let order = Order::of(site.as_ref(), 1).await;
    let cancelled = site.cancel(&order).await;
    assert_eq!(cancelled, Cancelled::Confirmed, "of an unknown run");
    assert_eq!(site.check(&order).await, Answer::Canceled, "its tombstone");
    for _ in 0..2 {
        let late = site.start(&order).await;
        assert!(
            matches!(late, StartOutcome::Refused(Code::Internal)),
            "a start after the cancel: {late:?}"
        );
    }
    site.pass(MOMENT).await;
    assert_eq!(site.check(&order).await, Answer::Canceled, "later");
    assert_eq!(site.begun(order.job()), 0, "runs");
    assert_eq!(site.said(order.run()), [], "callbacks");
    site.nothing_lies(&order).await;
}

/// A message that came twice finds the run it made, stopped, whatever the start is answered.
pub(super) async fn a_cancelled_run_is_not_begun_by_another_start(sites: &dyn Sites) {
    let site = sites.open(Gpus::Cold).await;
    let order = Order::of(site.as_ref(), 1).await;
    site.started(&order).await;
    site.cancel(&order).await;
    site.until_canceled(&order).await;
    site.start(&order).await;
    site.pass(AFTER_ALL).await;
    assert_eq!(site.check(&order).await, Answer::Canceled, "later");
    assert_eq!(site.begun(order.job()), 0, "runs");
    site.nothing_lies(&order).await;
}
