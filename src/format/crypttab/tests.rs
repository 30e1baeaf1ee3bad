//! What lines and words amount to, each in one line of text.

use super::*;
use crate::format::cmdline;
use crate::format::luks::flags::Flag;
use alloc::string::ToString;

fn place(place: &Place) -> String {
    match place {
        Place::File(path) => path.clone(),
        Place::On {
            path,
            device,
            fstype,
        } => {
            let fstype = fstype
                .as_deref()
                .map(|t| format!("({t})"))
                .unwrap_or_default();
            format!("{path}:{}{fstype}", device.as_typed())
        }
        Place::Device(device) => device.as_typed(),
    }
}

/// `NAME DEVICE [key=…] [header=…] [MARK…]`.
fn line(volume: &Volume) -> String {
    let mut words = alloc::vec![volume.name.clone().unwrap_or("?".into())];
    words.push(match &volume.device {
        Device::Source(source) => source.as_typed(),
        Device::UuidStart(uuid) => format!("UUID={uuid}…"),
        Device::Serial(serial) => format!("serial={serial}"),
        Device::File(path) => format!("file={path}"),
    });
    let options = &volume.options;
    words.extend(volume.key.as_ref().map(|key| format!("key={}", place(key))));
    words.extend(
        options
            .header
            .as_ref()
            .map(|header| format!("header={}", place(header))),
    );
    words.extend(
        options
            .keyfile_size
            .map(|n| format!("{}+{n}", options.keyfile_offset)),
    );
    words.extend(options.tries.map(|tries| format!("tries={tries}")));
    words.extend(options.flags.words().map(ToString::to_string));
    for (mark, is) in [
        ("wanted", volume.wanted),
        ("left-out", volume.left_out),
        ("read-only", options.read_only),
    ] {
        words.extend(is.then(|| mark.to_string()));
    }
    words.join(" ")
}

/// Each volume as a line, and each complaint by its beginning.
fn check(cmdline: &str, crypttab: &str, volumes: &[&str], complaints: &[&str]) -> Volumes {
    let read = read(cmdline::words(cmdline.as_bytes()), crypttab.as_bytes());
    let lines: Vec<String> = read.list.iter().map(line).collect();
    assert_eq!(lines, volumes, "{cmdline}\n{crypttab}");
    assert_eq!(
        read.complaints.len(),
        complaints.len(),
        "{:?}",
        read.complaints
    );
    for (found, expected) in read.complaints.iter().zip(complaints) {
        assert!(found.starts_with(expected), "{found}\n{expected}");
    }
    read
}

const UUID: &str = "01234567-89ab-cdef-0123-456789abcdef";

#[test]
fn crypttab_is_read_line_by_line() {
    let file = "# a comment\n\nroot UUID=0123-ABC none luks,discard,x-initrd.attach\n\
                \tdata\t/dev/sda2\t/etc/key\ttries=0,read-only\r\nhome LABEL=x\n\
                my\\040home PARTLABEL=a\\040b - initramfs\n\
                stick /dev/sdb /keys/a:b:UUID=77 header=/boot/h:LABEL=y\n\
                raw /dev/sdc /dev/disk/by-id/usb-1:2 keyfile-offset=5,keyfile-size=64\n\
                loop /images/x.img";
    check(
        "root=/dev/mapper/root quiet",
        file,
        &[
            "root UUID=0123-abc allow_discards wanted",
            "data /dev/sda2 key=/etc/key tries=0 read-only",
            "home LABEL=x",
            "my home PARTLABEL=a b wanted",
            "stick /dev/sdb key=/keys/a:b:UUID=77 header=/boot/h:LABEL=y",
            "raw /dev/sdc key=/dev/disk/by-id/usb-1:2 5+64",
            "loop file=/images/x.img",
        ],
        &[],
    );
}

#[test]
fn a_bad_line_costs_that_line_only() {
    let file = b"one\na b c d e\n../x /dev/sda1\nx nonsense\nok /dev/sda1\n\
                 \xff /dev/sda1\nswap /dev/sda3 /dev/urandom swap\nx /dev/sda3 /dev/urandom\n\
                 x /dev/sda1 none plain\nx /dev/sda1 key\nx /dev/sda1 none frobnicate\n";
    let read = read(cmdline::words(b""), file);
    let lines: Vec<String> = read.list.iter().map(line).collect();
    assert_eq!(lines, ["ok /dev/sda1", "x /dev/sda1"]);
    let expected = [
        "line 1 of crypttab: it has other than two to four fields; it is left out",
        "line 2 of crypttab: it has other",
        "line 3 of crypttab: ../x is no name",
        "line 4 of crypttab: nonsense is no device reference",
        "line 6 of crypttab: it is not UTF-8",
        "line 7 of crypttab: its option swap asks for a new file system",
        "line 8 of crypttab: a volume with a new key at each boot",
        "line 9 of crypttab: its option plain asks for plain dm-crypt",
        "line 10 of crypttab: the key file key is no absolute path",
        "line 11 of crypttab: option frobnicate is not known",
    ];
    assert_eq!(
        read.complaints.len(),
        expected.len(),
        "{:?}",
        read.complaints
    );
    for (found, expected) in read.complaints.iter().zip(expected) {
        assert!(found.starts_with(expected), "{found}");
    }
}

#[test]
fn key_scripts_of_debian_are_followed_where_that_takes_no_program() {
    let file = "a /dev/sda1 /dev/disk/by-label/stick:/a.key:10 \
                keyscript=/lib/cryptsetup/scripts/passdev\n\
                b /dev/sda2 group keyscript=decrypt_keyctl\n\
                c /dev/sda3 /etc/key.gpg luks,keyscript=decrypt_gnupg\n\
                d /dev/sda4 stick keyscript=passdev";
    check(
        "",
        file,
        &[
            "a /dev/sda1 key=/a.key:LABEL=stick",
            "b /dev/sda2",
            "c /dev/sda3",
        ],
        &[
            "line 3 of crypttab: keyscript decrypt_gnupg is a program",
            "line 4 of crypttab: passdev wants DEVICE:PATH",
        ],
    );
}

#[test]
fn words_of_systemd_name_volumes_by_their_uuid() {
    let short = format!("rd.luks.uuid={UUID}");
    check(&short, "", &[&format!("? UUID={UUID}… wanted")], &[]);
    let luks = format!(
        "luks.uuid=luks-{} luks.uuid={UUID}",
        UUID.to_ascii_uppercase()
    );
    check(&luks, "", &[&format!("? UUID={UUID}… wanted")], &[]);
    let all = format!(
        "rd.luks.name={UUID}=root rd.luks.key={UUID}=/k:LABEL=stick luks.key=/other \
         rd.luks.options={UUID}=tries=5,discard rd.luks.options=read-only rd.luks.uuid=77"
    );
    let read = check(
        &all,
        "",
        &[
            &format!("root UUID={UUID}… key=/k:LABEL=stick tries=5 allow_discards wanted"),
            "? UUID=77… key=/other wanted read-only",
        ],
        &[],
    );
    assert!(read.others.options.read_only && read.others.key == Some(Place::File("/other".into())));
    let data = format!("rd.luks.name={UUID}=x rd.luks.data={UUID}=/dev/sdb");
    check(
        &data,
        "",
        &[&format!("x /dev/sdb header=UUID={UUID} wanted")],
        &[],
    );
    check(
        &format!("rd.luks.uuid={UUID} rd.luks.data={UUID}=/dev/sdb"),
        "",
        &[&format!("luks-{UUID} /dev/sdb header=UUID={UUID} wanted")],
        &[],
    );
    let header = format!("{data} rd.luks.options={UUID}=header=/h rd.luks.header=99=/j");
    check(
        &header,
        "",
        &["x /dev/sdb header=/h wanted", "? UUID=99… header=/j"],
        &[],
    );
}

#[test]
fn words_amend_lines_and_leave_out_the_others() {
    let file = format!("a UUID={UUID} /key tries=1\nluks-88 /dev/sda2 none discard\nb LABEL=x\n");
    check(
        &format!("rd.luks.uuid={UUID}"),
        &file,
        &[
            &format!("a UUID={UUID} key=/key tries=1 wanted"),
            "luks-88 /dev/sda2 allow_discards left-out",
            "b LABEL=x left-out",
        ],
        &[],
    );
    let words = "rd.luks.key=0123=/new rd.luks.options=88=tries=2 luks.options=tries=9";
    check(
        words,
        &file,
        &[
            &format!("a UUID={UUID} key=/new tries=1"),
            "luks-88 /dev/sda2 tries=2",
            "b LABEL=x",
        ],
        &[],
    );
    check(
        "rd.luks.crypttab=0 rd.luks.uuid=1",
        &file,
        &["? UUID=1… wanted"],
        &[],
    );
    for off in ["rd.luks=0", "luks=no", "rd_NO_LUKS"] {
        assert!(check(&format!("rd.luks.uuid=1 {off}"), &file, &[], &[]).off);
    }
    assert!(!check("luks=0 rd.luks=1", "", &[], &[]).off);
}

#[test]
fn words_of_dracut_are_understood() {
    check(
        "rd.luks.uuid=12 rd.luks.uuid=34 rd.luks.allow-discards=12 rd.luks.timeout=30 \
         rd.luks.key=/a:LABEL=s:UUID=345 rd.luks.key=/b::* rd.luks.serial=S5 \
         rd.luks.partuuid=99 rd.luks.no-read-workqueue",
        "",
        &[
            "? UUID=12… key=/b allow_discards no_read_workqueue wanted",
            "? UUID=34… key=/b no_read_workqueue wanted",
            "? serial=S5 no_read_workqueue wanted",
            "? PARTUUID=99 no_read_workqueue wanted",
        ],
        &[],
    );
    let read = check(
        "rd.luks.allow-discards rd.luks.timeout=30",
        "x /dev/sda1",
        &["x /dev/sda1 allow_discards"],
        &[],
    );
    assert!(read.others.options.flags.has(Flag::AllowDiscards));
    assert_eq!(read.others.options.timeout_ms, 30_000);
    let own = "rd.luks.uuid=34 rd.luks.key=/a:LABEL=s:UUID=345";
    check(own, "", &["? UUID=34… key=/a:LABEL=s wanted"], &[]);
}

#[test]
fn words_of_mkinitcpio_alpine_and_debian_are_understood() {
    let check = |words: &str, volume: &str| check(words, "", &[volume], &[]);
    check("cryptdevice=UUID=1-2:root", "root UUID=1-2 wanted");
    check("cryptdevice=/dev/sda2", "root /dev/sda2 wanted");
    check(
        "cryptkey=LABEL=s:vfat:/k cryptdevice=PARTUUID=3:c:allow-discards,no-read-workqueue",
        "c PARTUUID=3 key=/k:LABEL=s(vfat) allow_discards no_read_workqueue wanted",
    );
    check(
        "cryptdevice=/dev/sda2:c cryptkey=/dev/disk/by-path/pci-0:1:2:2048:64",
        "c /dev/sda2 key=/dev/disk/by-path/pci-0:1:2 2048+64 wanted",
    );
    check(
        "cryptdevice=/dev/sda2:c cryptkey=rootfs:/k",
        "c /dev/sda2 key=/k wanted",
    );
    check(
        "cryptdevice=/dev/sda2:c cryptkey=UUID=7:auto:/k",
        "c /dev/sda2 key=/k:UUID=7 wanted",
    );
    check(
        "cryptroot=/dev/vda3 cryptdm=lvm cryptkey cryptheader=/boot/h cryptdiscards",
        "lvm /dev/vda3 header=/boot/h allow_discards wanted",
    );
    check(
        "cryptopts=target=c,source=LABEL=x,key=/k,tries=2,discard",
        "c LABEL=x key=/k tries=2 allow_discards wanted",
    );
}

#[test]
fn cryptopts_stands_for_all_of_crypttab() {
    check("cryptopts=", "a /dev/sda1", &[], &[]);
    check(
        "cryptopts=source=/dev/sda1 cryptopts=source=/dev/sda2,key=none,target=b",
        "a /dev/sda9",
        &["? /dev/sda1 wanted", "b /dev/sda2 wanted"],
        &[],
    );
}

#[test]
fn odd_words_are_named() {
    check(
        "rd.luks.uuid= rd.luks.uuid=xyz rd.luks.name=12 rd.luks.name=12=a/b rd.luks.key=relative \
         rd.luks=maybe cryptdevice=nothing:x cryptkey=EXEC=/bin/key crypto=sha1:::: \
         cryptopts=target=x rd.luks.options=plain cryptdm=. crypto=:::: rd.luks.data=12=x",
        "",
        &[],
        &[
            "rd.luks.uuid=: names nothing; it is ignored",
            "rd.luks.uuid=xyz: xyz is no UUID",
            "rd.luks.name=12: wants UUID=NAME",
            "rd.luks.name=12=a/b: a/b is no name",
            "rd.luks.key=relative: is no absolute path",
            "rd.luks=maybe: is neither yes nor no",
            "cryptdevice=nothing:x: is no device reference",
            "cryptkey=EXEC=/bin/key: no program is run here",
            "crypto=sha1::::: only LUKS",
            "cryptopts=target=x: it names no source",
            "rd.luks.options=plain: its option plain",
            "cryptdm=.: is no name",
            "rd.luks.data=12=x: is no device reference",
        ],
    );
}

/// Noise from the pieces that mean something, and bytes that do not.
#[test]
fn no_line_and_no_word_is_too_odd() {
    const PIECES: [&str; 38] = [
        "rd.luks.uuid=",
        "rd.luks.key=",
        "luks.name=",
        "luks.options=",
        "cryptdevice=",
        "cryptkey=",
        "cryptopts=",
        "rd.luks.data=",
        "rd.luks.header=",
        "UUID=",
        "LABEL=",
        "/dev/",
        ":",
        ",",
        "=",
        "/",
        " ",
        "\t",
        "\n",
        "#",
        "none",
        "luks",
        "header=",
        "keyfile-size=",
        "timeout=",
        "99999",
        "0",
        "a",
        "-",
        "\\040",
        "\\777",
        "\u{e4}",
        "\"",
        "*",
        "source=",
        "keyscript=passdev",
        "\nx /dev/sda1 ",
        " rd.luks.uuid=1a ",
    ];
    let mut seed = 5u64;
    let mut next = |below: usize| {
        seed = seed
            .wrapping_mul(0x5851_f42d_4c95_7f2d)
            .wrapping_add(0x1405_7b7e_f767_814f);
        (seed >> 33) as usize % below
    };
    let (mut volumes, mut complaints) = (0, 0);
    for _ in 0..20_000 {
        let mut text = Vec::new();
        for _ in 0..next(24) {
            text.extend_from_slice(PIECES[next(PIECES.len())].as_bytes());
            if next(40) == 0 {
                text.push(next(256) as u8);
            }
        }
        let cut = next(text.len() + 1);
        let (line, file) = text.split_at(cut);
        let read = read(cmdline::words(line), file);
        volumes += read.list.len();
        complaints += read.complaints.len();
        assert!(
            read.list
                .iter()
                .all(|v| v.name.as_deref().is_none_or(is_name))
        );
    }
    assert!(
        volumes > 1000 && complaints > 1000,
        "{volumes} {complaints}"
    );
}

#[test]
fn every_spelling_of_every_word_counts() {
    // What a volume is opened by is said with each word: it then means something else.
    let uuid = |word: &str| format!("{word}={UUID}");
    let of = |word: &str, value: &str| format!("rd.luks.uuid={UUID} {word}={UUID}={value}");
    let own = |word: &str| format!("cryptroot=/dev/sda2 {word}");
    let mut lines: Vec<(String, String)> = Vec::new();
    for (plain, word) in [
        ("", "rd_LUKS_UUID=01234567"),
        ("", "cryptdevice=/dev/sda2:root"),
        ("", "cryptroot=/dev/sda2"),
        ("", "cryptopts=source=/dev/sda2,target=root"),
        ("", "rd_NO_LUKS"),
        ("", "cryptoffset=4096"),
        ("", "crypto=::::x"),
    ] {
        lines.push((plain.into(), word.into()));
    }
    for prefix in ["rd.luks", "luks"] {
        for (word, value) in [("", "0"), (".crypttab", "0"), (".timeout", "7")] {
            lines.push((String::new(), format!("{prefix}{word}={value}")));
        }
        for word in ["uuid", "partuuid", "serial"] {
            lines.push((String::new(), uuid(&format!("{prefix}.{word}"))));
        }
        for (word, value) in [
            ("name", "home"),
            ("key", "/key"),
            ("options", "tries=7"),
            ("header", "/header"),
            ("data", "/dev/sdb"),
        ] {
            lines.push((uuid("rd.luks.uuid"), of(&format!("{prefix}.{word}"), value)));
        }
        for word in ["allow-discards", "no-read-workqueue", "no-write-workqueue"] {
            let line = format!("rd.luks.uuid={UUID} {prefix}.{word}");
            lines.push((uuid("rd.luks.uuid"), line));
        }
    }
    for word in [
        "cryptkey=rootfs:/k",
        "cryptdm=x",
        "cryptheader=/h",
        "cryptdiscards",
    ] {
        lines.push((own(""), own(word)));
    }
    let crypttab = b"other UUID=1 none x-initrd.attach";
    for (without, with) in lines {
        let read = |line: &str| read(cmdline::words(line.as_bytes()), crypttab);
        assert_ne!(read(&without), read(&with), "{with}");
    }
}
