//! Every timer on a clock turned by hand: just before and just after it, from the row alone and from
//! what the backend says.

use super::*;
use crate::job::DeadlineBy;
use crate::sample::{LEASE, accepted, at, backend, claim_at, in_phase, report, start_at};
use crate::state::{CancelReason, Hold, Phase};
use crate::time::Ms;

/// Limits that no default has, so that a limit which is not read from the settings is found out.
fn timers() -> Timers {
    Timers {
        start_limit: Ms::seconds(250),
        silence: Ms::seconds(95),
        run_limit: Ms::seconds(210),
        run_limit_video: Ms::seconds(410),
        max_attempts: 2,
        ..Timers::default()
    }
}

fn look_at(job: &Job, now: UnixMs) -> Look {
    look(job, now, &timers(), Media::Picture)
}

fn judge(job: &Job, answer: Answer, now: UnixMs, media: Media) -> Verdict {
    after_answer(job, answer, now, &timers(), media, |_| Some(backend("pod"))).unwrap()
}

fn picture(job: &Job, answer: Answer, now: UnixMs) -> Verdict {
    judge(job, answer, now, Media::Picture)
}

fn seen_running(job: Job, now: UnixMs) -> Job {
    job.seen(now).unwrap()
}

/// The job that a verdict writes.
fn written(verdict: Verdict) -> Job {
    match verdict {
        Verdict::Write(job) | Verdict::StopThenWrite(job) => *job,
        other => panic!("nothing is written: {other:?}"),
    }
}

fn code_of(job: &Job) -> Option<Code> {
    match &job.state {
        State::Failed { code, .. } => Some(*code),
        _ => None,
    }
}

const RUNNING: Answer = Answer::Running { call: None };

#[test]
fn an_accepted_job_that_is_due_gets_its_message_again_until_the_deadline() {
    let held = in_phase(Phase::Dispatching)
        .hold(Hold::Backend { again_at: None }, backend("modal"))
        .unwrap();
    for job in [accepted(), held] {
        let deadline = job.deadline.at;
        assert_eq!(look_at(&job, at(120)), Look::Resend);
        assert_eq!(look_at(&job, deadline - Ms(1)), Look::Resend);
        assert_eq!(look_at(&job, deadline), Look::End);
    }
}

#[test]
fn a_held_job_whose_message_is_on_the_way_gets_no_second_one() {
    let again_at = Some(at(300));
    let held = in_phase(Phase::Dispatching)
        .hold(Hold::Backend { again_at }, backend("modal"))
        .unwrap();
    let a_period_later = at(300) + Timers::default().sweep_period;
    assert_eq!(look_at(&held, at(120)), Look::Leave);
    assert_eq!(look_at(&held, a_period_later - Ms(1)), Look::Leave);
    assert_eq!(look_at(&held, a_period_later), Look::Resend, "it was lost");
    assert_eq!(look_at(&held, held.deadline.at), Look::End);
}

#[test]
fn a_claimed_job_is_asked_about_once_its_lease_is_over() {
    let job = accepted().claim(claim_at(at(100))).unwrap();
    let lease_until = at(100) + LEASE;
    assert_eq!(look_at(&job, lease_until), Look::Leave);
    assert_eq!(look_at(&job, lease_until + Ms(1)), Look::Ask);
}

#[test]
fn a_lease_is_the_dispatch_time_out_and_15_seconds() {
    let timers = Timers {
        dispatch_timeout: Ms::seconds(20),
        ..Timers::default()
    };
    assert_eq!(timers.lease(), Ms::seconds(35));
}

#[test]
fn a_silent_worker_is_asked_about() {
    let job = seen_running(in_phase(Phase::Running), at(50));
    assert_eq!(look_at(&job, at(145)), Look::Leave);
    assert_eq!(look_at(&job, at(145) + Ms(1)), Look::Ask);
}

#[test]
fn a_run_beyond_its_limit_is_asked_about_however_lively_it_is() {
    let running = in_phase(Phase::Running);
    for (media, limit_s) in [(Media::Picture, 210), (Media::Video, 410)] {
        let over = at(3 + limit_s);
        let job = seen_running(running.clone(), over);
        assert_eq!(look(&job, over, &timers(), media), Look::Leave, "{media:?}");
        let look = look(&job, over + Ms(1), &timers(), media);
        assert_eq!(look, Look::Ask, "{media:?}");
    }
}

#[test]
fn at_the_deadline_the_backend_is_asked_once_more() {
    for phase in [Phase::Dispatching, Phase::Running] {
        let mut job = in_phase(phase);
        job.deadline.at = at(20);
        assert_eq!(
            look_at(&job, at(20) - Ms(1)),
            Look::Leave,
            "{}",
            phase.name()
        );
        assert_eq!(look_at(&job, at(20)), Look::Ask, "{}", phase.name());
    }
}

#[test]
fn a_cancellation_is_pursued_and_an_ended_job_left_alone() {
    assert_eq!(look_at(&in_phase(Phase::Canceling), at(10)), Look::Cancel);
    for phase in [Phase::Succeeded, Phase::Failed, Phase::Canceled] {
        assert_eq!(look_at(&in_phase(phase), at(9_999)), Look::Leave);
    }
}

#[test]
fn an_attempt_that_does_not_start_in_time_is_stopped_and_the_next_one_begins() {
    let job = in_phase(Phase::Dispatching);
    let over = at(1 + 250);
    for answer in [Answer::Pending, Answer::Unreachable] {
        assert_eq!(picture(&job, answer.clone(), over), Verdict::Leave);
        let verdict = picture(&job, answer, over + Ms(1));
        let Verdict::StopThenWrite(next) = verdict else {
            panic!("a run that may live is stopped first: {verdict:?}")
        };
        assert_eq!(next.state.phase(), Phase::Accepted);
        assert_eq!(next.origin().attempt.number(), 2);
    }
}

#[test]
fn the_last_attempt_that_does_not_start_says_whether_its_backend_was_there() {
    let job = in_phase(Phase::Dispatching);
    let job = job
        .clone()
        .end_attempt(&job.origin(), crate::sample::gpu_error(at(2)))
        .unwrap()
        .claim(claim_at(at(3)))
        .unwrap();
    let over = at(3 + 250) + Ms(1);
    for (answer, code) in [
        (Answer::Pending, Code::Timeout),
        (Answer::Unreachable, Code::BackendUnreachable),
    ] {
        let ended = written(picture(&job, answer, over));
        assert_eq!(code_of(&ended), Some(code), "attempt 2 of at most 2");
    }
}

#[test]
fn a_run_beyond_its_limit_is_stopped_even_if_the_backend_vouches_for_it() {
    let job = in_phase(Phase::Running);
    for (media, limit_s) in [(Media::Picture, 210), (Media::Video, 410)] {
        let over = at(3 + limit_s);
        for answer in [RUNNING, Answer::Pending, Answer::Unreachable] {
            let lively = seen_running(job.clone(), over);
            let before = judge(&lively, answer.clone(), over, media);
            let stopped = matches!(before, Verdict::StopThenWrite(_));
            assert!(!stopped, "{answer:?} at the limit of {media:?}");
            let after = judge(&lively, answer.clone(), over + Ms(1), media);
            let Verdict::StopThenWrite(next) = after else {
                panic!("{answer:?} beyond the limit of {media:?}: {after:?}")
            };
            assert_eq!(next.origin().attempt.number(), 2);
        }
    }
}

#[test]
fn a_worker_whose_backend_does_not_vouch_for_it_is_given_twice_the_silence() {
    let job = seen_running(in_phase(Phase::Running), at(4));
    let over = at(4 + 190);
    for answer in [Answer::Pending, Answer::Unreachable] {
        assert_eq!(picture(&job, answer.clone(), over), Verdict::Leave);
        let after = picture(&job, answer.clone(), over + Ms(1));
        assert!(matches!(after, Verdict::StopThenWrite(_)), "{answer:?}");
    }
    let vouched = picture(&job, RUNNING, over + Ms(1));
    let Verdict::Write(next) = vouched else {
        panic!("a run that is vouched for goes on: {vouched:?}")
    };
    assert_eq!(next.state.phase(), Phase::Running);
    assert_eq!(next.due.unwrap().tries, 0, "that is progress");
}

#[test]
fn the_backends_word_stands_in_for_a_start_that_was_lost() {
    let job = in_phase(Phase::Dispatching);
    let call = Some("fc-1".parse().unwrap());
    let next = written(picture(
        &job,
        Answer::Running { call: call.clone() },
        at(60),
    ));
    let State::Running(s) = next.state else {
        panic!("the job runs")
    };
    assert_eq!((s.call, s.started_at, s.seq), (call, at(60), 0));
}

#[test]
fn a_run_that_the_backend_does_not_know_begins_again_or_is_over() {
    let waiting = in_phase(Phase::Dispatching);
    assert_eq!(picture(&waiting, Answer::Unknown, at(60)), Verdict::Resend);
    let running = in_phase(Phase::Running);
    let verdict = picture(&running, Answer::Unknown, at(100));
    let Verdict::Write(next) = verdict else {
        panic!("there is nothing to stop: {verdict:?}")
    };
    assert_eq!(next.origin().attempt.number(), 2);
    // Again and again is no way to wait for the deadline.
    let limit = timers().start_limit;
    let begun = waiting.state.dispatched_at().unwrap();
    assert_eq!(
        picture(&waiting, Answer::Unknown, begun + limit),
        Verdict::Resend
    );
    let verdict = picture(&waiting, Answer::Unknown, begun + limit + Ms(1));
    let Verdict::StopThenWrite(next) = verdict else {
        panic!("it is stopped there for good: {verdict:?}")
    };
    assert_eq!(next.origin().attempt.number(), 2);
}

#[test]
fn what_ended_at_the_backend_ends_here_without_being_stopped_there() {
    for phase in [Phase::Dispatching, Phase::Running] {
        let job = in_phase(phase);
        assert_eq!(
            picture(&job, Answer::Done(report()), at(60)),
            Verdict::Complete(report())
        );
        for answer in [
            Answer::Canceled,
            Answer::Failed {
                code: Code::GpuOom,
                report: report(),
            },
        ] {
            let verdict = picture(&job, answer, at(60));
            let Verdict::Write(next) = verdict else {
                panic!("there is nothing to stop: {verdict:?}")
            };
            assert_eq!(next.origin().attempt.number(), 2, "{}", phase.name());
        }
    }
}

#[test]
fn a_failure_that_nothing_cures_keeps_its_code() {
    let failed = Answer::Failed {
        code: Code::Unsafe,
        report: report(),
    };
    let job = in_phase(Phase::Running);
    let verdict = after_answer(&job, failed, at(60), &timers(), Media::Picture, |_| None);
    assert_eq!(code_of(&written(verdict.unwrap())), Some(Code::Unsafe));
}

#[test]
fn at_the_deadline_the_job_ends_whatever_the_backend_says_unless_it_is_done() {
    let answers = [
        (Answer::Unknown, false),
        (Answer::Canceled, false),
        (
            Answer::Failed {
                code: Code::GpuError,
                report: report(),
            },
            false,
        ),
        (Answer::Pending, true),
        (RUNNING, true),
        (Answer::Unreachable, true),
    ];
    for phase in [Phase::Dispatching, Phase::Running] {
        for by in [DeadlineBy::System, DeadlineBy::Caller] {
            let mut job = in_phase(phase);
            job.deadline.by = by;
            let deadline = job.deadline.at;
            for (answer, may_live) in &answers {
                let verdict = picture(&job, answer.clone(), deadline);
                let stopped = matches!(verdict, Verdict::StopThenWrite(_));
                assert_eq!(stopped, *may_live, "{answer:?}");
                let ended = written(verdict).state;
                match by {
                    DeadlineBy::System => assert!(matches!(
                        ended,
                        State::Failed {
                            code: Code::Timeout,
                            ..
                        }
                    )),
                    DeadlineBy::Caller => assert!(matches!(
                        ended,
                        State::Canceled {
                            reason: CancelReason::Deadline,
                            ..
                        }
                    )),
                }
            }
            let done = picture(&job, Answer::Done(report()), deadline);
            assert_eq!(done, Verdict::Complete(report()));
        }
    }
}

#[test]
fn a_late_failure_at_the_edge_of_the_deadline_is_judged_by_the_same_clock() {
    let job = in_phase(Phase::Running);
    let just_before = job.deadline.at - Ms(1);
    let next = written(picture(&job, Answer::Unknown, just_before));
    assert_eq!(next.state.phase(), Phase::Accepted);
    // The sweep finds it at once, and ends it.
    assert_eq!(look_at(&next, next.due.unwrap().at), Look::Resend);
    assert_eq!(look_at(&next, job.deadline.at), Look::End);
}

#[test]
fn the_media_says_which_deadline_and_run_limit_count() {
    let timers = Timers {
        deadline: Ms(1),
        deadline_video: Ms(2),
        run_limit: Ms(3),
        run_limit_video: Ms(4),
        ..Timers::default()
    };
    assert_eq!(timers.deadline_of(Media::Picture), Ms(1));
    assert_eq!(timers.deadline_of(Media::Video), Ms(2));
    assert_eq!(timers.run_limit_of(Media::Picture), Ms(3));
    assert_eq!(timers.run_limit_of(Media::Video), Ms(4));
}

#[test]
fn the_back_offs_follow_the_settings() {
    let timers = Timers {
        sweep_period: Ms::seconds(2),
        ..Timers::default()
    };
    let sweep: Vec<u64> = (0..6).map(|n| timers.sweep_backoff().wait(n).0).collect();
    assert_eq!(sweep, [2_000, 4_000, 8_000, 16_000, 30_000, 30_000]);
    let hold: Vec<u64> = (0..7).map(|n| timers.hold_backoff().wait(n).0).collect();
    assert_eq!(hold, [2_000, 4_000, 8_000, 16_000, 32_000, 60_000, 60_000]);
}

#[test]
fn the_first_event_of_a_start_is_told_from_the_next_attempts() {
    let job = in_phase(Phase::Dispatching);
    let late = start_at(&job, at(60));
    let next = job
        .clone()
        .end_attempt(&job.origin(), crate::sample::gpu_error(at(30)))
        .unwrap()
        .claim(claim_at(at(31)))
        .unwrap();
    assert_eq!(next.start(late), Err(Illegal::Stale));
}
