//! The journal within one process: what is written is read again, whatever is damaged, torn or missing.

#[path = "../common/mod.rs"]
mod common;
mod copies;
mod damage;
mod disks;
mod follow;
mod homes;
mod logs;
mod memory;
mod slow;
mod tailer;
