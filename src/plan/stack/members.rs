//! What each member of something says: labels and metadata of physical volumes, superblocks of
//! arrays. Read once for each content of a device.

use super::super::device::{Device, Devices};
use super::Plan;
use crate::base::list::Listed;
use crate::format::identity::{Range, View};
use crate::format::lvm2::label::Extent;
use crate::format::lvm2::survey::{self, Found};
use crate::format::md::{self, Superblock, Version};
use crate::format::wish::Wish;
use alloc::format;
use alloc::rc::Rc;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

/// Longer stretches are asked for piece by piece.
const PIECE: u64 = 8 << 10;
/// More metadata than this is not believed: lvm's own areas have 1 MiB by default.
const MAX_TEXT: u64 = 16 << 20;

pub(super) struct Member {
    /// Of the device when this was read.
    pub generation: u32,
    pub said: Said,
}

pub(super) enum Said {
    Volume(Found),
    Array(Rc<Superblock>),
    Damaged(String),
}

impl Plan {
    /// Understands what can be understood; asks for what is missing.
    pub(super) fn survey_members(&mut self) {
        let Self {
            wish,
            devices,
            stack,
            ..
        } = self;
        let known = |name: &str, m: &Member| {
            let device = devices.by_name(name);
            device.is_some_and(|d| d.generation == m.generation && is_member(wish, devices, d))
        };
        stack.members.retain(known);
        let fresh =
            |d: &&Device| is_member(wish, devices, d) && !stack.members.contains(&d.block.name);
        let names: Vec<String> = devices
            .all()
            .filter(fresh)
            .map(|d| d.block.name.clone())
            .listed();
        for name in names {
            self.survey_member(&name);
        }
    }

    fn survey_member(&mut self, name: &str) {
        let Some(device) = self.devices.by_name(name) else {
            return;
        };
        let mut wanted = Vec::new();
        let said = match kind_of(device) {
            "LVM2_member" => volume(&device.view, &mut wanted),
            _ => array(device, &mut wanted),
        };
        let generation = device.generation;
        if !wanted.is_empty() {
            return self.read(name, &wanted);
        }
        let member = Member { generation, said };
        self.stack.members.insert(name, member);
    }
}

/// A member that counts: not one that only shines through the disk that it lies on.
fn is_member(wish: &Wish, devices: &Devices, device: &Device) -> bool {
    let disk = devices.disk_of(device);
    let shines = disk.is_some_and(Device::is_container);
    let wanted = match kind_of(device) {
        "LVM2_member" => wish.lvm,
        "linux_raid_member" => wish.md,
        _ => false,
    };
    wanted && !shines
}

fn kind_of(device: &Device) -> &str {
    device.signature().map_or("", |s| s.kind.as_str())
}

fn volume(view: &View, wanted: &mut Vec<Range>) -> Said {
    let mut read = |extent: Extent| gather(view, extent, wanted);
    match survey::examine(&mut read) {
        Some(found) => Said::Volume(found),
        None => Said::Damaged("the label of the physical volume cannot be read".to_string()),
    }
}

/// The bytes of a stretch, if all are there; what is missing is asked for.
fn gather(view: &View, extent: Extent, wanted: &mut Vec<Range>) -> Option<Vec<u8>> {
    let end = extent.offset.checked_add(extent.size)?;
    (extent.size <= MAX_TEXT && end <= view.size).then_some(())?;
    let mut bytes = Vec::new();
    let (mut at, mut whole) = (extent.offset, true);
    while at < end {
        let len = PIECE.min(end.checked_sub(at)?);
        let size = usize::try_from(len).ok()?;
        match view.bytes(at, size) {
            Ok(piece) if whole => bytes.extend_from_slice(piece?),
            Ok(_) => {}
            Err(need) => {
                whole = false;
                wanted.push(need.0);
            }
        }
        at = at.checked_add(len)?;
    }
    whole.then_some(bytes)
}

fn array(device: &Device, wanted: &mut Vec<Range>) -> Said {
    let size = device.view.size;
    let version = device.signature().and_then(|s| s.version.as_deref());
    // `0.90.0`, as others say it, is ours of 0.90.
    let of = |v: &&Version| version.is_some_and(|text| text.starts_with(&v.to_string()));
    let found = Version::ALL.iter().find(of).copied();
    let Some((version, at)) = found.and_then(|v| Some((v, v.place(size)?))) else {
        let kind = version.unwrap_or("unknown");
        return Said::Damaged(format!("superblocks of version {kind} are not known here"));
    };
    match device.view.bytes(at, md::SIZE) {
        Err(need) => {
            wanted.push(need.0);
            Said::Damaged(String::new())
        }
        Ok(None) => Said::Damaged("its superblock cannot be read".to_string()),
        Ok(Some(bytes)) => match md::read(version, bytes, size) {
            Some(Ok(superblock)) => Said::Array(Rc::new(superblock)),
            Some(Err(why)) => Said::Damaged(why),
            None => Said::Damaged("there is no superblock where it should be".to_string()),
        },
    }
}
