//! What the kernel tells of network links. The socket is opened before the links are listed:
//! nothing can fall between the two.

use super::event_loop::{LINKS, Machine};
use crate::act::watch_links::{Heard, Watch};
use crate::act::{addresses, links};
use crate::base::fault::Fault;
use crate::format::netlink::News;
use crate::plan::event::{Event, NetEvent, Ticket};

impl Machine {
    /// Listens from now on, and tells what there is.
    pub(super) fn watch_links(&mut self, ticket: Ticket) {
        let watched = Watch::open().and_then(|watch| {
            self.poll.add(&watch, LINKS)?;
            self.links = Some(watch);
            Ok(())
        });
        if let Err(fault) = watched.and_then(|()| self.list_links()) {
            log::error!("network links cannot be watched: {fault}");
        }
        self.queue
            .push(Event::Net(NetEvent::LinksListed { ticket }));
    }

    fn list_links(&mut self) -> Result<(), Fault> {
        let links = links::list()?.into_iter().map(News::Link);
        let addresses = addresses::addresses()?.into_iter().map(News::Address);
        // A kernel without IPv6 knows no routers.
        let adverts = links::adverts().unwrap_or_default().into_iter();
        let all = links.chain(addresses).chain(adverts.map(News::Advert));
        self.queue.extend(all.filter_map(event));
        Ok(())
    }

    pub(super) fn read_links(&mut self) {
        let Some(watch) = &mut self.links else {
            return;
        };
        let queue = &mut self.queue;
        let heard = loop {
            match watch.look(&mut |news| queue.extend(event(news))) {
                Ok(Heard::Something) => {}
                Ok(end) => break Ok(end),
                Err(fault) => break Err(fault),
            }
        };
        let again = match heard {
            Ok(Heard::Overflow) => self.list_links(),
            Ok(_) => Ok(()),
            Err(fault) => Err(fault),
        };
        if let Err(fault) = again {
            log::error!("{fault}");
        }
    }
}

/// `None`: nothing that the plan wants to hear of.
fn event(news: News) -> Option<Event> {
    Some(Event::Net(match news {
        News::Link(link) => NetEvent::Link(link.into()),
        News::LinkGone(link) => NetEvent::LinkGone { index: link.index },
        News::Address(address) if !address.is_tentative() && !address.is_duplicate() => {
            NetEvent::Address {
                index: address.link,
                network: address.network,
            }
        }
        News::AddressGone(address) => NetEvent::AddressGone {
            index: address.link,
            network: address.network,
        },
        News::Advert(advert) => NetEvent::Advert(advert.into()),
        _ => return None,
    }))
}
