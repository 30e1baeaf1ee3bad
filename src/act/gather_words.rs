//! All words of this boot in one line: what the image says first, what the kernel was given last.
//!
//! The order is dracut's: `/etc/cmdline.d/*.conf` by name, `/etc/cmdline`, `/proc/cmdline`; so the
//! boot loader wins. `kernel.` keys of a bootconfig are in `/proc/cmdline` already. Modules of
//! modules-load.d(5) and lines of tables (veritytab(5)) become words too, and where `root=fstab`
//! asks for it the image's fstab(5) says what root is, in front of all. A file that cannot be read
//! is said and left out.

use super::module_catalog::{add_conf_files, below};
use crate::base::text::Text;
use crate::format::cmdline::{self, FILE_MAX, MODULE_LISTS, TABLES};
use crate::format::fstab;
use crate::format::image_files::ImageFile;
use crate::sys::dir::{self, Want};
use crate::sys::proc_sys;

/// The words of the image below `root`, and of the kernel.
pub fn gather(root: &str) -> Vec<u8> {
    let mut line = real_root_device(root).unwrap_or_default();
    for (path, word) in TABLES {
        add(&mut line, &below(root, path), &|line, file| {
            cmdline::add_table(line, word, file);
        });
    }
    add_directories(&mut line, root, &MODULE_LISTS, &cmdline::add_modules);
    add_directories(&mut line, root, &["etc/cmdline.d"], &cmdline::add_file);
    add(&mut line, &below(root, "etc/cmdline"), &cmdline::add_file);
    line.extend(proc_sys::read("/proc/cmdline", FILE_MAX).unwrap_or_default());
    if cmdline::asks_for_fstab(&line) {
        let mut all = Vec::new();
        add(&mut all, &below(root, "etc/fstab"), &|line, file| {
            line.extend(fstab::root_words(file));
        });
        all.append(&mut line);
        return all;
    }
    line
}

/// Root as initrd(4) has the kernel told of it, where `/` is a RAM disk: a device number, 0 as long
/// as nobody said one. The RAM disk itself is none.
fn real_root_device(root: &str) -> Option<Vec<u8>> {
    let here = dir::open_path(root.as_bytes(), Want::DirectoryPlace).ok()?;
    if dir::is_in_memory(&here).ok()? {
        return None;
    }
    let text = proc_sys::read("/proc/sys/kernel/real-root-dev", 16).ok()?;
    let number: u32 = std::str::from_utf8(&text).ok()?.trim().parse().ok()?;
    let word = format!("landfall.root=0x{number:x} ");
    let is_ram_disk = number >> 8 == 1;
    (number != 0 && !is_ram_disk).then(|| word.into_bytes())
}

/// What the image says besides words. `root`: the image's.
pub fn files(root: &str) -> Vec<(ImageFile, Text)> {
    let mut files = Vec::new();
    for (file, _) in ImageFile::ALL {
        let text = file.read(&mut |path| {
            let mut text = Vec::new();
            add(&mut text, &below(root, path), &|text, file| {
                text.extend(file)
            });
            Text(text)
        });
        if !text.0.is_empty() {
            files.push((file, text));
        }
    }
    files
}

type Adder<'a> = &'a dyn Fn(&mut Vec<u8>, &[u8]);

fn add_directories(line: &mut Vec<u8>, root: &str, dirs: &[&str], adder: Adder<'_>) {
    let mut files = Vec::new();
    for dir in dirs {
        add_conf_files(&mut files, &[below(root, dir)]);
    }
    for (_, path) in &files {
        add(line, path, adder);
    }
}

fn add(line: &mut Vec<u8>, path: &str, adder: Adder<'_>) {
    match proc_sys::read(path, FILE_MAX) {
        Ok(file) => adder(line, &file),
        Err(fail) if fail.errno == libc::ENOENT => {}
        Err(fail) => log::warn!("{fail}: left out"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_of_the_image_come_before_the_kernels_own_line() {
        let root = std::env::temp_dir().join(format!("landfall-words-{}", std::process::id()));
        let place = root.to_str().unwrap();
        let write = |path: &str, text: &str| {
            let path = root.join(path);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text).unwrap();
        };
        write("etc/cmdline", "root=/dev/c");
        write("etc/cmdline.d/b.conf", "root=/dev/b\n");
        write("etc/cmdline.d/a.conf", "root=/dev/a rw\n");
        write("etc/cmdline.d/a.txt", "no=1");
        write("etc/veritytab", "# none\na b c d\n");
        write("etc/fstab", "UUID=1 /sysroot ext4\n");
        write("etc/modules-load.d/x.conf", "loop\n");
        write("usr/lib/modules-load.d/x.conf", "shadowed\n");
        let own = proc_sys::read("/proc/cmdline", FILE_MAX).unwrap();
        let expected = "landfall.veritytab=\"a b c d\" rd.modules_load=loop root=/dev/a rw root=/dev/b root=/dev/c";
        let line = gather(place);
        let image = line.strip_suffix(own.as_slice()).unwrap();
        let words: Vec<&[u8]> = image
            .split(|&b| b == b' ')
            .filter(|w| !w.is_empty())
            .collect();
        let expected: Vec<&[u8]> = expected.split(' ').map(str::as_bytes).collect();
        assert_eq!(words, expected);
        // The fstab counts only where somebody asks for it.
        write("etc/cmdline", "root=fstab");
        let words = b"root=\"UUID=1\" rootfstype=\"ext4\" ";
        assert!(gather(place).starts_with(words));
        std::fs::remove_dir_all(&root).unwrap();
    }
}
