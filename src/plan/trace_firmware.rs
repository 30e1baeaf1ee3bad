//! What the firmware left of its own boot, as lines of text. See [`super::trace`].

use crate::base::list::Listed;
use crate::base::text::Text;
use crate::base::words::{Line, Words};
use crate::format::iscsi::Reference;
use crate::format::net::address::{Mac, Network};
use crate::format::net::firmware::{Firmware, Used};
use crate::format::net::wanted::{Method, Setup, Which};
use crate::format::remote::Host;
use crate::format::remote::target::Target;
use alloc::format;
use alloc::string::{String, ToString};

const METHODS: [(&str, Method); 4] = [
    ("static", Method::Static),
    ("dhcp4", Method::Dhcp4),
    ("dhcp6", Method::Dhcp6),
    ("auto6", Method::Auto6),
];

pub fn words(line: Line, left: &Firmware) -> Line {
    let link = |line: Line, used| line.opt("link", link_text(used));
    let line = left.links.iter().fold(line, link);
    let line = line.opt("initiator", initiator(left));
    let line = left.targets.iter().fold(line, target_words);
    let odd = left.odd.iter();
    odd.fold(line, |line, text| line.key("odd", text))
}

pub fn read(w: &mut Words) -> Option<Firmware> {
    let links = core::iter::from_fn(|| w.key_text("link")).map(|text| link(&text));
    let links = links.all_some()?;
    let initiator = w.key_text("initiator").unwrap_or_default();
    let targets = core::iter::from_fn(|| {
        let text = w.key_text("target")?;
        Some(target(&text, w, &initiator))
    });
    let targets = targets.all_some()?;
    let odd = core::iter::from_fn(|| w.key_text("odd")).listed();
    Some(Firmware {
        links,
        targets,
        odd,
    })
}

/// Who this machine is to all of the targets.
fn initiator(left: &Firmware) -> Option<&str> {
    let mut names = left.targets.iter().filter_map(|target| match target {
        Target::Iscsi(reference) => Some(reference.initiator.as_str()),
        _ => None,
    });
    names.find(|name| !name.is_empty())
}

/// `MAC,METHOD[,booted][,vlan=N][,address=NETWORK][,gateway=…][,dns=…][,hostname=…]`.
fn link_text(used: &Used) -> Option<String> {
    let Some(Which::Mac(mac)) = used.setup.link else {
        return None;
    };
    let method = METHODS.iter().find(|(_, m)| *m == used.setup.method)?.0;
    let mut text = format!("{mac},{method}");
    let mut add = |key: &str, value: Option<String>| {
        if let Some(value) = value {
            text.push_str(&format!(",{key}={value}"));
        }
    };
    let setup = &used.setup;
    add("vlan", used.vlan.map(|vlan| vlan.to_string()));
    add("address", setup.address.map(|network| network.to_string()));
    add("gateway", setup.gateway.map(|gateway| gateway.to_string()));
    for server in &setup.dns {
        add("dns", Some(server.to_string()));
    }
    add("hostname", setup.hostname.as_ref().map(Text::to_string));
    if used.booted {
        text.push_str(",booted");
    }
    Some(text)
}

fn link(text: &str) -> Option<Used> {
    let mut parts = text.split(',');
    let mac = Mac::parse(parts.next()?)?;
    let method = parts.next()?;
    let mut used = Used {
        setup: Setup {
            link: Some(Which::Mac(mac)),
            method: METHODS.iter().find(|(name, _)| *name == method)?.1,
            ..Setup::default()
        },
        ..Used::default()
    };
    let setup = &mut used.setup;
    for part in parts {
        match part.split_once('=') {
            Some(("vlan", vlan)) => used.vlan = Some(vlan.parse().ok()?),
            Some(("address", network)) => setup.address = Some(Network::parse(network)?),
            Some(("gateway", gateway)) => setup.gateway = Some(gateway.parse().ok()?),
            Some(("dns", server)) => setup.dns.push(server.parse().ok()?),
            Some(("hostname", name)) => setup.hostname = Some(Text::from(name)),
            None if part == "booted" => used.booted = true,
            _ => return None,
        }
    }
    Some(used)
}

/// Each part of a target of iSCSI stands by itself: names and users may be anything.
fn target_words(line: Line, target: &Target) -> Line {
    let Target::Iscsi(reference) = target else {
        return line.key("target", target.to_string());
    };
    let host = reference.host.as_ref().map(Host::to_string);
    let line = line.key("target", "iscsi").opt("host", host);
    let line = line.key_num("port", u64::from(reference.port));
    let line = line.key_num("lun", reference.lun);
    let line = line.key("name", &reference.target);
    let line = line.key_num("number", reference.firmware.unwrap_or(0).into());
    line.key("user", &reference.user)
        .key("user-in", &reference.user_in)
}

fn target(text: &str, w: &mut Words, initiator: &str) -> Option<Target> {
    if text != "iscsi" {
        return Target::parse(text).ok();
    }
    let reference = Reference {
        host: Some(Host::parse(&w.key_text("host")?)?),
        port: u16::try_from(w.key_num("port")?).ok()?,
        lun: w.key_num("lun")?,
        target: w.key_text("name")?,
        firmware: Some(u32::try_from(w.key_num("number")?).ok()?),
        user: w.key_text("user")?,
        user_in: w.key_text("user-in")?,
        initiator: initiator.into(),
        ..Reference::default()
    };
    Some(Target::Iscsi(reference.into()))
}

#[cfg(test)]
mod tests {
    use super::super::{trace, trace_read};
    use alloc::format;

    #[test]
    fn what_the_firmware_left_comes_back_as_it_was() {
        let links = "link=52:54:00:00:00:01,static,vlan\\x3d5,address\\x3d192.0.2.7/24,\
                     gateway\\x3d192.0.2.1,dns\\x3d192.0.2.2,dns\\x3d192.0.2.3,\
                     hostname\\x3dbox,booted \
                     link=52:54:00:00:00:02,dhcp6";
        let nvme = "nvme:tcp,192.0.2.9,192.0.2.7,4420,nqn.2026-01.example:a,nqn.b,,hd";
        for line in [
            "nbft".into(),
            format!("nbft {links} target={nvme} odd=NBFT:\\x20a\\x20b"),
            "firmware-read 7".into(),
            format!(
                "firmware-read 7 {links} initiator=iqn.2026-01.a:me \
                 target=iscsi host=192.0.2.9 port=3260 lun=1 name=iqn.a:iqn.b@\\x5c number=1 \
                 user=iqn.a:m@,e user-in=you \
                 target=iscsi host=[2001:db8::9] port=3261 lun=0 name=iqn.2026-01.a:c number=0 \
                 user=\"\" user-in=\"\""
            ),
        ] {
            let event = trace_read::event(&line).unwrap_or_else(|| panic!("odd: {line}"));
            let shown = trace::event_line(&event);
            assert_eq!(shown, line);
            assert_eq!(trace_read::event(&shown), Some(event));
        }
        for odd in [
            "nbft link=x",
            "nbft target=x",
            "firmware-read 7 link=52:54:00:00:00:01",
        ] {
            assert_eq!(trace_read::event(odd), None, "{odd}");
        }
    }
}
