//! Networks in the words of the command line, of servers and of the kernel.
//!
//! | File | What it is |
//! |---|---|
//! | `address` | hardware addresses, networks, routes |
//! | `dhcp4` | messages of DHCPv4 |
//! | `dhcp6` | messages of DHCPv6 |
//! | `dns` | one question of DNS, and its answer |
//! | `domain` | names of DNS |
//! | `frame` | IPv4 with UDP, and ARP, for who has no address yet |
//! | `firmware` | what the firmware left of its own boot |
//! | `fields` | what words are made of |
//! | `ip_word` | `ip=` |
//! | `handed` | the files from which the real system learns what was set up |
//! | `lease` | what a server lets a machine have |
//! | `made_words` | `vlan=`, `bond=`, `bridge=`, `ifname=`, `rd.route=` and others |
//! | `order` | what is asked of a link, one step at a time |
//! | `search` | domains in which short names are looked for |
//! | `wanted` | what the command line asks of links and addresses |

pub mod address;
pub mod dhcp4;
pub mod dhcp6;
pub mod dns;
pub mod domain;
mod fields;
pub mod firmware;
pub mod frame;
pub mod handed;
pub mod ip_word;
pub mod lease;
pub mod made_words;
pub mod order;
pub mod search;
pub mod wanted;
