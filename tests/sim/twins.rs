//! Small worlds of clones: refused where that was asked, or told apart by what the firmware booted.

use crate::small::{OTHER, Tale, WANTED, disk, filesystem, gpt, table, world};
use landfall::format::discoverable::ROOT;
use landfall::format::identity::{Finding, Usage};
use landfall::format::wish::Source;

/// Twins that are refused, and roots by their type on the disk that was booted from.
pub fn tales() -> Vec<Tale> {
    let ext4 = |uuid: &str| filesystem("ext4", Usage::Filesystem, uuid);
    let plain = |name, uuid| disk(name, ext4(uuid), Vec::new());
    let of = |name, root, world| Tale { name, world, root };
    let refusing = |disks| {
        let mut world = world(
            Source::Uuid(WANTED.into()),
            &format!("UUID={WANTED}"),
            disks,
        );
        world.asked.refuse_clones = true;
        world.asked.cmdline.push_str(" landfall.clones=refuse");
        world
    };
    let booted = |name: &str, finding: Finding| {
        let mut finding = finding;
        for entry in finding.table.iter_mut().flat_map(|t| &mut t.partitions) {
            entry.uuid = format!("{name}-{}", entry.number);
        }
        let root = ext4(WANTED);
        disk(name, finding, vec![(1, root.clone()), (2, root)])
    };
    let mut two = world(
        None,
        "",
        vec![
            booted("sda", gpt(&[("efi", 0), (ROOT, 0)])),
            booted("sdb", gpt(&[(ROOT, 0), (ROOT, 0)])),
        ],
    );
    two.booted = Some("sda-1".into());
    let mut none_there = two.clone();
    none_there.booted = Some("sdx-1".into());
    vec![
        of(
            "of two clones none is taken where that was asked",
            None,
            refusing(vec![
                plain("sda", WANTED),
                plain("sdb", OTHER),
                plain("sdc", WANTED),
                disk("sdd", table(&[(1, "dd-01")]), vec![(1, ext4(OTHER))]),
            ]),
        ),
        of(
            "what is no clone is taken where clones are refused",
            Some("sda"),
            refusing(vec![
                plain("sda", WANTED),
                plain("sdb", OTHER),
                plain("sdc", OTHER),
            ]),
        ),
        of(
            "the root by its type on the disk that was booted from is taken",
            Some("sda2"),
            two,
        ),
        of(
            "where that disk is not there, several roots are refused",
            None,
            none_there,
        ),
    ]
}
