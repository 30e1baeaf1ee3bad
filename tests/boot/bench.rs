//! `landfall bench`: figures of real boots, for relations that hold on any machine.

use crate::lab::build;
use crate::lab::kernels::{Flavour, kernel};
use crate::lab::shelf::{self, Scratch};
use serde_json::Value;
use std::path::Path;
use std::process::{Command, Output};

/// Boots landfall and others once each, on this kernel.
fn bench(words: &[&str], flavour: Flavour, svg: &Path) -> Output {
    let kernel = kernel(flavour);
    let mut command = Command::new(build::landfall());
    command.args(["bench", "--quiet", "--json", "--runs", "1"]);
    command.args(words);
    command.arg("--kernel").arg(&kernel.vmlinuz);
    command.arg("--modules").arg(&kernel.root);
    command.arg("--init").arg(build::init());
    command.arg("--svg").arg(svg);
    let _seat = shelf::seat();
    command.output().expect("the host tool runs")
}

#[test]
fn boot_bench_measures_landfall_beside_the_floor() {
    let scratch = Scratch::new();
    let svg = scratch.0.join("bench.svg");
    let words = ["--only", "landfall,dracut,floor"];
    let output = bench(&words, Flavour::Cloud, &svg);
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}");
    let results: Value = serde_json::from_slice(&output.stdout).expect("JSON");

    let rows = results["contestants"].as_array().expect("contestants");
    let names: Vec<_> = rows.iter().filter_map(|row| row["name"].as_str()).collect();
    assert_eq!(names, ["floor", "landfall"]);
    for row in rows {
        let best = |name: &str| {
            let value = row["best"][name].as_u64();
            value.unwrap_or_else(|| panic!("{name} is missing: {row:#}"))
        };
        assert!(best("initramfs_ns") > 0, "{row:#}");
        assert!(best("unpack_ns") > 0, "{row:#}");
        assert!(
            best("total_ns") > best("initramfs_ns") + best("unpack_ns"),
            "{row:#}"
        );
        // virtio_ring, virtio, virtio_pci with its two halves, virtio_blk.
        assert!(best("modules") >= 6, "{row:#}");
        let memory = best("memory_free_kib");
        assert!((100 << 10..512 << 10).contains(&memory), "{row:#}");
        assert_eq!(best("left_bytes"), 0, "{row:#}");
        assert_eq!(best("strangers"), 0, "{row:#}");
        assert_eq!(row["runs"].as_array().map(Vec::len), Some(1));
    }
    let image = |n: usize| rows[n]["image_bytes"].as_u64();
    assert!(
        image(0) < image(1),
        "landfall's image holds more than the floor's"
    );

    let left_out = &results["left_out"][0];
    assert_eq!(left_out["name"], "dracut");
    assert!(
        said.contains("dracut is left out: no --debian DIR"),
        "{said}"
    );
    let svg = std::fs::read_to_string(&svg).expect("a picture");
    assert!(
        svg.contains(">landfall</text>") && svg.contains("1.00 × floor"),
        "{svg}"
    );
}

#[test]
fn boot_bench_measures_a_root_on_a_server_from_link_to_mount() {
    let scratch = Scratch::new();
    let svg = scratch.0.join("bench.svg");
    let words = ["--network", "--only", "landfall,dracut,floor"];
    let output = bench(&words, Flavour::Generic, &svg);
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}");
    let results: Value = serde_json::from_slice(&output.stdout).expect("JSON");

    let rows = results["contestants"].as_array().expect("contestants");
    let names: Vec<_> = rows.iter().filter_map(|row| row["name"].as_str()).collect();
    assert_eq!(names, ["landfall"]);
    let landfall = &rows[0];
    let words = landfall["words"].as_str().expect("words");
    assert!(words.starts_with("root=nbd:10.0.2.2:"), "{words}");
    let best = |name: &str| {
        let value = landfall["best"][name].as_u64();
        value.unwrap_or_else(|| panic!("{name} is missing: {landfall:#}"))
    };
    assert!(best("link_ns") > 0);
    assert!(best("link_to_root_ns") > 0);
    assert_eq!(
        best("mounted_ns"),
        best("link_ns") + best("link_to_root_ns")
    );
    assert!(best("initramfs_ns") > best("mounted_ns"), "{landfall:#}");
    assert_eq!(landfall["of_landfall"], 1.0);
    assert_eq!(landfall["median_ns"], landfall["best"]["link_to_root_ns"]);
    // The card, the client, and the file system with what it needs.
    assert!(best("modules") >= 3, "{landfall:#}");
    // The process that connects the device again.
    assert_eq!(best("strangers"), 1, "{landfall:#}");

    let left_out = results["left_out"].as_array().expect("left out");
    let names: Vec<_> = left_out.iter().map(|out| &out["name"]).collect();
    assert_eq!(names, ["floor", "dracut"]);
    assert!(
        said.contains("floor is left out: it reaches no root"),
        "{said}"
    );
    let svg = std::fs::read_to_string(&svg).expect("a picture");
    assert!(svg.contains("ms after the link is up</text>"), "{svg}");
}
