//! Words about dm-verity: systemd-veritysetup-generator(8), veritytab(5).
//!
//! A root hash is a promise that nothing but the volume it belongs to becomes root: what is odd
//! about it breaks the volume, and never leads to an unchecked root.

use super::Reading;
use crate::base::list::Listed;
use crate::base::text::Text;
use crate::format::cmdline::Word;
use crate::format::integrity;
use crate::format::verity::Volume;
use crate::format::wish::Source;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

/// More volumes than an image has.
const VOLUMES: usize = 64;
/// What the volume of `roothash=` is called.
const ROOT: &str = "root";
/// And that of `usrhash=`.
const USR: &str = "usr";

/// What was read so far.
#[derive(Default)]
pub(super) struct Words {
    off: bool,
    root: Told,
    usr: Told,
    lines: Vec<Volume>,
}

/// What the words say of one volume.
#[derive(Default)]
struct Told {
    root_hash: Text,
    data: Text,
    hash: Text,
    options: Text,
}

impl Told {
    /// `None`: no root hash was told. The second half: what is odd about its options.
    fn volume(&self, name: &str) -> Option<(Volume, Option<String>)> {
        if self.root_hash.0.is_empty() {
            return None;
        }
        let mut odd = None;
        let mut source = |typed: &Text| match Source::parse(typed.as_bytes()) {
            _ if typed.0.is_empty() => None,
            Source::Unknown(typed) => {
                odd = Some(format!("no device is named by '{typed}'"));
                None
            }
            source => Some(source),
        };
        let (data, hash) = (source(&self.data), source(&self.hash));
        let mut volume = Volume::new(name, self.root_hash.as_bytes(), data, hash);
        volume.broken = volume.broken.or(odd);
        let odd = volume.options.add(self.options.as_bytes());
        Some((volume, odd))
    }
}

fn value(word: &Word<'_>) -> Text {
    Text::from(word.value.unwrap_or_default())
}

/// The rows.
impl Reading {
    /// Where it goes what a word says that root and `/usr` both have.
    fn told(&mut self, word: &Word<'_>) -> &mut Told {
        match word
            .key
            .windows(USR.len())
            .any(|part| part == USR.as_bytes())
        {
            true => &mut self.verity.usr,
            false => &mut self.verity.root,
        }
    }

    pub(in crate::format::params) fn root_hash(&mut self, word: &Word<'_>) {
        self.told(word).root_hash = value(word);
    }

    pub(in crate::format::params) fn verity_data(&mut self, word: &Word<'_>) {
        self.told(word).data = value(word);
    }

    pub(in crate::format::params) fn verity_hash(&mut self, word: &Word<'_>) {
        self.told(word).hash = value(word);
    }

    pub(in crate::format::params) fn verity_options(&mut self, word: &Word<'_>) {
        self.told(word).options = value(word);
    }

    pub(in crate::format::params) fn verity_switch(&mut self, word: &Word<'_>) {
        self.verity.off = !self.switch(word);
    }

    pub(in crate::format::params) fn verity_line(&mut self, word: &Word<'_>) {
        match Volume::from_tab(word.value.unwrap_or_default()) {
            Ok(volume) if self.verity.lines.len() < VOLUMES => self.verity.lines.push(volume),
            Ok(_) => self.complain(word, "is one volume too many; it is left out"),
            Err(why) => self.complain(word, &format!("{why}; it is left out")),
        }
    }

    pub(in crate::format::params) fn integrity_line(&mut self, word: &Word<'_>) {
        match integrity::Volume::from_tab(word.value.unwrap_or_default()) {
            Ok(volume) if self.wish.integrity.len() < VOLUMES => self.wish.integrity.push(volume),
            Ok(_) => self.complain(word, "is one volume too many; it is left out"),
            Err(why) => self.complain(word, &format!("{why}; it is left out")),
        }
    }

    /// All words were read.
    pub(super) fn finish_verity(&mut self) {
        let words = core::mem::take(&mut self.verity);
        if words.off {
            return;
        }
        let named = |name: &str| Source::Name(["mapper/", name].concat());
        let told = [(ROOT, &words.root), (USR, &words.usr)].map(|(name, told)| told.volume(name));
        let wanted = |v: &Volume| {
            let is_root = self.wish.root == Some(named(&v.name));
            let is_told = told.iter().flatten().any(|(told, _)| told.name == v.name);
            !is_told && (!v.options.no_auto || is_root)
        };
        self.wish.verity = words.lines.into_iter().filter(wanted).listed();
        for (mut volume, odd) in told.into_iter().flatten() {
            let name = &volume.name;
            if let Some(odd) = odd {
                self.say(format!(
                    "systemd.verity_{name}_options= {odd}; it is ignored"
                ));
            }
            volume.needed = true;
            self.wish.verity.push(volume);
        }
        if words.root.root_hash.0.is_empty() {
            return;
        }
        let root = Some(named(ROOT));
        if self.wish.root_as_typed.0.is_empty() {
            self.wish.root_as_typed = Text::from("/dev/mapper/root");
        } else if self.wish.root != root {
            let typed = &self.wish.root_as_typed;
            let sentence: String =
                format!("root={typed} is not looked at: with roothash= root is /dev/mapper/root");
            self.say(sentence);
        }
        self.wish.root = root;
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::indexing_slicing)]
mod tests {
    use crate::format::verity::Corruption;
    use crate::format::wish::{Source, Wish};

    const HASH: &str = "36E3f740ad502e2c25e2a23d9c7c17bf0fdad2300b7580842d4b7ec1fb0fa263";
    const HALVES: [&str; 2] = [
        "36e3f740-ad50-2e2c-25e2-a23d9c7c17bf",
        "0fdad230-0b75-8084-2d4b-7ec1fb0fa263",
    ];

    fn wish(line: &str) -> Wish {
        Wish::from_cmdline(line.as_bytes())
    }

    fn part(uuid: &str) -> Source {
        Source::PartUuid(uuid.into())
    }

    #[test]
    fn a_root_hash_makes_root_a_volume_of_dm_verity() {
        for (line, said) in [
            ("roothash=H", 0),
            ("root=/dev/mapper/root roothash=H", 0),
            ("roothash=H root=gpt-auto", 1),
            ("root=/dev/sda1 roothash=0 roothash=H", 1),
        ] {
            let wish = wish(&line.replace('H', HASH));
            assert_eq!(
                wish.root,
                Some(Source::Name("mapper/root".into())),
                "{line}"
            );
            assert_eq!(wish.complaints.len(), said, "{:?}", wish.complaints);
            let [volume] = wish.verity.as_slice() else {
                panic!("{line}: {:?}", wish.verity);
            };
            assert_eq!(volume.root_hash, HASH.to_ascii_lowercase());
            assert_eq!([&volume.data, &volume.hash], HALVES.map(part).each_ref());
            assert_eq!(volume.broken, None);
        }
        for bad in ["zz", "0011", "36e3f740ad502e2c25e2a23d9c7c17bf0fd", ""] {
            let wish = wish(&format!("root=/dev/sda1 roothash={bad}"));
            let broken = wish.verity.first().is_some_and(|v| v.broken.is_some());
            assert_eq!(broken, !bad.is_empty(), "{bad}");
        }
    }

    #[test]
    fn devices_of_a_verity_root_may_be_named() {
        let words = "systemd.verity_root_data=LABEL=a systemd.verity_root_hash=/dev/vdb";
        let found = wish(&format!("{words} roothash={HASH}"));
        let volume = &found.verity[0];
        assert_eq!(volume.data, Source::Label("a".into()));
        assert_eq!(volume.hash, Source::Name("vdb".into()));
        let odd = wish(&format!("systemd.verity_root_data=what roothash={HASH}"));
        let broken = odd.verity[0].broken.as_deref();
        assert_eq!(broken, Some("no device is named by 'what'"));
    }

    #[test]
    fn options_of_a_verity_root_are_read_and_odd_ones_named() {
        let read = |options: &str| {
            let words = format!("roothash={HASH} systemd.verity_root_options={options}");
            let wish = wish(&words);
            (wish.verity[0].options.clone(), wish.complaints)
        };
        let (options, said) = read(
            "superblock=no,format=0,data-block-size=1K,hash-block-size=512,data-blocks=7,\
             hash-offset=1M,salt=00Ff,hash=sha1,restart-on-corruption,ignore-zero-blocks,\
             check-at-most-once,fec-roots=3,fec-device=/dev/vdc,fec-offset=8192,uuid=1,nofail,\
             root-hash-signature=/sig",
        );
        assert!(said.is_empty(), "{said:?}");
        assert!(!options.superblock && options.ignore_zero_blocks && options.check_at_most_once);
        assert_eq!((options.format, options.data_blocks), (0, Some(7)));
        assert_eq!((options.data_block, options.hash_block), (1024, 512));
        assert_eq!((options.hash_offset, options.salt), (1 << 20, vec![0, 255]));
        assert_eq!(
            (&*options.algorithm, options.corruption),
            ("sha1", Corruption::Restart)
        );
        assert_eq!(options.signature, Some("/sig".into()));
        let fec = options.fec.unwrap();
        assert_eq!((fec.offset, fec.roots), (8192, 3));
        for odd in [
            "whatever",
            "superblock=maybe",
            "format=2",
            "data-block-size=3",
            "hash-offset=1",
            "salt=0",
            "fec-roots=1",
            "fec-roots=25",
            "hash=a%20b",
            "data-blocks=0",
            "root-hash-signature=",
            "ignore-corruption=1",
            "hash-block-size=1M",
        ] {
            let (_, said) = read(odd);
            let expected = format!(
                "systemd.verity_root_options= holds '{odd}', which is no such option; it is ignored"
            );
            assert_eq!(said, [expected]);
        }
    }

    #[test]
    fn verity_may_be_switched_off() {
        for (word, count) in [
            ("systemd.verity=0", 0),
            ("rd.systemd.verity=no", 0),
            ("systemd.verity=0 systemd.verity", 1),
            ("rd.systemd.verity=0 rd.systemd.verity=1", 1),
        ] {
            let wish = wish(&format!("root=/dev/sda roothash={HASH} {word}"));
            assert_eq!(wish.verity.len(), count, "{word}");
            let plain = wish.root == Some(Source::Name("sda".into()));
            assert_eq!(plain, count == 0, "{word}");
        }
    }

    #[test]
    fn a_hash_for_usr_is_another_volume_and_not_root() {
        let found = wish(&format!("root=/dev/sda usrhash={HASH}"));
        assert_eq!(found.root, Some(Source::Name("sda".into())));
        let [volume] = found.verity.as_slice() else {
            panic!("{:?}", found.verity);
        };
        assert_eq!((&*volume.name, volume.needed), ("usr", true));
        assert_eq!([&volume.data, &volume.hash], HALVES.map(part).each_ref());
        let words = "systemd.verity_usr_data=/dev/a systemd.verity_usr_hash=/dev/b \
                     systemd.verity_usr_options=nofail,what";
        let both = wish(&format!("{words} usrhash={HASH} roothash={HASH}"));
        assert_eq!(both.root, Some(Source::Name("mapper/root".into())));
        let names = ["a", "b"].map(|name| Source::Name(name.into()));
        assert_eq!(
            [&both.verity[1].data, &both.verity[1].hash],
            names.each_ref()
        );
        let said = "systemd.verity_usr_options= holds 'what', which is no such option; \
                    it is ignored";
        assert_eq!(both.complaints, [said]);
        // The boot loader knows better than the image.
        let line = format!("landfall.veritytab=\"usr /dev/vda /dev/vdb {HASH}\" usrhash={HASH}");
        assert_eq!(wish(&line).verity.len(), 1);
    }

    #[test]
    fn lines_of_integritytab_are_volumes() {
        let found = wish("landfall.integritytab=\"a /dev/vda - nofail\"");
        assert_eq!((found.integrity.len(), found.complaints.len()), (1, 0));
        let found = wish("landfall.integritytab=\"a /dev/vda /key\"");
        assert_eq!((found.integrity.len(), found.complaints.len()), (1, 0));
        let found = wish("landfall.integritytab=\"a /dev/vda LABEL=key\"");
        assert_eq!((found.integrity.len(), found.complaints.len()), (0, 1));
    }

    #[test]
    fn lines_of_veritytab_are_volumes() {
        let line = |text: &str| {
            wish(&format!(
                "landfall.veritytab=\"{}\"",
                text.replace('H', HASH)
            ))
        };
        let found = line("sys PARTUUID=AB-01 /dev/vdb H auto,ignore-corruption");
        let volume = &found.verity[0];
        assert_eq!((&*volume.name, &volume.data), ("sys", &part("ab-01")));
        assert_eq!(volume.options.corruption, Corruption::Ignore);
        assert_eq!((found.root, found.complaints.len()), (None, 0));
        assert_eq!(line("sys /dev/vda /dev/vdb H noauto").verity.len(), 0);
        for bad in [
            "sys /dev/vda /dev/vdb",
            "a/b /dev/vda /dev/vdb H",
            "a x /dev/vdb H",
            "",
        ] {
            let found = line(bad);
            assert_eq!(
                (found.verity.len(), found.complaints.len()),
                (0, 1),
                "{bad}"
            );
        }
        // The boot loader knows better what root is.
        let both = wish(&format!(
            "landfall.veritytab=\"root /dev/vda /dev/vdb {HASH}\" roothash={HASH}"
        ));
        assert_eq!(both.verity.len(), 1);
        assert_eq!(both.verity[0].data, part(HALVES[0]));
    }
}
