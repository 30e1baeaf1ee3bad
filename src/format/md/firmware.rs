//! Arrays that firmware defines: their metadata is mdadm's business while they run, too.
//!
//! The kernel knows nothing of these formats: a program must stay to write their metadata (mdmon).

/// Why a member of this kind (blkid's name) leads nowhere, and what to do; `None`: it is none.
pub fn refusal(kind: &str) -> Option<&'static str> {
    Some(match kind {
        "isw_raid_member" => {
            "it is a member of an Intel Matrix Storage (IMSM) container, which only mdadm with \
             mdmon can run: boot it with an initramfs that has them"
        }
        "ddf_raid_member" => {
            "it is a member of a DDF container, which only mdadm with mdmon can run: boot it \
             with an initramfs that has them"
        }
        _ => return None,
    })
}
