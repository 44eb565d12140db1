//! What a job costs, held as equalities: requests and capacity units of the table, jobs and GPU runs.

mod budget;
mod flood;
