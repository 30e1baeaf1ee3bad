//! What each target begins with: small inputs that are right.

/// By hand where the tools make none so small; the scenarios are seeds of the plan.
pub fn of(target: &str) -> Vec<Vec<u8>> {
    let mut seeds = Vec::new();
    let mut add = |text: &[u8]| seeds.push(text.to_vec());
    match target {
        "luks-json" => add(LUKS_JSON.as_bytes()),
        "lvm-text" => add(LVM_TEXT.as_bytes()),
        "veritytab" => add(b"root PARTUUID=a /dev/b \
              36e3f740ad502e2c25e2a23d9c7c17bf0fdad2300b7580842d4b7ec1fb0fa263 \
              superblock=no,data-blocks=9,fec-device=/dev/c,fec-roots=3,salt=00ff"),
        "crypttab" => add(
            b"rd.luks.uuid=1 rd.luks.options=2=discard\nhome UUID=1 /key:LABEL=x luks,tries=3\n\
              root /dev/sda2 none discard,keyfile-size=32,header=/h:UUID=9,x-initrd.attach\n",
        ),
        "mdadm-conf" => add(
            b"HOMEHOST <system>\nARRAY /dev/md5 metadata=1.2\n UUID=30313233:34353637:38396162:63646566\n\
              ARRAY '/dev/md/a b' name=root # x\n",
        ),
        "cmdline" => {
            add(b"root=UUID=1 ro quiet rootflags=subvol=a panic=5 -- single");
            add(b"dm-mod.create=\"a,u,3,rw,0 8 linear 8:1 0,8 8 striped 1 8 sda 0;b,,,ro,0 1 x\"");
        }
        "modules" => {
            add(b"kernel/a.ko: kernel/b.ko\nkernel/b.ko:\nalias fs-ext4 a\nsoftdep a pre: b\n");
            add(b"\xb0\x07\xf4\x57\0\x02\0\x01\x20\0\0\x0c");
        }
        "uevent" => add(
            b"add@/devices/vda\0ACTION=add\0DEVPATH=/devices/vda\0SUBSYSTEM=block\0MAJOR=8\0\
              MINOR=1\0\
              DEVNAME=vda1\0DEVTYPE=partition\0PARTN=1\0SEQNUM=9\0",
        ),
        "netlink" => {
            for text in NETLINK {
                add(&landfall::base::hex::decode(text.as_bytes()).unwrap_or_default());
            }
        }
        "bootconfig" => add(b"kernel {\n root = \"a\", b\n x.y += 1 # z\n}\ninit.a\n"),
        "archive" | "ibft" | "iscsi" | "nbd" | "nbft" => seeds.extend(elsewhere(target)),
        "plan" => {
            let files = std::fs::read_dir("tests/scenarios").into_iter().flatten();
            for file in files.flatten() {
                let text = std::fs::read_to_string(file.path()).unwrap_or_default();
                let told = |line: &str| line.split_once(" < ").map(|(_, event)| event.to_owned());
                let events: Vec<String> = text.lines().filter_map(told).collect();
                add(events.join("\n").as_bytes());
            }
        }
        "identity" => {
            for (at, magic) in [
                (0, &b"XFSB\0\0\x10\0"[..]),
                (0, b"hsqs"),
                (510, b"\x55\xaa"),
                (512, b"EFI PART"),
                (1080, b"\x53\xef"),
                (64, b"_BHRfS_M"),
                (512, b"LABELONE"),
                (0, b"LUKS\xba\xbe\0\x02"),
                (1024, b"\xe2\xe1\xf5\xe0"),
                (3, b"NTFS    "),
                (4086, b"SWAPSPACE2"),
                (1, b"CD001"),
            ] {
                let mut image = vec![0; at];
                image.extend_from_slice(magic);
                image.resize(8192, 0);
                add(&image);
            }
        }
        _ => headers(target, &mut add),
    }
    seeds
}

/// Those that are made beside what is run.
fn elsewhere(target: &str) -> Vec<Vec<u8>> {
    match target {
        "archive" => crate::archive::seeds(),
        "iscsi" => crate::iscsi::seeds(),
        "nbd" => crate::nbd::seeds(),
        _ => crate::firmware::seeds(target),
    }
}

fn headers(target: &str, add: &mut dyn FnMut(&[u8])) {
    match target {
        "luks" => {
            let mut header = vec![0; 592];
            header[..8].copy_from_slice(b"LUKS\xba\xbe\0\x01");
            header[8..11].copy_from_slice(b"aes");
            header[40..51].copy_from_slice(b"xts-plain64");
            header[72..78].copy_from_slice(b"sha256");
            header[104..112].copy_from_slice(&[0, 0, 16, 0, 0, 0, 0, 64]);
            header[168..204].copy_from_slice(b"5eedf00d-0000-4000-8000-000000000001");
            for slot in 0..8 {
                let slot = &mut header[208 + 48 * slot..];
                slot[..4].copy_from_slice(&[0, 0, 0xde, 0xad]);
                slot[40..48].copy_from_slice(&[0, 0, 0, 8, 0, 0, 0x0f, 0xa0]);
            }
            add(&header);
        }
        "lvm-label" => {
            let mut label = b"LABELONE".to_vec();
            label.resize(512, 0);
            label[20] = 32;
            label[24..32].copy_from_slice(b"LVM2 001");
            label[32..64].copy_from_slice(b"0123456789abcdefghijABCDEFGHIJ01");
            label[72 + 1] = 16;
            label[104 + 1] = 16;
            label[112 + 1] = 240;
            add(&label);
        }
        "lvm-area" => {
            let mut header = vec![0; 512];
            header[4..20].copy_from_slice(b" LVM2 x[5A%r0N*>");
            header[20] = 1;
            header[24 + 1] = 16;
            header[32 + 2] = 16;
            header[40 + 1] = 2;
            header[48 + 1] = 4;
            add(&header);
        }
        "md-1" => {
            let mut sb = vec![0; 512];
            sb[..4].copy_from_slice(&[0xfc, 0x4e, 0x2b, 0xa9]);
            sb[4] = 1;
            sb[32..37].copy_from_slice(b"a:one");
            sb[72] = 1;
            sb[80 + 2] = 1;
            sb[92] = 2;
            sb[128 + 1] = 8;
            sb[136 + 2] = 1;
            sb[144] = 8;
            sb[220] = 2;
            sb[258] = 1;
            add(&sb);
        }
        "md-0" => {
            let mut sb = vec![0; 4096];
            sb[..4].copy_from_slice(&[0xfc, 0x4e, 0x2b, 0xa9]);
            sb[8] = 90;
            add(&sb);
        }
        "verity" => {
            let mut sb = b"verity\0\0\x01\0\0\0\x01\0\0\0".to_vec();
            sb.resize(512, 7);
            sb[32..64].fill(0);
            sb[32..38].copy_from_slice(b"sha256");
            sb[64..82].copy_from_slice(&[0, 16, 0, 0, 0, 16, 0, 0, 9, 0, 0, 0, 0, 0, 0, 0, 8, 0]);
            add(&sb);
        }
        _ => network(target, add),
    }
}

/// What servers say.
fn network(target: &str, add: &mut dyn FnMut(&[u8])) {
    match target {
        "dhcp4" => {
            let options = b"\x36\x04\xc0\0\x02\x01\x01\x04\xff\xff\xff\0\x34\x01\x03\
                \x33\x04\0\0\x0e\x10\x03\x04\xc0\0\x02\x01\x06\x04\xc0\0\x02\x02\x0c\x03box\
                \x1a\x02\x05\xdc\x77\x0a\x03eng\0\x01a\xc0\0\0\x79\x05\0\x0a\x01\x01\x01\xff";
            let answer = |kind: u8| {
                let mut message = vec![0; 232];
                message[8..12].copy_from_slice(&[192, 0, 2, 7]);
                message[36..40].copy_from_slice(b"\x42\x01b\xff");
                message[100..104].copy_from_slice(b"\x43\x01k\xff");
                message[228..].copy_from_slice(&[99, 130, 83, 99]);
                message.extend_from_slice(&[53, 1, kind]);
                message.extend_from_slice(options);
                let length = u16::try_from(message.len()).unwrap_or(0).to_be_bytes();
                [&[0][..], &length, &message].concat()
            };
            let mut claim = b"\x02\0\x1c\0\x01\x08\0\x06\x04\0\x02\x02\0\0\0\0\x09".to_vec();
            claim.extend_from_slice(b"\xc0\0\x02\x07\x52\x54\0\x12\x34\x56\0\0\0\0");
            let wait = |ms: u16| [&[3][..], &ms.to_be_bytes()].concat();
            add(&[answer(2), answer(5), wait(100)].concat());
            add(&[wait(1200), answer(2), answer(6), wait(2000), answer(2)].concat());
            add(&[answer(2), claim, wait(2000), answer(2), wait(30_000)].concat());
        }
        "dhcp6" => {
            let ids = b"\0\x01\0\x0a\0\x03\0\x01\x52\x54\0\x12\x34\x56\0\x02\0\x04\0\x02\0\xaa";
            let address = b"\0\x03\0\x28\0\x12\x34\x56\0\0\0\0\0\0\0\0\0\x05\0\x18\
                \x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\x07\0\0\0\x09\0\0\0\x09";
            let more = b"\0\x17\0\x10\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\x53\0\x18\0\x05\x03lab\0\
                \0\x38\0\x14\0\x01\0\x10\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\x7b\0\x3b\0\x09nfs://a/b";
            let answer = |kind: u8, options: &[u8]| {
                let message = [&[kind], &ids[..], address, more, options].concat();
                let length = u16::try_from(message.len()).unwrap_or(0).to_be_bytes();
                [&[0][..], &length, &message].concat()
            };
            let wait = |ms: u16| [&[9][..], &ms.to_be_bytes()].concat();
            let claimed = |ours: u8| vec![3 - ours, 0, 0];
            let (rapid, refused) = (b"\0\x0e\0\0", b"\0\x0d\0\x04\0\x02no");
            add(&[answer(2, &[]), wait(1200), answer(7, &[]), claimed(1)].concat());
            add(&[answer(7, rapid), claimed(0), wait(1200), answer(7, rapid)].concat());
            add(&[wait(1200), answer(2, &[]), answer(7, refused), wait(3000)].concat());
        }
        "dns" => {
            let answer = |ask: u8, flags: &[u8], records: &[u8]| {
                let message = [flags, records].concat();
                let length = u8::try_from(message.len()).unwrap_or(0);
                [&[0, ask, length][..], &message].concat()
            };
            let one = b"\x81\x80\0\x01\0\x01\0\0\0\0";
            let a = b"\xc0\x0c\0\x01\0\x01\0\0\0\0\0\x04\xc0\0\x02\x07";
            let aaaa =
                b"\xc0\x0c\0\x1c\0\x01\0\0\0\0\0\x10\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\x07";
            let missing = b"\x81\x83\0\x01\0\0\0\0\0\0";
            let broken = b"\x81\x82\0\x01\0\0\0\0\0\0";
            let alias = b"\xc0\x0c\0\x05\0\x01\0\0\0\0\0\x02\x01b\xc0\x0c";
            let wait = |hundredths: u8| vec![3, 0, hundredths];
            add(&[answer(0, one, aaaa), answer(1, one, a)].concat());
            add(&[answer(0, missing, b""), answer(3, one, a), wait(20)].concat());
            add(&[
                answer(0, broken, b""),
                wait(110),
                answer(1, broken, b""),
                wait(250),
            ]
            .concat());
            add(&[
                wait(110),
                wait(110),
                answer(1, one, alias),
                vec![2, 4, 0],
                wait(255),
            ]
            .concat());
        }
        "handed" => add(b"\xff\x01\x02\x03\x04\0\x03\0\x01abcdef|box|lab.example|/it's|a.0|x|y.z"),
        _ => packed(target, add),
    }
}

/// Bytes as the real tools packed them, without checksums.
fn packed(target: &str, add: &mut dyn FnMut(&[u8])) {
    match target {
        "inflate" => {
            add(b"KLJND\xa0\x14\0");
            add(b"\x01\x02\0\xfd\xffab");
            add(
                b"\x05\xc1\xc9\x01\xc30\x10\xc4\xb0Z\xc9\x99\x95d\xe7|\xa5\xfe\0\xd6hrz\xedo\xd9\
              \xcf\x93aE\xf6\x97%\xce\xa6\x8c\xe7\x9d\x9f\x14,l\x1f\xc7\xa4M\xef8\xf8J0\xb44u\
              \x06\xfa$Q\xad\x0e\x19Y`\xd1\xe5\xc6\x1e!\xac\x8d\xabK\\\xaa^p\x9f\x8f\xf7\xf5\
              \x07",
            );
        }
        "lzma2" => {
            add(
                b"\xe0\0w\0?]\x006\x9b\xc8\xb1\xae\x12\xf0\xae\xb9\xc8\xdc\x09nS|?U\x18\xdb4GP\xb7\
              \xaf\xdb\xc7e\x93Y\x0e:\xab=\xb10\xe2L\x03\x83\xfd\xba\xd0\xa0>\xd5f:A\xa6\xd6\
              \xbc\x14\x88\x98\x9e\xf1\xa9\x8a\x90^U\xc1\x80\0",
            );
            add(b"\xe0\0\x0e\0\x0a\x12\x000\x99M\xa3T\xa1\xaaH\0\0\0");
            add(b"\x01\0\x07q\x10\xe9\x93\xaet\"\x92\0");
        }
        "zstd" => {
            add(b"(\xb5/\xfd\0he\0\0 abcd\x02\x002\x850vC");
            add(
                b"(\xb5/\xfd\0h\xa5\x02\0b\x09\x14\x11\xc0g8\xe6DDDD\xc8\xde[J\x06\0\x80\xf3\x02\
              \x81\xf0\x01\x08\x1a\xfcov3\xb3\xc7(\x1d\xd8\x9e\xcd\xbb\xd5x\x91\xe5\xf7/ILKy\
              \x9a\x9bZ\xa9\xd8\xb2\x84i\x93\x06\x86\x8fn\x9d'2\x80\x8b\xf3\x94\xdd\x88\x1c\
              \x97\xb1\x08 \x8eCN0@z\xbd\x03\0",
            );
            add(
                b"(\xb5/\xfd\0h\xc5\x02\0b\x83\x0b\x10\xb0\xeb\x04tw\x8b\xacj[\xd4h\x0c\xb9\xdb\
              \xa4<\x1a\xee\xb4V\x14\xa3\xfcx\xe8Kb\x86;\xad\xd5\x1c\xb0.\x7f\xba\xd6-\x17\xc9\
              \xf1\x19*t\x01\x14\xa8`rn\xb1v\xd0&@\xb2\x03\x10d{\xfd\xff\xcf\0\x88t\x13\x9bg1\
              \xa7\x1f~\x0a\xa5\xb4\xcb@t\xa2)P\xe2\"",
            );
            add(b"P*M\x18\x02\0\0\0xy(\xb5/\xfd\0\0#\0\0a");
        }
        _ => {}
    }
}

const LUKS_JSON: &str = r#"{"keyslots":{"0":{"type":"luks2","key_size":64,"af":{"type":"luks1",
"stripes":4000,"hash":"sha256"},"area":{"type":"raw","offset":"32768","size":"258048",
"encryption":"aes-xts-plain64","key_size":64},"kdf":{"type":"argon2id","time":4,"memory":65536,
"cpus":1,"salt":"AAAA"}}},"tokens":{},"segments":{"0":{"type":"crypt","offset":"16777216",
"size":"dynamic","iv_tweak":"0","encryption":"aes-xts-plain64","sector_size":4096}},
"digests":{"0":{"type":"pbkdf2","keyslots":["0"],"segments":["0"],"hash":"sha256",
"iterations":1000,"salt":"AAAA","digest":"AAAA"}},"config":{"json_size":"12288",
"keyslots_size":"16744448","flags":["allow-discards"]}}"#;

const LVM_TEXT: &str = r#"vg {
id = "012345-6789-abcd-efgh-ijkl-mnop-qrstuv"
seqno = 3
status = ["RESIZEABLE", "READ", "WRITE"]
flags = []
extent_size = 8192
max_lv = 0
physical_volumes {
pv0 {
id = "012345-6789-abcd-efgh-ijkl-mnop-qrstuw"
device = "/dev/sda"
status = ["ALLOCATABLE"]
dev_size = 204800
pe_start = 2048
pe_count = 24
}
}
logical_volumes {
root {
id = "012345-6789-abcd-efgh-ijkl-mnop-qrstux"
status = ["READ", "WRITE", "VISIBLE"]
segment_count = 1
segment1 {
start_extent = 0
extent_count = 4
type = "striped"
stripe_count = 1
stripes = ["pv0", 0]
}
}
}
}
contents = "Text Format Volume Group"
version = 1
"#;

/// A link, an address, two routes, a refusal, as Linux 6.18 told them.
const NETLINK: [&str; 4] = [
    "\
    800000001000000007000000475d000000000100030000004310010000000000090003006574683000000000\
    050010000600000008000400dc05000005002100010000000a00010002000000000100000a000200ffffffff\
    ffff00001000120009000100766574680000000008000500020000000c0006006e6f717565756500",
    "\
    580000001400020007000000d75c0000021800000300000008000100c000020708000200c000020708000400\
    c00002ff09000300657468300000000008000800000000001400060008070000100e00008235180082351800",
    "\
    3c0000001800020007000000d75c000002000000fe0300010000000008000f00fe0000000800060064000000\
    08000500c000020108000400030000003c0000001800020007000000d75c000002180000fe02fd0100000000\
    08000f00fe00000008000100c000020008000700c00002070800040003000000",
    "\
    600000000200000207000000d75c0000eaffffff280000001300050007000000000000000000000003000000\
    00000000000000000800040070110100240001006d74752067726561746572207468616e2064657669636520\
    6d6178696d756d00",
];
