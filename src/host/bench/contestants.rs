//! Who is measured, and how the image of each is made.

use super::args::Options;
use super::busybox;
use super::debian;
use super::discipline::Discipline;
use super::floor::{self, Loads};
use super::setting::Setting;
use crate::host::atomic::AtomicFile;
use crate::host::closure::Needs;
use crate::host::compress::{Compression, Method, packer};
use crate::host::failure::{Failure, Tried};
use crate::host::image;
use crate::host::image_args;
use crate::host::progress::Progress;
use crate::host::tree::Tree;
use std::path::{Path, PathBuf};

/// In the order of the table.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Contestant {
    Floor,
    FloorParallel,
    FloorAccelerated,
    Landfall,
    LandfallGeneric,
    Busybox,
    TinyInitramfs,
    InitramfsTools,
    Dracut,
}

/// An image, or why there is none.
pub enum Entry {
    Image(PathBuf),
    Skipped(String),
}

/// Every image is packed like this, so that only contents differ.
pub const PACKED: Compression = Compression {
    method: Method::Zstd,
    level: 19,
};

impl Contestant {
    pub const ALL: [Self; 9] = [
        Self::Floor,
        Self::FloorParallel,
        Self::FloorAccelerated,
        Self::Landfall,
        Self::LandfallGeneric,
        Self::Busybox,
        Self::TinyInitramfs,
        Self::InitramfsTools,
        Self::Dracut,
    ];

    pub fn name(self) -> &'static str {
        match self {
            Self::Floor => "floor",
            Self::FloorParallel => "floor-parallel",
            Self::FloorAccelerated => "floor-accelerated",
            Self::Landfall => "landfall",
            Self::LandfallGeneric => "landfall-generic",
            Self::Busybox => "busybox",
            Self::TinyInitramfs => "tiny-initramfs",
            Self::InitramfsTools => "initramfs-tools",
            Self::Dracut => "dracut",
        }
    }

    pub fn about(self, discipline: Discipline) -> &'static str {
        match (discipline, self) {
            (Discipline::Network, Self::Landfall) => "/init, with the modules for this server",
            (Discipline::Network, Self::LandfallGeneric) => {
                "/init, with the modules for most machines and servers"
            }
            (Discipline::Network, Self::InitramfsTools) => {
                "Debian's, with ipconfig and nbd-client, and all drivers of cards"
            }
            (Discipline::Network, Self::Dracut) => {
                "Debian's, with dhclient and nbd-client, and all drivers of cards"
            }
            (_, one) => one.about_on_a_disk(),
        }
    }

    const fn about_on_a_disk(self) -> &'static str {
        match self {
            Self::Floor => "a C program with the modules, the device and the mount compiled in",
            Self::FloorParallel => "the same; independent modules load side by side",
            Self::FloorAccelerated => "the same; loads the accelerated sha256 first",
            Self::Landfall => "/init, with the modules for this disk",
            Self::LandfallGeneric => "/init, with the modules for most machines",
            Self::Busybox => "a shell script, with modprobe, findfs and switch_root of busybox",
            Self::TinyInitramfs => "Debian's, with the modules for this disk",
            Self::InitramfsTools => "Debian's, MODULES=list, with the modules for this disk",
            Self::Dracut => "Debian's, without systemd, with the modules for this disk",
        }
    }

    /// Makes its image, in the work directory.
    pub fn enter(
        self,
        setting: &Setting,
        options: &Options,
        progress: &mut Progress,
    ) -> Result<Entry, Failure> {
        if !setting.discipline.contestants().contains(&self) {
            return Ok(Entry::Skipped("it reaches no root on a server".into()));
        }
        let at = setting.work.join(format!("{}.img", self.name()));
        let debian = options.debian.as_deref();
        let tree = match self {
            Self::Floor => floor::tree(setting, Loads::InOrder)?,
            Self::FloorParallel => floor::tree(setting, Loads::Parallel)?,
            Self::FloorAccelerated if setting.accelerators.is_empty() => {
                let why = "this kernel has no accelerated sha256 as a module";
                return Ok(Entry::Skipped(why.into()));
            }
            Self::FloorAccelerated => floor::tree(setting, Loads::Accelerated)?,
            Self::Landfall => return landfall(setting, options, false, at),
            Self::LandfallGeneric => return landfall(setting, options, true, at),
            Self::Busybox => match busybox::find(debian) {
                Some(program) => busybox::tree(setting, &program)?,
                None => {
                    let why = "no static busybox (Debian and Ubuntu: apt install busybox-static)";
                    return Ok(Entry::Skipped(why.into()));
                }
            },
            Self::TinyInitramfs | Self::InitramfsTools | Self::Dracut => {
                return debian::enter(self, setting, debian, &at);
            }
        };
        pack(&tree, &at, progress)?;
        Ok(Entry::Image(at))
    }
}

/// What `landfall image --kernel VERSION --add … -o OUT --compress zstd:19` does.
fn landfall(
    setting: &Setting,
    options: &Options,
    generic: bool,
    at: PathBuf,
) -> Result<Entry, Failure> {
    let named = match generic {
        true => &[],
        false => setting.discipline.drivers(),
    };
    image::build(&image_args::Options {
        output: Some(at.clone()),
        list: None,
        kernel: Some(setting.version.clone()),
        modules_root: setting.modules_root.clone(),
        needs: Some(Needs {
            generic,
            network: generic && setting.discipline == Discipline::Network,
            named: named.iter().map(|name| (*name).into()).collect(),
        }),
        init: options.init.clone(),
        add_files: Vec::new(),
        hooks: Vec::new(),
        checkers: Vec::new(),
        microcode: Vec::new(),
        bootconfig: None,
        compression: PACKED,
        quiet: true,
    })?;
    Ok(Entry::Image(at))
}

fn pack(tree: &Tree, at: &Path, progress: &mut Progress) -> Result<(), Failure> {
    let failed = || format!("write {}", at.display());
    let mut file = AtomicFile::create(at)?;
    let mut pack = packer(PACKED, &mut file).or_cannot(failed)?;
    tree.write(&mut pack, 0, progress)?;
    pack.finish().or_cannot(failed)?;
    file.commit().map(drop)
}
