//! Archives of root file systems are unpacked as tar does it, and never outside of their place.

use crate::ns::in_namespaces;
use landfall::act::unpack_archive::unpack;
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::process::Command;

fn sh(at: &Path, script: &str) -> String {
    let mut shell = Command::new("sh");
    let out = shell
        .args(["-ec", script])
        .current_dir(at)
        .output()
        .unwrap();
    assert!(out.status.success(), "{script}: {out:?}");
    String::from_utf8(out.stdout).unwrap()
}

/// Every packing of both formats makes the same tree again.
#[test]
fn what_is_unpacked_is_what_was_packed() {
    in_namespaces("unpack::what_is_unpacked_is_what_was_packed", |scratch| {
        let make = "mkdir -p in/usr/bin in/etc; cd in; echo x > usr/bin/f; chmod 4711 usr/bin/f; \
                    ln usr/bin/f etc/g; ln -s usr/bin bin; ln -s /nowhere etc/l; mkfifo p; \
                    touch -d @77 etc/old; chmod 1777 etc; : > empty";
        sh(scratch, make);
        let list = "find . -mindepth 1 -printf '%P %y %m %U %s %n %l\\n' | grep -v ' d ' | sort; \
                    find . -mindepth 1 -type d -printf '%P %m\\n' | sort; cat etc/g";
        let expected = sh(&scratch.join("in"), list);
        for (number, pack) in [
            "tar -c --format=gnu .",
            "tar -c --format=pax . | gzip",
            "tar -c --format=ustar . | xz",
            "find . | cpio --quiet -o -H newc | zstd",
        ]
        .into_iter()
        .enumerate()
        {
            let out = scratch.join(format!("out{number}"));
            fs::create_dir(&out).unwrap();
            sh(&scratch.join("in"), &format!("({pack}) > ../archive"));
            let archive = scratch.join("archive");
            unpack(archive.to_str().unwrap(), out.to_str().unwrap()).unwrap();
            assert_eq!(sh(&out, list), expected, "{pack}");
            assert_eq!(fs::metadata(out.join("etc/old")).unwrap().mtime(), 77);
        }
    });
}

#[test]
fn no_name_leads_out_of_the_place() {
    in_namespaces("unpack::no_name_leads_out_of_the_place", |scratch| {
        sh(scratch, "mkdir -p in out/usr away; echo x > in/f");
        let away = scratch.join("away");
        for pack in [
            "tar -cPf a --transform 's,^in,../../away,' in/f",
            "tar -cPf a --transform \"s,^in,$PWD/away,\" in/f",
            "ln -sf $PWD/away go; tar -cf a go; tar -rf a --transform 's,^in,go,' in/f",
            "ln -sfn /usr go; tar -cf a go; tar -rf a --transform 's,^in,go,' in/f",
        ] {
            sh(scratch, &format!("rm -f a; {pack}"));
            let at = |name: &str| scratch.join(name).to_str().unwrap().to_string();
            unpack(&at("a"), &at("out")).unwrap();
            assert_eq!(fs::read_dir(&away).unwrap().count(), 0, "{pack}");
        }
        assert!(scratch.join("out/away/f").exists());
        assert!(scratch.join("out/usr/f").exists());
    });
}

#[test]
fn what_is_no_archive_is_said() {
    let file = std::env::temp_dir().join(format!("landfall-none-{}", std::process::id()));
    fs::write(&file, "hello").unwrap();
    let fault = unpack(file.to_str().unwrap(), "/nonesuch").unwrap_err();
    assert!(
        fault.text.contains("is no archive that is known here"),
        "{}",
        fault.text
    );
    fs::remove_file(&file).unwrap();
}
