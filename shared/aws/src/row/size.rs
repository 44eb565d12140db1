//! The budget of the design, as item sizes: DynamoDB charges a write unit for each KiB begun, of the
//! table and of an index alike, so a row must stay below 1 KiB at every stage of a usual job.

use super::{Row, encode};
use aws_sdk_dynamodb::types::AttributeValue;
use ryla_domain::id::JobId;
use ryla_domain::job::{AttemptEnd, Job};
use ryla_domain::report::Report;
use ryla_domain::state::Phase;
use ryla_domain::time::Ms;
use ryla_testing::sample::{INVOCATION, a_claim, a_job, in_phase};

/// Bytes of an item by DynamoDB's rules (Developer Guide, "DynamoDB item sizes and formats").
fn item_size(row: &Row) -> usize {
    row.iter()
        .map(|(name, value)| name.len() + value_size(value))
        .sum()
}

fn value_size(value: &AttributeValue) -> usize {
    match value {
        AttributeValue::S(text) => text.len(),
        AttributeValue::B(blob) => blob.as_ref().len(),
        AttributeValue::N(number) => {
            let digits = number.bytes().filter(u8::is_ascii_digit).count();
            digits.div_ceil(2) + 1 + usize::from(number.starts_with('-'))
        }
        AttributeValue::L(list) => 3 + list.iter().map(|one| 1 + value_size(one)).sum::<usize>(),
        AttributeValue::Bool(_) | AttributeValue::Null(_) => 1,
        other => panic!("rows hold no {other:?}"),
    }
}

/// A usual job: a prompt of that many letters, an account of 8, a generated id, the names that
/// Lambda and Modal give, and a seed as we draw them.
fn job(prompt_chars: usize) -> Job {
    let prompt = "a lighthouse at dusk, ".repeat(prompt_chars / 22 + 1);
    let input = ryla_testing::sample::flux_dev_input(&prompt[..prompt_chars], (1 << 53) - 1);
    a_job()
        .account("acme-001")
        .id(JobId::generated(&[0x9d; 16]).as_str())
        .input(ryla_domain::job::StoredInput::Inline(input))
        .build()
}

/// The job at every stage: each phase, the same on its third attempt, and with the caller's wishes.
fn stages(prompt_chars: usize) -> Vec<Job> {
    let fresh = job(prompt_chars);
    let mut third = fresh.clone();
    for _ in 0..2 {
        let at = third.created_at + Ms(1);
        let claimed = third.claim(a_claim(INVOCATION, at)).unwrap();
        let end = AttemptEnd {
            code: ryla_domain::failure::Code::BackendUnreachable,
            report: Report::default(),
            next: Some("modal-sync".parse().unwrap()),
            max_attempts: 3,
            at,
        };
        let origin = claimed.origin();
        third = claimed.end_attempt(&origin, end).unwrap();
    }
    let mut wishes = fresh.clone();
    wishes.deadline.by = ryla_domain::job::DeadlineBy::Caller;
    wishes.retry_of = Some(wishes.key.id.clone());
    let starts = [fresh, third, wishes];
    let phases = |job: &Job| Phase::ALL.map(|phase| in_phase(job.clone(), phase));
    starts.iter().flat_map(phases).collect()
}

fn largest(prompt_chars: usize) -> usize {
    let sizes = stages(prompt_chars)
        .into_iter()
        .map(|job| item_size(&encode(&job)));
    sizes.max().unwrap()
}

#[test]
fn a_usual_job_stays_within_its_write_units_at_every_stage() {
    for (prompt_chars, limit) in [(200, 1_024), (2_000, 3_072), (4_000, 5_120)] {
        let largest = largest(prompt_chars);
        assert!(
            largest <= limit,
            "{prompt_chars} characters: {largest} > {limit} bytes"
        );
    }
    // Room for what comes: outbox, money, several pictures.
    assert!(
        largest(200) <= 900,
        "{} bytes leave too little room",
        largest(200)
    );
}

#[test]
fn index_entries_take_one_unit_each() {
    for job in stages(4_000) {
        let mut row = encode(&job);
        let projected = [
            "pk",
            "sk",
            "gpk",
            "gsk",
            "due",
            "due_at",
            "deadline_at",
            "due_tries",
        ];
        row.retain(|name, _| projected.contains(&name.as_str()));
        assert!(item_size(&row) <= 1_024);
    }
}

#[test]
fn sizes_count_as_the_developer_guide_says() {
    let row = Row::from([
        ("ab".to_owned(), AttributeValue::S("é".to_owned())),
        (
            "n".to_owned(),
            AttributeValue::N("1777636800000".to_owned()),
        ),
        (
            "l".to_owned(),
            AttributeValue::L(vec![AttributeValue::N("7".to_owned())]),
        ),
    ]);
    assert_eq!(item_size(&row), (2 + 2) + (1 + 8) + (1 + 3 + 1 + 2));
}
