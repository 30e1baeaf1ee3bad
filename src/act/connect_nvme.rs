//! Connects to subsystems of NVMe over TCP. The kernel owns the connection from then on, and makes
//! it again when it breaks.
//!
//! Source: drivers/nvme/host/fabrics.c (Linux 6.12), nvme-connect(1).

use crate::base::fault::Fault;
use crate::format::remote::nvme::{self, Controller, Subsystem};
use crate::sys::fail::Fail;
use crate::sys::nvme as kernel;
use crate::sys::proc_sys;
use std::net::IpAddr;

/// The log page of discovery.
const DISCOVERY_LOG: u8 = 0x70;

/// For ever: root waits for its server.
const NEVER_LOST: &str = "ctrl_loss_tmo=-1";

/// Connects to what the controller lists, or to the one subsystem that is named.
pub fn connect(server: IpAddr, wanted: &Controller) -> Result<(), Fault> {
    let host = host_words(wanted);
    let mut more = match wanted.own.as_str() {
        "" => String::new(),
        own => format!(",host_traddr={own}"),
    };
    for (word, is_wanted) in [
        (",hdr_digest", wanted.header_digest),
        (",data_digest", wanted.data_digest),
    ] {
        more.push_str(if is_wanted { word } else { "" });
    }
    if !wanted.nqn.is_empty() {
        let port = wanted.ports().pop().unwrap_or_default();
        let subsystem = Subsystem {
            address: server.to_string(),
            port,
            nqn: wanted.nqn.clone(),
        };
        return connect_one(&subsystem, &more, &host);
    }
    let mut outcome = Err(Fault::plain("no port to ask"));
    for port in wanted.ports() {
        outcome = discover(server, &port, &more, &host);
        if outcome.is_ok() {
            break;
        }
    }
    let listed = outcome?;
    if listed.is_empty() {
        let text = format!("the discovery controller {server} lists no subsystem for this host");
        return Err(Fault::new(libc::ENOENT, text));
    }
    let mut outcome = Ok(());
    for subsystem in &listed {
        outcome = outcome.and(connect_one(subsystem, &more, &host));
    }
    outcome
}

fn discover(server: IpAddr, port: &str, more: &str, host: &str) -> Result<Vec<Subsystem>, Fault> {
    let nqn = nvme::DISCOVERY;
    let words = format!("nqn={nqn},transport=tcp,traddr={server},trsvcid={port}{more}{host}");
    let number = kernel::connect(&words).map_err(|fail| explain(&fail, server, port))?;
    let mut head = vec![0; nvme::HEAD];
    kernel::read_log(number, DISCOVERY_LOG, 0, &mut head)?;
    let mut records = vec![0; nvme::records(&head) * nvme::RECORD];
    for (n, record) in records.chunks_exact_mut(nvme::RECORD).enumerate() {
        let at = (n as u64 + 1) * nvme::RECORD as u64;
        kernel::read_log(number, DISCOVERY_LOG, at, record)?;
    }
    // It was only asked.
    let path = format!("/sys/class/nvme/nvme{number}/delete_controller");
    let _ = proc_sys::write(&path, b"1");
    Ok(nvme::subsystems(&records))
}

fn connect_one(subsystem: &Subsystem, more: &str, host: &str) -> Result<(), Fault> {
    let Subsystem { address, port, nqn } = subsystem;
    let words =
        format!("nqn={nqn},transport=tcp,traddr={address},trsvcid={port},{NEVER_LOST}{more}{host}");
    match kernel::connect(&words) {
        Ok(_) => Ok(()),
        // It is connected already.
        Err(fail) if fail.errno == libc::EALREADY => Ok(()),
        Err(fail) => Err(explain(&fail, address, port)),
    }
}

fn explain(fail: &Fail, server: impl std::fmt::Display, port: &str) -> Fault {
    let advice = match fail.errno {
        libc::ECONNREFUSED => "nobody listens there",
        libc::EHOSTUNREACH => "nobody there answers: the server is off, or its address is wrong",
        libc::ENETUNREACH => "there is no way to the server's network: see the gateway",
        libc::EADDRNOTAVAIL => "no link has the address that it is to come from",
        libc::ETIMEDOUT => "the server does not answer",
        libc::EACCES | libc::EPERM => "the server does not let this host connect: see its host NQN",
        libc::ENOENT if fail.call == "open" => "the driver nvme-tcp is not in the image",
        libc::EINVAL => "the kernel or the server does not take these words: see its lines",
        _ => "see the kernel's lines",
    };
    let text =
        format!("{server} port {port} was not connected to by NVMe over TCP: {fail}: {advice}");
    Fault::new(fail.errno, text)
}

/// Who this host is: as the words say, else as the image does, else by the firmware's UUID, as
/// nvme-cli has it. Else the kernel makes something up.
fn host_words(wanted: &Controller) -> String {
    let file = |name: &str| {
        let text = proc_sys::read(&format!("/etc/nvme/{name}"), 256).ok()?;
        let text = String::from_utf8(text).ok()?;
        Some(String::from(text.trim())).filter(|text| !text.is_empty())
    };
    let said = |text: &String| Some(text.clone()).filter(|text| !text.is_empty());
    let firmware = || {
        let text = proc_sys::read("/sys/class/dmi/id/product_uuid", 64).ok()?;
        Some(String::from_utf8(text).ok()?.trim().to_ascii_lowercase())
    };
    let nqn = said(&wanted.host_nqn).or_else(|| file("hostnqn"));
    let id = said(&wanted.host_id).or_else(|| file("hostid"));
    let uuid = id.clone().or_else(firmware);
    let nqn = nqn.or_else(|| Some(format!("nqn.2014-08.org.nvmexpress:uuid:{}", uuid.clone()?)));
    let word = |key: &str, value: Option<String>| match value {
        Some(value) => format!(",{key}={value}"),
        None => String::new(),
    };
    word("hostnqn", nqn) + &word("hostid", uuid)
}
