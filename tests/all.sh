#!/bin/sh
# Every test, fast ones first. The last line counts them; the status says whether all passed.
set -eu
cd "$(dirname "$0")/.."
. tests/setup.sh
need_for_boots
need qemu-system-aarch64 qemu-system-arm 'boots the guests of another architecture'
need qemu-system-riscv64 "$(package_with qemu-system-riscv qemu-system-misc)" \
    'boots the guests of a third architecture'
need mkfs.xfs xfsprogs 'makes xfs disks'
need mkfs.btrfs btrfs-progs 'makes btrfs disks'
need mkfs.vfat dosfstools 'makes vfat disks'
need mcopy mtools 'puts files on vfat disks'
need /usr/share/OVMF/OVMF_CODE_4M.fd ovmf 'is the firmware of guests with EFI'
need openssl openssl 'signs root hashes'
need /usr/lib/systemd/boot/efi/systemd-bootx64.efi systemd-boot-efi 'boots them'
need ubinize mtd-utils 'makes images of flash memory'
need sfdisk fdisk 'partitions disks'
need sgdisk gdisk 'writes tables that sfdisk does not'
need blkid util-linux 'is what identification is compared with'
need losetup mount 'shows images as disks to the tools that want one'
need partx util-linux 'is what partition tables are compared with'
need cryptsetup cryptsetup-bin 'makes LUKS disks to be identified and opened'
need dmsetup dmsetup 'tells what cryptsetup told the kernel'
need pvcreate lvm2 'makes LVM disks to be identified'
need mdadm mdadm 'makes RAID members to be identified'
need mkfs.f2fs f2fs-tools 'makes F2FS disks to be identified'
need mkfs.exfat exfatprogs 'makes exFAT disks to be identified'
need mkntfs ntfs-3g 'makes NTFS disks to be identified'
need genisoimage genisoimage 'makes ISO 9660 images to be identified'
need xorriso xorriso 'makes ISO 9660 images of another kind to be identified'
need mkudffs udftools 'makes UDF disks to be identified'
need mksquashfs squashfs-tools 'makes squashfs images to be identified'
need mkfs.erofs erofs-utils 'makes EROFS images to be identified'
need mkfs.cramfs util-linux 'makes cramfs images to be identified'
need mkfs.minix util-linux 'makes Minix disks to be identified'
need genromfs genromfs 'makes romfs images to be identified'
need mkfs.jfs jfsutils 'makes JFS disks to be identified'
need mkfs.nilfs2 nilfs-tools 'makes NILFS2 disks to be identified'
need mkreiserfs reiserfsprogs 'makes ReiserFS disks to be identified'
need mkfs.ubifs mtd-utils 'makes UBI and UBIFS images to be identified'
need make-bcache bcache-tools 'makes bcache devices to be identified'
need make make 'builds a kernel module that Debian builds with other options'
if [ ! -e /usr/libexec/virtiofsd ]; then
    need /usr/lib/qemu/virtiofsd "$(package_with virtiofsd qemu-system-common)" \
        'shares directories with guests'
fi
need /bin/busybox busybox-static 'is a root with another init'
need mmdebstrap mmdebstrap 'makes a Debian root with systemd'
need zstd zstd 'is what our compression is compared with'
need gzip gzip 'compresses modules of images made by hand'
need xz xz-utils 'is what our compression is compared with'
need bzip2 bzip2 'is what our compression is compared with'
need lz4 lz4 'is what our compression is compared with'
need lzop lzop 'is what our compression is compared with'
need cpio cpio 'is what our archives are compared with'
need ip iproute2 'is what links, addresses and routes are compared with'
need qemu-nbd qemu-utils 'serves network block devices'
need tgtd tgt 'serves disks by iSCSI'
need nbdkit nbdkit 'serves network block devices of other kinds'
need git git 'lists the files of the project for the house rules'
if [ -n "$as_root" ] && ! command -v sudo >/dev/null 2>&1; then
    echo 'set-up: the Debian root can only be made by root: run as root, or install sudo'
    exit 1
fi
install_missing
need_space 25
need_rust
need_rust_target_or_source riscv64gc-unknown-linux-musl armv7-unknown-linux-musleabihf

mkdir -p target
log=target/all-tests.log
: >"$log"
broken=0
began=$(date +%s)

# step NAME COMMAND...: runs on after a failure, so that one run shows everything.
step() {
    name=$1
    shift
    echo
    echo "== $name ($((($(date +%s) - began) / 60)) min)"
    { "$@" 2>&1 || echo "step failed: $name"; } | tee target/step.log
    cat target/step.log >>"$log"
    if grep -q '^step failed: ' target/step.log; then
        # A step without failed tests (a lint, a build) still is a failure.
        grep -q '^test result: FAILED' target/step.log || broken=$((broken + 1))
    fi
}

step 'format' cargo fmt --check
step 'lints' cargo clippy --quiet --all-targets --features boot -- -D warnings
step 'fences: each floor alone' cargo build --quiet --examples
step "Debian's kernels" cargo run --quiet --features boot --example kernels
step 'unit tests, comparisons, house rules, simulation' \
    cargo test --no-fail-fast --features boot --lib --test it --test sim
for target in x86_64-unknown-linux-musl aarch64-unknown-linux-musl; do
    step "init for $target" cargo build --release --bin init --target $target
done
step 'size of init' ls -l target/x86_64-unknown-linux-musl/release/init \
    target/aarch64-unknown-linux-musl/release/init
step 'fuzzers, 30,000 inputs each' sh tests/fuzz.sh 30000x
# The names of tests that run are shown; the consoles of guests only of those that fail. One more
# guest than CPUs: a guest that waits for its deadline needs none.
step 'boots' cargo test --features boot --test boot -- --test-threads $(($(nproc) + 1))

# `test result: ok. 14 passed; 0 failed; 1 ignored; 0 measured; …`
awk -v broken=$broken '
    /^test result:/ { passed += $4; failed += $6; skipped += $8 }
    /^step failed:/ { print }
    END {
        failed += broken
        printf "%d passed, %d failed, %d skipped\n", passed, failed, skipped
        exit (failed > 0 || passed == 0)
    }' "$log"
