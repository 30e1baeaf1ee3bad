//! Volume keys are those that cryptsetup gives out.

use super::damage::rewritten;
use super::made::{self, Made, PASSPHRASES, read_bytes};
use landfall::base::fault::Fault;
use landfall::base::secret::Secret;
use landfall::crypt::unlock::{Areas, Failure, Opened, open};
use landfall::crypt::{Job, Machine};
use landfall::format::luks::{Area, Header};

/// The bytes of an image.
struct Image<'a>(&'a [u8]);

impl Areas for Image<'_> {
    fn read(&mut self, area: &Area) -> Result<Secret, Fault> {
        let at = usize::try_from(area.at).expect("a place in memory");
        let bytes = self.0.get(at..).and_then(|rest| rest.get(..area.len));
        let bytes = bytes.ok_or_else(|| Fault::plain("behind the end"))?;
        Ok(Secret::copy_of(bytes))
    }
}

/// A machine with so much memory, in KiB, and threads.
struct Threads(u64);

impl Machine for Threads {
    fn memory_kib(&self) -> u64 {
        self.0
    }

    fn at_once(&self, jobs: &mut [Job]) {
        std::thread::scope(|scope| {
            for job in jobs {
                scope.spawn(job);
            }
        });
    }
}

fn try_slot(
    bytes: &[u8],
    header: &Header,
    slot: Option<u32>,
    passphrase: &[u8],
) -> Result<Opened, Failure> {
    open(
        header,
        slot,
        passphrase,
        &mut Image(bytes),
        &Threads(1 << 20),
    )
}

fn fails(bytes: &[u8], header: &Header, passphrase: &[u8]) -> Failure {
    match try_slot(bytes, header, None, passphrase) {
        Ok(_) => panic!("it opened"),
        Err(failure) => failure,
    }
}

#[test]
fn every_image_gives_its_volume_key() {
    for made in made::all() {
        let (name, header, bytes) = (&made.name, made.header(), made.head());
        let right = PASSPHRASES[0];
        let opened = try_slot(&bytes, &header, None, right);
        let opened = opened.unwrap_or_else(|failure| panic!("{name}: {failure}"));
        assert!(opened.key.same(&made.key), "{name}");
        assert_eq!(header.key_size(), Some(made.key.len()), "{name}");
        for wrong in [&right[1..], &[right, b"\n"].concat(), b""] {
            assert_eq!(fails(&bytes, &header, wrong), Failure::Passphrase, "{name}");
        }
    }
}

#[test]
fn each_slot_opens_with_its_own_passphrase() {
    let check = |name: &str, slot: Option<u32>, passphrase: usize, expected: Option<u32>| {
        let made: Made = made::one(name);
        let opened = try_slot(&made.head(), &made.header(), slot, PASSPHRASES[passphrase]);
        let what = format!("{name} {slot:?} {passphrase}");
        match (opened, expected) {
            (Ok(opened), expected) => {
                assert_eq!(Some(opened.slot), expected, "{what}");
                assert!(opened.key.same(&made.key), "{what}");
            }
            (Err(failure), None) => assert_ne!(failure.to_string(), "", "{what}"),
            (Err(failure), Some(_)) => panic!("{what}: {failure}"),
        }
    };
    check("two-slots", None, 0, Some(0));
    check("two-slots", None, 1, Some(4));
    check("two-slots", Some(2), 1, Some(2));
    check("two-slots", Some(9), 1, Some(9));
    check("two-slots", Some(0), 1, None);
    check("two-slots", Some(6), 1, None);
    check("two-slots", Some(30), 0, None);
    check("one-slots", None, 1, Some(3));
    check("one-slots", Some(7), 1, Some(7));
    check("one-slots", Some(5), 1, None);
}

#[test]
fn a_damaged_first_copy_still_opens() {
    let made = made::one("two-argon2id-2");
    let mut bytes = made.head();
    bytes[..4096].fill(0);
    let header = read_bytes(&bytes).expect("the second copy");
    let opened = try_slot(&bytes, &header, None, PASSPHRASES[0]);
    assert!(opened.is_ok_and(|opened| opened.key.same(&made.key)));
}

#[test]
fn what_cannot_be_done_is_told_by_name() {
    let check = |name: &str, find: &str, put: &str, expected: &str| {
        let bytes = rewritten(&made::one(name), |text| {
            assert!(text.contains(find), "{find} in {text}");
            text.replacen(find, put, 1)
        });
        let header = read_bytes(&bytes).expect("a good header");
        let failure = fails(&bytes, &header, PASSPHRASES[0]).to_string();
        assert!(failure.contains(expected), "{put}: {failure}");
    };
    let area = r#""encryption":"aes-xts-plain64","key_size":64}"#;
    let serpent = r#""encryption":"serpent-xts-plain64","key_size":64}"#;
    check(
        "two",
        area,
        serpent,
        "cipher serpent-xts-plain64 is not known here",
    );
    let kdf = r#""kdf":{"type":"pbkdf2""#;
    check(
        "two",
        kdf,
        r#""kdf":{"type":"scrypt""#,
        "key derivation scrypt is not known",
    );
    let kdf = r#""kdf":{"type":"pbkdf2","hash":"sha256""#;
    let other = r#""kdf":{"type":"pbkdf2","hash":"stribog512""#;
    check("two", kdf, other, "hash stribog512 is not known");
    let af = r#""stripes":4000,"hash":"sha256""#;
    check(
        "two",
        af,
        r#""stripes":4000,"hash":"md5""#,
        "hash md5 is not known",
    );
    let kdf = r#""iterations":1000"#;
    check("two", kdf, r#""iterations":0"#, "cannot be computed");
    let memory = r#""memory":64"#;
    let gigabytes = r#""memory":2097152"#;
    check(
        "two-argon2id",
        memory,
        gigabytes,
        "needs 2048 MiB of memory, and 1024 MiB are free",
    );
    check(
        "two-argon2id",
        r#""cpus":1"#,
        r#""cpus":0"#,
        "cannot be computed",
    );
    check(
        "two-argon2id",
        r#""cpus":1"#,
        r#""cpus":4000000"#,
        "cannot be computed",
    );
    check(
        "two",
        r#""keyslots":["0"]"#,
        r#""keyslots":[]"#,
        "no key slot that could be tried",
    );
    check(
        "two",
        r#""digest":""#,
        r#""digest":"","x":""#,
        "cannot be computed",
    );
    check(
        "two",
        r#""digest":""#,
        r#""digest":"AAAA","x":""#,
        "cannot be computed",
    );
}

#[test]
fn a_slot_that_cannot_be_tried_leaves_the_others() {
    let made = made::one("two-slots");
    let bytes = rewritten(&made, |text| {
        text.replacen(r#""kdf":{"type":"pbkdf2""#, r#""kdf":{"type":"magic""#, 1)
    });
    let header = read_bytes(&bytes).expect("a good header");
    let opened = try_slot(&bytes, &header, None, PASSPHRASES[1]);
    assert!(opened.is_ok_and(|opened| opened.key.same(&made.key)));
    let failure = fails(&bytes, &header, b"neither");
    assert_eq!(failure, Failure::Kdf("magic".into()));
}

#[test]
fn an_area_behind_the_end_is_told() {
    let made = made::one("two");
    let bytes = &made.head()[..0x9000];
    let failure = fails(bytes, &made.header(), PASSPHRASES[0]);
    assert!(
        failure
            .to_string()
            .contains("cannot be read: behind the end"),
        "{failure}"
    );
}
