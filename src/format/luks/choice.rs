//! What to do with a header: which segment to map, which slots to try in which order, and what is
//! left alone, with the reason.

use super::{Digest, Header, KeySlot, Priority, Segment, metadata};
use crate::base::fault::Fault;
use crate::base::list::Listed;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

/// The sector tags lie in the device's own sectors: there is no dm-integrity layer.
pub const INLINE_TAGS: &str = "inline-hw-tags";

impl Header {
    /// The one segment to map, or why this volume is not opened.
    pub fn segment(&self) -> Result<&Segment, Fault> {
        if let Some(refusal) = self.requirements.iter().find_map(|name| refusal(name)) {
            return Err(Fault::plain(refusal));
        }
        let segment = match self.segments.as_slice() {
            [segment] => segment,
            several => {
                let text = format!(
                    "the LUKS2 header has {} segments, and only one can be mapped: \
                     was a re-encryption cut off?",
                    several.len()
                );
                return Err(Fault::plain(text));
            }
        };
        if segment.kind == metadata::CRYPT {
            return Ok(segment);
        }
        let kind = &segment.kind;
        let text = match &**kind {
            "hw-opal" | "hw-opal-crypt" => format!(
                "the volume is encrypted by the drive itself (segment type {kind}): \
                 OPAL drives are not unlocked here"
            ),
            "linear" => "the volume is not encrypted (segment type linear): \
                         there is nothing to unlock"
                .into(),
            _ => format!("the segment type {kind} of the LUKS2 header is not known"),
        };
        Err(Fault::plain(text))
    }

    /// The slots that can open the volume, each with the digest of its key, the preferred ones
    /// first. With `wanted` only that one, whatever its priority.
    pub fn candidates(&self, wanted: Option<u32>) -> Vec<(&KeySlot, &Digest)> {
        let Some(segment) = self.segments.first() else {
            return Vec::new();
        };
        let digest = |slot: &KeySlot| {
            let holds = |d: &&Digest| d.slots.contains(&slot.number);
            let locks = |d: &&Digest| d.segments.contains(&segment.number);
            self.digests.iter().filter(holds).find(locks)
        };
        let with = |priority: Priority| {
            let tried = move |slot: &&KeySlot| match wanted {
                Some(number) => slot.number == number && slot.priority == priority,
                None => priority > Priority::Ignore && slot.priority == priority,
            };
            self.slots.iter().filter(tried)
        };
        let order = [Priority::Prefer, Priority::Normal, Priority::Ignore];
        let slots = order.into_iter().flat_map(with);
        slots
            .filter_map(|slot| Some((slot, digest(slot)?)))
            .listed()
    }

    /// The digest of the key that the segment is encrypted with.
    pub fn digest(&self) -> Option<&Digest> {
        let segment = self.segments.first()?.number;
        self.digests.iter().find(|d| d.segments.contains(&segment))
    }

    /// Bytes of the volume key, as the first slot that holds it says.
    pub fn key_size(&self) -> Option<usize> {
        let digest = self.digest()?;
        let slot = |number: &u32| self.slots.iter().find(|slot| slot.number == *number);
        digest.slots.iter().find_map(slot).map(|slot| slot.key_size)
    }
}

/// Why a volume that asks for `requirement` is not opened; `None`: it can be met.
fn refusal(requirement: &str) -> Option<String> {
    Some(match requirement {
        INLINE_TAGS => return None,
        "offline-reencrypt" => "the volume is being re-encrypted (offline-reencrypt): \
                                finish it with the cryptsetup-reencrypt that began it"
            .into(),
        "opal" | "opal-v2" => {
            format!(
                "the volume needs its drive's own encryption ({requirement}), \
                 which is not unlocked here"
            )
        }
        name if name.starts_with("online-reencrypt") => format!(
            "the volume is being re-encrypted ({name}): \
             finish it with `cryptsetup reencrypt --resume-only`"
        ),
        name => format!("the LUKS2 header requires \"{name}\", which is not known here"),
    })
}
