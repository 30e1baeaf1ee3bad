//! Kernel uevents to events of the plan.

use crate::act::{coldplug, flash, share_tag};
use crate::format::share;
use crate::format::uevent::{Action, Uevent};
use crate::plan::event::{Block, Event};

/// `None`: nothing that the plan wants to hear of.
pub fn event(uevent: &Uevent) -> Option<Event> {
    match uevent.subsystem.as_str() {
        "block" => return block_event(uevent),
        // The plan sees no difference between these and block devices.
        "mtd" | "ubi" => {
            flash::class_of(uevent.devname.as_deref()?)?;
            return block_event(uevent);
        }
        _ => {}
    }
    match (&uevent.modalias, uevent.action) {
        (Some(modalias), Action::Add) => Some(Event::Bus {
            path: uevent.devpath.clone(),
            modalias: modalias.clone(),
        }),
        _ => None,
    }
}

/// A share of the host that has its driver, now or already. Its bus device is an event of its own.
pub fn bound(uevent: &Uevent) -> Option<Event> {
    let driver = uevent.driver.clone().filter(|d| share::is_driver(d))?;
    let news = matches!(uevent.action, Action::Add | Action::Bind);
    news.then(|| Event::Bound {
        tag: share_tag::read(&uevent.devpath, &driver),
        path: uevent.devpath.clone(),
        driver,
    })
}

fn block_event(uevent: &Uevent) -> Option<Event> {
    let name = uevent.devname.clone()?;
    match uevent.action {
        Action::Remove => Some(Event::BlockGone { name }),
        Action::Add => block(uevent, name).map(|b| Event::Block(b.into())),
        Action::Change | Action::Online => {
            block(uevent, name).map(|b| Event::BlockChanged(b.into()))
        }
        _ => None,
    }
}

fn block(uevent: &Uevent, name: String) -> Option<Block> {
    Some(Block {
        major: uevent.major?,
        minor: uevent.minor?,
        // 0 where sysfs does not tell: the device has left, or its size is still unknown.
        sectors: match flash::class_of(&name) {
            Some(_) => flash::size_sectors(&name),
            None => coldplug::block_size_sectors(&name).unwrap_or(0),
        },
        part_of: part_of(uevent),
        sequence: uevent.diskseq.unwrap_or(0),
        mapped: coldplug::mapped_name(&name),
        name,
    })
}

/// A partition's path ends in `/DISK/PARTITION`; sysfs writes `!` for `/` in names.
fn part_of(uevent: &Uevent) -> Option<(String, u32)> {
    let number = uevent.partn?;
    let disk = uevent.devpath.rsplit('/').nth(1)?;
    Some((disk.replace('!', "/"), number))
}
