//! Keys for a rehearsed boot: the files of the image that it names, and those that whoever runs
//! this tool gives for what a person would type, or for what cannot be read here.
//!
//! Passphrases never come by the command line, only files with them. All are wiped after use.

use crate::base::fault::Fault;
use crate::base::secret::Secret;
use crate::format::luks::order::KeyFile;
use crate::host::cpio::{Header, S_IFREG};
use crate::host::failure::{Failure, Tried};
use crate::host::inspect::read_image;
use crate::host::segments::{self, Segment, Visitor};
use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

/// Largest key, as cryptsetup has it.
pub const KEY_MAX: u64 = 8 << 20;
/// Largest file of an image that is looked at: a header with its key slots.
const FILE_MAX: u64 = 32 << 20;

/// A file, and the volume that it is for.
struct Given {
    /// By name, UUID or device; `None`: for all.
    volume: Option<String>,
    secret: Secret,
}

#[derive(Default)]
pub struct KeyFiles {
    given: Vec<Given>,
    image: Option<PathBuf>,
}

impl KeyFiles {
    pub fn new(image: Option<PathBuf>) -> Self {
        let given = Vec::new();
        Self { given, image }
    }

    /// Reads a file that was given as `[VOLUME=]FILE`.
    pub fn give(&mut self, text: &str) -> Result<(), Failure> {
        let (volume, path) = split(text);
        let file = || -> io::Result<Secret> { whole(File::open(path)?, KEY_MAX) };
        let secret = file().or_cannot(|| format!("read the key file {path}"))?;
        if secret.is_empty() {
            return Err(Failure::new(format!("the key file {path} is empty")));
        }
        let volume = volume.map(str::to_owned);
        self.given.push(Given { volume, secret });
        Ok(())
    }

    /// Was any given?
    pub fn any(&self) -> bool {
        !self.given.is_empty()
    }

    /// Those that were given for a volume of one of these names.
    pub fn given<'a>(&'a self, names: &'a [&str]) -> impl Iterator<Item = &'a Secret> {
        let fits = |given: &&Given| match &given.volume {
            None => true,
            Some(volume) => names.iter().any(|name| {
                let device = volume.strip_prefix("/dev/").unwrap_or(volume);
                !name.is_empty() && device.eq_ignore_ascii_case(name)
            }),
        };
        self.given.iter().filter(fits).map(|given| &given.secret)
    }

    /// Is there an image whose files are known?
    pub fn has_image(&self) -> bool {
        self.image.is_some()
    }

    /// The files of the image at these paths, those that are there, in this order.
    pub fn in_image(&self, paths: &[&str]) -> Result<Vec<Secret>, Fault> {
        let Some(image) = &self.image else {
            return Ok(Vec::new());
        };
        let mut found = Files {
            wanted: paths.iter().map(|path| relative(path)).collect(),
            found: paths.iter().map(|_| None).collect(),
        };
        let read = |image: &Path, found: &mut Files| {
            let name = image.display().to_string();
            segments::walk(&name, &read_image(image)?, found)
        };
        let walked = read(image, &mut found);
        walked.map_err(|failure| Fault::plain(failure.to_string()))?;
        Ok(found.found.into_iter().flatten().collect())
    }
}

/// The part of a file that is the key.
pub fn part(file: &KeyFile, whole: &Secret) -> Secret {
    let bytes = whole.as_bytes();
    let skip = usize::try_from(file.offset).unwrap_or(usize::MAX);
    let rest = bytes.get(skip..).unwrap_or_default();
    let most = file.size.and_then(|size| usize::try_from(size).ok());
    let len = most.unwrap_or(rest.len()).min(rest.len());
    Secret::copy_of(rest.get(..len).unwrap_or_default())
}

/// Everything in a file of `max` bytes at most.
fn whole(file: File, max: u64) -> io::Result<Secret> {
    let mut secret = Secret::default();
    let mut buffer = Secret::zeros(4096);
    let mut file = file.take(max.saturating_add(1));
    loop {
        match file.read(buffer.as_mut_bytes())? {
            0 => break,
            n => secret.push(buffer.as_bytes().get(..n).unwrap_or_default()),
        }
    }
    match secret.len() as u64 > max {
        true => Err(io::Error::other("it has more than 8 MiB, which no key has")),
        false => Ok(secret),
    }
}

/// `VOLUME=FILE`, taken apart. A path that holds a `=` begins with `./` or `/`.
fn split(text: &str) -> (Option<&str>, &str) {
    match text.split_once('=') {
        Some((volume, file)) if volume.starts_with("/dev/") => (Some(volume), file),
        Some((volume, file)) if !volume.starts_with(['.', '/']) => (Some(volume), file),
        _ => (None, text),
    }
}

fn relative(path: &str) -> &str {
    path.trim_start_matches("./").trim_start_matches('/')
}

/// Collects from an image; of two entries with one path the last counts, as for the kernel.
struct Files<'a> {
    wanted: Vec<&'a str>,
    found: Vec<Option<Secret>>,
}

impl Visitor for Files<'_> {
    fn entry(&mut self, _of: &Segment, e: &Header, body: &mut dyn Read) -> Result<(), Failure> {
        let path = std::str::from_utf8(&e.path).unwrap_or_default();
        let at = self.wanted.iter().position(|w| *w == relative(path));
        if let Some(place) = at.and_then(|at| self.found.get_mut(at))
            && e.is(S_IFREG)
        {
            let mut bytes = Vec::new();
            let read = body.take(FILE_MAX).read_to_end(&mut bytes);
            read.or_cannot(|| format!("read {path} in the image"))?;
            *place = Some(Secret::from(bytes));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::format::luks::order::Spot;

    #[test]
    fn a_key_file_may_name_its_volume() {
        for (text, expected) in [
            ("key", (None, "key")),
            ("root=key", (Some("root"), "key")),
            ("/dev/vda2=/tmp/key", (Some("/dev/vda2"), "/tmp/key")),
            ("./a=b", (None, "./a=b")),
            ("/tmp/a=b", (None, "/tmp/a=b")),
            ("root=/tmp/a=b", (Some("root"), "/tmp/a=b")),
        ] {
            assert_eq!(split(text), expected, "{text}");
        }
    }

    #[test]
    fn a_key_file_is_for_the_volume_that_it_names() {
        let given = |volume: Option<&str>, text: &str| Given {
            volume: volume.map(str::to_owned),
            secret: Secret::copy_of(text.as_bytes()),
        };
        let files = KeyFiles {
            given: vec![
                given(None, "all"),
                given(Some("/dev/vda2"), "device"),
                given(Some("5EEDF00D"), "uuid"),
            ],
            image: None,
        };
        let of = |names: &[&str]| files.given(names).map(Secret::len).collect::<Vec<_>>();
        assert_eq!(of(&["root", "vda2"]), [3, 6]);
        assert_eq!(of(&["root", "5eedf00d"]), [3, 4]);
        assert_eq!(of(&[""]), [3]);
    }

    #[test]
    fn a_key_is_a_part_of_its_file() {
        let check = |offset, size, expected: &str| {
            let file = KeyFile {
                spot: Spot::File("/key".into()),
                offset,
                size,
                erase: false,
            };
            let found = part(&file, &Secret::copy_of(b"secret"));
            assert!(found.same(expected.as_bytes()), "{offset} {size:?}");
        };
        check(0, None, "secret");
        check(2, Some(3), "cre");
        check(4, Some(30), "et");
        check(9, None, "");
    }
}
