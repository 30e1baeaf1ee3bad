//! Worlds of nested containers, all of them to depth three, in every order of arrival.
//!
//! Their bytes are real: the plan reads labels, metadata, superblocks and headers and understands
//! them by itself. What the kernel makes of a table or an array, the machine here does.

mod bytes;
mod machine;
mod world;

use machine::{Machine, Story};
use world::{LAYERS, Layer, World};

const ROOT: &str = "root=UUID=aaaaaaaa-aaaa-aaaa-aaaa-aaaaaaaaaaaa";
/// Answers of one order may come in any order, too: so many of these are tried.
const SEEDS: u64 = 4;

/// All nestings of one to three layers.
fn nestings() -> Vec<Vec<Layer>> {
    let mut all: Vec<Vec<Layer>> = Vec::new();
    let mut last: Vec<Vec<Layer>> = vec![Vec::new()];
    for _ in 0..3 {
        let more = |below: &Vec<Layer>| LAYERS.map(|layer| [below.as_slice(), &[layer]].concat());
        last = last.iter().flat_map(more).collect();
        all.extend(last.iter().cloned());
    }
    all
}

fn orders(count: usize) -> Vec<Vec<usize>> {
    let mut all = vec![Vec::new()];
    for next in 0..count {
        let more = |order: &Vec<usize>| {
            let order = order.clone();
            (0..=order.len()).map(move |at| {
                let mut order = order.clone();
                order.insert(at, next);
                order
            })
        };
        all = all.iter().flat_map(more).collect();
    }
    all
}

fn check(world: &World, story: &Story, order: &[usize]) {
    let about = || format!("{:?} arriving as {order:?}: {story:#?}", world.layers);
    let Some((_, place, at)) = &story.mounted else {
        panic!("not mounted: {}", about());
    };
    let [there, root] = [place, &world.root].map(|p| p.copies[0].clone());
    assert_eq!(there, root, "another device was mounted: {}", about());
    assert!(*at < 20_000, "it took {at} ms: {}", about());
    let luks = world.layers.contains(&Layer::Luks);
    assert_eq!(story.asked, usize::from(luks), "questions: {}", about());
    let mut made = story.made.clone();
    made.sort_unstable();
    made.dedup();
    assert_eq!(made.len(), story.made.len(), "made twice: {}", about());
    let beside = |name: &String| name.contains("beside");
    assert!(!story.made.iter().any(beside), "made in vain: {}", about());
}

#[test]
fn every_nesting_opens_in_every_order() {
    let nestings = nestings();
    assert_eq!(nestings.len(), 4 + 16 + 64);
    for layers in nestings {
        let world = World::new(&layers);
        for order in orders(world.real.len()) {
            for seed in 0..SEEDS {
                let story = Machine::new(&world, seed).boot(ROOT, &order);
                check(&world, &story, &order);
            }
        }
    }
}

/// The device that holds the file may be as deep as root: what is in the file becomes root, and not
/// the same on a disk beside.
#[test]
fn every_nesting_may_hold_the_file_that_root_is_in() {
    let host = ROOT.trim_start_matches("root=");
    let inside = host.replace('a', "c");
    let whole = format!("{ROOT} loop=/disk.img rw");
    let part = format!("root={inside} loop={host}:/disk.img rw");
    for layers in nestings().into_iter().filter(|layers| layers.len() < 3) {
        for (table, words) in [(false, &whole), (false, &part), (true, &part)] {
            let world = World::with_file(&layers, table);
            for order in orders(world.real.len()) {
                let story = Machine::new(&world, order.len() as u64).boot(words, &order);
                check(&world, &story, &order);
            }
        }
    }
}

/// What lacks a member starts without it only where that can be, and never at once.
#[test]
fn what_lacks_a_member_waits_and_then_starts_or_says_what_is_missing() {
    let wait = 30_000;
    for layers in nestings() {
        let world = World::new(&layers);
        let count = world.real.len();
        for gone in 1..count {
            let order: Vec<usize> = (0..count).filter(|disk| *disk != gone).collect();
            let story = Machine::new(&world, 7).boot(ROOT, &order);
            let needs_more = |l: &&Layer| matches!(l, Layer::Volume | Layer::Mirror);
            let lacks = layers.iter().filter(needs_more).nth(gone - 1);
            // A mirror above can do without all of what lies below its first member.
            let at = (0..layers.len()).filter(|&n| needs_more(&&layers[n]));
            let at = at.into_iter().nth(gone - 1).unwrap_or(0);
            let spared = layers[at + 1..].contains(&Layer::Mirror);
            let about = format!("{layers:?} without {gone}: {story:#?}");
            match (lacks, &story.mounted) {
                (Some(layer), Some((_, _, at))) if spared || *layer == Layer::Mirror => {
                    assert!(*at >= wait, "it started at once: {about}");
                }
                (Some(Layer::Volume), None) => {
                    let page = story.page.join("\n");
                    assert!(page.contains("is missing"), "{about}");
                }
                _ => panic!("{about}"),
            }
        }
    }
}
