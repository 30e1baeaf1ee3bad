#!/bin/sh
# Measures landfall beside a hand-written init, a busybox script and Debian's own generators, on
# Debian's generic kernel and on its cloud kernel; then, with root on a server, beside those of them
# that know networks. Pictures: target/bench/*.svg. What follows on the command line goes to
# `landfall bench`: sh tests/bench.sh --runs 1 --only floor,landfall
# Then LUKS volumes are unlocked beside cryptsetup, in a guest.
set -eu
cd "$(dirname "$0")/.."
. tests/setup.sh
need_for_boots
need musl-gcc musl-tools 'compiles the floor and the measuring init'
need unshare util-linux "runs Debian's generators in a root of their own"
need qemu-nbd qemu-utils 'serves the disk of the network discipline'
install_missing
need_rust
target=${CARGO_TARGET_DIR:-target}
here=$(pwd)/$target/bench
case $target in /*) here=$target/bench ;; esac
mkdir -p "$here"

# make_debian NAME PACKAGES...: a private Debian: packages of this machine's release, unpacked and
# not installed. apt is told that nothing is there yet, so it fetches everything that they depend
# on, and needs no root.
make_debian() {
    made=$here/$1
    shift
    [ ! -e "$made" ] || return 0
    echo "bench: fetching Debian's generators, and what they need, into $made"
    rm -rf "$here/debs" "$here/part"
    mkdir -p "$here/debs/partial" "$here/part/usr"
    : >"$here/status"
    apt-get -qq --yes --download-only --no-install-recommends -o Debug::NoLocking=1 \
        -o Dir::State::status="$here/status" -o Dir::Cache::archives="$here/debs" install "$@"
    for name in bin sbin lib lib64; do
        mkdir "$here/part/usr/$name"
        ln -s "usr/$name" "$here/part/$name"
    done
    for deb in "$here"/debs/*.deb; do
        dpkg-deb --fsys-tarfile "$deb" |
            tar -C "$here/part" --keep-directory-symlink --no-same-owner -xf -
    done
    # What maintainers' scripts would have made.
    ln -s mawk "$here/part/usr/bin/awk"
    echo 'root:x:0:0:root:/root:/bin/sh' >"$here/part/etc/passwd"
    # mkinitramfs packs fsck for what stands here. It asks the device of / for its type, and there
    # is none; for /usr it believes the line.
    echo '/dev/vda /usr ext4 ro 0 1' >"$here/part/etc/fstab"
    rm -rf "$here/debs" "$here/status"
    mv "$here/part" "$made"
}
packages='tiny-initramfs-core initramfs-tools-core dracut-core busybox-static kmod udev bash dash
    coreutils sed grep mawk findutils gzip cpio util-linux mount e2fsprogs logsave libc-bin
    debianutils diffutils'
# Hooks and modules of these add themselves to images, so they have a Debian of their own.
network='dracut-network nbd-client isc-dhcp-client iputils-arping iproute2 procps klibc-utils'
# Package names hold no blanks, so the words may split.
# shellcheck disable=SC2086
make_debian debian $packages
# shellcheck disable=SC2086
make_debian debian-network $packages $network

cargo build --quiet --release --bin init --target x86_64-unknown-linux-musl
cargo build --quiet --release --features host --bin landfall
cargo run --quiet --features boot --example kernels
for kernel in generic cloud; do
    root=$target/lab/kernels/$kernel
    "$target/release/landfall" bench --kernel "$root"/boot/vmlinuz-* --modules "$root" \
        --debian "$here/debian" --svg "$here/$kernel.svg" "$@"
    echo
done
root=$target/lab/kernels/generic
"$target/release/landfall" bench --network --kernel "$root"/boot/vmlinuz-* --modules "$root" \
    --debian "$here/debian-network" --svg "$here/network.svg" "$@"
echo
cargo test --quiet --features boot --test boot -- --ignored --nocapture unlock_times
echo "pictures: $here/generic.svg $here/cloud.svg $here/network.svg"
