//! Servers of blocks: what is connected to, so that a disk appears.
//!
//! As text a target is what the command line has, with the kind in front: that is how traces name
//! it, and how it is read again.

use super::Host;
use super::nvme::Controller;
use crate::base::fault::Fault;
use crate::format::ceph::image::{self, Image};
use crate::format::iscsi;
use crate::format::nbd::reference::Reference;
use alloc::boxed::Box;
use alloc::format;
use alloc::string::String;
use core::fmt;

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Target {
    Nvme(Controller),
    Nbd(Reference),
    Iscsi(Box<iscsi::Reference>),
    Rbd(Box<Image>),
    /// ATA over Ethernet: whatever answers on the link itself.
    Aoe,
}

impl Target {
    /// What [`fmt::Display`] wrote. The error is the end of a sentence.
    pub fn parse(text: &str) -> Result<Self, String> {
        match text.split_once(':') {
            _ if Reference::is_one(text) => Reference::parse(text)
                .map(Self::Nbd)
                .map_err(Fault::into_text),
            Some(("iscsi", rest)) => {
                let found = iscsi::Reference::parse(rest)?;
                Ok(Self::Iscsi(found.into()))
            }
            Some(("rbd", rest)) => Ok(Self::Rbd(Image::parse(rest)?.into())),
            Some(("nvme", rest)) => Ok(Self::Nvme(Controller::parse(rest)?)),
            None if text == "aoe" => Ok(Self::Aoe),
            _ => Err(format!(
                "names no server of blocks that is known here: {text}"
            )),
        }
    }

    /// Who serves it, or the first who may; `None`: whoever answers.
    pub fn host(&self) -> Option<&Host> {
        match self {
            Self::Nvme(controller) => Some(&controller.host),
            Self::Nbd(reference) => Some(&reference.host),
            Self::Iscsi(reference) => reference.host.as_ref(),
            Self::Rbd(image) => image.cluster.monitors.first().map(|first| &first.host),
            Self::Aoe => None,
        }
    }

    /// Where nothing names the server, it is this one (RFC 4173 §5).
    pub fn served_by(mut self, server: core::net::IpAddr) -> Self {
        if let Self::Iscsi(reference) = &mut self
            && reference.host.is_none()
        {
            reference.host = Some(Host::Address(server));
        }
        self
    }

    /// The driver that it needs, by name or alias.
    pub fn driver(&self) -> &'static str {
        match self {
            Self::Nvme(_) => "nvme-tcp",
            Self::Nbd(_) => "nbd",
            Self::Iscsi(_) => iscsi::DRIVER,
            Self::Rbd(_) => image::DRIVER,
            Self::Aoe => "aoe",
        }
    }

    /// Does it need an address, or is a link enough?
    pub fn needs_address(&self) -> bool {
        *self != Self::Aoe
    }
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Nvme(controller) => write!(f, "nvme:{controller}"),
            Self::Nbd(reference) => write!(f, "{reference}"),
            Self::Iscsi(reference) => write!(f, "{reference}"),
            Self::Rbd(image) => write!(f, "{image}"),
            Self::Aoe => f.write_str("aoe"),
        }
    }
}
