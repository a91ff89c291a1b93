//! `sys.info`: facts of the agent's machine.

use std::path::{Path, PathBuf};

use rustix::system::{sysinfo, uname};
use serde::Serialize;

use super::handler::{Failure, Output, Work};
use crate::facts::{VERSION, hostname};

/// What the agent knows of its machine.
#[derive(Debug, Serialize)]
pub(crate) struct Info {
    agent_version: &'static str,
    os: &'static str,
    kernel: String,
    arch: &'static str,
    hostname: String,
    cpus: usize,
    memory_bytes: u64,
    memory_available_bytes: u64,
    uptime_s: i64,
    data_disk: Disk,
}

#[derive(Debug, Serialize)]
struct Disk {
    total_bytes: u64,
    available_bytes: u64,
}

pub(super) async fn run(work: Work, data: PathBuf) -> Result<Output, Failure> {
    let _empty: std::collections::BTreeMap<String, ()> = work.read()?;
    let told = tokio::task::spawn_blocking(move || info(&data)).await;
    let info = told.map_err(|error| Failure::failed("handler_failed", error.to_string(), true))?;
    Output::of(&info.map_err(|error| Failure::failed("not_available", error.to_string(), true))?)
}

/// Looks at the machine; `data` is the agent's data folder.
pub(crate) fn info(data: &Path) -> std::io::Result<Info> {
    let system = sysinfo();
    let unit = u64::from(system.mem_unit).max(1);
    let memory_bytes = system.totalram * unit;
    Ok(Info {
        agent_version: VERSION,
        os: std::env::consts::OS,
        kernel: uname().release().to_string_lossy().into_owned(),
        arch: std::env::consts::ARCH,
        hostname: hostname(),
        cpus: std::thread::available_parallelism()?.get(),
        memory_bytes,
        memory_available_bytes: available_memory().unwrap_or(system.freeram * unit),
        uptime_s: system.uptime,
        data_disk: disk(data)?,
    })
}

/// What could be had without swapping; the kernel's own estimate.
fn available_memory() -> Option<u64> {
    let text = std::fs::read_to_string("/proc/meminfo").ok()?;
    let line = text.lines().find_map(|line| line.strip_prefix("MemAvailable:"))?;
    let kilobytes: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kilobytes * 1024)
}

fn disk(folder: &Path) -> std::io::Result<Disk> {
    let stat = rustix::fs::statvfs(folder)?;
    Ok(Disk { total_bytes: stat.f_blocks * stat.f_frsize, available_bytes: stat.f_bavail * stat.f_frsize })
}
