//! The laboratory's servers, without landfall: what boots over a network rests on.

use crate::lab::server::server;

#[test]
fn lab_server_runs_scripts() {
    let server = server();
    assert_eq!(server.run("echo one; echo two >&2"), "one\ntwo\n");
    let long = server.run("seq 100000");
    assert_eq!(long.lines().count(), 100_000);
    assert!(long.ends_with("\n100000\n"));
    let failed = std::panic::catch_unwind(|| server.run("echo before; false; echo after"));
    let said = failed.expect_err("a failure ends the test");
    let said = said.downcast_ref::<String>().expect("a text");
    assert!(
        said.contains("before") && !said.contains("\nafter"),
        "{said}"
    );
}

#[test]
fn lab_nfs_by_the_kernel() {
    let berth = server().berth();
    let said = berth.run(
        "serve_dhcp
         time export_nfs /srv/reporter ro
         own_root /berth/root
         export_nfs /berth/root rw
         showmount -e $NET.1
         mkdir /berth/mounted
         time mount -t nfs4 $NET.1:/srv/reporter /berth/mounted
         ls /berth/mounted
         umount /berth/mounted
         mount -t nfs -o vers=3,nolock $NET.1:/berth/root /berth/mounted
         touch /berth/mounted/new; ls /berth/root; umount /berth/mounted",
    );
    println!("{said}");
}
