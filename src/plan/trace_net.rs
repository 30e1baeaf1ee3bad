//! What is told of shares and networks, as lines of text. See [`super::trace`].

use super::event::Event;
use crate::base::text::Text;
use crate::base::words::{Line, Words};
use alloc::string::String;

pub fn event_line(event: &Event) -> String {
    match event {
        Event::Bound { path, driver, tag } => {
            let line = Line::new("bound").word(path).word(driver);
            line.opt("tag", tag.as_ref().map(Text::as_bytes)).done()
        }
        _ => String::new(),
    }
}

pub fn event(verb: &str, w: &mut Words) -> Option<Event> {
    Some(match verb {
        "bound" => Event::Bound {
            path: w.need_text(),
            driver: w.need_text(),
            tag: w.key("tag").map(Text),
        },
        _ => return None,
    })
}
