//! The simulator: seeded worlds in which everything goes wrong, and the laws that hold anyway.
//!
//! `laws/` says what must be true, `faults.rs` what may happen, `prospects.rs` what must come of
//! it; `world.rs` is a machine at rest, `make.rs` makes one of a seed, `machine.rs`, `devices.rs`
//! and `jobs.rs` let it run. `small.rs` tells small worlds in every order, `mutants.rs` plants
//! faults in the plan. `LANDFALL_SEED=n cargo test --test sim the_laws -- --nocapture` runs one
//! world and shows it; `LANDFALL_WORLDS=n` runs that many instead of the
//! default, `LANDFALL_FRESH=n` adds that many with seeds of the day. `nets/` is the same for links
//! and servers, with `LANDFALL_NET_SEED=n`.

mod devices;
mod faults;
mod hardware;
mod jobs;
mod known;
mod laws;
mod machine;
mod make;
mod media;
mod mutants;
mod nets;
mod prospects;
mod rng;
mod seeds;
mod small;
mod stacks;
mod story;
mod twins;
mod world;

use landfall::base::millis::Millis;
use landfall::plan::Plan;
use landfall::plan::action::Action;
use landfall::plan::event::Event;
use std::time::{Instant, SystemTime, UNIX_EPOCH};
use story::Decider;

/// Worlds in a default run, seeds from 0.
const FIXED: u64 = 100_000;
const NETS: u64 = 50_000;

impl Decider for Plan {
    fn handle(&mut self, now: Millis, event: Event) -> Vec<Action> {
        Plan::handle(self, now, event)
    }

    fn deadline(&self) -> Option<Millis> {
        Plan::deadline(self)
    }
}

fn the_plan() -> Box<dyn Decider> {
    Box::new(Plan::new())
}

fn number(name: &str) -> Option<u64> {
    std::env::var(name).ok()?.parse().ok()
}

/// Runs seeds on two threads; the tally, or the broken worlds with the lowest seeds.
fn run_all(first: u64, count: u64) -> (seeds::Tally, Vec<seeds::Broken>) {
    let half = |odd: u64| {
        let mut tally = seeds::Tally::default();
        let mut broken = Vec::new();
        for seed in (first..first + count).filter(|s| s % 2 == odd) {
            match seeds::try_seed(seed, &the_plan) {
                Ok((outcome, prospect)) => tally.count(&outcome, &prospect),
                Err(world) => broken.push(*world),
            }
            if broken.len() >= 20 {
                break;
            }
        }
        (tally, broken)
    };
    let ((mut tally, mut broken), (other, more)) = std::thread::scope(|scope| {
        let odd = scope.spawn(|| half(1));
        (
            half(0),
            odd.join().expect("a thread of the simulator panicked"),
        )
    });
    tally.worlds += other.worlds;
    for (name, n) in other.outcomes {
        *tally.outcomes.entry(name).or_default() += n;
    }
    for (name, n) in other.prospects {
        *tally.prospects.entry(name).or_default() += n;
    }
    broken.extend(more);
    broken.sort_by_key(|b| b.seed);
    (tally, broken)
}

#[test]
fn the_laws_hold_in_every_seeded_world() {
    if let Some(seed) = number("LANDFALL_SEED") {
        let world = make::world(seed);
        let (story, verdict) = seeds::try_world(&world, &the_plan);
        println!("{world:#?}\n{story}");
        verdict.unwrap_or_else(|breach| panic!("{breach:#?}"));
        return;
    }
    let fresh = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_or(0, |d| d.as_secs() << 20);
    for (first, count) in [
        (0, number("LANDFALL_WORLDS").unwrap_or(FIXED)),
        // Worlds that nobody has seen yet: on request, so that a run can be repeated.
        (fresh, number("LANDFALL_FRESH").unwrap_or(0)),
    ]
    .into_iter()
    .filter(|(_, count)| *count > 0)
    {
        let began = Instant::now();
        let (tally, broken) = run_all(first, count);
        let ms = began.elapsed().as_millis().max(1) as u64;
        println!(
            "{} worlds from seed {first}, {} a second",
            tally.worlds,
            tally.worlds * 1000 / ms
        );
        println!("  {:?}\n  {:?}", tally.outcomes, tally.prospects);
        for b in &broken {
            println!(
                "seed {}: {}: {}",
                b.seed,
                b.breach.law,
                b.breach.why.lines().next().unwrap_or("")
            );
        }
        if let Some(first) = broken.first() {
            panic!("{}", seeds::report(first));
        }
    }
}

#[test]
fn the_laws_hold_over_every_network() {
    let only = number("LANDFALL_NET_SEED");
    let seeds = only.map_or(0..NETS, |seed| seed..seed + 1);
    let mut mounted = 0;
    for seed in seeds {
        match nets::try_seed(seed, &the_plan) {
            Ok(root) => mounted += u64::from(root),
            Err((breach, shown)) => panic!("seed {seed}: {}: {}\n{shown}", breach.law, breach.why),
        }
    }
    println!("{mounted} mounted their root");
    assert!(only.is_some() || (NETS / 3..NETS).contains(&mounted));
}

#[test]
fn every_mutant_of_the_plan_is_found_by_its_law() {
    match mutants::run() {
        Ok(said) => println!("{said}"),
        Err(why) => panic!("{why}"),
    }
}

#[test]
fn every_order_of_arrival_chooses_the_same_root() {
    let mut told = 0;
    for tale in small::tales() {
        for telling in small::tellings(&tale) {
            if let Err(why) = small::tell(&tale, &telling, &the_plan) {
                panic!("{why}");
            }
            told += 1;
        }
    }
    println!("{told} tellings");
}
