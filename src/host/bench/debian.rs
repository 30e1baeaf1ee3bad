//! Other initramfs generators, as Debian packages them: each runs in a private Debian root, with
//! the measured kernel's modules mounted into it, and is told to pack what reaches this root.
//!
//! The root is made by `tests/bench.sh`, or is any Debian's root that holds the packages.

use super::compile::run;
use super::contestants::{Contestant, Entry, PACKED};
use super::discipline::Discipline;
use super::setting::Setting;
use crate::host::compress::packer;
use crate::host::decompress;
use crate::host::failure::{Failure, Tried};
use std::fs;
use std::io::{Read, Write};
use std::path::Path;
use std::process::Command;

/// One generator. Its script gets the kernel's version, the image to make, and the drivers.
struct Generator {
    /// Files that must be there, relative to the root, and their packages.
    needs: &'static [(&'static str, &'static str)],
    script: &'static str,
}

const TINY: Generator = Generator {
    needs: &[("usr/sbin/mktirfs", "tiny-initramfs-core")],
    script: "mktirfs -m no -M no --include-modules=\"$(echo $3 | tr ' ' ,)\" -o $2 $1",
};

const INITRAMFS_TOOLS: Generator = Generator {
    needs: &[("usr/sbin/mkinitramfs", "initramfs-tools-core")],
    script: LISTED,
};

const LISTED: &str = "cp -r /etc/initramfs-tools conf
printf '%s\\n' $3 >conf/modules
printf 'MODULES=list\\nBUSYBOX=y\\n' >conf/conf.d/listed
mkinitramfs -d conf -c gzip -o $2 $1";

/// The hooks of the other packages add themselves, and every driver of a card.
const INITRAMFS_TOOLS_NETWORK: Generator = Generator {
    needs: &[
        ("usr/sbin/mkinitramfs", "initramfs-tools-core"),
        ("usr/share/initramfs-tools/hooks/nbd", "nbd-client"),
        ("usr/lib/klibc/bin/ipconfig", "klibc-utils"),
    ],
    script: LISTED,
};

const DRACUT: Generator = Generator {
    needs: &[("usr/bin/dracut", "dracut-core")],
    script: "dracut --quiet --force --no-compress --no-hostonly --no-hostonly-cmdline \
             -m 'base fs-lib rootfs-block udev-rules' --drivers \"$3\" --kver $1 $2",
};

/// dracut's module for cards packs every driver, whatever it is told.
const DRACUT_NETWORK: Generator = Generator {
    needs: &[
        ("usr/bin/dracut", "dracut-core"),
        (
            "usr/lib/dracut/modules.d/95nbd/nbdroot.sh",
            "dracut-network",
        ),
        ("usr/sbin/nbd-client", "nbd-client"),
        ("usr/sbin/dhclient", "isc-dhcp-client"),
        ("usr/bin/arping", "iputils-arping"),
        ("usr/bin/ip", "iproute2"),
        ("usr/bin/pgrep", "procps"),
    ],
    script: "dracut --quiet --force --no-compress --no-hostonly --no-hostonly-cmdline \
             -m 'base fs-lib rootfs-block udev-rules network-legacy nbd' \
             --drivers \"$3\" --kver $1 $2",
};

const fn generator(contestant: Contestant, discipline: Discipline) -> Option<&'static Generator> {
    match (contestant, discipline) {
        (Contestant::TinyInitramfs, Discipline::Disk) => Some(&TINY),
        (Contestant::InitramfsTools, Discipline::Disk) => Some(&INITRAMFS_TOOLS),
        (Contestant::InitramfsTools, Discipline::Network) => Some(&INITRAMFS_TOOLS_NETWORK),
        (Contestant::Dracut, Discipline::Disk) => Some(&DRACUT),
        (Contestant::Dracut, Discipline::Network) => Some(&DRACUT_NETWORK),
        _ => None,
    }
}

const ROOM: &str = include_str!("debian_room.sh");

/// Why nothing of Debian's can be measured.
pub const NO_ROOT: &str = "no --debian DIR was given (sh tests/bench.sh makes one)";

/// Makes the image, packed as all others are, at `at`.
pub fn enter(
    contestant: Contestant,
    setting: &Setting,
    debian: Option<&Path>,
    at: &Path,
) -> Result<Entry, Failure> {
    let Some(generator) = generator(contestant, setting.discipline) else {
        return Ok(Entry::Skipped("Debian does not make it".into()));
    };
    let Some(debian) = debian else {
        return Ok(Entry::Skipped(NO_ROOT.into()));
    };
    let mut needs = generator.needs.iter();
    if let Some((file, package)) = needs.find(|(file, _)| !debian.join(file).exists()) {
        let why = format!("{} has no {file}: add {package}", debian.display());
        return Ok(Entry::Skipped(why));
    }
    // A directory of its own: it is what the generator gets to see of this machine.
    let out = at.with_extension("made");
    fs::create_dir_all(&out).or_cannot(|| format!("make {}", out.display()))?;
    let made = run(&mut command(generator, setting, debian, &out), "unshare");
    if let Err(failure) = made {
        return Ok(Entry::Skipped(failure.text));
    }
    repack(&out.join("made"), at)?;
    Ok(Entry::Image(at.into()))
}

fn command(generator: &Generator, setting: &Setting, debian: &Path, out: &Path) -> Command {
    let mut command = Command::new("unshare");
    command.arg("--mount");
    if !rustix::process::geteuid().is_root() {
        command.arg("--map-root-user");
    }
    command.args(["sh", "-c", ROOM, "sh"]).arg(debian);
    command
        .arg(&setting.modules_directory)
        .arg(&setting.version);
    command
        .arg(out)
        .arg(generator.script)
        .arg(setting.discipline.drivers().join(" "));
    command
}

/// The largest that was seen unpacks to 130 MB.
const MAX_BYTES: u64 = 1 << 30;

/// The same archive, compressed as all others are.
fn repack(made: &Path, at: &Path) -> Result<(), Failure> {
    let shown = || format!("repack {}", made.display());
    let bytes = fs::read(made).or_cannot(shown)?;
    let bytes = match decompress::detect(&bytes) {
        None => bytes,
        Some(method) => {
            let mut plain = Vec::new();
            let member = decompress::open(method, &bytes).or_cannot(shown)?;
            let read = member.take(MAX_BYTES).read_to_end(&mut plain);
            read.or_cannot(shown)?;
            plain
        }
    };
    let mut out = Vec::new();
    let mut pack = packer(PACKED, &mut out).or_cannot(shown)?;
    pack.write_all(&bytes).or_cannot(shown)?;
    pack.finish().or_cannot(shown)?;
    fs::write(at, out).or_cannot(|| format!("write {}", at.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_archive_stays_the_same_however_it_was_packed() {
        let scratch = std::env::temp_dir().join(format!("landfall-repack-{}", std::process::id()));
        fs::create_dir_all(&scratch).unwrap();
        let (made, at) = (scratch.join("made"), scratch.join("at"));
        let archive = [b"070701".to_vec(), vec![7; 5000]].concat();
        let gzip = {
            let mut out = Vec::new();
            let with = crate::host::compress::Compression::parse("gzip").unwrap();
            let mut pack = packer(with, &mut out).unwrap();
            pack.write_all(&archive).unwrap();
            pack.finish().unwrap();
            out
        };
        for input in [&archive, &gzip] {
            fs::write(&made, input).unwrap();
            repack(&made, &at).unwrap();
            let packed = fs::read(&at).unwrap();
            let method = decompress::detect(&packed).unwrap();
            let mut plain = Vec::new();
            let mut member = decompress::open(method, &packed).unwrap();
            member.read_to_end(&mut plain).unwrap();
            assert_eq!((method, plain), (PACKED.method, archive.clone()));
        }
        fs::remove_dir_all(&scratch).unwrap();
    }
}
