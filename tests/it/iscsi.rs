//! Logins at a real iSCSI target, over TCP: tgtd, which anybody may run.
//!
//! That the connection is then at the place where the kernel takes it, one command shows that is
//! made by hand.

use landfall::act::attach_iscsi::connect;
use landfall::crypt::chap;
use landfall::format::iscsi::password::Password;
use landfall::format::iscsi::status::Address;
use landfall::format::iscsi::{Negotiated, session_id};
use landfall::plan::talk::iscsi::{Heard, Login, Options, Step};
use landfall::sys::clock::since_boot;
use landfall::sys::tcp::{self, Received};
use std::fs;
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::os::fd::OwnedFd;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

const WAIT_MS: u64 = 10_000;

const NAME: &str = "iqn.2026-01.com.example:disk";

/// A target with one disk, LUN 1, that ends with its test. Its files are in a folder of its own.
struct Target {
    child: Child,
    address: SocketAddr,
    folder: PathBuf,
}

/// How a login ended, but for a fault.
enum End {
    Session(Box<Negotiated>, OwnedFd),
    Moved(Address),
}

/// Users and passwords: this machine's, and the target's.
#[derive(Clone, Copy, Default)]
struct Users {
    own: Option<(&'static str, &'static str)>,
    targets: Option<(&'static str, &'static str)>,
}

impl Target {
    fn new(name: &str) -> Self {
        let name = format!("landfall-iscsi-{}-{name}", std::process::id());
        let folder = std::env::temp_dir().join(name);
        let _ = fs::remove_dir_all(&folder);
        fs::create_dir(&folder).unwrap();
        fs::write(folder.join("disk"), vec![0; 4 << 20]).unwrap();
        // Free when it was asked for: somebody else may have taken it meanwhile.
        for _ in 0..10 {
            let free = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
            let address = free.local_addr().unwrap();
            drop(free);
            let mut command = Command::new("tgtd");
            command.args(["-f", "-C", "1", "--iscsi", &format!("portal={address}")]);
            command.env("TGT_IPC_SOCKET", folder.join("control"));
            command.stdin(Stdio::null()).stdout(Stdio::null());
            let child = command.stderr(Stdio::null()).spawn();
            let child =
                child.unwrap_or_else(|e| panic!("cannot run tgtd: {e} (tests/all.sh installs it)"));
            let mut target = Self {
                child,
                address,
                folder: folder.clone(),
            };
            if target.listens() {
                let disk = folder.join("disk");
                target.tell(&format!("new --mode target --tid 1 -T {NAME}"));
                let disk = disk.display();
                target.tell(&format!("new --mode logicalunit --tid 1 --lun 1 -b {disk}"));
                target.tell("bind --mode target --tid 1 -I ALL");
                return target;
            }
            fs::create_dir_all(&folder).unwrap();
        }
        panic!("no port is free");
    }

    fn listens(&mut self) -> bool {
        let began = Instant::now();
        while began.elapsed() < Duration::from_secs(20) {
            let control = self.folder.join("control.1").exists();
            if control && TcpStream::connect(self.address).is_ok() {
                return true;
            }
            if self.child.try_wait().unwrap().is_some() {
                return false;
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        panic!("{} listens to nobody", self.address);
    }

    fn tell(&self, words: &str) {
        let mut command = Command::new("tgtadm");
        command.args(["-C", "1", "--lld", "iscsi", "--op"]);
        command.args(words.split(' '));
        command.env("TGT_IPC_SOCKET", self.folder.join("control"));
        let output = command.output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{words}: {said}");
    }

    fn account(&self, user: &str, password: &str, outgoing: &str) {
        self.tell(&format!(
            "new --mode account --user {user} --password {password}"
        ));
        self.tell(&format!(
            "bind --mode account --tid 1 --user {user}{outgoing}"
        ));
    }

    /// The login, on a connection of its own.
    fn log_in(&self, name: &str, users: Users) -> Result<End, String> {
        let socket = connect(self.address, WAIT_MS).unwrap();
        let user = |user: Option<(&str, &str)>| user.map(|(name, _)| name.into());
        let password = |user: Option<(&str, &str)>| {
            Password::new(user.map(|(_, password)| password).unwrap().as_bytes())
        };
        let mut login = Login::new(Options {
            server: "here".into(),
            target: name.into(),
            initiator: "iqn.2026-01.com.example:me".into(),
            user: user(users.own),
            user_in: user(users.targets),
            isid: session_id(0),
            challenge: (0..16).collect(),
            moves: 0,
        });
        let mut steps = login.start(since_boot());
        // Smaller than a header.
        let mut buffer = [0; 25];
        loop {
            let mut next = Vec::new();
            for step in steps {
                match step {
                    Step::Send(bytes) => tcp::send(&socket, &bytes, WAIT_MS).unwrap(),
                    Step::Prove(question) => {
                        let proof = chap::answer(&question, &password(users.own));
                        next = login.hear(since_boot(), Heard::Proof(&proof));
                    }
                    Step::Verify { question, answer } => {
                        let expected = password(users.targets);
                        let right = chap::is_answer(&question, &expected, &answer);
                        next = login.hear(since_boot(), Heard::Verified(right));
                    }
                    Step::Done(agreed) => return Ok(End::Session(agreed, socket)),
                    Step::Moved(address) => return Ok(End::Moved(address)),
                    Step::Failed(fault) => return Err(fault.into_text()),
                }
            }
            steps = next;
            if !steps.is_empty() {
                continue;
            }
            let wait_ms = since_boot().until(login.deadline().unwrap());
            let most = login.wanted().min(buffer.len());
            let heard = match tcp::receive(&socket, &mut buffer[..most], wait_ms).unwrap() {
                Received::Bytes(length) => Heard::Bytes(&buffer[..length]),
                Received::Closed => Heard::Closed,
                Received::Nothing => Heard::Timer,
            };
            steps = login.hear(since_boot(), heard);
        }
    }

    fn agree(&self, users: Users) -> (Box<Negotiated>, OwnedFd) {
        match self.log_in(NAME, users) {
            Ok(End::Session(agreed, socket)) => (agreed, socket),
            Ok(End::Moved(address)) => panic!("moved to {address}"),
            Err(why) => panic!("{why}"),
        }
    }

    fn refusal(&self, name: &str, users: Users) -> String {
        match self.log_in(name, users) {
            Ok(_) => panic!("it was let in"),
            Err(why) => why,
        }
    }
}

impl Drop for Target {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        let _ = fs::remove_dir_all(&self.folder);
    }
}

/// Asks LUN 1 what it is, as the kernel does first of all: RFC 7143 §11.3, §11.7.
fn inquiry(agreed: &Negotiated, socket: &OwnedFd) -> Vec<u8> {
    let mut command = vec![0x01, 0xc1, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0];
    command.extend([0, 0, 0, 7, 0, 0, 0, 36]);
    command.extend(agreed.cmd_sn.to_be_bytes());
    command.extend(agreed.exp_stat_sn.to_be_bytes());
    command.extend([0x12, 0, 0, 0, 36, 0]);
    command.resize(48, 0);
    tcp::send(socket, &command, WAIT_MS).unwrap();
    let mut answer = Vec::new();
    let mut buffer = [0; 1024];
    while answer.len() < 48 + 36 {
        match tcp::receive(socket, &mut buffer, WAIT_MS).unwrap() {
            Received::Bytes(length) => answer.extend_from_slice(&buffer[..length]),
            other => panic!("{other:?} after {} bytes", answer.len()),
        }
    }
    // Data for the same command; with the number that is next, if the status comes with it.
    assert_eq!((answer[0], &answer[16..20]), (0x25, &[0, 0, 0, 7][..]));
    if answer[1] & 1 != 0 {
        assert_eq!(answer[24..28], agreed.exp_stat_sn.to_be_bytes());
    }
    answer.split_off(48)
}

#[test]
fn a_disk_is_logged_in_to_and_answers() {
    let target = Target::new("plain");
    let (agreed, socket) = target.agree(Users::default());
    assert!(!agreed.header_digest && !agreed.data_digest);
    assert_eq!((agreed.portal_group, agreed.cid), (Some(1), 0));
    assert!(agreed.tsih != 0 && agreed.max_xmit >= 8192);
    assert!(agreed.first_burst <= agreed.max_burst);
    let told = inquiry(&agreed, &socket);
    // A disk, of the maker that tgtd is.
    assert_eq!((told[0], &told[8..11]), (0, &b"IET"[..]));
    // A machine that boots again takes its own place.
    let (agreed, socket) = target.agree(Users::default());
    assert_eq!(inquiry(&agreed, &socket)[0], 0);
}

#[test]
fn what_the_target_insists_on_is_agreed_to() {
    let target = Target::new("insists");
    for (name, value) in [
        ("HeaderDigest", "CRC32C"),
        ("DataDigest", "CRC32C"),
        ("InitialR2T", "Yes"),
        ("ImmediateData", "No"),
        ("MaxBurstLength", "65536"),
        ("FirstBurstLength", "131072"),
        ("MaxRecvDataSegmentLength", "16384"),
    ] {
        target.tell(&format!(
            "update --mode target --tid 1 -n {name} -v {value}"
        ));
    }
    let (agreed, _) = target.agree(Users::default());
    assert!(agreed.header_digest && agreed.data_digest);
    assert!(agreed.initial_r2t && !agreed.immediate_data);
    assert_eq!((agreed.max_burst, agreed.first_burst), (65_536, 65_536));
    assert_eq!(agreed.max_xmit, 16_384);
}

#[test]
fn a_target_that_is_not_there_is_told() {
    let target = Target::new("other");
    let why = target.refusal("iqn.2026-01.com.example:other", Users::default());
    let expected = "iSCSI target iqn.2026-01.com.example:other at here: \
                    there is no such target there";
    assert_eq!(why, expected);
}

#[test]
fn this_machine_proves_who_it_is() {
    let target = Target::new("chap");
    target.account("me", "first-password", "");
    let users = Users {
        own: Some(("me", "first-password")),
        ..Users::default()
    };
    let (agreed, socket) = target.agree(users);
    assert_eq!(inquiry(&agreed, &socket)[0], 0);
    let about = "iSCSI target iqn.2026-01.com.example:disk at here: ";
    for own in [("me", "other-password"), ("you", "first-password")] {
        let own = Some(own);
        let why = target.refusal(NAME, Users { own, ..users });
        let expected = format!("{about}authentication failed: see user and password");
        assert_eq!(why, expected);
    }
    let why = target.refusal(NAME, Users::default());
    assert!(why.starts_with(about) && why.contains("authentication") || why.contains("password"));
}

#[test]
fn the_target_proves_who_it_is() {
    let target = Target::new("mutual");
    target.account("me", "first-password", "");
    target.account("them", "second-password", " --outgoing");
    let users = Users {
        own: Some(("me", "first-password")),
        targets: Some(("them", "second-password")),
    };
    let (agreed, socket) = target.agree(users);
    assert_eq!(inquiry(&agreed, &socket)[0], 0);
    for (targets, expected) in [
        (("them", "other-password"), "it does not know its password"),
        (("others", "second-password"), "it calls itself \"them\""),
    ] {
        let targets = Some(targets);
        let why = target.refusal(NAME, Users { targets, ..users });
        assert!(why.contains(expected), "{why}");
    }
}

#[test]
fn a_target_that_has_moved_says_where() {
    let target = Target::new("moved");
    for (name, value) in [
        ("RedirectAddress", "192.0.2.9"),
        ("RedirectPort", "3261"),
        ("RedirectReason", "Temporary"),
    ] {
        target.tell(&format!(
            "update --mode target --tid 1 -n {name} -v {value}"
        ));
    }
    match target.log_in(NAME, Users::default()) {
        Ok(End::Moved(address)) => assert_eq!(address.to_string(), "192.0.2.9:3261"),
        Ok(End::Session(..)) => panic!("it was let in"),
        Err(why) => panic!("{why}"),
    }
}
