//! Commands to controllers of NVMe. linux/nvme_ioctl.h; drivers/nvme/host/fabrics.c.
#![allow(unsafe_code)]

use super::dir::{self, Want};
use super::fail::{Fail, Outcome};
use rustix::fs::{Mode, OFlags, open};
use std::mem::{offset_of, size_of};
use std::os::fd::AsRawFd;

/// Made by the kernel when the driver `nvme-fabrics` is there.
const FABRICS: &str = "/dev/nvme-fabrics";

/// `struct nvme_passthru_cmd`.
#[repr(C)]
#[derive(Default)]
struct Command {
    opcode: u8,
    flags: u8,
    reserved: u16,
    namespace: u32,
    cdw2: u32,
    cdw3: u32,
    metadata: u64,
    address: u64,
    metadata_len: u32,
    data_len: u32,
    cdw10: u32,
    cdw11: u32,
    cdw12: u32,
    cdw13: u32,
    cdw14: u32,
    cdw15: u32,
    timeout_ms: u32,
    result: u32,
}

const _: () = assert!(size_of::<Command>() == 72 && offset_of!(Command, cdw10) == 40);

const GET_LOG_PAGE: u8 = 0x02;
const TIMEOUT_MS: u32 = 10_000;

/// Makes a controller by the kernel's own words (`transport=tcp,traddr=…`); its number.
pub fn connect(words: &str) -> Outcome<u32> {
    let fabrics = open(FABRICS, OFlags::RDWR | OFlags::CLOEXEC, Mode::empty());
    let fabrics = fabrics.map_err(Fail::of("open", &FABRICS))?;
    rustix::io::write(&fabrics, words.as_bytes()).map_err(Fail::of("connect", &words))?;
    let mut answer = [0; 64];
    let length = rustix::io::read(&fabrics, &mut answer[..]).map_err(Fail::of("read", &FABRICS))?;
    let text = answer.get(..length).unwrap_or_default();
    // `instance=0,cntlid=1`
    let text = std::str::from_utf8(text).unwrap_or_default();
    let number = text
        .strip_prefix("instance=")
        .and_then(|t| t.split(',').next());
    let number = number.and_then(|n| n.parse().ok());
    number.ok_or_else(|| Fail::new("connect", words, libc::EPROTO))
}

/// Reads from a log page of the controller `/dev/nvmeN`: `buffer` is a multiple of 4 bytes.
pub fn read_log(number: u32, page: u8, at: u64, buffer: &mut [u8]) -> Outcome<()> {
    let path = format!("/dev/nvme{number}");
    let controller = dir::open_path(path.as_bytes(), Want::Contents)?;
    let length = u32::try_from(buffer.len()).unwrap_or(0);
    // Number of double words less one: the low half here, the high half in the next word.
    let words = (length / 4).saturating_sub(1);
    let mut command = Command {
        opcode: GET_LOG_PAGE,
        address: buffer.as_mut_ptr() as u64,
        data_len: length,
        cdw10: u32::from(page) | (words & 0xffff) << 16,
        cdw11: words >> 16,
        cdw12: at as u32,
        cdw13: (at >> 32) as u32,
        timeout_ms: TIMEOUT_MS,
        ..Command::default()
    };
    let call = rustix::ioctl::opcode::read_write::<Command>(b'N', 0x41);
    // SAFETY: the structure has the size that the number says, and `buffer` the length that it
    // names; both live across the call.
    let answer = unsafe { libc::ioctl(controller.as_raw_fd(), call as _, &raw mut command) };
    match answer {
        0 => Ok(()),
        // A status of the controller, not an errno.
        1.. => Err(Fail::new("read log", &path, libc::EIO)),
        _ => Err(Fail::last("read log", &path)),
    }
}
