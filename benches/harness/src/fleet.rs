//! The processes of one side's functions: started, looked at through /proc, and ended with the value that
//! holds them.

use anyhow::{Context, ensure};
use std::collections::BTreeMap;
use std::fs::{File, read_dir, read_to_string};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

/// Milliseconds in a clock tick of /proc: Linux counts a hundred a second for every program.
const TICK_MS: f64 = 10.0;

/// How a side's functions are started: a command with `{function}` in it.
#[derive(Clone, Debug)]
pub struct Side {
    /// What the report calls it.
    pub name: &'static str,
    /// Words separated by spaces.
    pub command: String,
    /// Where it is started: where its code lies.
    pub code: PathBuf,
    /// Where its output goes.
    pub logs: PathBuf,
}

impl Side {
    /// Starts one process.
    pub fn spawn(
        &self,
        function: &str,
        environment: Vec<(&'static str, String)>,
    ) -> anyhow::Result<Process> {
        let command = self.command.replace("{function}", function);
        let mut words = command.split_whitespace();
        let program = words.next().context("the command is empty")?;
        let log = self.log(function);
        let log = File::options().create(true).append(true).open(log)?;
        let child = Command::new(program)
            .args(words)
            .env_clear()
            .env("PATH", "/usr/local/bin:/usr/bin:/bin")
            .env("LANG", "C.UTF-8")
            .envs(environment)
            .current_dir(&self.code)
            .stdin(Stdio::null())
            .stdout(log.try_clone()?)
            .stderr(log)
            .spawn()
            .with_context(|| format!("starting {program}"))?;
        Ok(Process(child))
    }

    /// Where a function's output goes.
    pub fn log(&self, function: &str) -> PathBuf {
        self.logs.join(format!("{}-{function}.log", self.name))
    }
}

/// A process of a function; it is killed with its value.
#[derive(Debug)]
pub struct Process(Child);

impl Process {
    /// The process and everything that it has started.
    fn tree(&self) -> Vec<PathBuf> {
        let mut tree = vec![self.0.id()];
        let parents = parents();
        let mut place = 0;
        while let Some(&parent) = tree.get(place) {
            let children = parents.iter().filter(|(_, of)| **of == parent);
            tree.extend(children.map(|(child, _)| *child));
            place += 1;
        }
        let folder = |pid| Path::new("/proc").join(pid);
        tree.iter().map(|pid| folder(pid.to_string())).collect()
    }

    /// CPU time so far, of user and system together.
    pub fn cpu_ms(&self) -> anyhow::Result<f64> {
        let mut sum = 0;
        for folder in self.tree() {
            sum += ticks(&folder)?;
        }
        Ok(f64::from(sum) * TICK_MS)
    }

    /// The most memory that it ever held, in MiB.
    pub fn peak_mib(&self) -> anyhow::Result<f64> {
        let mut kib = 0;
        for folder in self.tree() {
            kib += peak_kib(&folder)?;
        }
        Ok(f64::from(kib) / 1024.0)
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// The most memory that this process ever held, in MiB.
pub fn own_peak_mib() -> anyhow::Result<f64> {
    Ok(f64::from(peak_kib(Path::new("/proc/self"))?) / 1024.0)
}

/// CPU time of this process so far.
pub fn own_cpu_ms() -> anyhow::Result<f64> {
    Ok(f64::from(ticks(Path::new("/proc/self"))?) * TICK_MS)
}

fn ticks(folder: &Path) -> anyhow::Result<u32> {
    let stat = read_to_string(folder.join("stat")).context("a function's process ended")?;
    // The name stands in brackets and may hold anything; the fields follow.
    let fields = stat.rsplit_once(')').context("stat")?.1;
    let field = |number: usize| fields.split_whitespace().nth(number)?.parse::<u32>().ok();
    Ok(field(11).context("utime")? + field(12).context("stime")?)
}

fn peak_kib(folder: &Path) -> anyhow::Result<u32> {
    let status = read_to_string(folder.join("status")).context("a function's process ended")?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let kib = line.and_then(|line| line.trim().strip_suffix(" kB")?.parse().ok());
    kib.context("VmHWM")
}

/// Every process with its parent.
fn parents() -> BTreeMap<u32, u32> {
    let folders = read_dir("/proc").into_iter().flatten().flatten();
    let pid = |name: std::ffi::OsString| name.to_str()?.parse::<u32>().ok();
    let parent = |pid: u32| {
        let stat = read_to_string(format!("/proc/{pid}/stat")).ok()?;
        stat.rsplit_once(')')?
            .1
            .split_whitespace()
            .nth(1)?
            .parse()
            .ok()
    };
    folders
        .filter_map(|folder| pid(folder.file_name()))
        .filter_map(|pid| Some((pid, parent(pid)?)))
        .collect()
}

/// All processes of one side.
#[derive(Debug, Default)]
pub struct Fleet {
    processes: Vec<(&'static str, Process)>,
}

impl Fleet {
    /// One more process.
    pub fn add(&mut self, function: &'static str, process: Process) {
        self.processes.push((function, process));
    }

    /// CPU time so far, of all.
    pub fn cpu_ms(&self) -> anyhow::Result<f64> {
        ensure!(!self.processes.is_empty(), "no process runs");
        self.processes
            .iter()
            .map(|(_, process)| process.cpu_ms())
            .sum()
    }

    /// The largest process of each function, in MiB.
    pub fn peaks_mib(&self) -> anyhow::Result<BTreeMap<&'static str, f64>> {
        let mut peaks = BTreeMap::new();
        for (function, process) in &self.processes {
            let peak = process.peak_mib()?;
            let most = peaks.entry(*function).or_insert(peak);
            *most = most.max(peak);
        }
        Ok(peaks)
    }
}
