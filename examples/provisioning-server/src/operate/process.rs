//! The numbers that the system gives for the process, under the names that every program in Prometheus has.

use std::fs;
use std::time::SystemTime;

use super::page::Page;

/// How often the system counts the time of the processor, on Linux for every program: USER_HZ.
const TICKS: f64 = 100.0;

/// When the process began, as far as it can tell itself.
#[derive(Debug)]
pub(super) struct Process {
    began: SystemTime,
}

impl Process {
    pub(super) fn new() -> Self {
        Self {
            began: SystemTime::now(),
        }
    }

    /// Writes what is known; where there is no /proc, that is not much.
    pub(super) fn write(&self, page: &mut Page) {
        let began = self.began.duration_since(SystemTime::UNIX_EPOCH);
        let began = began.unwrap_or_default().as_secs_f64();
        let name = "process_start_time_seconds";
        page.one(
            name,
            "gauge",
            "When the process began, in seconds since 1970.",
            began,
        );
        if let Some(bytes) = status("VmRSS:") {
            let help = "Memory of the process that is in the machine's memory.";
            page.one("process_resident_memory_bytes", "gauge", help, bytes * 1024);
        }
        if let Some(seconds) = processor_seconds() {
            let help = "Time that processors have worked for the process.";
            page.one("process_cpu_seconds_total", "counter", help, seconds);
        }
        if let Ok(open) = fs::read_dir("/proc/self/fd") {
            let help = "Files and connections that are open.";
            page.one("process_open_fds", "gauge", help, open.count());
        }
        if let Some(most) = most_files() {
            let help = "How many files and connections may be open.";
            page.one("process_max_fds", "gauge", help, most);
        }
    }
}

/// Reads a number of /proc/self/status.
fn status(name: &str) -> Option<u64> {
    let text = fs::read_to_string("/proc/self/status").ok()?;
    let line = text.lines().find_map(|line| line.strip_prefix(name))?;
    line.split_whitespace().next()?.parse().ok()
}

/// Reads fields 14 and 15 of /proc/self/stat. The second field is the name of the program, in brackets.
fn processor_seconds() -> Option<f64> {
    let text = fs::read_to_string("/proc/self/stat").ok()?;
    let (_, after_name) = text.rsplit_once(')')?;
    let mut fields = after_name.split_whitespace().skip(11);
    let mut ticks = || fields.next()?.parse::<f64>().ok();
    Some((ticks()? + ticks()?) / TICKS)
}

/// Returns how many files and connections may be open.
pub(super) fn most_files() -> Option<u64> {
    let text = fs::read_to_string("/proc/self/limits").ok()?;
    let line = text
        .lines()
        .find_map(|line| line.strip_prefix("Max open files"))?;
    line.split_whitespace().next()?.parse().ok()
}
