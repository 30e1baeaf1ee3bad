//! Mapped devices of the command line: whatever the order in which their pieces appear, the same
//! ones are made in the same order, and root is what they make.

use landfall::base::millis::Millis;
use landfall::plan::Plan;
use landfall::plan::action::Action;
use landfall::plan::{trace, trace_read};
use std::collections::VecDeque;

const WORDS: &str = "boot dm-mod.create=\\x22a,,,ro,0\\x208\\x20linear\\x20/dev/vda\\x200,\
                     8\\x208\\x20linear\\x20PARTUUID=bb-01\\x200;b,u-1,,rw,0\\x2016\\x20linear\\x20\
                     /dev/mapper/a\\x200\\x22";

/// What is reported; a table is what a probe answers.
const NEWS: [&str; 5] = [
    "block vda 254:0 sectors=64 sequence=1",
    "block vdb 254:16 sectors=64 sequence=2",
    "block vdb1 254:17 sectors=8 sequence=2 disk=vdb number=1",
    "block vdc 254:32 sectors=64 sequence=3",
    "walked 1",
];

/// How an action is answered, and what else is heard then.
fn answers(action: &Action, maps: &mut usize) -> Vec<String> {
    let line = trace::action_line(action);
    let mut words = line.split(' ').skip(1);
    let (ticket, what) = (words.next().unwrap_or(""), words.next().unwrap_or(""));
    let probed = |rest: &str| vec![format!("probed {ticket} {rest}")];
    match action {
        Action::Resolve { .. } => vec![format!("resolved {ticket} builtin")],
        Action::Probe { .. } if what == "vdb" => probed("table=dos part=1:bb-01:0x83:8:8:0"),
        // The same superblock shines through the first piece, and is on the device made of both.
        Action::Probe { .. } => probed("type=ext4 usage=filesystem uuid=77 block-size=4096"),
        Action::Map { .. } => {
            let n = *maps;
            *maps += 1;
            vec![
                format!("block dm-{n} 253:{n} sectors=0 sequence=9"),
                format!("mapped {ticket}"),
                format!("block-changed dm-{n} 253:{n} sectors=16 sequence=9 mapped={what}"),
            ]
        }
        _ => Vec::new(),
    }
}

/// Tells the news in this order; returns what was made and mounted.
fn told(root: &str, order: &[usize], late: bool) -> Vec<String> {
    let mut plan = Plan::new();
    let mut maps = 0;
    let mut done = Vec::new();
    let mut queue = VecDeque::from([format!("{WORDS} root={root}")]);
    let mut waiting = VecDeque::new();
    let mut news = order.iter().map(|&n| NEWS[n].to_owned());
    while let Some(line) = queue
        .pop_front()
        .or_else(|| {
            if late {
                news.next()
            } else {
                waiting.pop_front()
            }
        })
        .or_else(|| {
            if late {
                waiting.pop_front()
            } else {
                news.next()
            }
        })
    {
        let event = trace_read::event(&line).unwrap_or_else(|| panic!("{line}"));
        for action in plan.handle(Millis(0), event) {
            waiting.extend(answers(&action, &mut maps));
            if matches!(action, Action::Map { .. } | Action::Mount { .. }) {
                let line = trace::action_line(&action);
                let without_ticket = line.split(' ').enumerate().filter(|(n, _)| *n != 1);
                done.push(without_ticket.map(|(_, w)| w).collect::<Vec<_>>().join(" "));
            }
        }
    }
    done
}

fn orders(rest: &[usize]) -> Vec<Vec<usize>> {
    if rest.is_empty() {
        return vec![Vec::new()];
    }
    let mut all = Vec::new();
    for &first in rest {
        let others: Vec<usize> = rest.iter().copied().filter(|&n| n != first).collect();
        for mut order in orders(&others) {
            order.insert(0, first);
            all.push(order);
        }
    }
    all
}

const FIRST: &str =
    "map a ro target=0\\x208\\x20linear\\x20254:0\\x200 target=8\\x208\\x20linear\\x20254:17\\x200";
const SECOND: &str = "map b rw uuid=u-1 target=0\\x2016\\x20linear\\x20253:0\\x200";

fn check(root: &str, expected: &[&str]) {
    for order in orders(&[0, 1, 2, 3, 4]) {
        for late in [false, true] {
            assert_eq!(
                told(root, &order, late),
                expected,
                "{root} {order:?} {late}"
            );
        }
    }
}

#[test]
fn mappings_are_made_in_order_and_root_is_on_them() {
    check("/dev/mapper/b", &[FIRST, SECOND, "mount mapper/b ext4 ro"]);
    check("/dev/dm-1", &[FIRST, SECOND, "mount mapper/b ext4 ro"]);
}

/// `UUID=77` is also what the pieces look like.
#[test]
fn pieces_of_a_mapping_are_no_root() {
    for order in orders(&[0, 1, 2, 4]) {
        for late in [false, true] {
            let done = told("UUID=77", &order, late);
            assert_eq!(
                done,
                [FIRST, SECOND, "mount mapper/b ext4 ro"],
                "{order:?} {late}"
            );
        }
    }
}

#[test]
fn a_mapping_waits_for_its_last_piece_and_the_page_says_so() {
    let words = "boot root=/dev/dm-0 dm-mod.create=\\x22a,,,ro,0\\x208\\x20linear\\x20/dev/vda\\x20\
                 0\\x22 dm-mod.waitfor=/dev/vdz rd.timeout=2";
    let page = page(words, &[NEWS[0], "walked 1"], 2_000);
    let waits = "mapping a waits for /dev/vdz";
    assert!(page.iter().any(|line| line.contains(waits)), "{page:?}");
    assert!(
        !page.iter().any(|line| line.contains("/dev/vda")),
        "{page:?}"
    );
}

#[test]
fn a_mapping_that_cannot_be_made_ends_the_boot_if_root_is_on_it() {
    let words = "boot root=/dev/mapper/a rootwait dm-mod.create=\\x22a,,,ro,0\\x208\\x20linear\\x20\
                 /dev/vda\\x200\\x22";
    let page = page(words, &[NEWS[0], "map-failed 4 errno=22 text=no"], 0);
    assert!(
        page.iter().any(|l| l == "cause:   mapping a: no"),
        "{page:?}"
    );
}

/// The page that these events end in.
fn page(boot: &str, events: &[&str], ends: u64) -> Vec<String> {
    let mut plan = Plan::new();
    let mut queue: VecDeque<String> = [boot].iter().chain(events).map(|&l| l.into()).collect();
    let mut ask = |line: String, now: u64, queue: &mut VecDeque<String>| {
        let event = trace_read::event(&line).unwrap_or_else(|| panic!("{line}"));
        for action in plan.handle(Millis(now), event) {
            match &action {
                Action::Page { lines } => return Some(lines.clone()),
                Action::Resolve { .. } => queue.extend(answers(&action, &mut 0)),
                _ => {}
            }
        }
        None
    };
    while let Some(line) = queue.pop_front() {
        // The answer to a lookup overtakes whatever follows.
        if let Some(page) = ask(line, 0, &mut queue) {
            return page;
        }
        if let Some(at) = queue.iter().position(|l| l.starts_with("resolved")) {
            queue.rotate_left(at);
            let answer = queue.pop_front().expect("it was there");
            queue.rotate_right(at.min(queue.len()));
            if let Some(page) = ask(answer, 0, &mut queue) {
                return page;
            }
        }
    }
    ask("timer".into(), ends, &mut queue).expect("a page at the deadline")
}
