//! Identification against the tools that everybody else asks.
//!
//! `images`: made by the real mkfs tools, compared with the real `blkid -p` and `partx`.
//! `arrays`: what cannot be made without kernel drivers, built by hand, compared all the same.
//! `tables`: partition tables, entry by entry.
//! `damage`: truncated, bent and hostile ones.

mod arrays;
mod damage;
mod disk;
mod images;
mod oracle;
mod tables;
