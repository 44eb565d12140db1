//! What becomes of a run that nobody stops.

use super::order::{FORMAT, Order};
use super::{FAILURE, Gpus, LONG, MOMENT, Sites};
use crate::backend::a_jpeg;
use futures_util::future::join_all;
use ryla_domain::failure::Code;
use ryla_domain::overdue::Answer;
use ryla_domain::time::Ms;
use ryla_engine::complete::Event;
use ryla_engine::port::Cancelled;

/// That somebody asked for it makes no run of it.
pub(super) async fn a_run_that_nobody_started_is_unknown(sites: &dyn Sites) {
    let site = sites.open(Gpus::Quick).await;
    let order = Order::of(site.as_ref(), 1).await;
    for _ in 0..2 {
        assert_eq!(site.check(&order).await, Answer::Unknown, "never started");
    }
    assert_eq!(site.begun(order.job()), 0, "runs");
}

/// With two pictures. Who asks is told the same as who was called back.
pub(super) async fn a_started_run_is_known_at_once_and_ends_done(sites: &dyn Sites) {
    let site = sites.open(Gpus::Quick).await;
    let order = Order::of(site.as_ref(), 2).await;
    site.started(&order).await;
    let at_once = site.check(&order).await;
    assert!(
        matches!(
            at_once,
            Answer::Pending | Answer::Running { .. } | Answer::Done(_)
        ),
        "right after its start: {at_once:?}"
    );
    let done = site.until_done(&order).await;
    let pictures = site.pictures(&order).await;
    let said = site.hears(&order, &["started", "succeeded"]).await;
    if let Some(Event::Succeeded { report, etags }) = said.last() {
        assert_eq!(done, Answer::Done(report.clone()), "asked, and called back");
        let lie = (0..).zip(pictures.iter().map(|picture| picture.etag.clone()));
        assert_eq!(*etags, lie.collect::<Vec<_>>(), "slots and entity tags");
    }
    assert_eq!(site.begun(order.job()), 1, "runs");
    site.pass(MOMENT).await;
    assert_eq!(site.check(&order).await, done, "a while later");
}

/// Nothing lies there, and a cancel does not gloss it over.
pub(super) async fn a_failing_run_ends_failed_with_its_code(sites: &dyn Sites) {
    let site = sites.open(Gpus::Failing).await;
    let order = Order::of(site.as_ref(), 1).await;
    site.started(&order).await;
    let failed = |answer: &Answer| matches!(answer, Answer::Failed { .. });
    let answer = site.until(&order, "failed", failed).await;
    let Answer::Failed { code, report } = &answer else {
        unreachable!("waited for it")
    };
    assert_eq!(*code, FAILURE, "why it failed");
    let said = site.hears(&order, &["started", "failed"]).await;
    if let Some(last) = said.last() {
        let (code, report) = (*code, report.clone());
        assert_eq!(*last, Event::Failed { code, report }, "called back");
    }
    site.nothing_lies(&order).await;
    if site.backend().capabilities().cancel {
        assert_eq!(site.cancel(&order).await, Cancelled::Confirmed, "a cancel");
        assert_eq!(site.check(&order).await, answer, "after a cancel");
    }
}

/// Whether it comes too late, or its time runs out while it waits.
pub(super) async fn a_run_past_its_deadline_does_no_work(sites: &dyn Sites) {
    for (gpus, late) in [
        (Gpus::Quick, true),
        (Gpus::Cold, false),
        (Gpus::Taken, false),
    ] {
        let site = sites.open(gpus).await;
        let mut order = Order::of(site.as_ref(), 1).await;
        order.request.deadline_at = if late {
            site.now() - Ms(1)
        } else {
            site.now() + Ms(LONG.0 / 2)
        };
        site.started(&order).await;
        let ended = |answer: &Answer| !matches!(answer, Answer::Pending);
        let answer = site.until(&order, "expired", ended).await;
        assert!(
            matches!(
                answer,
                Answer::Failed {
                    code: Code::Timeout,
                    ..
                }
            ),
            "{gpus:?}, its deadline passed: {answer:?}"
        );
        site.hears(&order, &["expired"]).await;
        site.pass(MOMENT).await;
        assert_eq!(site.begun(order.job()), 0, "runs, {gpus:?}");
        site.nothing_lies(&order).await;
    }
}

/// An earlier run of the same attempt put it: the PUT is answered with 412. Of that picture the worker
/// knows nothing.
pub(super) async fn a_picture_that_lies_there_already_stays(sites: &dyn Sites) {
    let site = sites.open(Gpus::Quick).await;
    let order = Order::of(site.as_ref(), 2).await;
    let earlier = a_jpeg("an earlier run's");
    let media = FORMAT.content_type();
    let put = site.images().put(&order.keys[0], media, earlier.clone());
    put.await.unwrap();
    site.started(&order).await;
    site.until_done(&order).await;
    let said = site.hears(&order, &["started", "succeeded"]).await;
    let pictures = site.pictures(&order).await;
    assert_eq!(pictures[0].head, earlier, "what lay there");
    if let Some(Event::Succeeded { etags, .. }) = said.last() {
        let own = (1, pictures[1].etag.clone());
        assert_eq!(*etags, [own], "tags of what it put itself");
    }
}

/// At once, while it runs, and when it is over: a doubled message or a lost answer costs nothing.
pub(super) async fn the_same_run_started_again_and_again_is_one_run(sites: &dyn Sites) {
    let site = sites.open(Gpus::Slow).await;
    let order = Order::of(site.as_ref(), 1).await;
    let starts = (0..8).map(|_| site.started(&order));
    let mut calls = join_all(starts).await;
    site.until_running(&order).await;
    calls.push(site.started(&order).await);
    let done = site.until_done(&order).await;
    let pictures = site.pictures(&order).await;
    calls.push(site.started(&order).await);
    site.pass(MOMENT).await;
    calls.sort();
    calls.dedup();
    let named = calls.iter().flatten().count();
    assert!(named <= 1, "one run has one name there: {calls:?}");
    assert_eq!(site.begun(order.job()), 1, "runs");
    assert_eq!(site.check(&order).await, done, "after another start");
    assert_eq!(site.pictures(&order).await, pictures, "its picture");
    site.hears(&order, &["started", "succeeded"]).await;
}
