//! A machine with secure boot and an owner's key: shim and GRUB as Debian has them signed, and a
//! list of the owner's keys (MOK) among the variables of the firmware.
//!
//! Only so a kernel of Debian's trusts a key that is not Debian's: it takes those that shim tells
//! of. Sources: UEFI specification 2.10, 32.4.1 (signature lists); edk2
//! `MdeModulePkg/Include/Guid/VariableFormat.h` (variables); shim `MokVars.txt`.

use super::esp;
use super::guest::Machine;
use super::packages;
use super::shelf;
use super::tools::{done, tool};
use landfall::host::arch::Arch;
use landfall::host::qemu::Bus;
use std::fs;
use std::path::{Path, PathBuf};

const FIRMWARE: &str = "/usr/share/OVMF/OVMF_CODE_4M.secboot.fd";
/// With Microsoft's keys, one of which has signed shim.
const VARIABLES: &str = "/usr/share/OVMF/OVMF_VARS_4M.ms.fd";

const SHIM: &str = "605dab50-e046-4300-abb6-3dd810dd8b23";
const X509: &str = "a5c059a1-94e4-4aa7-87b5-ab155c2bf072";

/// A key and its certificate.
pub struct Owner {
    at: PathBuf,
}

impl Owner {
    pub fn new(name: &str) -> Self {
        let at = shelf::made("files", "owner", name.as_bytes(), |at| {
            fs::create_dir(at).expect("a directory");
            let mut request = tool("openssl");
            request.args(["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-sha256"]);
            request.args(["-days", "36500", "-subj", &format!("/CN={name}/")]);
            request.arg("-keyout").arg(at.join("key"));
            done(request.arg("-out").arg(at.join("certificate")));
            let mut convert = tool("openssl");
            convert.args(["x509", "-outform", "der", "-in"]);
            convert.arg(at.join("certificate"));
            done(convert.arg("-out").arg(at.join("der")));
        });
        Self { at }
    }

    /// Signs a text, as the kernel wants it: PKCS#7 without the text and without a certificate.
    pub fn sign(&self, text: &str) -> PathBuf {
        let recipe = format!("{} {text}", self.at.display());
        shelf::made("files", "signature", recipe.as_bytes(), |at| {
            let plain = at.with_extension("text");
            fs::write(&plain, text).expect("a writable target directory");
            let mut sign = tool("openssl");
            sign.args(["smime", "-sign", "-nocerts", "-noattr", "-binary"]);
            sign.args(["-outform", "der", "-in"]).arg(&plain);
            sign.arg("-inkey").arg(self.at.join("key"));
            sign.arg("-signer").arg(self.at.join("certificate"));
            done(sign.arg("-out").arg(at));
            shelf::remove(&plain);
        })
    }
}

/// The machine boots this image with its own words, by shim and GRUB; its owner is this one.
pub fn booted_by(machine: Machine, owner: &Owner, image: &Path, words: &str) -> Machine {
    let words = format!("{} {words}", machine.words_of_kernel());
    let [shim, grub] = loaders();
    let menu = format!("linux /vmlinuz {words}\ninitrd /image\nboot\n");
    let menu = shelf::made("files", "menu", menu.as_bytes(), |at| {
        fs::write(at, &menu).expect("a writable target directory");
    });
    let disk = esp::bootable(&[
        (&shim, "EFI/BOOT/BOOTX64.EFI"),
        (&grub, "EFI/BOOT/grubx64.efi"),
        (&menu, "EFI/debian/grub.cfg"),
        (&machine.kernel.vmlinuz, "vmlinuz"),
        (image, "image"),
    ]);
    let variables = variables(owner);
    let unit = |number, how: &str, file: &Path| {
        let file = file.display();
        format!("-drive if=pflash,format=raw,unit={number},{how}=on,file={file}")
    };
    machine
        .scratch(&disk, Bus::Ahci)
        .by_firmware()
        .qemu("-global driver=cfi.pflash01,property=secure,value=on")
        .qemu(&unit(0, "readonly", Path::new(FIRMWARE)))
        .qemu(&unit(1, "snapshot", &variables))
}

fn loaders() -> [PathBuf; 2] {
    let unpacked = |package: &str| {
        shelf::made("programs", package, b"1", |at| {
            packages::unpack(Arch::X86_64, package, at);
        })
    };
    [
        unpacked("shim-signed").join("usr/lib/shim/shimx64.efi.signed"),
        unpacked("grub-efi-amd64-signed").join("usr/lib/grub/x86_64-efi-signed/grubx64.efi.signed"),
    ]
}

/// The firmware's variables, and shim's list of the owner's keys behind them.
fn variables(owner: &Owner) -> PathBuf {
    let recipe = owner.at.display().to_string();
    shelf::made("files", "variables", recipe.as_bytes(), |at| {
        let mut store = fs::read(VARIABLES).expect("the firmware's variables");
        let key = fs::read(owner.at.join("der")).expect("a certificate");
        let added = variable("MokList", &list(&key));
        let free = end_of_variables(&store);
        store[free..free + added.len()].copy_from_slice(&added);
        fs::write(at, store).expect("a writable target directory");
    })
}

/// One certificate. `SignatureOwner` is whoever entered it.
fn list(key: &[u8]) -> Vec<u8> {
    let length = |bytes: usize| u32::try_from(bytes).expect("a short one").to_le_bytes();
    let mut list = guid(X509).to_vec();
    list.extend(length(28 + 16 + key.len()));
    list.extend(length(0));
    list.extend(length(16 + key.len()));
    list.extend(guid(SHIM));
    list.extend(key);
    list
}

/// `AUTHENTICATED_VARIABLE_HEADER`, name and data: one that was added, is kept, and that only boot
/// services see.
fn variable(name: &str, data: &[u8]) -> Vec<u8> {
    let name: Vec<u8> = name
        .encode_utf16()
        .chain([0])
        .flat_map(u16::to_le_bytes)
        .collect();
    let mut bytes = vec![0xaa, 0x55, 0x3f, 0];
    bytes.extend(3u32.to_le_bytes());
    // Count, time, number of a key: those of variables that are signed.
    bytes.extend([0; 28]);
    for length in [name.len(), data.len()] {
        bytes.extend(u32::try_from(length).expect("a short one").to_le_bytes());
    }
    bytes.extend(guid(SHIM));
    bytes.extend(name);
    bytes.extend(data);
    bytes
}

/// Behind the headers of the volume and of the store one variable follows another, each from a
/// multiple of 4 on.
fn end_of_variables(store: &[u8]) -> usize {
    let number = |at: usize| u32::from_le_bytes(store[at..at + 4].try_into().expect("four bytes"));
    let volume = u16::from_le_bytes([store[48], store[49]]);
    let mut at = usize::from(volume) + 28;
    while store[at..at + 2] == [0xaa, 0x55] {
        let data = (number(at + 36) + number(at + 40)) as usize;
        at = (at + 60 + data).next_multiple_of(4);
    }
    at
}

/// As UEFI stores it: the first three parts turned round.
fn guid(text: &str) -> [u8; 16] {
    let digits = text.replace('-', "");
    let byte = |at: usize| u8::from_str_radix(&digits[at * 2..at * 2 + 2], 16).expect("digits");
    [3, 2, 1, 0, 5, 4, 7, 6, 8, 9, 10, 11, 12, 13, 14, 15].map(byte)
}
