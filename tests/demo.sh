#!/bin/sh
# Builds /init, packs it with Debian's real kernel and modules, boots a disk in QEMU.
set -eu
cd "$(dirname "$0")/.."
. tests/setup.sh
need_for_boots
install_missing
need_rust
exec cargo run --release --features host --example demo
