//! Networks in the words of the command line, of servers and of the kernel.
//!
//! | File | What it is |
//! |---|---|
//! | `address` | hardware addresses, networks, routes |
//! | `dhcp4` | messages of DHCPv4 |
//! | `frame` | IPv4 with UDP, and ARP, for who has no address yet |
//! | `lease` | what a server lets a machine have |
//! | `wanted` | what the command line asks of links and addresses |

pub mod address;
pub mod dhcp4;
pub mod frame;
pub mod lease;
pub mod wanted;
