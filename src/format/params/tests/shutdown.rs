//! The row about the end of the real system.

use super::*;

#[test]
fn shutdown_is_left_where_somebody_says_so() {
    check("landfall.shutdown=0", |w| w.shutdown = Some(false));
    check("landfall.shutdown=1", |w| w.shutdown = Some(true));
    check("landfall.shutdown=0 landfall.shutdown", |w| {
        w.shutdown = Some(true)
    });
}
