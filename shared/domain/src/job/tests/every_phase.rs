//! The matrix of moves and phases: what is legal leads where the table says, everything else is
//! refused with its reason.

use crate::failure::Code;
use crate::job::{Illegal, Job};
use crate::report::Report;
use crate::sample::{
    at, backend, beat_at, claim_at, gpu_error, in_phase, picture, report, start_at,
};
use crate::state::{CancelReason, Hold, Phase};
use crate::time::Ms;

/// Where a move leads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Leads {
    To(Phase),
    /// The job comes back as it was, and nothing is to be written.
    Nowhere,
    Refused,
    /// Refused while the lease of the sample's claim holds.
    Held,
}

type Move = fn(Job) -> Result<Job, Illegal>;

/// A move and where it leads from each phase, in the order of [`Phase::ALL`].
const TABLE: &[(&str, Move, [Leads; 7])] = {
    use Leads::{Held, Nowhere, Refused as No, To};
    use Phase::{Accepted, Canceled, Canceling, Dispatching, Failed, Running, Succeeded};
    &[
        (
            "claim",
            |job| job.claim(claim_at(at(30))),
            [To(Dispatching), Held, No, No, No, No, No],
        ),
        (
            "claim after the lease",
            |job| job.claim(claim_at(at(47))),
            [To(Dispatching), To(Dispatching), No, No, No, No, No],
        ),
        (
            "start",
            |job| {
                let start = start_at(&job, at(30));
                job.start(start)
            },
            [No, To(Running), No, No, No, No, No],
        ),
        (
            "beat",
            |job| {
                let beat = beat_at(&job, 9, at(30));
                job.beat(&beat)
            },
            [No, No, To(Running), No, No, No, No],
        ),
        (
            "seen",
            |job| job.seen(at(30)),
            [No, No, To(Running), No, No, No, No],
        ),
        (
            "hold",
            |job| job.hold(Hold::Backend { again_at: None }, backend("modal")),
            [No, To(Accepted), No, No, No, No, No],
        ),
        (
            "hand over",
            |job| job.hand_over(backend("pod")),
            [No, To(Dispatching), No, No, No, No, No],
        ),
        (
            "end attempt",
            |job| {
                let origin = job.origin();
                job.end_attempt(&origin, gpu_error(at(30)))
            },
            [No, To(Accepted), To(Accepted), No, No, No, No],
        ),
        (
            "succeed",
            |job| {
                let origin = job.origin();
                job.succeed(&origin, vec![picture()], report(), at(30))
            },
            [No, To(Succeeded), To(Succeeded), To(Canceled), No, No, No],
        ),
        (
            "succeed without a picture",
            |job| {
                let origin = job.origin();
                job.succeed(&origin, Vec::new(), report(), at(30))
            },
            [No, No, No, To(Canceled), No, No, No],
        ),
        (
            "fail",
            |job| job.fail(Code::Internal, Report::default(), at(30)),
            [To(Failed), To(Failed), To(Failed), To(Failed), No, No, No],
        ),
        (
            "expire",
            |job| job.expire(at(900)),
            [To(Failed), To(Failed), To(Failed), To(Canceled), No, No, No],
        ),
        (
            "give up",
            |job| job.give_up(at(30)),
            [To(Failed), To(Failed), To(Failed), To(Canceled), No, No, No],
        ),
        (
            "cancel",
            |job| Ok(job.cancel(CancelReason::User, at(30), Ms::seconds(60))),
            [
                To(Canceled),
                To(Canceling),
                To(Canceling),
                Nowhere,
                Nowhere,
                Nowhere,
                Nowhere,
            ],
        ),
        (
            "confirm cancel",
            |job| job.confirm_cancel(Report::default(), at(30)),
            [No, No, No, To(Canceled), No, No, No],
        ),
        (
            "remove data",
            Job::remove_data,
            [No, No, No, No, To(Succeeded), To(Failed), To(Canceled)],
        ),
    ]
};

#[test]
fn every_move_from_every_phase_leads_where_the_table_says() {
    for (name, make, leads) in TABLE {
        for (phase, leads) in Phase::ALL.into_iter().zip(*leads) {
            let job = in_phase(phase);
            let moved = make(job.clone());
            let what = format!("{name} from {}", phase.name());
            match leads {
                Leads::To(next) => {
                    let moved = moved.unwrap_or_else(|illegal| panic!("{what}: {illegal}"));
                    assert_eq!(moved.state.phase(), next, "{what}");
                    assert_eq!(moved.rev, job.rev + 1, "{what}: one write");
                    assert_eq!(moved.due.is_none(), next.is_terminal(), "{what}: due");
                }
                Leads::Nowhere => assert_eq!(moved, Ok(job), "{what}"),
                Leads::Held => assert_eq!(moved, Err(Illegal::Held), "{what}"),
                Leads::Refused => {
                    let reason = if phase.is_terminal() && *name != "seen" {
                        Illegal::Ended(phase)
                    } else {
                        Illegal::NotFrom(phase)
                    };
                    assert_eq!(moved, Err(reason), "{what}");
                }
            }
        }
    }
}

#[test]
fn an_ended_job_that_forgets_its_data_keeps_its_outcome() {
    for phase in [Phase::Succeeded, Phase::Failed, Phase::Canceled] {
        let job = in_phase(phase);
        let outcome = job.state.clone();
        let forgotten = job.remove_data().unwrap();
        assert_eq!(forgotten.state, outcome, "{}", phase.name());
        assert!(forgotten.data_removed);
    }
}
