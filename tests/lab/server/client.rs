//! A guest with the usual clients of every protocol, on the server's own root: tells whether a
//! server serves, where landfall is not to be asked.

use super::super::disks::SERVER;
use super::super::guest::Machine;
use super::super::shelf::Scratch;
use super::{root, sectors};
use landfall::host::qemu::Bus;
use std::fs;

/// Boots a client, with the NICs that `with` gives it, and returns what its script said. The script
/// ends at the first command that fails, and with it the test.
pub fn run(script: &str, with: impl FnOnce(Machine) -> Machine) -> String {
    let scratch = Scratch::new();
    let file = scratch.0.join("script");
    let text = format!("{PRELUDE}run() {{\n{script}\n}}\n{END}");
    fs::write(&file, sectors(&text)).expect("a scratch file");
    let machine = Machine::on(root::server_kernel())
        .without_image()
        .file(&file, Bus::Virtio)
        .disk(&SERVER, Bus::Nvme)
        .cmdline("root=/dev/nvme0n1 rw quiet init=/sbin/server");
    let outcome = with(machine).boot();
    let done = outcome.report.ends_with("\n== done\n");
    outcome.check(done, &format!("the client failed:\n{}", outcome.report));
    outcome.report.clone()
}

const PRELUDE: &str = r#"
export HOME=/root LC_ALL=C
mount -t tmpfs tmpfs /run
mount -t tmpfs tmpfs /tmp
mkdir -p /run/lock /mnt
stty -F /dev/ttyS1 raw -echo
modprobe virtio_net
ip link set lo up
"#;

const END: &str = r#"
{ (set -ex; run); [ $? != 0 ] || echo "== done"; } > /dev/ttyS1 2>&1 < /dev/null
sync
echo o > /proc/sysrq-trigger
sleep 60
exit
"#;
