//! Identification against the tools that everybody else asks.
//!
//! `images`: made by the real mkfs tools, compared with the real `blkid -p` and `partx`.
//! `arrays`: what cannot be made without kernel drivers, built by hand, compared all the same.
//! `tables`: partition tables, entry by entry.
//! `others`, `built`: the same two for what is seldom a root.
//! `damage`: truncated, bent and hostile ones.

mod arrays;
mod built;
mod damage;
mod disk;
mod images;
mod oracle;
mod others;
mod tables;
