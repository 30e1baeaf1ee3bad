//! The process that connects a network block device again when its server comes back.

use super::connecting;
use crate::act::watch_nbd::Watch;
use crate::act::{attach_nbd, console_log, netlink::Look, stay_behind};
use crate::base::fault::Fault;
use crate::base::list::Listed;
use crate::format::nbd::{BlockSizes, Export, Flags};
use crate::plan::talk::keeper::{Heard, Keeper, Step, is_same};
use crate::sys::clock;
use crate::sys::poll::Poll;
use std::net::SocketAddr;

/// A device, and where it comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Kept {
    pub index: u32,
    pub server: SocketAddr,
    /// The export's name.
    pub name: String,
    pub export: Export,
    /// How many there are.
    pub connections: u32,
}

impl Kept {
    fn words(&self) -> Vec<String> {
        vec![
            format!("nbd{}", self.index),
            self.server.to_string(),
            self.name.clone(),
            self.export.size.to_string(),
            self.export.flags.0.to_string(),
            self.connections.to_string(),
        ]
    }

    fn read(words: &[&str]) -> Option<Self> {
        let [device, server, name, size, flags, connections] = words else {
            return None;
        };
        Some(Self {
            index: device.strip_prefix("nbd")?.parse().ok()?,
            server: server.parse().ok()?,
            name: String::from(*name),
            export: Export {
                size: size.parse().ok()?,
                flags: Flags(flags.parse().ok()?),
                blocks: BlockSizes::default(),
            },
            connections: connections.parse().ok()?,
        })
    }
}

/// Has a process watch over the device, which stays when the real system takes over. `watch` was
/// opened before the device had its connections.
pub fn start(kept: &Kept, watch: &Watch) -> Result<(), Fault> {
    stay_behind::start(&kept.words(), watch)
}

/// The whole life of that process, if these are its arguments.
pub fn main(arguments: &[Vec<u8>]) -> Option<i32> {
    let (first, words) = arguments.split_first()?;
    if first != stay_behind::NAME {
        return None;
    }
    console_log::join();
    let words = words.iter().flat_map(|word| std::str::from_utf8(word));
    let words: Vec<&str> = words.listed();
    let kept = Kept::read(&words);
    let ended = kept.map(|kept| (kept.index, keep(&kept)));
    if let Some((index, Err(fault))) = &ended {
        log::error!("nbd{index} is not connected again any more: {fault}");
    }
    Some(i32::from(!matches!(ended, Some((_, Ok(()))))))
}

/// Ends when the device is given up by somebody else.
fn keep(kept: &Kept) -> Result<(), Fault> {
    let input = stay_behind::settle(&format!("landfall-nbd{}", kept.index))?;
    let mut watch = Watch::passed_on(input)?;
    let poll = Poll::new()?;
    poll.add(&watch, 0)?;
    let mut keeper = Keeper::default();
    let mut ready = Vec::new();
    loop {
        let wait_ms = keeper.deadline().map(|at| clock::since_boot().until(at));
        poll.wait(wait_ms, &mut ready)?;
        let heard = match is_broken(kept.index, &mut watch)? {
            true => Heard::Broken,
            false => Heard::Timer,
        };
        let mut step = keeper.hear(clock::since_boot(), heard);
        while let Some(todo) = step.take() {
            match todo {
                Step::Attempt if !attach_nbd::is_attached(kept.index)? => return Ok(()),
                Step::Attempt => {
                    let heard = match connect_again(kept) {
                        Ok(()) => Heard::Connected,
                        Err(fault) => Heard::Failed(fault),
                    };
                    step = keeper.hear(clock::since_boot(), heard);
                }
                Step::Say(fault) => log::warn!("nbd{}: connection lost; {fault}", kept.index),
                Step::SayConnected => log::info!("nbd{} is connected again", kept.index),
            }
        }
    }
}

/// Did one of the connections break since the last look?
fn is_broken(index: u32, watch: &mut Watch) -> Result<bool, Fault> {
    let mut broken = false;
    loop {
        match watch.look(&mut |told| broken |= told == index)? {
            Look::Something => {}
            Look::Nothing => return Ok(broken),
            // What was lost may have been about this one; a device that works is not harmed.
            Look::Overflow => broken = true,
        }
    }
}

fn connect_again(kept: &Kept) -> Result<(), Fault> {
    let mut sockets = Vec::new();
    for _ in 0..kept.connections.max(1) {
        let (export, socket) = connecting::shake_hands(&kept.name, kept.server)?;
        is_same(&kept.export, &export)?;
        sockets.push(socket);
    }
    attach_nbd::reconfigure(kept.index, &sockets)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_kept_is_read_as_it_was_written() {
        let kept = Kept {
            index: 3,
            server: "[2001:db8::1]:10809".parse().unwrap(),
            name: "a b:c".into(),
            export: Export {
                size: 1 << 40,
                flags: Flags(0x0101),
                blocks: BlockSizes::default(),
            },
            connections: 4,
        };
        let words = kept.words();
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        assert_eq!(Kept::read(&words), Some(kept));
        for missing in 0..words.len() {
            let mut fewer = words.clone();
            fewer.remove(missing);
            assert_eq!(Kept::read(&fewer), None);
        }
    }

    #[test]
    fn only_a_process_that_was_started_to_stay_stays() {
        let of = |words: &[&str]| -> Vec<Vec<u8>> {
            words.iter().map(|w| w.as_bytes().to_vec()).collect()
        };
        assert_eq!(main(&of(&["/init", "-q", "--", "fs-ext4"])), None);
        assert_eq!(main(&of(&[])), None);
        assert_eq!(main(&of(&["@landfall", "nbd0"])), Some(1));
    }
}
