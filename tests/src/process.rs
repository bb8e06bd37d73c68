//! The memory of a process, as the kernel counts it.

use std::fs;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use crate::Failure;

/// The most anonymous memory of a process until something is done, in megabytes.
pub fn peak(process: u32, done: &AtomicBool) -> Result<f64, Failure> {
    let mut most = 0.0_f64;
    while !done.load(Ordering::Relaxed) {
        most = most.max(anonymous(process)?);
        thread::sleep(Duration::from_millis(2));
    }
    Ok(most)
}

/// The anonymous memory of a process, in megabytes.
pub fn anonymous(process: u32) -> Result<f64, Failure> {
    let status = fs::read_to_string(format!("/proc/{process}/status"))?;
    let line = status.lines().find_map(|line| line.strip_prefix("RssAnon:"));
    let kilobytes = line.and_then(|line| line.trim().split(' ').next()?.parse::<f64>().ok());
    let kilobytes = kilobytes.ok_or_else(|| Failure::new("there is no RssAnon"))?;
    Ok(kilobytes * 1024.0 / 1e6)
}
