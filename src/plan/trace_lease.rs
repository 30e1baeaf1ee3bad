//! What routers and servers tell, and what is left to the real system, as lines of text. See
//! [`super::trace`].

use super::trace_net::{
    addresses, all, bytes, bytes_word, parsed, shown_word, shown_words, text_word,
};
use crate::base::list::Listed;
use crate::base::text::Text;
use crate::base::words::{Line, Words};
use crate::format::net::address::{Network, Route};
use crate::format::net::handed::File;
use crate::format::net::lease::Lease;
use crate::format::net::order::{Extend, Left};
use crate::format::netlink::router::{Advert, Flags, Said};
use alloc::boxed::Box;
use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

pub fn advert_line(advert: &Advert) -> String {
    let line = Line::new("router").num(u64::from(advert.link));
    match &advert.said {
        Said::Flags(flags) => {
            let line = line.flag("managed", flags.managed);
            line.flag("other", flags.other).flag("heard", true).done()
        }
        Said::Names { servers, search } => {
            let line = shown_words(line, "dns", servers);
            shown_words(line, "search", search).done()
        }
    }
}

pub fn advert(w: &mut Words) -> Option<Advert> {
    let link = w.need_small();
    let flags = Flags {
        managed: w.flag("managed"),
        other: w.flag("other"),
    };
    let said = match w.flag("heard") {
        true => Said::Flags(flags),
        false => Said::Names {
            servers: addresses(w, "dns")?,
            search: all(w, "search"),
        },
    };
    Some(Advert { link, said })
}

/// In place of the address of a lease without one.
const NONE: &str = "none";

pub fn lease_words(line: Line, lease: &Lease) -> Line {
    let address = lease.address.map(|address| address.to_string());
    let line = line
        .word(address.unwrap_or_else(|| NONE.into()))
        .word(lease.server.to_string());
    let line = line.key_num("lifetime", u64::from(lease.lifetime));
    let line = line.key_num("renew", u64::from(lease.renew));
    let line = line.key_num("rebind", u64::from(lease.rebind));
    let line = lease.routes.iter().fold(line, route_word);
    let line = shown_words(line, "dns", &lease.dns);
    let line = shown_words(line, "ntp", &lease.ntp);
    let line = text_word(line, "hostname", lease.hostname.as_ref());
    let line = text_word(line, "domain", lease.domain.as_ref());
    let line = shown_words(line, "search", &lease.search);
    let line = shown_word(line, "mtu", lease.mtu.as_ref());
    let line = text_word(line, "root-path", lease.root_path.as_ref());
    let line = shown_word(line, "next-server", lease.next_server.as_ref());
    let line = text_word(line, "server-name", lease.server_name.as_ref());
    let line = text_word(line, "boot-file", lease.boot_file.as_ref());
    bytes_word(line, "client-id", &lease.client_id)
}

pub fn lease(w: &mut Words) -> Option<Box<Lease>> {
    let (address, server) = (w.need_text(), w.need_text());
    Some(Box::new(Lease {
        address: match address.as_str() {
            NONE => None,
            text => Some(Network::parse(text)?),
        },
        server: server.parse().ok()?,
        lifetime: u32::try_from(w.need_key_num("lifetime")).ok()?,
        renew: u32::try_from(w.need_key_num("renew")).ok()?,
        rebind: u32::try_from(w.need_key_num("rebind")).ok()?,
        routes: routes(w)?,
        dns: addresses(w, "dns")?,
        ntp: addresses(w, "ntp")?,
        hostname: w.key("hostname").map(Text),
        domain: w.key("domain").map(Text),
        search: all(w, "search"),
        mtu: parsed(w, "mtu")?,
        root_path: w.key("root-path").map(Text),
        next_server: parsed(w, "next-server")?,
        server_name: w.key("server-name").map(Text),
        boot_file: w.key("boot-file").map(Text),
        client_id: bytes(w, "client-id")?,
    }))
}

/// `ADDRESS,SERVER,SECONDS`.
pub fn extend_word(line: Line, extend: Option<Extend>) -> Line {
    let Some(Extend {
        address,
        server,
        rest,
    }) = extend
    else {
        return line;
    };
    line.key("extend", format!("{address},{server},{rest}"))
}

pub fn extend(w: &mut Words) -> Option<Option<Extend>> {
    let Some(text) = w.key("extend") else {
        return Some(None);
    };
    let text = String::from_utf8(text).ok()?;
    let mut parts = text.split(',');
    Some(Some(Extend {
        address: parts.next()?.parse().ok()?,
        server: parts.next()?.parse().ok()?,
        rest: parts.next()?.parse().ok()?,
    }))
}

/// `NETWORK[,via=ADDRESS][,link=NAME]`.
pub fn route_word(line: Line, route: &Route) -> Line {
    let mut text = route.to.to_string();
    if let Some(via) = &route.via {
        text.push_str(&format!(",via={via}"));
    }
    if let Some(link) = &route.link {
        text.push_str(&format!(",link={link}"));
    }
    line.key("route", text)
}

pub fn routes(w: &mut Words) -> Option<Vec<Route>> {
    let route = |text: String| {
        let mut parts = text.split(',');
        let mut route = Route {
            to: Network::parse(parts.next()?)?,
            via: None,
            link: None,
        };
        for part in parts {
            match part.split_once('=')? {
                ("via", via) => route.via = Some(via.parse().ok()?),
                ("link", link) => route.link = Some(link.into()),
                _ => return None,
            }
        }
        Some(route)
    };
    all(w, "route").into_iter().map(route).collect()
}

/// Of a file `MODE:PATH:TEXT`.
pub fn left_words(line: Line, left: &Left) -> Line {
    let file = |line: Line, file: &File| {
        let mut text = format!("{:o}:{}:", file.mode, file.path).into_bytes();
        text.extend_from_slice(&file.bytes);
        line.key("file", text)
    };
    let line = left.files.iter().fold(line, file);
    let lowered = left.lowered.iter();
    lowered.fold(line, |line, link| line.key("lower", link))
}

pub fn left(w: &mut Words) -> Option<Left> {
    let file = |text: Vec<u8>| {
        let mut parts = text.splitn(3, |&b| b == b':');
        let mut head = || core::str::from_utf8(parts.next()?).ok();
        let (mode, path) = (head()?, head()?);
        Some(File {
            mode: u32::from_str_radix(mode, 8).ok()?,
            path: path.into(),
            bytes: parts.next()?.to_vec(),
        })
    };
    let files = core::iter::from_fn(|| w.key("file")).map(file);
    Some(Left {
        files: files.all_some()?,
        lowered: all(w, "lower"),
    })
}
