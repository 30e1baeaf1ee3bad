//! The unwinder's C entry points, empty. Itanium C++ ABI, "Exception Handling", level I.
//!
//! PID 1 is built with `panic = "abort"`: nothing ever unwinds, but std's panic message would
//! still link libunwind and a symboliser for a backtrace, about 300 KB. With these definitions
//! the walk over the stack ends before its first frame and the linker drops the rest. The message
//! with file and line stays. If a later std needs one more name, linking fails: nothing breaks
//! silently. Included by `src/main.rs` only, and only where a panic aborts.
#![allow(unsafe_code)]
#![allow(non_snake_case)]

use core::ffi::{c_int, c_void};

/// `_URC_END_OF_STACK`: there is no frame.
const END_OF_STACK: c_int = 5;

macro_rules! stubs {
    ($($name:ident($($argument:ty),*) -> $result:ty = $value:expr;)*) => {$(
        // SAFETY: the name is libunwind's (or the C library's); this definition replaces it in
        // the whole program, in which nothing unwinds.
        #[unsafe(no_mangle)]
        extern "C" fn $name($(_: $argument),*) -> $result {
            $value
        }
    )*};
}

type Context = *mut c_void;
type Word = usize;

stubs! {
    _Unwind_Backtrace(*const c_void, *mut c_void) -> c_int = END_OF_STACK;
    _Unwind_GetIP(Context) -> Word = 0;
    _Unwind_GetIPInfo(Context, *mut c_int) -> Word = 0;
    _Unwind_GetCFA(Context) -> Word = 0;
    _Unwind_GetLanguageSpecificData(Context) -> *mut c_void = core::ptr::null_mut();
    _Unwind_GetRegionStart(Context) -> Word = 0;
    _Unwind_GetTextRelBase(Context) -> Word = 0;
    _Unwind_GetDataRelBase(Context) -> Word = 0;
    _Unwind_SetGR(Context, c_int, Word) -> () = ();
    _Unwind_SetIP(Context, Word) -> () = ();
    _Unwind_FindEnclosingFunction(*mut c_void) -> *mut c_void = core::ptr::null_mut();
    _Unwind_DeleteException(*mut c_void) -> () = ();
    _Unwind_RaiseException(*mut c_void) -> c_int = END_OF_STACK;
    _Unwind_Resume(*mut c_void) -> () = ();
    // Not the unwinder's: std asks it for functions that a newer C library may have. A static
    // program has none to find, and musl's answer would bring all of printf(3) for its message.
    dlsym(*mut c_void, *const core::ffi::c_char) -> *mut c_void = core::ptr::null_mut();
}
