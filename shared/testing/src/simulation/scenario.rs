//! Situations to play: who asks for what, and what the backends do with it.

use super::process::Task;
use crate::backend::{Course, End, FakeBackend, Scripted};
use ryla_domain::failure::Code;
use ryla_domain::time::Ms;
use ryla_domain::timers::Timers;
use ryla_engine::port::{Capabilities, StartOutcome};

/// A backend of a scenario.
#[derive(Clone, Debug)]
pub struct Site {
    /// Its name in routes.
    pub name: &'static str,
    /// What it can do.
    pub capabilities: Capabilities,
    /// What its first runs do.
    pub first: Vec<Course>,
    /// What all others do.
    pub course: Course,
    /// What its first starts answer, where that is not simply yes.
    pub scripts: Vec<Scripted>,
    /// For how long it takes nothing.
    pub unavailable: Ms,
}

/// How jobs of a scenario may end, as long as no more than three faults hit it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ends {
    /// With a picture.
    Succeeded,
    /// With a picture, or canceled: whoever was faster.
    SucceededOrCanceled,
    /// Canceled.
    Canceled,
    /// Failed with that code.
    Failed(Code),
}

/// A situation.
#[derive(Clone, Debug)]
pub struct Scenario {
    /// What it is called in reports.
    pub name: &'static str,
    /// How many clients each ask for one picture, 1.5 s apart.
    pub clients: usize,
    /// They send no idempotency key and count their tries instead.
    pub counted: bool,
    /// The backends in the order in which they are tried.
    pub sites: Vec<Site>,
    /// The clients' own deadline.
    pub cancel_after: Option<Ms>,
    /// When each client cancels, counted from the beginning.
    pub cancel_at: Option<Ms>,
    /// From when to when every row is a newer build's, counted from the beginning.
    pub taken_over: Option<(Ms, Ms)>,
    /// After how long every callback comes once more.
    pub echo: Option<Ms>,
    /// How many sweeps the schedule begins at a time.
    pub sweeps: usize,
    /// The limits.
    pub timers: Timers,
    /// How it ends.
    pub ends: Ends,
}

impl Site {
    /// A backend that takes everything and makes its pictures.
    pub const fn usual(name: &'static str) -> Self {
        Self {
            name,
            capabilities: FakeBackend::BY_NAME,
            first: Vec::new(),
            course: Course::USUAL,
            scripts: Vec::new(),
            unavailable: Ms(0),
        }
    }

    /// Every run of which takes this course.
    pub fn with(name: &'static str, course: Course) -> Self {
        Self {
            course,
            ..Self::usual(name)
        }
    }
}

const NEVER_BOOTS: Course = Course {
    boot: Ms::seconds(100_000),
    ..Course::USUAL
};

impl Scenario {
    /// One client, one backend, one picture.
    pub fn usual() -> Self {
        Self {
            name: "usual",
            clients: 1,
            counted: false,
            sites: vec![Site::usual("modal")],
            cancel_after: None,
            cancel_at: None,
            taken_over: None,
            echo: None,
            sweeps: 1,
            timers: Timers::default(),
            ends: Ends::Succeeded,
        }
    }

    /// How often that is begun when its time has come: a schedule may fire more than once.
    pub(super) const fn fires(&self, task: &Task) -> usize {
        match task {
            Task::Sweep => self.sweeps,
            _ => 1,
        }
    }

    fn on(name: &'static str, sites: Vec<Site>) -> Self {
        Self {
            name,
            sites,
            ..Self::usual()
        }
    }

    /// Every situation whose paths are walked fault by fault.
    pub fn all() -> Vec<Self> {
        [Self::smooth(), Self::mended(), Self::ended_early()].concat()
    }

    /// The ways to a picture on which nothing goes wrong.
    fn smooth() -> Vec<Self> {
        vec![
            Self::usual(),
            Self {
                clients: 2,
                ..Self::on("two clients", vec![Site::usual("modal")])
            },
            Self {
                counted: true,
                ..Self::on("counted tries", vec![Site::usual("modal")])
            },
            Self::on("by handle", vec![by_handle()]),
            Self::on(
                "synchronous",
                vec![Site {
                    scripts: vec![Scripted::Finished; 4],
                    ..by_handle()
                }],
            ),
            Self::on(
                "mute worker",
                vec![Site::with(
                    "modal",
                    Course {
                        calls_back: false,
                        ..Course::USUAL
                    },
                )],
            ),
        ]
    }

    /// The ways to a picture on which a backend or a worker does not do what it should.
    fn mended() -> Vec<Self> {
        let boots_in = |seconds| Course {
            boot: Ms::seconds(seconds),
            ..Course::USUAL
        };
        let fails = ending(End::Fails(Code::GpuError));
        let never_ends = runs_for(100_000);
        let fails_late = Site {
            course: runs_for(40),
            ..first([Course {
                end: End::Fails(Code::GpuError),
                ..runs_for(40)
            }])
        };
        vec![
            Self::on(
                "unknown but started",
                vec![Site {
                    scripts: vec![Scripted::UnknownButStarted],
                    first: vec![boots_in(60)],
                    ..by_handle()
                }],
            ),
            Self::on("first run fails", vec![first([fails])]),
            Self::on(
                "second run boots slowly",
                vec![first([fails, boots_in(90)])],
            ),
            Self::on(
                "first worker vanishes",
                vec![first([ending(End::Vanishes)])],
            ),
            Self::on("first run never boots", vec![first([NEVER_BOOTS])]),
            Self::on("first run never ends", vec![first([never_ends])]),
            Self::on(
                "two backends, slow boot",
                vec![first([boots_in(60)]), by_handle()],
            ),
            Self::on("first backend closed", vec![closed_for(2_000), by_handle()]),
            Self::on("all closed for a while", vec![closed_for(30)]),
            Self {
                taken_over: Some((Ms::seconds(2), Ms::seconds(22))),
                ..Self::on("newer build in between", vec![Site::usual("modal")])
            },
            Self {
                taken_over: Some((Ms(18_250), Ms::seconds(28))),
                ..Self::on(
                    "newer build in a run",
                    vec![Site::with("modal", runs_for(40))],
                )
            },
            Self {
                // Each sign of life is stored, and the next attempt is quick to begin.
                timers: Timers {
                    progress_interval: Ms::seconds(1),
                    sweep_period: Ms::seconds(2),
                    ..Timers::default()
                },
                ..Self::on("first run fails late", vec![fails_late])
            },
            Self {
                echo: Some(Ms::seconds(150)),
                ..Self::on(
                    "every callback comes again",
                    vec![first([fails, boots_in(200)])],
                )
            },
            Self {
                sweeps: 2,
                ..Self::on("two sweeps at once", vec![first([ending(End::Vanishes)])])
            },
        ]
    }

    /// The ways to another end.
    fn ended_early() -> Vec<Self> {
        let refused = Scripted::Answer(StartOutcome::Refused(Code::Unsafe));
        let strict = Site {
            scripts: vec![refused; 4],
            ..Site::usual("modal")
        };
        let never_boots = || vec![Site::with("modal", NEVER_BOOTS)];
        let runs_long = Site::with(
            "modal",
            Course {
                run: Ms::seconds(150),
                ..Course::USUAL
            },
        );
        let failed = |code, scenario| Self {
            ends: Ends::Failed(code),
            ..scenario
        };
        let in_40_s = |scenario| Self {
            cancel_after: Some(Ms::seconds(40)),
            ends: Ends::Canceled,
            ..scenario
        };
        let cancelled_at = |at, scenario| Self {
            cancel_at: Some(at),
            ends: Ends::SucceededOrCanceled,
            ..scenario
        };
        let usual = |name| Self::on(name, vec![Site::usual("modal")]);
        vec![
            failed(
                Code::BackendUnreachable,
                Self {
                    timers: Timers {
                        deadline: Ms::seconds(400),
                        ..Timers::default()
                    },
                    ..Self::on("all closed for good", vec![closed_for(100_000)])
                },
            ),
            failed(Code::Unsafe, Self::on("refused", vec![strict])),
            failed(Code::Timeout, Self::on("never boots", never_boots())),
            in_40_s(Self::on("caller's deadline", never_boots())),
            in_40_s(Self::on("caller's deadline in a run", vec![runs_long])),
            cancelled_at(Ms::seconds(8), usual("cancelled in its run")),
            cancelled_at(
                Ms::seconds(2),
                Self::on("cancelled in its boot", vec![by_handle()]),
            ),
            cancelled_at(Ms(5), usual("cancelled at once")),
        ]
    }
}

fn ending(end: End) -> Course {
    Course {
        end,
        ..Course::USUAL
    }
}

const fn runs_for(seconds: u64) -> Course {
    Course {
        run: Ms::seconds(seconds),
        ..Course::USUAL
    }
}

fn by_handle() -> Site {
    Site {
        capabilities: FakeBackend::BY_HANDLE,
        ..Site::usual("pod")
    }
}

fn first<const N: usize>(courses: [Course; N]) -> Site {
    Site {
        first: courses.to_vec(),
        ..Site::usual("modal")
    }
}

fn closed_for(seconds: u64) -> Site {
    Site {
        unavailable: Ms::seconds(seconds),
        ..Site::usual("modal")
    }
}
