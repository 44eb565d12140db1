//! Objects in the bucket that a worker calls a picture: the first byte says which format was promised, the
//! rest is what lies there. What does not begin like that format ends the job as failed, never as succeeded.

use crate::world::{World, done, modal};
use ryla_domain::output::Format;
use ryla_domain::report::Report;
use ryla_domain::state::{Phase, State};
use ryla_engine::complete::{Callback, Event};
use ryla_engine::port::{Consistency, JobStore as _};
use ryla_testing::sample::{CREATED_AT, a_job};

pub(crate) fn run(data: &[u8]) {
    let Some((first, object)) = data.split_first() else {
        return;
    };
    let format = Format::ALL[usize::from(*first) % Format::ALL.len()];
    let world = World::empty();
    let job = a_job().account("alice").with(|job| {
        job.backend = modal();
        job.format = format;
    });
    let job = job.in_phase(Phase::Running);
    world.plant(&job);
    world
        .images
        .place(&job.output_key(0), format.content_type(), object.to_vec());
    let callback = Callback {
        run: job.run(),
        backend: modal(),
        event: Event::Succeeded {
            report: Report::default(),
            etags: Vec::new(),
        },
    };
    let reply = done(world.ports.complete(&world.settings).run(&callback));
    assert!(reply.is_ok(), "memory does not fail");
    let row = done(world.jobs.read(&job.key, CREATED_AT, Consistency::Strong));
    let Ok(Some(after)) = row else {
        unreachable!("the row is there")
    };
    match after.state {
        State::Succeeded { outputs, .. } => {
            let [output] = &outputs[..] else {
                unreachable!("one picture was promised")
            };
            assert!(begins_like(object, format), "{format:?} by its first bytes");
            // A video's index may lie behind the bytes that are looked at.
            assert!(format == Format::Mp4 || output.width > 0 && output.height > 0);
            assert_eq!(output.bytes, object.len() as u64);
            if format == Format::Png {
                let told = [output.width, output.height].map(u32::to_be_bytes).concat();
                assert_eq!(&object[12..16], b"IHDR");
                assert_eq!(&object[16..24], told, "the size that its header names");
            }
        }
        // Another attempt, or the last one's failure.
        State::Accepted(_) | State::Failed { .. } => {}
        other => unreachable!("a finished run leaves no job {}", other.phase().name()),
    }
}

/// By the magic numbers of the formats' own documents.
fn begins_like(object: &[u8], format: Format) -> bool {
    match format {
        Format::Jpg => object.starts_with(&[0xff, 0xd8, 0xff]),
        Format::Png => object.starts_with(b"\x89PNG\r\n\x1a\n"),
        Format::Webp => {
            object.starts_with(b"RIFF") && object.get(8..12) == Some(b"WEBP".as_slice())
        }
        Format::Mp4 => object.get(4..8) == Some(b"ftyp".as_slice()),
    }
}
