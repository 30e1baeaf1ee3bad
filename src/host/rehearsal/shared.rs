//! A share of a virtual machine's host: only a boot can know it, so it is taken to be there.

use super::Rehearsal;
use crate::format::share;
use crate::format::wish::Source;
use crate::plan::event::Event;

/// How far the device that brings it has come.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
pub enum Standing {
    #[default]
    Unseen,
    OnItsBus,
    Bound,
}

const PATH: &str = "/devices/virtio/share";

impl Rehearsal<'_> {
    pub(super) fn announce_share(&mut self) {
        let wish = self.plan.wish();
        let Some(Source::Share(tag)) = &wish.root else {
            return;
        };
        let mut kinds = wish.fstypes.iter();
        let Some((kind, driver)) = kinds.find_map(|t| Some((t, share::driver_of(t)?))) else {
            return;
        };
        let modalias = match kind.as_str() {
            "virtiofs" => "virtio:d0000001Av00001AF4",
            _ => "virtio:d00000009v00001AF4",
        };
        let bound = Event::Bound {
            path: PATH.into(),
            driver: driver.into(),
            tag: Some(tag.clone().into()),
        };
        if self.share == Standing::Unseen {
            self.share = Standing::OnItsBus;
            self.queue.push_back(Event::Bus {
                path: PATH.into(),
                modalias: modalias.into(),
            });
        }
        if self.share == Standing::OnItsBus && self.is_driven(modalias) {
            self.share = Standing::Bound;
            self.queue.push_back(bound);
        }
    }
}
