//! The command line of `landfall image`.

use crate::host::checkers;
use crate::host::closure::Needs;
use crate::host::compress::Compression;
use crate::host::failure::Failure;
use crate::host::hooks::HookFile;
use lexopt::{Arg, ValueExt};
use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::PathBuf;

pub const HELP: &str = "\
Packs an initramfs image: landfall's /init, kernel modules with all they need, firmware.

Usage: landfall image -o OUT [OPTIONS]

  -o, --output OUT       the image; written whole or not at all
      --list OUTLIST     write instead (or as well) the list that the kernel's
                         CONFIG_INITRAMFS_SOURCE takes, with its files in OUTLIST.files/

Which modules:
      --kernel VERSION   the kernel to boot (default: the only one there, or the running one)
      --modules-root DIR the directory above lib/modules and lib/firmware (default: /)
      --generic          what most machines need to reach their disks (default)
      --network          what most machines need to reach a root on a server, too
      --add NAME         a module, alias, modalias or file system and all it needs; repeatable;
                         without --generic only what is named so
      --no-modules       none: the kernel has everything built in

What else:
      --init PATH        the init program (default: the 'init' beside this tool)
      --add-file SRC:DST copy a file or a directory to DST in the image; repeatable
      --hook PLACE=FILE[:SECONDS]
                         run FILE before devices are looked for (PLACE 'early'), when root is
                         mounted ('mounted'), or behind the page of a failed boot ('failed');
                         it has 30 seconds, or so many (0: as long as it runs), and libraries
                         come with it; repeatable
      --fsck TYPE[,TYPE…]
                         put this machine's checkers of these file systems in, with their
                         libraries ('all': those that are installed): root and /usr are checked
                         before they are mounted then; repeatable
      --microcode PATH   put CPU microcode in front: a file or a directory of files; repeatable
      --bootconfig FILE  put a bootconfig behind the image: words for the kernel and for init;
                         takes a kernel with CONFIG_BOOT_CONFIG, and the word 'bootconfig' on
                         its command line (Documentation/admin-guide/bootconfig.rst)
      --compress METHOD[:LEVEL]
                         none, gzip, bzip2, lzma, xz, lzo, lz4, zstd (default: zstd:9)
  -q, --quiet            say only what is wrong
  -h, --help             this text

Needs no root. The same input gives the same bytes; all times in the image are 0, or
SOURCE_DATE_EPOCH. Modules lie unpacked in the image, with their signatures.

  landfall image -o initrd.img --kernel 6.1.0-1-amd64
  landfall image -o small.img --kernel 6.1.0-1-amd64 --add ext4 --add virtio_blk --add virtio_pci
";

pub struct Options {
    pub output: Option<PathBuf>,
    pub list: Option<PathBuf>,
    pub kernel: Option<String>,
    pub modules_root: PathBuf,
    /// `None`: no modules at all.
    pub needs: Option<Needs>,
    pub init: Option<PathBuf>,
    /// From this machine, to a place in the image.
    pub add_files: Vec<(PathBuf, Vec<u8>)>,
    pub hooks: Vec<HookFile>,
    /// Types of file systems whose checkers come along.
    pub checkers: Vec<String>,
    pub microcode: Vec<PathBuf>,
    pub bootconfig: Option<PathBuf>,
    pub compression: Compression,
    pub quiet: bool,
}

/// `None`: help was asked for.
pub fn parse(args: &mut lexopt::Parser) -> Result<Option<Options>, Failure> {
    let mut options = Options {
        output: None,
        list: None,
        kernel: None,
        modules_root: "/".into(),
        needs: Some(Needs::default()),
        init: None,
        add_files: Vec::new(),
        hooks: Vec::new(),
        checkers: Vec::new(),
        microcode: Vec::new(),
        bootconfig: None,
        compression: Compression::DEFAULT,
        quiet: false,
    };
    let mut no_modules = false;
    let mut needs = Needs::default();
    while let Some(arg) = args.next()? {
        match arg {
            Arg::Short('h') | Arg::Long("help") => return Ok(None),
            Arg::Short('o') | Arg::Long("output") => options.output = Some(args.value()?.into()),
            Arg::Long("list") => options.list = Some(args.value()?.into()),
            Arg::Long("kernel") => options.kernel = Some(args.value()?.string()?),
            Arg::Long("modules-root") => options.modules_root = args.value()?.into(),
            Arg::Long("generic") => needs.generic = true,
            Arg::Long("network") => needs.network = true,
            Arg::Long("add") => needs.named.push(args.value()?.string()?),
            Arg::Long("no-modules") => no_modules = true,
            Arg::Long("init") => options.init = Some(args.value()?.into()),
            Arg::Long("add-file") => options.add_files.push(add_file(&args.value()?)?),
            Arg::Long("hook") => options
                .hooks
                .push(HookFile::parse(&args.value()?.string()?)?),
            Arg::Long("fsck") => {
                let kinds = checkers::parse(&args.value()?.string()?)?;
                options.checkers.extend(kinds);
            }
            Arg::Long("microcode") => options.microcode.push(args.value()?.into()),
            Arg::Long("bootconfig") => options.bootconfig = Some(args.value()?.into()),
            Arg::Long("compress") => {
                let text = args.value()?.string()?;
                options.compression = Compression::parse(&text).map_err(Failure::usage)?;
            }
            Arg::Short('q') | Arg::Long("quiet") => options.quiet = true,
            other => return Err(other.unexpected().into()),
        }
    }
    if no_modules && needs != Needs::default() {
        let text = "--no-modules contradicts --generic and --add";
        return Err(Failure::usage(text));
    }
    needs.generic |= needs.named.is_empty();
    options.needs = (!no_modules).then_some(needs);
    if options.output.is_none() && options.list.is_none() {
        let text = "nothing to write: name the image with -o OUT (see 'landfall image --help')";
        return Err(Failure::usage(text));
    }
    if options.output.is_none() && !options.microcode.is_empty() {
        let text = "--microcode goes in front of an image, which a list cannot have: add -o OUT";
        return Err(Failure::usage(text));
    }
    if options.output.is_none() && options.bootconfig.is_some() {
        let text = "--bootconfig goes behind an image, which a list cannot have: add -o OUT";
        return Err(Failure::usage(text));
    }
    Ok(Some(options))
}

/// `SRC:DST`. The last colon counts: no place in an image needs one, files of a machine might.
fn add_file(value: &OsStr) -> Result<(PathBuf, Vec<u8>), Failure> {
    let bytes = value.as_bytes();
    let colon = bytes.iter().rposition(|&b| b == b':');
    let halves = colon.and_then(|at| Some((bytes.get(..at)?, bytes.get(at + 1..)?)));
    match halves {
        Some((source, place)) if !source.is_empty() && place.starts_with(b"/") => {
            let source = OsString::from_vec(source.to_vec());
            Ok((source.into(), place.to_vec()))
        }
        _ => Err(Failure::usage(format!(
            "--add-file takes SRC:DST with DST beginning with '/', not '{}'",
            value.display()
        ))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(line: &str) -> Result<Option<Options>, Failure> {
        parse(&mut lexopt::Parser::from_args(line.split_whitespace()))
    }

    #[test]
    fn modules_are_generic_unless_named() {
        let needs = |line| parsed(line).unwrap().unwrap().needs;
        assert!(needs("-o x").unwrap().generic);
        assert!(!needs("-o x --add ext4").unwrap().generic);
        assert!(needs("-o x --add ext4 --generic").unwrap().generic);
        assert_eq!(needs("-o x --no-modules"), None);
    }

    #[test]
    fn wrong_lines_are_usage_errors() {
        let wrong = [
            "",
            "-o",
            "-o x --add",
            "-o x --what",
            "-o x stray",
            "-o x --compress rar",
            "-o x --no-modules --add ext4",
            "-o x --add-file a",
            "-o x --add-file a:b",
            "-o x --add-file :/b",
            "-o x --fsck xfs",
            "-o x --hook early",
            "-o x --hook late=/bin/true",
            "-o x --hook early=",
            "--list x --microcode y",
            "--list x --bootconfig y",
        ];
        for line in wrong {
            let failure = parsed(line).err();
            assert_eq!(failure.map(|f| f.exit), Some(2), "{line}");
        }
    }
}
