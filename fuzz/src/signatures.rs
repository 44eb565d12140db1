//! The verifier of callbacks: takes exactly what the run's own key signed, within five minutes of our clock,
//! whatever stands in the header.

use arbitrary::{Arbitrary, Unstructured};
use ryla_domain::id::Run;
use ryla_domain::time::UnixMs;
use ryla_engine::signature::{MasterSecrets, Rejected, TOLERANCE_S, sign};

/// A header made from a genuine one, or not.
#[derive(Arbitrary, Debug)]
enum Forgery<'a> {
    None,
    Header(&'a str),
    Spliced { at: u16, cut: u16, with: &'a str },
    Body(&'a [u8]),
    OtherRun,
    OtherSecret,
}

#[derive(Arbitrary, Debug)]
struct Case<'a> {
    signed_at: i64,
    seen_at: i64,
    near: Option<i16>,
    forgery: Forgery<'a>,
    body: &'a [u8],
}

pub(crate) fn run(data: &[u8]) {
    let Ok(case) = Case::arbitrary_take_rest(Unstructured::new(data)) else {
        return;
    };
    let ours = secrets(
        "k2:the-newest-master-secret-of-32-characters,k1:the-older-master-secret-of-32-characters",
    );
    let theirs = secrets("k2:some-other-master-secret-of-32-characters");
    let (run, other) = (
        run_named("alice.job-running.1"),
        run_named("alice.job-running.2"),
    );
    let signed_at = UnixMs(case.signed_at);
    let seen_at = case.near.map_or(UnixMs(case.seen_at), |seconds| {
        UnixMs(case.signed_at.saturating_add(i64::from(seconds) * 1000))
    });
    let signer = if matches!(case.forgery, Forgery::OtherSecret) {
        &theirs
    } else {
        &ours
    };
    let header = sign(&signer.run_key(&run).1, case.body, signed_at);
    let (header, body, verified, genuine) = match case.forgery {
        Forgery::None => (header, case.body, &run, true),
        Forgery::OtherSecret => (header, case.body, &run, false),
        Forgery::OtherRun => (header, case.body, &other, false),
        Forgery::Body(body) => (header, body, &run, body == case.body),
        Forgery::Header(text) => (text.to_owned(), case.body, &run, same(text, &header)),
        Forgery::Spliced { at, cut, with } => {
            let spliced = splice(&header, at.into(), cut.into(), with);
            let genuine = same(&spliced, &header);
            (spliced, case.body, &run, genuine)
        }
    };
    let verdict = ours.verify(verified, Some(&header), body, seen_at);
    let in_time = seen_at.seconds().abs_diff(signed_at.seconds()) <= TOLERANCE_S;
    let wanted = match (genuine, in_time) {
        (true, true) => Ok(()),
        (true, false) => Err(Rejected::StaleTimestamp),
        (false, _) => Err(Rejected::BadSignature),
    };
    assert_eq!(verdict, wanted, "{header:?} seen at {seen_at}");
    assert!(ours.verify(&run, None, body, seen_at).is_err());
}

/// Blanks around the two parts are the only thing in which genuine headers may differ.
fn same(one: &str, other: &str) -> bool {
    let bare = |text: &str| {
        text.split(',')
            .map(|part| part.trim().to_owned())
            .collect::<Vec<_>>()
    };
    bare(one) == bare(other)
}

fn splice(text: &str, at: usize, cut: usize, with: &str) -> String {
    let at = at % (text.len() + 1);
    let end = text.len().min(at + cut % 8);
    format!("{}{with}{}", &text[..at], &text[end..])
}

fn secrets(text: &str) -> MasterSecrets {
    MasterSecrets::parse(text).unwrap_or_else(|bad| unreachable!("{bad}"))
}

fn run_named(text: &str) -> Run {
    text.parse().unwrap_or_else(|bad| unreachable!("{bad}"))
}
