//! The priority of threads whose jobs may take long.

/// How much such a thread yields to others, as `nice` counts it: of a core that both want, it gets about a tenth.
#[cfg(target_os = "linux")]
const NICENESS: i32 = 10;

/// Has the calling thread yield the cores to those that answer brief requests: these are begun at once then, and long
/// work gets what is left, which is everything while nobody else wants it. Only Linux has priorities for single threads;
/// where it is refused, the thread works as all others do.
pub(super) fn yield_to_others() {
    #[cfg(target_os = "linux")]
    {
        _ = rustix::process::nice(NICENESS);
    }
}
