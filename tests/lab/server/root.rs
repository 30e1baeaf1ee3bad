//! The root of the server guest: a Debian with the servers of every protocol that a root can
//! come by, and all modules of its kernel. What runs there is told at its start: a change of the
//! scripts costs no new root.

use super::super::kernels::{Flavour, Kernel, kernel};
use super::super::roots;
use super::super::workshop::copy_modules;
use std::path::PathBuf;

/// The quick kernel: it mounts the root by itself, and has every server as a module.
pub fn server_kernel() -> Kernel {
    kernel(Flavour::Cloud)
}

/// Links and packets first; then what serves addresses, files, and blocks; last the clients of all
/// that, for a guest that tries the servers.
const PACKAGES: &str = "iproute2,iputils-ping,nftables,tcpdump,kmod,util-linux,procps,bash,\
                        dnsmasq-base,isc-dhcp-server,\
                        rpcbind,nfs-common,nfs-kernel-server,nfs-ganesha,nfs-ganesha-vfs,samba,\
                        qemu-utils,nbdkit,nbd-server,vblade,\
                        cryptsetup-bin,dmsetup,lvm2,e2fsprogs,\
                        isc-dhcp-client,nbd-client,open-iscsi,nvme-cli,cifs-utils";

/// PID 1. The first virtio disk is the script of this run.
const INIT: &str = "#!/bin/sh
export PATH=/usr/sbin:/usr/bin:/sbin:/bin
mount -t proc proc /proc
mount -t sysfs sys /sys
mount -t devtmpfs dev /dev 2>/dev/null
modprobe virtio_pci
modprobe virtio_blk
exec bash /dev/vda
";

/// mkfs fills the server's disk from here.
pub fn root() -> PathBuf {
    let kernel = server_kernel();
    let debian = roots::Debian {
        name: "server",
        packages: PACKAGES,
        files: &[("sbin/server", INIT)],
        hook: "chmod 755 \"$1/sbin/server\"",
        recipe: &kernel.version,
    };
    debian.made(|at| copy_modules(&kernel, &[""], at))
}
