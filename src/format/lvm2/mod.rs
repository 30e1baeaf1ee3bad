//! LVM2: what a physical volume's label says, where its metadata lies, and what the metadata says.
//!
//! Nothing is read here: [`label`] and [`area`] name the bytes that are wanted next, and [`survey`]
//! asks for them and puts groups together. [`group`] is the volume group as written down, [`table`]
//! what device-mapper has to be told, [`through`] where a volume's bytes lie while it is not
//! active.
//!
//! Source: lvm2 `lib/format_text/layout.h`, `lib/format_text/format-text.c`, and lvm2's own
//! `dmsetup table` and `vgcfgbackup`, with which the tests compare.

pub mod area;
pub mod config;
pub mod group;
pub mod label;
pub mod name;
mod presence;
pub mod segment;
pub mod survey;
pub mod table;
mod targets;
pub mod through;

#[cfg(test)]
mod tests;
