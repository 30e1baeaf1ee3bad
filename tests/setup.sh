# Sourced by demo.sh and all.sh: makes a fresh Debian machine ready. POSIX sh.
# Installs only what is missing, and says what and why. Nothing here touches the project.

missing=''
needs=''
as_root=''
[ "$(id -u)" = 0 ] || as_root='sudo'
export PATH="$PATH:$HOME/.cargo/bin:/usr/sbin:/sbin"

is_there() {
    case $1 in
    /*) [ -e "$1" ] ;;
    *) command -v "$1" >/dev/null 2>&1 ;;
    esac
}

# need FILE-OR-PROGRAM PACKAGE WHY
need() {
    needs="$needs $1=$2"
    is_there "$1" && return 0
    case " $missing " in *" $2 "*) return 0 ;; esac
    missing="$missing $2"
    echo "set-up: $2 is missing: $3"
}

# What every build and every boot needs.
need_for_boots() {
    need cc gcc 'links the host tool and compiles its zstd'
    need /usr/include/stdio.h libc6-dev 'headers for the same'
    need qemu-system-x86_64 qemu-system-x86 'boots the guests'
    need mke2fs e2fsprogs 'makes ext4 disks'
    need depmod kmod 'indexes the modules of kernel packages'
}

# The first of these packages that this Debian has.
package_with() {
    for package; do
        if apt-cache show "$package" 2>/dev/null | grep -q '^Package:'; then
            break
        fi
    done
    echo "$package"
}

# need_space GB: says so where the disk has less than a run from nothing leaves in target/.
need_space() {
    there=$(du -sk target 2>/dev/null | cut -f 1)
    free=$(df -Pk . | awk 'NR == 2 { print $4 }')
    if [ $((${there:-0} + free)) -lt $(($1 * 1048576)) ]; then
        echo "set-up: a run from nothing takes $1 GB; $((free / 1048576)) GB are free here"
    fi
}

install_missing() {
    if [ -n "$as_root" ] && ! command -v sudo >/dev/null 2>&1; then
        if [ -n "$missing" ]; then
            echo "set-up: you are not root and there is no sudo. As root, please run:"
            echo "    apt-get update && apt-get install$missing"
            exit 1
        fi
        as_root=''
    fi
    if [ -n "$missing" ] || ! apt_lists_are_there; then
        echo 'set-up: apt-get update'
        $as_root apt-get -qq update
    fi
    if [ -n "$missing" ]; then
        apt_install "$missing"
        # What was there may have been removed: by packages of another release, for one.
        removed=''
        for need in $needs; do
            is_there "${need%%=*}" || removed="$removed ${need#*=}"
        done
        [ -z "$removed" ] || apt_install "$removed"
    fi
}

apt_install() {
    echo "set-up: apt-get install$1"
    # Package names hold no blanks, so the words may split.
    # shellcheck disable=SC2086
    $as_root env DEBIAN_FRONTEND=noninteractive \
        apt-get -q -y -o Dpkg::Use-Pty=0 install --no-install-recommends $1
}

# Kernel packages are fetched with apt's lists; images of machines often come without any.
apt_lists_are_there() {
    apt-cache show linux-image-amd64 >/dev/null 2>&1
}

need_rust() {
    if ! command -v cargo >/dev/null 2>&1; then
        echo 'set-up: cargo is missing: install rustup first, see https://rustup.rs'
        exit 1
    fi
    command -v rustup >/dev/null 2>&1 || return 0
    # The first word to rustup here also installs the toolchain of rust-toolchain.toml.
    there=$(rustup target list --installed)
    for target in x86_64-unknown-linux-musl aarch64-unknown-linux-musl; do
        case $there in
        *$target*) ;;
        *) echo "set-up: rustup target add $target" && rustup target add "$target" ;;
        esac
    done
}

# For targets that only tests build: their standard library, or the source to build it from.
need_rust_target_or_source() {
    command -v rustup >/dev/null 2>&1 || return 0
    for target; do
        case $there in
        *$target*) continue ;;
        esac
        echo "set-up: rustup target add $target"
        if ! rustup target add "$target" >/dev/null 2>&1; then
            echo "set-up: not to be had; rustup component add rust-src (the tests build it)"
            rustup component add rust-src
        fi
    done
}
