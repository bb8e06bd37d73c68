//! The memory of a process, as the kernel counts it.

use std::fs;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use crate::Failure;

/// Measures the most anonymous memory of a process until something is done, in megabytes.
pub fn peak(process: u32, done: &AtomicBool) -> Result<f64, Failure> {
    let mut most = 0.0_f64;
    while !done.load(Ordering::Relaxed) {
        most = most.max(anonymous(process)?);
        thread::sleep(Duration::from_millis(2));
    }
    Ok(most)
}

/// Returns the anonymous memory of a process, in megabytes: what it has asked for.
pub fn anonymous(process: u32) -> Result<f64, Failure> {
    megabytes(process, "RssAnon")
}

/// Returns the resident memory of a process, in megabytes: its own, and what of the program and of mapped files is in
/// memory.
pub fn resident(process: u32) -> Result<f64, Failure> {
    megabytes(process, "VmRSS")
}

/// Returns the most resident memory that a process has had, in megabytes.
pub fn peak_resident(process: u32) -> Result<f64, Failure> {
    megabytes(process, "VmHWM")
}

/// Reads a line of the status of a process, which is in kibibytes.
fn megabytes(process: u32, name: &str) -> Result<f64, Failure> {
    let status = fs::read_to_string(format!("/proc/{process}/status"))?;
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix(name)?.strip_prefix(':'));
    let kibibytes = line.and_then(|line| line.trim().split(' ').next()?.parse::<f64>().ok());
    let kibibytes = kibibytes.ok_or_else(|| Failure::new(format!("there is no {name}")))?;
    Ok(kibibytes * 1024.0 / 1e6)
}
