//! Disks that a guest may really write to, and what they were before.

use super::disks::{self, Disk};
use super::shelf::Scratch;
use super::tools::tool;
use std::path::{Path, PathBuf};

pub struct Copies {
    scratch: Scratch,
    /// Before, and the guest's.
    pairs: Vec<(PathBuf, PathBuf)>,
}

impl Copies {
    pub fn new() -> Self {
        Self {
            scratch: Scratch::new(),
            pairs: Vec::new(),
        }
    }

    pub fn disk(&mut self, disk: &Disk) -> PathBuf {
        self.file(&disks::file(disk))
    }

    pub fn file(&mut self, file: &Path) -> PathBuf {
        let copy = self.scratch.0.join(format!("disk{}", self.pairs.len()));
        let mut command = tool("cp");
        super::tools::done(command.arg("--sparse=always").args([file, &copy]));
        self.pairs.push((file.into(), copy.clone()));
        copy
    }

    /// To the bit.
    #[track_caller]
    pub fn assert_unchanged(&self) {
        for (before, after) in &self.pairs {
            let same = tool("cmp").arg(before).arg(after).status();
            let changed = format!("the disk made from {} was changed", before.display());
            assert!(same.expect("cmp").success(), "{changed}");
        }
    }
}
