//! The host tool: builds images, looks into them, boots them. Never linked into `init`.
//!
//! | File | What it is |
//! |---|---|
//! | `failure`, `progress`, `atomic` | how a command fails, what it shows meanwhile, how it writes |
//! | `cpio`, `segments` | newc archives; an image as the kernel sees it: a row of them |
//! | `compress`, `decompress`, `lzo`, `lzop`, `lz4_legacy`, `block_writer` | every compression the kernel unpacks |
//! | `tree`, `skeleton`, `early` | what lies in an image; what lies in each; microcode before it |
//! | `module_tree`, `closure`, `generic`, `firmware` | which modules and firmware a need implies |
//! | `accelerator` | the module that makes the kernel check signatures faster |
//! | `kmod_index`, `kmod_files` | the module indexes, cut down to what is in the image |
//! | `image`, `image_args`, `list_form` | `landfall image` |
//! | `checkers` | programs that check file systems, for the image |
//! | `hooks` | a hook and what it needs, for the image |
//! | `inspect`, `unpack` | `landfall inspect` |
//! | `boot`, `boot_options`, `qemu`, `console`, `story`, `trace_channel` | `landfall boot` |
//! | `boot`, `boot_options`, `qemu`, `accel`, `console`, `story` | `landfall boot` |
//! | `arch` | which architecture a kernel, a module or a program is for |
//! | `device_file`, `identify` | a disk or an image as identification reads it; `landfall identify` |
//! | `module_index`, `load_order`, `modules` | a tree's or an image's modules; `landfall modules` |
//! | `stage`, `rehearsal`, `narrate`, `explain` | a boot without a machine; `landfall explain` |
//! | `devices`, `decrypted`, `checked`, `key_files` | what a rehearsal sees within devices, and the keys to it |
//! | `chart`, `chart_jobs`, `chart_devices`, `chart_axis`, `chart_svg` | the picture of a trace; `landfall chart` |
//! | `replay` | `landfall replay` |
//! | `bench` | `landfall bench` |
//! | `output` | standard output of those that answer questions |

pub mod accel;
pub mod accelerator;
pub mod arch;
pub mod atomic;
pub mod bench;
pub mod block_writer;
pub mod boot;
pub mod boot_options;
pub mod chart;
pub mod chart_axis;
pub mod chart_devices;
pub mod chart_jobs;
pub mod chart_svg;
pub mod checked;
pub mod checkers;
pub mod closure;
pub mod compress;
pub mod console;
pub mod cpio;
pub mod decompress;
pub mod decrypted;
pub mod device_file;
pub mod devices;
pub mod early;
pub mod explain;
pub mod failure;
pub mod firmware;
pub mod generic;
pub mod hooks;
pub mod identify;
pub mod image;
pub mod image_args;
pub mod image_words;
pub mod inspect;
pub mod key_files;
pub mod kmod_files;
pub mod kmod_index;
pub mod list_form;
pub mod load_order;
pub mod lz4_legacy;
pub mod lzo;
pub mod lzop;
pub mod module_index;
pub mod module_tree;
pub mod modules;
pub mod narrate;
pub mod networks;
pub mod output;
pub mod progress;
pub mod qemu;
pub mod rehearsal;
pub mod replay;
pub mod segments;
pub mod skeleton;
pub mod stage;
pub mod story;
pub mod trace_channel;
pub mod tree;
pub mod unpack;
