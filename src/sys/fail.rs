//! A system call that the kernel refused. Numbers: errno(3).

use crate::base::fault::Fault;
use std::ffi::CStr;
use std::fmt;
use std::ops::{Deref, DerefMut};

/// Which call, on which object, with which number. Boxed: every function of this floor answers
/// with it or with something, and hardly ever with it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fail(Box<Refused>);

/// What a [`Fail`] tells.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refused {
    pub call: &'static str,
    pub object: String,
    pub errno: i32,
}

/// What every function of this floor answers.
pub type Outcome<T> = Result<T, Fail>;

impl Fail {
    pub fn new(call: &'static str, object: impl Into<String>, errno: i32) -> Self {
        Self(Box::new(Refused {
            call,
            object: object.into(),
            errno,
        }))
    }

    /// The form of `map_err`: `rustix_call(…).map_err(Fail::of("open", &path))?`.
    pub fn of<'a>(
        call: &'static str,
        object: &'a dyn fmt::Display,
    ) -> impl FnOnce(rustix::io::Errno) -> Self + 'a {
        move |errno| Self::shown(call, object, errno.raw_os_error())
    }

    /// For calls of the C library: reads `errno`. Must follow the call at once.
    pub fn last(call: &'static str, object: &dyn fmt::Display) -> Self {
        let errno = std::io::Error::last_os_error().raw_os_error().unwrap_or(0);
        Self::shown(call, object, errno)
    }

    #[cold]
    #[inline(never)]
    fn shown(call: &'static str, object: &dyn fmt::Display, errno: i32) -> Self {
        Self::new(call, object.to_string(), errno)
    }
}

impl Deref for Fail {
    type Target = Refused;

    fn deref(&self) -> &Refused {
        &self.0
    }
}

impl DerefMut for Fail {
    fn deref_mut(&mut self) -> &mut Refused {
        &mut self.0
    }
}

/// `open /dev/vda: No such file or directory (2)`
impl fmt::Display for Fail {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}: ", self.call, self.object)?;
        write!(f, "{} ({})", sentence(self.errno), self.errno)
    }
}

impl std::error::Error for Fail {}

impl From<Fail> for Fault {
    fn from(fail: Fail) -> Self {
        let text = fail.to_string();
        Fault::new(fail.errno, text)
    }
}

/// The C library's sentence for an error number.
#[allow(unsafe_code)]
pub fn sentence(errno: i32) -> &'static str {
    // SAFETY: musl's and glibc's strerror return a NUL-terminated string for every number. For
    // known numbers it is a constant; glibc's buffer for unknown ones is not reused on one thread
    // for known numbers, and no unknown number is formatted twice at the same time here.
    let text = unsafe { CStr::from_ptr(libc::strerror(errno)) };
    text.to_str().unwrap_or("unknown error")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failure_names_call_object_and_number() {
        let fail = Fail::of("open", &"/dev/vda")(rustix::io::Errno::NOENT);
        assert_eq!(
            fail.to_string(),
            "open /dev/vda: No such file or directory (2)"
        );
        assert_eq!(Fault::from(fail).errno, 2);
    }
}
