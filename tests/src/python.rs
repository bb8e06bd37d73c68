//! Programs of the virtual environment that `tests/run --prepare` makes of `python/requirements.txt`.

use std::env;
use std::path::PathBuf;
use std::process::Command;

use crate::{Failure, check, fixtures};

/// Returns the program of this name, which reaches the loopback interface without a proxy.
pub fn program(name: &str) -> Result<Command, Failure> {
    let environment =
        env::var_os("SCIM_TESTS_VENV").map_or_else(|| fixtures::package().join(".venv"), PathBuf::from);
    let path = environment.join("bin").join(name);
    check(path.is_file(), || {
        format!(
            "{} is missing: install it with `tests/run --prepare`",
            path.display()
        )
    })?;
    let mut command = Command::new(path);
    for variable in [
        "HTTP_PROXY",
        "HTTPS_PROXY",
        "ALL_PROXY",
        "http_proxy",
        "https_proxy",
        "all_proxy",
    ] {
        command.env_remove(variable);
    }
    command.env("PYTHONDONTWRITEBYTECODE", "1");
    Ok(command)
}
