//! How the kernel's client says in its log that a cluster does not let somebody in.
//!
//! The result of a mount cannot tell: as long as no metadata server is known to be up, each of its
//! errors becomes EHOSTUNREACH (ceph_get_tree in fs/ceph/super.c), and whoever is not let in is
//! told of none. The log has what the monitor answered.
//! Source: net/ceph/auth.c and auth_x.c, which have said it so since Linux 5.11; older kernels
//! speak of a method.

const NO_KEY: &str = "no secret set (for auth_x protocol)";

/// The ends of such lines, with EPERM or EACCES where there is a number: what a monitor answers
/// that is only starting, time may mend.
const ENDS: [&str; 5] = [
    "' not allowed",
    " authentication failed: -1",
    " authentication failed: -13",
    "' error -1",
    "' error -13",
];

/// Is this line such an answer?
pub fn is_one(line: &[u8]) -> bool {
    let text = core::str::from_utf8(line).unwrap_or_default();
    let said = text.strip_prefix("libceph: ");
    said.is_some_and(|said| said == NO_KEY || ENDS.iter().any(|end| said.ends_with(end)))
}
