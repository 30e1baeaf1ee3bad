//! Words about the network.

use super::{Parameter, Reading};

pub(super) const ROWS: [Parameter; 19] = [
    Parameter {
        names: &["ip", "nfsaddrs"],
        values: "`=METHOD[,METHOD…]`, `=dhcp,TYPE,VALUE`, `=LINK:METHOD[:[MTU][:MAC]]`, \
                  `=CLIENT:SERVER:GATEWAY:MASK:HOST:LINK:METHOD`, then `[:DNS[:DNS[:NTP]]]` or \
                  `[:[MTU][:MAC]]`",
        default: "`dhcp` on every link, where root is behind one; `dhcp6` with `root=dhcp6`, and \
                  `either6` where the server's address is of IPv6",
        effect: "Addresses. A method is `dhcp` (also `on`, `any`, `single-dhcp`), `dhcp6`, \
                  `auto6` (what routers advertise), `either6` (that, and DHCPv6 where they say so \
                  or none of them says anything), `link6`, `link-local`, `ibft`, or `none` (also \
                  `off`): no other address than `CLIENT`. With it `on`, `any` and no method ask \
                  nobody. A link is a name, a hardware address, or udev's name made of that \
                  (`enx…`); addresses of IPv6 stand in brackets. `ibft`: as the firmware's iSCSI \
                  table says. No mask: that of the address's class, or `/64`. `SERVER` is also the \
                  other end of the link where it is out of its network and behind no gateway, and \
                  only that \
                  with a prefix. `off` alone forgets every `ip=` before it.",
        gathers: true,
        tests: &[
            "links_get_addresses_as_ip_says",
            "links_get_ipv6_where_only_that_leads_to_root",
            "boot_nfs_with_a_lease_of_dhcp6",
            "the_kernels_ten_fields",
            "the_long_form_of_dracut_and_systemd",
        ],
        read: Reading::ip,
    },
    Parameter {
        names: &["nameserver"],
        values: "`=ADDRESS`",
        default: "those of `ip=`, of leases and of routers",
        effect: "One more server that knows names.",
        gathers: true,
        tests: &["name_servers_gather_and_those_of_leases_may_be_ignored"],
        read: Reading::name_server,
    },
    Parameter {
        names: &["rd.peerdns"],
        values: "bare, `=1`, `=0`",
        default: "`1`",
        effect: "`0`: name servers of leases and routers do not count.",
        gathers: false,
        tests: &["name_servers_gather_and_those_of_leases_may_be_ignored"],
        read: Reading::peer_dns,
    },
    Parameter {
        names: &["rd.route"],
        values: "`=NETWORK/PREFIX:GATEWAY[:LINK]`, `=NETWORK/PREFIX::LINK`",
        default: "none",
        effect: "A route; of IPv6 both stand in brackets (`[2001:db8::/32]`).",
        gathers: true,
        tests: &["routes_gather"],
        read: Reading::route,
    },
    Parameter {
        names: &["vlan"],
        values: "`=NAME:LINK`",
        default: "none",
        effect: "A VLAN on that link, numbered as its name ends: `vlan5`, `vlan0005`, `eth0.5`, \
                  `eth0.0005`.",
        gathers: true,
        tests: &["links_are_made_of_others"],
        read: Reading::vlan,
    },
    Parameter {
        names: &["bond"],
        values: "bare, `=NAME[:LINK,…[:OPTION=VALUE,…[:MTU]]]`",
        default: "none; where a part is left out: `bond0:eth0,eth1:mode=balance-rr`",
        effect: "Links bonded to one, with options of the kernel's bonding driver; `;` stands \
                  for a comma within a value.",
        gathers: true,
        tests: &["links_are_made_of_others"],
        read: Reading::bond,
    },
    Parameter {
        names: &["bridge"],
        values: "bare, `=NAME[:LINK,…]`",
        default: "none; where a part is left out: `br0:eth0`",
        effect: "A bridge with those links as its ports.",
        gathers: true,
        tests: &["links_are_made_of_others"],
        read: Reading::bridge,
    },
    Parameter {
        names: &["team"],
        values: "`=…`",
        default: "none",
        effect: "Not supported, and said to be so: a team needs a program that runs it.",
        gathers: true,
        tests: &["teams_are_refused_aloud"],
        read: Reading::team,
    },
    Parameter {
        names: &["ifname"],
        values: "`=NAME:MAC`",
        default: "the kernel's names",
        effect: "The name of the link with this hardware address.",
        gathers: true,
        tests: &["links_may_be_renamed"],
        read: Reading::link_name,
    },
    Parameter {
        names: &["BOOTIF"],
        values: "`=[TYPE-]MAC`, with `-` or `:`",
        default: "none",
        effect: "The link that the machine was booted from, as PXELINUX tells it.",
        gathers: false,
        tests: &["the_link_of_the_firmware_counts_unless_that_is_off"],
        read: Reading::boot_link,
    },
    Parameter {
        names: &["rd.bootif"],
        values: "bare, `=1`, `=0`",
        default: "`1`",
        effect: "`0`: `BOOTIF=` is ignored.",
        gathers: false,
        tests: &["the_link_of_the_firmware_counts_unless_that_is_off"],
        read: Reading::boot_link_switch,
    },
    Parameter {
        names: &["bootdev"],
        values: "`=LINK`",
        default: "none",
        effect: "The link that root is behind, where several are set up.",
        gathers: false,
        tests: &["the_link_of_root_is_the_last_one_named"],
        read: Reading::boot_device,
    },
    Parameter {
        names: &["rd.neednet"],
        values: "bare, `=1`, `=0`",
        default: "`0`",
        effect: "Brings up links even where root does not need them.",
        gathers: false,
        tests: &["the_network_may_be_wanted_for_its_own_sake"],
        read: Reading::need_net,
    },
    Parameter {
        names: &["carrier_timeout", "rd.net.timeout.carrier"],
        values: "`=SECONDS`",
        default: "as long as root may take",
        effect: "How long a link that is up may be without a carrier until it is given up; where \
                  root is behind a link and none is left, that ends the boot. One whose carrier \
                  comes later is taken again.",
        gathers: false,
        tests: &["patience_with_links_and_servers_is_in_seconds"],
        read: Reading::carrier,
    },
    Parameter {
        names: &["rd.net.timeout.dhcp"],
        values: "`=SECONDS`",
        default: "as long as root may take",
        effect: "How long somebody is asked for a lease until the link is given up: so long for \
                  each try of `rd.net.dhcp.retry=`. Within it, requests are repeated after 1, 2, \
                  4 and then every 8 seconds.",
        gathers: false,
        tests: &["patience_with_links_and_servers_is_in_seconds"],
        read: Reading::dhcp_timeout,
    },
    Parameter {
        names: &["rd.net.dhcp.retry"],
        values: "`=TRIES`",
        default: "as many as the time allows",
        effect: "How often a lease is tried for before the link is given up.",
        gathers: false,
        tests: &["patience_with_links_and_servers_is_in_seconds"],
        read: Reading::dhcp_tries,
    },
    Parameter {
        names: &["rd.net.dhcp.vendor-class", "dhcpclass"],
        values: "`=TEXT`",
        default: "none",
        effect: "The vendor class that DHCP servers are told.",
        gathers: false,
        tests: &["servers_are_told_the_vendor_class"],
        read: Reading::vendor_class,
    },
    Parameter {
        names: &[
            "rd.net.timeout.iflink",
            "rd.net.timeout.ifup",
            "rd.net.timeout.route",
        ],
        values: "`=SECONDS`",
        default: "none",
        effect: "Accepted without effect: a link or a route that shows up is used at once, \
                  whenever that is, until root's deadline.",
        gathers: false,
        tests: &["timeouts_without_meaning_are_accepted"],
        read: Reading::no_timeout,
    },
    Parameter {
        names: &["rd.net.timeout.ipv6dad", "rd.net.timeout.ipv6auto"],
        values: "`=SECONDS`",
        default: "none",
        effect: "The same for addresses of IPv6.",
        gathers: false,
        tests: &["timeouts_without_meaning_are_accepted"],
        read: Reading::no_timeout,
    },
];
