# Runs one of Debian's own generators inside a Debian that lies in a directory, for a kernel that
# is not installed there. In a mount namespace of its own: nothing outside changes, and in DEBIAN
# at most an empty directory is made.
# $1 DEBIAN  $2 the kernel's lib/modules/VERSION  $3 VERSION  $4 where the image goes
# $5 the generator's script  $6 the drivers, with blanks between
set -eu
mount --rbind /dev "$1/dev"
mount --rbind /proc "$1/proc"
mount -t tmpfs tmpfs "$1/tmp"
mount -t tmpfs tmpfs "$1/var/tmp"
mount -t tmpfs tmpfs "$1/boot"
mkdir -p "$1/usr/lib/modules"
mount -t tmpfs tmpfs "$1/usr/lib/modules"
mkdir "$1/usr/lib/modules/$3" "$1/tmp/out"
mount --bind "$2" "$1/usr/lib/modules/$3"
mount --bind "$4" "$1/tmp/out"
# mkinitramfs refuses a compression that the kernel's configuration does not name.
echo CONFIG_RD_GZIP=y >"$1/boot/config-$3"
export PATH=/usr/sbin:/usr/bin:/sbin:/bin LC_ALL=C
exec chroot "$1" /bin/sh -euc "cd /tmp; $5" sh "$3" /tmp/out/made "$6"
