//! NVMe over TCP: discovery controllers as the command line names them, and what they know.
//!
//! `rd.nvmf.discover=tcp,ADDRESS[,OWN-ADDRESS[,PORT]]` is dracut's. A discovery controller lists
//! the subsystems that this host may connect to; each of the transport TCP is connected. The words
//! that the kernel takes for one stand in drivers/nvme/host/fabrics.c.
//! Sources: dracut.cmdline(7), NVM Express Base Specification 2.0 §5.16.1.23 (Discovery Log Page).

use super::Host;
use crate::base::bytes::{le64, until_nul};
use crate::base::list::Listed;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;

/// Registered with IANA, for discovery and for subsystems.
const DISCOVERY_PORT: &str = "8009";
const USUAL_PORT: &str = "4420";

/// The name of every discovery subsystem (§3.1.3.3).
pub const DISCOVERY: &str = "nqn.2014-08.org.nvmexpress.discovery";

/// Length of the page's head, and of each record.
pub const HEAD: usize = 1024;
pub const RECORD: usize = 1024;

/// More are not looked at.
pub const RECORDS_MAX: usize = 256;

const TRANSPORT_TCP: u8 = 3;
const SUBSYSTEM_NVM: u8 = 2;

/// A discovery controller, or a subsystem where `nqn` names one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Controller {
    pub host: Host,
    /// `trsvcid`: the port as text. Empty: the usual ones.
    pub port: String,
    /// This host's own address, where it has several.
    pub own: String,
    /// Empty: whatever the discovery controller lists.
    pub nqn: String,
    /// What this host calls itself (`rd.nvmf.hostnqn=`, `rd.nvmf.hostid=`). Empty: as the image or
    /// the firmware says.
    pub host_nqn: String,
    pub host_id: String,
    /// Checksums of headers, and of data, that both sides are to agree on.
    pub header_digest: bool,
    pub data_digest: bool,
}

impl Controller {
    /// Whatever is at this host.
    pub fn at(host: Host) -> Self {
        Self {
            host,
            port: String::new(),
            own: String::new(),
            nqn: String::new(),
            host_nqn: String::new(),
            host_id: String::new(),
            header_digest: false,
            data_digest: false,
        }
    }

    /// `tcp,ADDRESS[,OWN[,PORT[,NQN[,HOSTNQN[,HOSTID[,DIGESTS]]]]]]`. Digests are `h`, `d` or `hd`.
    /// The error is the end of a sentence.
    pub fn parse(text: &str) -> Result<Self, &'static str> {
        let mut fields = text.split(',');
        match fields.next() {
            Some("tcp") => {}
            Some("rdma" | "fc" | "loop") => {
                return Err("has a transport that is not served here: only tcp is");
            }
            _ => return Err("names no transport (tcp,ADDRESS)"),
        }
        let host = fields.next().and_then(Host::parse);
        let host = host.ok_or("names no address")?;
        let more = [(); 6].map(|()| fields.next().unwrap_or_default());
        let [own, port, nqn, host_nqn, host_id, digests] = more;
        let sums = matches!(digests, "" | "h" | "d" | "hd");
        let word = |text: &&str| text.bytes().all(|b| b.is_ascii_graphic());
        let plain = port.bytes().all(|b| b.is_ascii_digit()) && more.iter().all(word);
        match plain && sums && fields.next().is_none() {
            true => Ok(Self {
                host,
                port: port.into(),
                own: own.into(),
                nqn: nqn.into(),
                host_nqn: host_nqn.into(),
                host_id: host_id.into(),
                header_digest: digests.starts_with('h'),
                data_digest: digests.ends_with('d'),
            }),
            false => Err("has a port that is no number, or more fields than are known"),
        }
    }

    /// The ports at which somebody may listen.
    pub fn ports(&self) -> Vec<String> {
        match (self.port.as_str(), self.nqn.is_empty()) {
            ("", true) => alloc::vec![DISCOVERY_PORT.into(), USUAL_PORT.into()],
            ("", false) => alloc::vec![USUAL_PORT.into()],
            (port, _) => alloc::vec![port.into()],
        }
    }
}

impl fmt::Display for Controller {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let host = match &self.host {
            Host::Address(address) => format!("{address}"),
            Host::Name(name) => name.clone(),
        };
        let digests = match (self.header_digest, self.data_digest) {
            (false, false) => "",
            (true, false) => "h",
            (false, true) => "d",
            (true, true) => "hd",
        };
        let names = [
            &self.own,
            &self.port,
            &self.nqn,
            &self.host_nqn,
            &self.host_id,
            digests,
        ];
        let mut text = format!("tcp,{host}");
        for name in names {
            text.push(',');
            text.push_str(name);
        }
        f.write_str(text.trim_end_matches(','))
    }
}

/// One subsystem that a discovery controller knows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Subsystem {
    pub address: String,
    pub port: String,
    pub nqn: String,
}

/// How many records the page has, from its head.
pub fn records(head: &[u8]) -> usize {
    let count = le64(head, 8).unwrap_or(0);
    usize::try_from(count)
        .unwrap_or(RECORDS_MAX)
        .min(RECORDS_MAX)
}

/// The subsystems of the records behind the head that are reached over TCP.
pub fn subsystems(records: &[u8]) -> Vec<Subsystem> {
    let found = records.chunks_exact(RECORD).filter_map(subsystem);
    found.listed()
}

fn subsystem(record: &[u8]) -> Option<Subsystem> {
    let is = |at: usize, value: u8| record.get(at) == Some(&value);
    if !is(0, TRANSPORT_TCP) || !is(2, SUBSYSTEM_NVM) {
        return None;
    }
    // Fields are padded with blanks (addresses, ports) or NULs (names).
    let text = |at: usize, len: usize| {
        let field = record.get(at..at.checked_add(len)?)?;
        let text = core::str::from_utf8(until_nul(field)).ok()?.trim_end();
        // A comma or a blank would be another word for the kernel.
        let plain = |b: u8| b.is_ascii_graphic() && b != b',';
        (!text.is_empty() && text.bytes().all(plain)).then(|| String::from(text))
    };
    Some(Subsystem {
        port: text(32, 32)?,
        nqn: text(256, 256)?,
        address: text(512, 256)?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::string::ToString;

    #[test]
    fn controllers_are_named_as_dracut_names_them() {
        for (text, shown, ports) in [
            ("tcp,192.0.2.1", "tcp,192.0.2.1", "8009 4420"),
            ("tcp,192.0.2.1,,4420", "tcp,192.0.2.1,,4420", "4420"),
            (
                "tcp,2001:db8::1,2001:db8::7,8009",
                "tcp,2001:db8::1,2001:db8::7,8009",
                "8009",
            ),
            (
                "tcp,store,,,nqn.2026-01.example:a",
                "tcp,store,,,nqn.2026-01.example:a",
                "4420",
            ),
            (
                "tcp,store,,,,nqn.b,,hd",
                "tcp,store,,,,nqn.b,,hd",
                "8009 4420",
            ),
        ] {
            let found = Controller::parse(text).unwrap();
            assert_eq!(found.to_string(), shown);
            assert_eq!(Controller::parse(shown).unwrap(), found);
            assert_eq!(found.ports().join(" "), ports);
        }
        for odd in [
            "",
            "tcp",
            "tcp,",
            "rdma,192.0.2.1",
            "tcp,192.0.2.1,,x",
            "tcp,a,b,1,c,d,e,f",
        ] {
            assert!(Controller::parse(odd).is_err(), "{odd}");
        }
    }

    fn record(transport: u8, port: &str, nqn: &str, address: &str) -> Vec<u8> {
        let mut bytes = alloc::vec![0; RECORD];
        (bytes[0], bytes[2]) = (transport, SUBSYSTEM_NVM);
        for (at, text, filler) in [(32, port, b' '), (256, nqn, 0), (512, address, b' ')] {
            let field = bytes[at..].iter_mut().take(32);
            let text = text.bytes().chain(core::iter::repeat(filler));
            field.zip(text).for_each(|(byte, letter)| *byte = letter);
        }
        bytes
    }

    #[test]
    fn a_discovery_log_names_subsystems() {
        let mut log = record(TRANSPORT_TCP, "4420", "nqn.2026-01.example:a", "192.0.2.1");
        log.extend(record(1, "4420", "nqn.2026-01.example:rdma", "192.0.2.1"));
        log.extend(record(TRANSPORT_TCP, "4420", "nqn,evil=1", "192.0.2.1"));
        log.extend(record(
            TRANSPORT_TCP,
            "4421",
            "nqn.2026-01.example:b",
            "2001:db8::1",
        ));
        log.extend([0; 7]);
        let found = subsystems(&log);
        let names: Vec<_> = found
            .iter()
            .map(|s| (s.nqn.as_str(), s.port.as_str()))
            .collect();
        let (a, b) = ("nqn.2026-01.example:a", "nqn.2026-01.example:b");
        assert_eq!(names, [(a, "4420"), (b, "4421")]);
        for length in 0..log.len() {
            subsystems(&log[..length]);
        }
        let mut head = alloc::vec![0; HEAD];
        head[8..16].copy_from_slice(&u64::MAX.to_le_bytes());
        assert_eq!((records(&head), records(&[])), (RECORDS_MAX, 0));
    }
}
