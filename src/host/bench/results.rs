//! What all boots measured, by contestant.

use super::args::Options;
use super::discipline::Discipline;
use super::figures::Figures;
use super::setting::Setting;
use std::path::PathBuf;

pub struct Results {
    pub discipline: Discipline,
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
    /// Of the command line, about root.
    pub words: String,
    pub runs: Vec<Figures>,
    /// It did not reach the real init.
    pub failed: Option<String>,
}

impl Results {
    pub fn new(setting: &Setting, options: &Options) -> Self {
        Self {
            discipline: setting.discipline,
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
        match (self.cpus, self.discipline) {
            (None, Discipline::Disk) => "1 ns an instruction".into(),
            (None, Discipline::Network) => {
                "1 ns an instruction, waits for the server as long as they are here".into()
            }
            (Some(1), _) => "1 CPU, by this machine's clock".into(),
            (Some(cpus), _) => format!("{cpus} CPUs, by this machine's clock"),
        }
    }

    /// What everything is compared with.
    pub fn base(&self) -> Option<&Row> {
        let name = self.discipline.base();
        self.rows.iter().find(|row| row.name == name)
    }

    /// How many times as long as the base, if both were measured.
    pub fn of_base(&self, row: &Row) -> Option<f64> {
        let (base, own) = (self.base()?.best()?.compared(), row.best()?.compared());
        (base > 0).then(|| own as f64 / base as f64)
    }
}

impl Row {
    pub fn new(name: &'static str, image: PathBuf, image_bytes: u64) -> Self {
        Self {
            name,
            image,
            image_bytes,
            words: String::new(),
            runs: Vec::new(),
            failed: None,
        }
    }

    /// The run with the shortest time: delays only ever add.
    pub fn best(&self) -> Option<&Figures> {
        self.runs.iter().min_by_key(|run| run.compared())
    }

    /// In nanoseconds. Of an even number of runs, the longer one of those in the middle.
    pub fn median(&self) -> Option<u64> {
        let mut times: Vec<u64> = self.runs.iter().map(Figures::compared).collect();
        times.sort_unstable();
        times.get(times.len() / 2).copied()
    }

    /// How much longer the longest run was, in nanoseconds.
    pub fn spread(&self) -> Option<u64> {
        let longest = self.runs.iter().map(Figures::compared).max()?;
        Some(longest.saturating_sub(self.best()?.compared()))
    }
}
