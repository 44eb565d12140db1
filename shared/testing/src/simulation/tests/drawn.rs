//! Many faults together, drawn by seed, in both families.

use crate::simulation::seeded::simulate;

const SEEDS: u64 = 10_000;

#[test]
fn no_seed_breaks_a_promise_and_every_kind_of_fault_hits() {
    let threads = std::thread::available_parallelism().map_or(1, |n| n.get() as u64);
    match simulate(&(0..SEEDS), threads) {
        Ok(report) => {
            assert_eq!(report.runs(), SEEDS, "not all were played");
            assert_eq!(report.missing(), [""; 0], "never hit, in\n{report}");
        }
        Err(failure) => panic!("{failure}"),
    }
}
