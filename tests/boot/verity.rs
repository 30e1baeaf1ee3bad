//! Roots on dm-verity: superblocks and trees by veritysetup, checked by the real kernel.

use crate::lab::copies::Copies;
use crate::lab::disks::{self, EXT4, SYMLINK};
use crate::lab::guest::Machine;
use crate::lab::images::image_with;
use crate::lab::kernels::{Flavour, kernel};
use crate::lab::outcome::Outcome;
use crate::lab::partitions::copy_sparse;
use crate::lab::roots::{self, Root};
use crate::lab::secure_boot::{self, Owner};
use crate::lab::shelf::{self, Scratch, fingerprint};
use crate::lab::tools::{done, feed, run, tool};
use crate::lab::workshop::{self, Work};
use landfall::host::arch::Arch;
use landfall::host::qemu::Bus;
use std::fs::{self, File};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

const MIB: u64 = 1024 * 1024;
const UUID: &str = "5eedf00d-0000-4000-8000-0000000000d0";

/// A file system and what veritysetup made of it.
struct Volume {
    data: PathBuf,
    hash: PathBuf,
    /// Codes that mend damaged blocks.
    fec: PathBuf,
    root_hash: String,
}

/// An ext4 whose blocks are as large as those of dm-verity.
fn large_blocks() -> PathBuf {
    let recipe = format!("1 {}", roots::recipe(Root::Reporter, Arch::X86_64));
    shelf::made("disks", "ext4-4096", recipe.as_bytes(), |at| {
        File::create(at)
            .expect("a file")
            .set_len(64 * MIB)
            .expect("space");
        let tree = roots::directory(Root::Reporter, Arch::X86_64);
        let words = "-q -F -t ext4 -b 4096 -d".split(' ');
        done(tool("mke2fs").args(words).arg(tree).arg(at));
    })
}

fn volume(name: &str, data: &Path, options: &str) -> Volume {
    let recipe = format!("1 {} {options}", data.display());
    let at = shelf::made("verity", name, recipe.as_bytes(), |at| {
        fs::create_dir(at).expect("a directory");
        for file in ["hash", "fec"] {
            File::create(at.join(file))
                .expect("a file")
                .set_len(4 * MIB)
                .expect("space");
        }
        let mut format = tool("veritysetup");
        format.args(["format", "--salt=0badcafe", "--uuid", UUID]);
        format.args(options.split_whitespace());
        if options.contains("fec-roots") {
            format.arg("--fec-device").arg(at.join("fec"));
        }
        let said = done(format.arg(data).arg(at.join("hash")));
        let line = said
            .lines()
            .find_map(|line| line.strip_prefix("Root hash:"));
        fs::write(at.join("root-hash"), line.expect("a root hash").trim()).expect("space");
    });
    Volume {
        data: data.into(),
        hash: at.join("hash"),
        fec: at.join("fec"),
        root_hash: fs::read_to_string(at.join("root-hash")).expect("made"),
    }
}

fn plain() -> Volume {
    volume("plain", &large_blocks(), "")
}

impl Volume {
    /// Words for devices in this order: data, tree.
    fn words(&self, data: &str, hash: &str) -> String {
        format!(
            "roothash={} systemd.verity_root_data={data} systemd.verity_root_hash={hash}",
            self.root_hash
        )
    }

    /// One disk with both, as partitions whose UUIDs are the halves of the root hash.
    fn on_one_disk(&self) -> PathBuf {
        let half = |from: usize| {
            let digits = &self.root_hash[from..from + 32];
            let cuts = [0..8, 8..12, 12..16, 16..20, 20..32];
            cuts.map(|cut| &digits[cut]).join("-")
        };
        let recipe = format!("1 {} {}", self.root_hash, self.hash.display());
        shelf::made("disks", "verity-gpt", recipe.as_bytes(), |at| {
            File::create(at)
                .expect("a file")
                .set_len(72 * MIB)
                .expect("space");
            let (data, hash) = (half(0), half(32));
            let table = format!(
                "label: gpt\nstart=2048, size=131072, type=L, uuid={data}\n\
                 start=133120, size=8192, type=L, uuid={hash}\n"
            );
            feed(tool("sfdisk").arg("--quiet").arg(at), &table);
            copy_sparse(&self.data, at, MIB);
            copy_sparse(&self.hash, at, 65 * MIB);
        })
    }
}

/// A copy in which one byte is another one.
fn bent(file: &Path, at: u64) -> (Scratch, PathBuf) {
    let scratch = Scratch::new();
    let copy = scratch.0.join("bent");
    run(
        "cp",
        &[
            "--sparse=always".as_ref(),
            file.as_os_str(),
            copy.as_os_str(),
        ],
    );
    let bent = File::options()
        .read(true)
        .write(true)
        .open(&copy)
        .expect("a copy");
    let mut byte = [0];
    bent.read_exact_at(&mut byte, at).expect("a byte");
    bent.write_all_at(&[!byte[0]], at).expect("space");
    (scratch, copy)
}

#[test]
fn boot_from_dm_verity_by_the_root_hash_alone() {
    let volume = plain();
    let outcome = Machine::cloud()
        .scratch(&volume.on_one_disk(), Bus::Virtio)
        .cmdline(&format!("rw roothash={}", volume.root_hash))
        .boot();
    outcome.assert_root("/dev/mapper/root", "ext4", "ro");
    let uuid = UUID.replace('-', "");
    let mapped = outcome.list("mapped");
    let line = format!("root CRYPT-VERITY-{uuid}-root ro live");
    assert!(mapped.contains(&&*line), "{mapped:?}");
}

/// The tables that landfall makes are those of veritysetup, for every kind of option.
#[test]
fn boot_makes_the_tables_of_veritysetup() {
    let volume = volume("fec", &large_blocks(), "--fec-roots 3");
    let files = [&*volume.data, &*volume.hash, &*volume.fec];
    let hash = &volume.root_hash;
    let cases = [
        ("plain", "", ""),
        (
            "flags",
            "--restart-on-corruption --ignore-zero-blocks --check-at-most-once",
            "restart-on-corruption,ignore-zero-blocks,check-at-most-once",
        ),
        (
            "fec",
            "--fec-device $F3 --fec-roots 3 --ignore-corruption",
            "fec-device=/dev/sda,fec-roots=3,ignore-corruption",
        ),
        (
            "bare",
            "--no-superblock --salt 0badcafe --data-blocks 16384 --hash-offset 4096 \
             --panic-on-corruption",
            "superblock=no,salt=0badcafe,data-blocks=16384,hash-offset=4096,panic-on-corruption",
        ),
    ];
    let mut script = String::from("load dm-mod dm-verity\n");
    for (name, options, _) in cases {
        script.push_str(&format!(
            "veritysetup open $F1 root $F2 {hash} {options}\necho '== {name}'\n\
             dmsetup table root\ndmsetup info -c --noheadings -o uuid root\n\
             for f in $F1 $F2 $F3; do echo $(stat -c %Hr:%Lr $f); done\nveritysetup close root\n"
        ));
    }
    let made = workshop::make(&Work {
        name: "verity-tables",
        disks: &[],
        files: &files,
        script: &script,
    });
    for (name, _, options) in cases {
        let mut machine = Machine::cloud();
        // Of two on one bus, either may come first.
        for (file, bus) in files.into_iter().zip([Bus::Virtio, Bus::Nvme, Bus::Scsi]) {
            machine = machine.scratch(file, bus);
        }
        let words = volume.words("/dev/vda", "/dev/nvme0n1");
        let outcome = machine
            .cmdline(&format!("{words} systemd.verity_root_options={options}"))
            .boot();
        outcome.assert_root("/dev/mapper/root", "ext4", "ro");
        let section: Vec<&str> = made.section(name).lines().collect();
        let [table, uuid, numbers @ ..] = section.as_slice() else {
            panic!("{section:?}");
        };
        let partitions = outcome.fact("partitions");
        let mut table = (*table).to_owned();
        for (number, disk) in numbers.iter().zip(["vda", "nvme0n1", "sda"]) {
            let line = partitions.lines().find(|line| line.ends_with(disk));
            let ours: Vec<&str> = line.unwrap_or_default().split_whitespace().collect();
            // A disk that is not needed may come after the end.
            let ours = ours.get(..2).unwrap_or(&["?", "?"]).join(":");
            table = table.replace(&format!(" {number} "), &format!(" {ours} "));
        }
        let mapped = outcome.list("mapped");
        let line = format!("root: {table}");
        assert!(
            mapped.contains(&line.trim_end()),
            "{name}: {line}\n{mapped:#?}"
        );
        let line = format!("root {uuid} ro live");
        assert!(mapped.contains(&&*line), "{name}: {line}\n{mapped:#?}");
    }
}

/// Small blocks for a file system of small blocks, the tree behind the data, nothing in front.
#[test]
fn boot_from_dm_verity_without_a_superblock() {
    let scratch = Scratch::new();
    let disk = scratch.0.join("disk");
    run(
        "cp",
        &[
            "--sparse=always".as_ref(),
            disks::file(&EXT4).as_os_str(),
            disk.as_os_str(),
        ],
    );
    let file = File::options().write(true).open(&disk).expect("a copy");
    file.set_len((EXT4.mib + 4) * MIB).expect("space");
    let (blocks, offset) = (EXT4.mib * 1024, EXT4.mib * MIB);
    let mut format = tool("veritysetup");
    format.args([
        "format",
        "--no-superblock",
        "--salt=aa",
        "--data-block-size=1024",
    ]);
    format.args([
        "--hash-block-size=1024".into(),
        format!("--data-blocks={blocks}"),
    ]);
    format.arg(format!("--hash-offset={offset}"));
    let said = done(format.args([&disk, &disk]));
    let hash = said
        .lines()
        .find_map(|line| line.strip_prefix("Root hash:"));
    let hash = hash.expect("a root hash").trim();
    let outcome = Machine::generic()
        .scratch(&disk, Bus::Scsi)
        .cmdline(&format!(
            "root=/dev/mapper/root roothash={hash} systemd.verity_root_data=/dev/sda \
             systemd.verity_root_hash=/dev/sda systemd.verity_root_options=superblock=no,salt=aa,\
             data-block-size=1K,hash-block-size=1K,data-blocks={blocks},hash-offset={offset}"
        ))
        .boot();
    outcome.assert_root("/dev/mapper/root", "ext4", "ro");
}

#[test]
fn boot_waits_for_the_tree_of_dm_verity() {
    let volume = plain();
    let words = volume.words("/dev/vda", &format!("UUID={UUID}"));
    let mut guest = Machine::generic()
        .scratch(&volume.data, Bus::Virtio)
        .scratch(&volume.hash, Bus::Usb)
        .unplugged()
        .cmdline(&format!("{words} rootwait"))
        .start();
    guest.wait_for("root=/dev/mapper/root is not there yet");
    guest.plug(1);
    guest.finish().assert_root("/dev/mapper/root", "ext4", "ro");
}

#[test]
fn boot_names_what_a_verity_root_waits_for() {
    let volume = plain();
    let mut copies = Copies::new();
    let outcome = Machine::cloud()
        .file(&copies.file(&volume.data), Bus::Virtio)
        .cmdline(&format!(
            "{} rd.timeout=3",
            volume.words("/dev/vda", "LABEL=tree")
        ))
        .boot();
    outcome.assert_gave_up(&["verity volume root waits for LABEL=tree", "within 3 s"]);
    copies.assert_unchanged();
}

#[test]
fn boot_names_the_volume_of_veritytab_in_the_image() {
    let volume = plain();
    let scratch = Scratch::new();
    let table = scratch.0.join("veritytab");
    let line = format!(
        "sys /dev/vda UUID={UUID} {} x-initrd.attach\n",
        volume.root_hash
    );
    fs::write(&table, line).expect("space");
    let add = format!("{}:/etc/veritytab", table.display());
    let name = format!("veritytab-{}", fingerprint(&table));
    let outcome = Machine::cloud()
        .image(image_with(
            &kernel(Flavour::Cloud),
            &name,
            &["--add-file", &add],
        ))
        .scratch(&volume.data, Bus::Virtio)
        .scratch(&volume.hash, Bus::Nvme)
        .cmdline("root=/dev/mapper/sys")
        .boot();
    outcome.assert_root("/dev/mapper/sys", "ext4", "ro");
}

/// Ends at once, with the cause, and nothing is written.
#[track_caller]
fn refused(volume: &Volume, data: &Path, words: &str, parts: &[&str]) {
    let mut copies = Copies::new();
    let named = volume.words("/dev/vda", "/dev/nvme0n1");
    let outcome = Machine::cloud()
        .file(&copies.file(data), Bus::Virtio)
        .file(&copies.file(&volume.hash), Bus::Nvme)
        .cmdline(&format!("rw rootwait {named} {words}"))
        .boot();
    copies.assert_unchanged();
    outcome.assert_gave_up(parts);
}

#[test]
fn boot_says_that_blocks_of_1_kib_cannot_be_mounted_on_dm_verity() {
    let data = disks::file(&EXT4);
    let volume = volume("small", &data, "");
    let said = "its ext4 has blocks of 1024 bytes, and dm-verity shows none smaller than 4096";
    refused(&volume, &data, "", &[said]);
}

#[test]
fn boot_refuses_a_root_hash_that_does_not_fit() {
    let volume = plain();
    let wrong = format!("roothash={}", "5eed".repeat(16));
    let said = "the root hash does not belong to what is on its devices";
    refused(&volume, &volume.data, &wrong, &[said]);
    let short = format!("roothash={}", "5eed".repeat(10));
    let said = "its root hash has 40 digits, which is no sha256";
    refused(&volume, &volume.data, &short, &[said]);
}

#[test]
fn boot_refuses_a_tree_without_a_superblock() {
    let volume = plain();
    let words = "systemd.verity_root_hash=/dev/vda";
    refused(
        &volume,
        &volume.data,
        words,
        &["vda holds no superblock of dm-verity"],
    );
}

/// Where the root directory's inode is: mounting needs it, and telling what it is does not.
fn first_inodes(data: &Path) -> u64 {
    let shown = run("dumpe2fs", &[data]);
    let at = shown
        .lines()
        .find_map(|line| line.trim().strip_prefix("Inode table at "));
    let digits = at.and_then(|at| at.split('-').next());
    4096 * digits
        .and_then(|d| d.parse::<u64>().ok())
        .expect("a table of inodes")
}

#[test]
fn boot_ends_where_a_block_under_dm_verity_was_flipped() {
    let volume = plain();
    let place = first_inodes(&volume.data);
    assert!(place > 69632, "identification reads it, too");
    let (_keep, data) = bent(&volume.data, place + 300);
    let cause = "dm-0 is root, but mounting it failed";
    let kernel = format!("data block {} is corrupted", place / 4096);
    refused(&volume, &data, "", &[cause, &kernel]);
    let said = "the root hash does not belong to what is on its devices";
    let (_keep, data) = bent(&volume.data, 1024 + 8);
    refused(&volume, &data, "", &[said]);
}

#[test]
fn boot_mends_a_flipped_block_with_codes() {
    let volume = volume("fec", &large_blocks(), "--fec-roots 3");
    let (_keep, data) = bent(&volume.data, 4096 + 8);
    let words = volume.words("/dev/vda", "/dev/nvme0n1");
    let outcome = Machine::cloud()
        .scratch(&data, Bus::Virtio)
        .scratch(&volume.hash, Bus::Nvme)
        .scratch(&volume.fec, Bus::Scsi)
        .cmdline(&format!(
            "{words} systemd.verity_root_options=fec-device=/dev/sda,fec-roots=3"
        ))
        .boot();
    outcome.assert_root("/dev/mapper/root", "ext4", "ro");
}

/// Root is a disk of its own; `/usr` is promised by a root hash, and there is no boot without it.
#[test]
fn boot_makes_the_volume_of_usrhash_before_root_is_mounted() {
    let volume = plain();
    let words = format!(
        "root=/dev/vda usrhash={} systemd.verity_usr_data=/dev/nvme0n1 \
         systemd.verity_usr_hash=/dev/nvme1n1 rd.timeout=8",
        volume.root_hash
    );
    let machine = |data: &Path| {
        let machine = Machine::cloud().disk(&SYMLINK, Bus::Virtio);
        machine.scratch(data, Bus::Nvme).cmdline(&words)
    };
    let outcome = machine(&volume.data)
        .scratch(&volume.hash, Bus::Nvme)
        .boot();
    outcome.assert_root("/dev/vda", "ext4", "ro");
    let mapped = outcome.list("mapped");
    let made = |line: &&str| line.starts_with("usr") && line.contains(" verity ");
    outcome.check(mapped.iter().any(made), &format!("usr in {mapped:?}"));
    assert_eq!(outcome.mount("/usr"), "/dev/mapper/usr ext4 ro");
    let (_keep, bent) = bent(&volume.data, 4096 + 8);
    let outcome = machine(&bent).scratch(&volume.hash, Bus::Nvme).boot();
    outcome.assert_gave_up(&["verity volume usr cannot be used"]);
    let outcome = machine(&volume.data).boot();
    outcome.assert_gave_up(&["verity volume usr waits for /dev/nvme1n1"]);
}

/// The image with the signature of a root hash.
fn image_with_signature(signature: &Path) -> PathBuf {
    let add = format!("{}:{SIGNATURE}", signature.display());
    let name = format!("signature-{}", fingerprint(signature));
    image_with(&kernel(Flavour::Cloud), &name, &["--add-file", &add])
}

/// Where the image has it.
const SIGNATURE: &str = "/etc/root.p7s";

/// Boots a machine whose kernel trusts its owner, who has signed this text, and demands that.
fn boot_with_what_the_owner_signed(text: &str) -> Outcome {
    let volume = plain();
    let owner = Owner::new("harbour master");
    let image = image_with_signature(&owner.sign(text));
    let words = format!(
        "root=/dev/mapper/root {} systemd.verity_root_options=root-hash-signature={SIGNATURE} \
         dm_verity.require_signatures=1",
        volume.words("/dev/vda", "/dev/nvme0n1")
    );
    let machine = Machine::cloud()
        .scratch(&volume.data, Bus::Virtio)
        .scratch(&volume.hash, Bus::Nvme);
    secure_boot::booted_by(machine, &owner, &image, &words)
        .memory(1024)
        .boot()
}

/// The signature is one that the kernel trusts, of something else.
#[test]
fn boot_refuses_a_signature_of_another_root_hash() {
    let outcome = boot_with_what_the_owner_signed(&"5eed".repeat(16));
    let said = "the signature is not one of this root hash";
    outcome.assert_gave_up(&["verity volume root cannot be used", said]);
}

/// The kernel trusts the owner of the machine, and demands a signature.
#[test]
fn boot_from_dm_verity_with_a_signed_root_hash() {
    let outcome = boot_with_what_the_owner_signed(&plain().root_hash);
    outcome.assert_root("/dev/mapper/root", "ext4", "ro");
    let table = " 2 root_hash_sig_key_desc ";
    let mapped = outcome.list("mapped");
    outcome.check(mapped.iter().any(|line| line.contains(table)), table);
}

/// Its key is nobody's whom the kernel trusts; and what is no signature is said to be none.
#[test]
fn boot_refuses_a_root_hash_that_a_stranger_has_signed() {
    let volume = plain();
    let stranger = Owner::new("stranger").sign(&volume.root_hash);
    let no_signature = crate::stacks::text("no signature");
    for (signature, said) in [
        (
            &stranger,
            "the kernel trusts no key that the signature of the root hash was made with",
        ),
        (
            &no_signature,
            "the signature of the root hash is damaged, or is none",
        ),
    ] {
        let words = format!(
            "root=/dev/mapper/root {} \
             systemd.verity_root_options=root-hash-signature={SIGNATURE} rootwait",
            volume.words("/dev/vda", "/dev/nvme0n1")
        );
        let outcome = Machine::cloud()
            .image(image_with_signature(signature))
            .scratch(&volume.data, Bus::Virtio)
            .scratch(&volume.hash, Bus::Nvme)
            .cmdline(&words)
            .boot();
        outcome.assert_gave_up(&["verity volume root cannot be used", said]);
    }
}

#[test]
fn boot_restarts_where_a_block_was_flipped_and_that_was_asked() {
    let volume = plain();
    let (_keep, data) = bent(&volume.data, 4096 + 8);
    let words = volume.words("/dev/vda", "/dev/nvme0n1");
    let outcome = Machine::cloud()
        .scratch(&data, Bus::Virtio)
        .scratch(&volume.hash, Bus::Nvme)
        .cmdline(&format!(
            "{words} systemd.verity_root_options=restart-on-corruption"
        ))
        .boot();
    let said = |text: &str| outcome.lines.iter().any(|line| line.contains(text));
    outcome.check(said("reboot: Restarting system"), "a restart by the kernel");
    outcome.check(!said("could not be started"), "no page");
}
