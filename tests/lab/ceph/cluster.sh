# The Ceph cluster: process 1 of namespaces of its own, for links, mounts and processes. It ends, and
# all others with it, when its stdin does.
#
# cluster.sh TREE AT DISK ROOT CLIENTS: TREE is a Debian with Ceph's programs, which is not changed; AT
# a directory for sockets and logs; DISK and ROOT become an image and a directory there.
#
# Lines from stdin are run in the tree. Each is answered by its status, as was the start; what it said
# lies in AT/said. At the end AT is removed.
tree=$1 at=$2 disk=$3 root=$4 clients=$5

start() (
  set -e
  for place in run tmp mnt var/lib/ceph etc/ceph; do
    mount -t tmpfs tmpfs "$tree/$place"
  done
  mount -t proc proc "$tree/proc"
  mount --rbind /dev "$tree/dev"
  mkdir "$tree/mnt/at" "$tree/mnt/root"
  : > "$tree/mnt/disk"
  mount --bind "$at" "$tree/mnt/at"
  mount --bind "$root" "$tree/mnt/root"
  mount --bind "$disk" "$tree/mnt/disk"
  ip link set lo up
  ip tuntap add dev tap0 mode tap
  ip address add 10.66.100.1/24 dev tap0
  ip link set tap0 up
  # Guests' cables end in sockets, and QEMU's hub has them all in it.
  set -- tap,id=tap,ifname=tap0,script=no,downscript=no hubport,id=port0,hubid=0,netdev=tap
  for n in $(seq "$clients"); do
    set -- "$@" "stream,id=client$n,server=on,addr.type=unix,addr.path=$at/client$n" \
      "hubport,id=port$n,hubid=0,netdev=client$n"
  done
  for netdev; do
    set -- "$@" -netdev "$netdev"
    shift
  done
  qemu-system-x86_64 -machine none -nodefaults -display none "$@" > "$at/bridge" 2>&1 &
  run '. /mnt/at/daemons.sh'
)

run() { chroot "$tree" /usr/bin/env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root \
  bash -e -c "$1" < /dev/null; }

start > "$at/said" 2>&1 < /dev/null
echo $?
while read -r line; do
  run "$line" > "$at/said" 2>&1
  echo $?
done
rm -rf "$at"
