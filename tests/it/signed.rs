//! Images of signed modules: the module that hashes them faster comes along where it pays.

use crate::inspect::paths;
use crate::small_tree::{Scratch, VERSION, landfall_did, module};

/// A module of so many bytes, signed over this hash as the kernel's sign-file does it, or not.
fn file(bytes: usize, last_of_oid: Option<u8>) -> Vec<u8> {
    let mut file = module(&["license=GPL"]);
    let Some(last) = last_of_oid else {
        file.resize(bytes, 0);
        return file;
    };
    let mut end = b"\x30\x0b\x06\x09\x60\x86\x48\x01\x65\x03\x04\x02".to_vec();
    end.push(last);
    let length = end.len() as u32;
    end.extend([0, 0, 2, 0, 0, 0, 0, 0]);
    end.extend(length.to_be_bytes());
    end.extend(b"~Module signature appended~\n");
    file.resize(bytes - end.len(), 0);
    file.extend(end);
    file
}

/// Is the faster module in an image with a driver of so many bytes? Its own are 1,000.
fn check(driver: usize, last_of_oid: Option<u8>, expected: bool) {
    let scratch = Scratch::new();
    let base = format!("root/lib/modules/{VERSION}");
    let put = |name: &str, bytes: &[u8]| scratch.write(&format!("{base}/{name}"), bytes);
    put(
        "modules.dep",
        b"kernel/driver.ko:\nkernel/sha256-fast.ko:\nkernel/sha256_generic.ko:\n",
    );
    put(
        "modules.alias",
        b"alias crypto-sha256 sha256_generic\nalias crypto-sha256 sha256_fast\n",
    );
    put("kernel/driver.ko", &file(driver, last_of_oid));
    put("kernel/sha256-fast.ko", &file(1000, last_of_oid));
    put("kernel/sha256_generic.ko", &file(900, last_of_oid));
    scratch.write("init", b"\x7fELF");
    let args = "image --output out --modules-root root --init init --add driver";
    landfall_did(&scratch.0, &args.split(' ').collect::<Vec<_>>());
    let found = paths(&scratch, "out");
    let there = |name: &str| found.iter().any(|p| p.ends_with(name));
    assert!(there("driver.ko"), "{found:?}");
    assert_eq!(
        there("sha256-fast.ko"),
        expected,
        "{driver} {last_of_oid:?}"
    );
    assert!(!there("sha256_generic.ko"), "{found:?}");
}

#[test]
fn an_image_with_much_to_check_holds_the_accelerated_hash() {
    check(10_000, Some(1), true);
    check(9_999, Some(1), false);
    check(100_000, None, false);
    // Signed over sha512: another module would be needed.
    check(100_000, Some(3), false);
}
