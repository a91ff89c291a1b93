//! Running a hub: its data folder, settings, health, traces, logs, and the commands around it.

mod commands;
mod configuration;
mod damage;
mod data_folder;
mod doctor;
mod full_disk;
mod health;
mod logs;
mod newer_database;
mod rates;
mod requests;
mod traces;
mod two_hubs;
