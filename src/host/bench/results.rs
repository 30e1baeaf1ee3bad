//! What all boots measured, by contestant.

use super::args::Options;
use super::figures::Figures;
use super::setting::Setting;
use std::path::PathBuf;

pub struct Results {
    pub version: String,
    pub compiler: &'static str,
    /// Boots that were asked for, of each.
    pub wanted: u32,
    /// Times are by this machine's clock, on so many CPUs. `None`: one CPU, instructions counted.
    pub cpus: Option<u32>,
    pub rows: Vec<Row>,
    /// Names, and why.
    pub left_out: Vec<(&'static str, String)>,
}

pub struct Row {
    pub name: &'static str,
    pub image: PathBuf,
    pub image_bytes: u64,
    pub runs: Vec<Figures>,
    /// It did not reach the real init.
    pub failed: Option<String>,
}

/// What everything is compared with.
const BASE: &str = "floor";

impl Results {
    pub fn new(setting: &Setting, options: &Options) -> Self {
        Self {
            version: setting.version.clone(),
            compiler: setting.compiler.0,
            wanted: options.runs,
            cpus: options.cpus,
            rows: Vec::new(),
            left_out: Vec::new(),
        }
    }

    /// How time was measured.
    pub fn clock(&self) -> String {
        match self.cpus {
            None => "1 ns an instruction".into(),
            Some(1) => "1 CPU, by this machine's clock".into(),
            Some(cpus) => format!("{cpus} CPUs, by this machine's clock"),
        }
    }

    pub fn floor(&self) -> Option<&Row> {
        self.rows.iter().find(|row| row.name == BASE)
    }

    /// How many times as long as the floor, if both were measured.
    pub fn of_floor(&self, row: &Row) -> Option<f64> {
        let (floor, own) = (self.floor()?.best()?.initramfs, row.best()?.initramfs);
        (floor > 0).then(|| own as f64 / floor as f64)
    }
}

impl Row {
    pub fn new(name: &'static str, image: PathBuf, image_bytes: u64) -> Self {
        Self {
            name,
            image,
            image_bytes,
            runs: Vec::new(),
            failed: None,
        }
    }

    /// The run with the shortest time in the initramfs: delays only ever add.
    pub fn best(&self) -> Option<&Figures> {
        self.runs.iter().min_by_key(|run| run.initramfs)
    }

    /// How much longer the longest run was, in nanoseconds.
    pub fn spread(&self) -> Option<u64> {
        let longest = self.runs.iter().map(|run| run.initramfs).max()?;
        Some(longest.saturating_sub(self.best()?.initramfs))
    }
}
