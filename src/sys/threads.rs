//! Threads that end before anybody goes on: all there is of them in `init`.
//!
//! Header: pthread.h. The standard library's threads would add 40 KB. Only a worker process may
//! come here: PID 1 has one thread.
#![allow(unsafe_code)]

use std::ffi::c_void;
use std::mem::MaybeUninit;
use std::ptr;

/// Runs every job to its end, each but the first in a thread of its own. A job for which there is
/// no thread is done here, too. Jobs must not panic: that ends the process.
pub fn run_all(jobs: &mut [Box<dyn FnMut() + Send + '_>]) {
    let Some((first, rest)) = jobs.split_first_mut() else {
        return;
    };
    let mut running = Running(Vec::with_capacity(rest.len()));
    for job in rest {
        match start(job) {
            Some(thread) => running.0.push(thread),
            None => job(),
        }
    }
    first();
}

/// Threads that use what somebody lent: going out of use waits for them.
struct Running(Vec<libc::pthread_t>);

impl Drop for Running {
    fn drop(&mut self) {
        for thread in &self.0 {
            // SAFETY: `start` created the thread joinable, and it is joined once, here. When this
            // returns, it no longer uses the job that it borrowed.
            unsafe { libc::pthread_join(*thread, ptr::null_mut()) };
        }
    }
}

/// A thread that does `job`; `None` if there is none to be had. It must be joined before `job`
/// goes out of use.
fn start(job: &mut Box<dyn FnMut() + Send + '_>) -> Option<libc::pthread_t> {
    extern "C" fn run(job: *mut c_void) -> *mut c_void {
        // SAFETY: the pointer is the one that `start` passes: to a job that is borrowed until the
        // thread is joined, and that nobody else touches meanwhile. It is Send.
        let job = unsafe { &mut *job.cast::<Box<dyn FnMut() + Send>>() };
        job();
        ptr::null_mut()
    }
    let mut thread = MaybeUninit::uninit();
    let argument = ptr::from_mut(job).cast();
    // SAFETY: `thread` is written before success is returned; no attributes are given; `run` takes
    // the argument for what it is.
    let failed = unsafe { libc::pthread_create(thread.as_mut_ptr(), ptr::null(), run, argument) };
    // SAFETY: the call succeeded, so it was written.
    (failed == 0).then(|| unsafe { thread.assume_init() })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Barrier;
    use std::sync::atomic::{AtomicU32, Ordering};

    #[test]
    fn all_jobs_run_at_once_and_are_over_afterwards() {
        // Nobody gets past the barrier alone.
        let barrier = Barrier::new(4);
        let sum = AtomicU32::new(0);
        let mut places = [0; 4];
        let mut jobs: Vec<Box<dyn FnMut() + Send>> = Vec::new();
        for (n, place) in (1..).zip(&mut places) {
            let (barrier, sum) = (&barrier, &sum);
            jobs.push(Box::new(move || {
                barrier.wait();
                *place = n;
                sum.fetch_add(n, Ordering::Relaxed);
            }));
        }
        run_all(&mut jobs);
        drop(jobs);
        assert_eq!((places, sum.into_inner()), ([1, 2, 3, 4], 10));
        run_all(&mut []);
    }
}
