//! Words about what lies over root, and about live media. Sources: dracut.cmdline(7), "Booting live
//! images" and `rd.overlay`; systemd's kernel-command-line(7); mkinitfs-bootparam(7).

use super::Reading;
use crate::base::text::Text;
use crate::format::cmdline::Word;
use crate::format::layers::{self, Kind, Layer, Layers};
use crate::format::loop_file::{self, Sought};
use crate::format::mounts::Extra;
use crate::format::wish::Source;
use alloc::vec::Vec;

/// Where changes go.
#[derive(Default)]
enum Changes {
    /// Nobody has said it.
    #[default]
    Unsaid,
    Nowhere,
    /// Options of memory.
    Memory(Text),
    /// As typed.
    Device(Text),
}

/// What was read so far.
#[derive(Default)]
pub(super) struct Words {
    changes: Changes,
    kept: bool,
    flags: Text,
    volatile: Option<Kind>,
    live: bool,
    directory: Text,
    file: Text,
}

fn value(word: &Word<'_>) -> Text {
    Text::from(word.value.unwrap_or_default())
}

/// The rows.
impl Reading {
    pub(in crate::format::params) fn overlay(&mut self, word: &Word<'_>) {
        let value = word.value.unwrap_or(b"1");
        self.layers.changes = match value {
            b"1" | b"yes" | b"on" | b"tmpfs" => Changes::Memory(Text::default()),
            b"" | b"0" | b"no" | b"off" | b"none" => Changes::Nowhere,
            _ => match value.strip_prefix(b"tmpfs:") {
                Some(options) => Changes::Memory(Text::from(options)),
                None => Changes::Device(Text::from(value)),
            },
        };
    }

    pub(in crate::format::params) fn overlay_kept(&mut self, word: &Word<'_>) {
        self.layers.kept = self.switch(word);
    }

    pub(in crate::format::params) fn overlay_flags(&mut self, word: &Word<'_>) {
        self.layers.flags = value(word);
    }

    pub(in crate::format::params) fn volatile(&mut self, word: &Word<'_>) {
        self.layers.volatile = match word.value {
            Some(b"state") => Some(Kind::State),
            Some(b"overlay") => Some(Kind::Overlay),
            _ => self.switch(word).then_some(Kind::Usr),
        };
    }

    pub(in crate::format::params) fn live_image(&mut self, word: &Word<'_>) {
        self.layers.live = self.switch(word);
    }

    pub(in crate::format::params) fn live_directory(&mut self, word: &Word<'_>) {
        self.layers.directory = value(word);
    }

    pub(in crate::format::params) fn live_file(&mut self, word: &Word<'_>) {
        self.layers.file = value(word);
    }

    pub(in crate::format::params) fn live_ram(&mut self, word: &Word<'_>) {
        self.wish.ram = self.switch(word);
    }

    /// What `root=live:` names, if that is a device: an address is no root that is known here.
    pub(super) fn live<'a>(&mut self, typed: &'a [u8]) -> &'a [u8] {
        let Some(medium) = typed.strip_prefix(b"live:") else {
            return typed;
        };
        // As udev calls the label of what is in a drive for CDs.
        let medium = medium.strip_prefix(b"CD").unwrap_or(medium);
        match Source::parse(medium) {
            Source::Unknown(_) => typed,
            _ => {
                self.layers.live = true;
                medium
            }
        }
    }

    /// All words were read: root is in a file of the medium.
    pub(super) fn finish_live(&mut self) {
        if !self.layers.live {
            return;
        }
        let Words {
            directory, file, ..
        } = &self.layers;
        let or = |text: &Text, usual: &[u8]| match text.as_bytes() {
            b"" => usual.to_vec(),
            text => text.to_vec(),
        };
        let parts = [or(directory, b"LiveOS"), or(file, b"squashfs.img")];
        self.file_on_root(&parts.join(&b'/'));
        if matches!(self.layers.changes, Changes::Unsaid) {
            self.layers.changes = Changes::Memory(Text::default());
        }
    }

    /// All words were read.
    pub(super) fn finish_layers(&mut self) {
        let words = core::mem::take(&mut self.layers);
        let (mut options, device) = match words.changes {
            Changes::Memory(options) => (options, None),
            Changes::Device(typed) => (Text::default(), Some(typed)),
            Changes::Unsaid if words.volatile.is_some() => (Text::default(), None),
            Changes::Unsaid | Changes::Nowhere => return,
        };
        if options.0.is_empty() {
            options = words.flags;
        }
        let mut memory = b"mode=0755".to_vec();
        if !options.0.is_empty() {
            memory.push(b',');
            memory.extend_from_slice(options.as_bytes());
        }
        // What lies below stays as it is.
        self.wish.writable = false;
        let mut directory = Text::from(layers::DIRECTORY);
        let kept = words.kept && device.is_some();
        let own = device.is_some() && !kept;
        let kind = match device {
            None => words.volatile.unwrap_or(Kind::Overlay),
            Some(_) => Kind::Overlay,
        };
        let upper = device.map(|typed| self.upper(&typed, kept, &mut directory));
        let layer = Layer {
            kind,
            memory: (!own).then_some(Text(memory)),
            directory,
            kept,
        };
        self.wish.layers = Some(Layers { layer, upper }.into());
    }

    /// What is mounted for changes.
    fn upper(&mut self, typed: &Text, kept: bool, directory: &mut Text) -> Extra {
        let (source, typed) = match loop_file::split(typed.as_bytes()) {
            (Some((source, device)), path) => {
                match layers::is_plain(path) {
                    true => *directory = Text::from(path),
                    false => self.complain(
                        &Word {
                            key: b"rd.overlay",
                            value: Some(typed.as_bytes()),
                        },
                        "names a directory that an overlay cannot have; /overlay is taken",
                    ),
                }
                (source, device)
            }
            (None, device) => (Source::parse(device), device),
        };
        Extra {
            at: Text::from(if kept { layers::KEPT } else { layers::UPPER }),
            sought: Sought {
                source: Some(source),
                typed: Text::from(typed),
                types: Vec::new(),
                flags: Text::default(),
            },
            writable: !kept,
            optional: false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::format::wish::Wish;
    use alloc::format;

    fn wish(words: &str) -> Wish {
        Wish::from_cmdline(format!("root=/dev/vda rw {words}").as_bytes())
    }

    fn layer(words: &str) -> Layer {
        let wish = wish(words);
        assert!(!wish.writable, "{words}");
        wish.layers.expect(words).layer
    }

    const SPELLINGS: [&str; 5] = [
        "rd.overlay",
        "rd.overlayfs",
        "rd.live.overlay",
        "rd.live.overlay.overlayfs",
        "overlaytmpfs",
    ];

    #[test]
    fn changes_go_to_memory_or_to_a_device() {
        for name in SPELLINGS {
            let found = layer(name);
            assert_eq!(found.kind, Kind::Overlay);
            assert_eq!(found.memory, Some(Text::from("mode=0755")));
            assert!(wish(&format!("{name}=0")).layers.is_none());
            let found = layer(&format!("{name}=tmpfs:size=1g,noatime"));
            assert_eq!(found.memory, Some(Text::from("mode=0755,size=1g,noatime")));
        }
        let wish = wish("rd.overlay=LABEL=upper:/live/changes");
        let Layers { layer, upper } = *wish.layers.unwrap();
        assert_eq!(layer.memory, None);
        assert_eq!(layer.directory, Text::from("/live/changes"));
        let upper = upper.unwrap();
        assert_eq!(upper.sought.source, Some(Source::Label("upper".into())));
        assert_eq!(upper.at, Text::from("/run/overlayfs"));
        assert!(upper.writable && !upper.optional);
    }

    #[test]
    fn a_directory_for_changes_is_plain_or_the_usual_one() {
        assert_eq!(
            layer("rd.overlay=/dev/vdb").directory,
            Text::from("/overlay")
        );
        let wish = wish("rd.overlay=/dev/vdb:/a/../b");
        assert_eq!(wish.complaints.len(), 1);
        assert_eq!(wish.layers.unwrap().layer.directory, Text::from("/overlay"));
    }

    #[test]
    fn changes_of_a_device_may_be_shown_only() {
        for name in ["rd.overlay.readonly", "rd.live.overlay.readonly"] {
            let wish = wish(&format!("rd.overlay=/dev/vdb {name}"));
            let Layers { layer, upper } = *wish.layers.unwrap();
            assert!(layer.kept && layer.memory.is_some());
            let upper = upper.unwrap();
            assert_eq!(upper.at, Text::from("/run/overlayfs-r"));
            assert!(!upper.writable);
        }
        assert!(!layer("rd.overlay rd.overlay.readonly").kept);
    }

    #[test]
    fn memory_for_changes_has_options() {
        let found = layer("overlaytmpfs overlaytmpfsflags=size=10%");
        assert_eq!(found.memory, Some(Text::from("mode=0755,size=10%")));
    }

    #[test]
    fn a_volatile_system_is_made_in_three_ways() {
        for (value, kind) in [
            ("=overlay", Kind::Overlay),
            ("=state", Kind::State),
            ("=yes", Kind::Usr),
            ("", Kind::Usr),
        ] {
            assert_eq!(layer(&format!("systemd.volatile{value}")).kind, kind);
        }
        assert!(wish("systemd.volatile=no").layers.is_none());
        assert!(wish("").layers.is_none());
    }

    #[test]
    fn a_live_medium_holds_an_image() {
        let wish = |words: &str| Wish::from_cmdline(words.as_bytes());
        for root in [
            "root=live:CDLABEL=HARBOUR",
            "root=LABEL=HARBOUR rd.live.image",
        ] {
            let wish = wish(root);
            assert_eq!(wish.root, Some(Source::Label("HARBOUR".into())));
            let file = wish.file.unwrap();
            assert_eq!(file.path, Text::from("/LiveOS/squashfs.img"));
            assert_eq!(wish.layers.unwrap().layer.kind, Kind::Overlay);
        }
        let other =
            wish("root=live:/dev/sr0 rd.live.dir=live rd.live.squashimg=root.img rd.overlay=0");
        assert_eq!(other.root, Some(Source::Name("sr0".into())));
        assert_eq!(other.file.unwrap().path, Text::from("/live/root.img"));
        assert!(other.layers.is_none());
        let served = wish("root=live:http://example.org/root.img");
        assert!(matches!(served.root, Some(Source::Unknown(_))));
        assert!(served.file.is_none() && served.layers.is_none());
    }

    #[test]
    fn nothing_below_a_layer_is_written_to() {
        let wish = wish("rd.overlay loop=/a.img loopflags=rw mount.usr=/dev/vdb");
        assert!(!wish.writable);
        assert!(wish.mounts.iter().all(|extra| !extra.writable));
        assert_eq!(wish.mounts.len(), 1);
    }

    #[test]
    fn an_image_may_be_copied_to_memory() {
        for name in ["rd.live.ram", "toram"] {
            assert!(wish(&format!("root=live:LABEL=x {name}")).ram);
        }
        assert!(!wish("").ram);
    }
}
