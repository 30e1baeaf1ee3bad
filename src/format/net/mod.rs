//! Networks in the words of the command line, of servers and of the kernel.
//!
//! | File | What it is |
//! |---|---|
//! | `address` | hardware addresses, networks, routes |
//! | `lease` | what a server lets a machine have |
//! | `wanted` | what the command line asks of links and addresses |

pub mod address;
pub mod lease;
pub mod wanted;
