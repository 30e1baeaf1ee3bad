//! A small machine that is taken down.

use super::*;
use alloc::format;
use alloc::string::String;

/// A small machine: steps are done in it as the kernel would.
#[derive(Default)]
struct World {
    mounts: Vec<Mount>,
    /// With what each is made of.
    devices: Vec<(MadeDevice, Vec<&'static str>)>,
    /// Processes, the place that they hold, and what it takes to end them.
    processes: Vec<(i32, &'static str, bool)>,
    /// Never given up.
    busy: Vec<&'static str>,
    /// The kernel never comes back.
    hanging: Vec<&'static str>,
}

/// `ID PARENT PLACE SOURCE`; the number is that of the device of this name.
fn mount(id: u32, parent: u32, place: &str, source: &str) -> Mount {
    Mount {
        id,
        parent,
        number: (0, id),
        place: place.into(),
        source: source.into(),
        read_only: false,
    }
}

impl World {
    fn mounts(mut self, lines: &[(u32, u32, &str, &str)]) -> Self {
        for (id, parent, place, source) in lines {
            let mut mount = mount(*id, *parent, place, source);
            let named = |(d, _): &&(MadeDevice, Vec<_>)| {
                Text::from(format!("/dev/{}", d.name)) == mount.source
            };
            if let Some((device, _)) = self.devices.iter().find(named) {
                mount.number = device.number;
            }
            self.mounts.push(mount);
        }
        self
    }

    fn device(mut self, kind: Kind, name: &str, below: &[&'static str]) -> Self {
        let number = (253, self.devices.len() as u32);
        let device = MadeDevice {
            kind,
            name: name.into(),
            number,
            held: false,
        };
        self.devices.push((device, below.to_vec()));
        self
    }

    fn seen(&self) -> Seen {
        let held = |name: &str| self.devices.iter().any(|(_, below)| below.contains(&name));
        let devices = self.devices.iter().map(|(device, _)| MadeDevice {
            held: held(&device.name),
            ..device.clone()
        });
        let holds = |(_, place, _): &&(i32, &str, bool)| {
            let place = Text::from(*place);
            self.mounts.iter().any(|m| m.place == place)
        };
        Seen {
            mounts: self.mounts.clone(),
            devices: devices.collect(),
            holding: self.processes.iter().filter(holds).map(|p| p.0).collect(),
        }
    }

    /// What the step is called, and whether the kernel came back.
    fn work(&mut self, step: &Step) -> (String, bool) {
        let mut hangs = false;
        let Step(verb, place) = step;
        let said = match verb {
            Verb::Unmount => {
                let held = |p: &str| place == &Text::from(p);
                hangs = self.hanging.iter().any(|p| held(p));
                let used = self.processes.iter().any(|(_, p, _)| held(p));
                let busy = hangs || used || self.busy.iter().any(|p| held(p));
                let top = self.mounts.iter().rposition(|m| m.place == *place);
                let id = self.mounts[top.unwrap()].id;
                assert!(
                    self.mounts.iter().all(|m| m.parent != id),
                    "{place} carries"
                );
                if !busy {
                    self.mounts.remove(top.unwrap());
                }
                format!("umount {place}")
            }
            Verb::Remove(_) => {
                let name = place.as_str().unwrap();
                let seen = self.seen();
                let device = seen.devices.iter().find(|d| d.name == name).unwrap();
                assert!(!device.held && !seen.is_mounted(device), "{name} is in use");
                if !self.busy.contains(&name) {
                    self.devices.retain(|(d, _)| d.name != name);
                }
                format!("remove {name}")
            }
            Verb::Ask | Verb::Kill => {
                let kill = *verb == Verb::Kill;
                let to = self.seen().holding;
                self.processes
                    .retain(|(pid, _, stubborn)| !to.contains(pid) || *stubborn && !kill);
                format!("{} {to:?}", if kill { "kill" } else { "term" })
            }
            Verb::Wait => "wait".into(),
            Verb::Protect => {
                for mount in self.mounts.iter_mut().filter(|m| m.place == *place) {
                    mount.read_only = true;
                }
                format!("protect {place}")
            }
        };
        (said, !hangs)
    }

    /// Everything that is done, repeated waiting once.
    fn run(&mut self) -> Vec<String> {
        let mut plan = TakingDown::default();
        let mut done: Vec<String> = Vec::new();
        while let Some(step) = plan.next(&self.seen()) {
            let (said, came_back) = self.work(&step);
            if !came_back {
                plan.hangs(step);
            }
            if said != "wait" || done.last() != Some(&said) {
                done.push(said);
            }
        }
        assert!(plan.steps < MOST_STEPS, "{done:?}");
        done
    }
}

#[test]
fn luks_on_lvm_on_a_mirror_goes_from_above() {
    let mut world = World::default()
        .device(Kind::Array, "md127", &[])
        .device(Kind::Mapped, "vg-root", &["md127"])
        .device(Kind::Mapped, "safe", &["vg-root"])
        .mounts(&[
            (1, 0, "/", "tmpfs"),
            (2, 1, "/dev", "devtmpfs"),
            (3, 1, "/oldroot", "/dev/safe"),
            (4, 3, "/oldroot/proc", "proc"),
            (5, 3, "/oldroot/run", "tmpfs"),
            (6, 5, "/oldroot/run/lock", "tmpfs"),
        ]);
    assert_eq!(
        world.run(),
        [
            "umount /oldroot/proc",
            "umount /oldroot/run/lock",
            "umount /oldroot/run",
            "umount /oldroot",
            "remove safe",
            "remove vg-root",
            "remove md127",
        ]
    );
    assert_eq!(world.mounts.len(), 2);
}

#[test]
fn what_holds_the_file_of_a_loop_goes_after_it() {
    let mut world = World::default()
        .device(Kind::Mapped, "shelf", &[])
        .device(Kind::Loop, "loop0", &[])
        .mounts(&[
            (1, 0, "/", "tmpfs"),
            (2, 1, "/oldroot", "/dev/loop0"),
            (3, 2, "/oldroot/host", "/dev/shelf"),
        ]);
    // The file is in use as long as the loop device is there: the kernel refuses once.
    world.processes.push((7, "/oldroot/host", true));
    let mut plan = TakingDown::default();
    let mut done = Vec::new();
    while let Some(step) = plan.next(&world.seen()) {
        done.push(world.work(&step).0);
        if !world.devices.iter().any(|(d, _)| d.name == "loop0") {
            world.processes.clear();
        }
        if done.last().unwrap() == "umount /oldroot/host" && done.len() == 1 {
            // Loops are mounted in the new root, too, where systemd moves mounts one by one.
            world.mounts[1].parent = 1;
            world.mounts[2].parent = 1;
        }
    }
    assert_eq!(
        done,
        [
            "umount /oldroot/host",
            "umount /oldroot",
            "umount /oldroot/host",
            "remove loop0",
            "umount /oldroot/host",
            "remove shelf",
        ]
    );
}

#[test]
fn a_thin_pool_and_a_diamond_go_from_above() {
    let mut world = World::default()
        .device(Kind::Mapped, "path", &[])
        .device(Kind::Mapped, "left", &["path"])
        .device(Kind::Mapped, "right", &["path"])
        .device(Kind::Mapped, "pool", &["left", "right"])
        .device(Kind::Mapped, "thin1", &["pool"])
        .device(Kind::Mapped, "thin2", &["pool"]);
    let expected = ["thin1", "thin2", "pool", "left", "right", "path"];
    assert_eq!(world.run(), expected.map(|name| format!("remove {name}")));
}

#[test]
fn processes_that_hold_the_old_root_are_asked_and_then_ended() {
    let mut world =
        World::default().mounts(&[(1, 0, "/", "tmpfs"), (2, 1, "/oldroot", "/dev/vda")]);
    world.processes.push((41, "/oldroot", false));
    world.processes.push((42, "/oldroot", true));
    let stay = "umount /oldroot";
    let done = world.run();
    assert_eq!(done[..3], [stay, "term [41, 42]", stay]);
    let kill = done.iter().position(|step| step == "kill [42]").unwrap();
    assert_eq!(done[kill + 1..], [stay]);
    assert_eq!(world.seen().left(), 0);
}

#[test]
fn what_stays_is_protected_and_the_rest_goes() {
    let mut world = World::default()
        .device(Kind::Array, "md0", &[])
        .device(Kind::Mapped, "home", &[])
        .mounts(&[
            (1, 0, "/", "tmpfs"),
            (2, 1, "/oldroot", "/dev/md0"),
            (3, 2, "/oldroot/home", "/dev/home"),
            (4, 2, "/oldroot/srv", "server:/srv"),
        ]);
    world.busy.push("/oldroot");
    world.hanging.push("/oldroot/srv");
    let done = world.run();
    let count = |step: &str| done.iter().filter(|said| *said == step).count();
    assert_eq!(count("umount /oldroot/srv"), 1);
    assert_eq!(count("remove home"), 1);
    assert_eq!(done.last().unwrap(), "protect /oldroot");
    assert_eq!(count("protect /oldroot"), 1);
    let left: Vec<_> = world.mounts.iter().map(|m| m.place.clone()).collect();
    assert_eq!(left, ["/", "/oldroot", "/oldroot/srv"].map(Text::from));
}

#[test]
fn a_held_device_and_a_circle_end_in_bounds() {
    for (below, busy) in [(["b", "a"], None), (["none", "none"], Some("a"))] {
        let mut world = World::default()
            .device(Kind::Mapped, "a", &[below[0]])
            .device(Kind::Mapped, "b", &[below[1]]);
        world.busy.extend(busy);
        let done = world.run();
        assert_eq!(done.last().unwrap().as_str() != "wait", busy.is_some());
        assert_eq!(world.devices.len(), if busy.is_some() { 1 } else { 2 });
    }
}

#[test]
fn only_the_old_root_and_devices_are_unmounted() {
    let left = |place: &str, source: &str| is_left(&mount(2, 1, place, source));
    assert!(left("/oldroot", "rootfs"));
    assert!(left("/oldroot/a", "tmpfs"));
    assert!(left("/run/landfall/host", "/dev/vda"));
    assert!(!left("/oldrooting", "tmpfs"));
    assert!(!left("/", "/dev/vda"));
    assert!(!left("/run", "tmpfs"));
}
