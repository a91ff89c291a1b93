//! Running a hub: its data folder, settings, health, traces, logs, and the commands around it.
