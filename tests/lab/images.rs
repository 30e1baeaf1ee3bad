//! Initramfs images, packed by `landfall image` around the `/init` that is under test.

use super::build;
use super::kernels::Kernel;
use super::shelf::{self, fingerprint};
use super::tools::{done, progress, tool};
use std::path::PathBuf;

/// The image for this kernel: everything `landfall image` packs by default.
pub fn image(kernel: &Kernel) -> PathBuf {
    image_with(kernel, kernel.flavour.name(), &[])
}

/// The same with more options; `name` tells the file apart.
pub fn image_with(kernel: &Kernel, name: &str, options: &[&str]) -> PathBuf {
    let tool_path = build::landfall();
    let init = build::init_for(kernel.arch());
    let recipe = format!(
        "{} {} {} {options:?}",
        kernel.version,
        fingerprint(&tool_path),
        fingerprint(&init)
    );
    shelf::made("images", name, recipe.as_bytes(), |at| {
        progress(&format!("packing image {name}"));
        let mut command = tool(tool_path.to_str().expect("a plain path"));
        command.args(["image", "--kernel", &kernel.version]);
        command.arg("--modules-root").arg(&kernel.root);
        command.arg("--init").arg(&init).arg("--output").arg(at);
        done(command.args(options));
    })
}
