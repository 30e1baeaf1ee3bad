# Makes a cluster of one monitor, one OSD (in memory) and one metadata server, and starts it; then an
# image and a directory in it; leases of its network name the directory as root. The keys are of no
# value to anybody.
cat > /etc/ceph/ceph.conf <<END
[global]
fsid = 5eedf00d-0000-4000-8000-00000000ce90
mon host = [v2:10.66.100.1:3300,v1:10.66.100.1:6789]
public addr = 10.66.100.1
keyring = /etc/ceph/keyring
log to stderr = true
err to stderr = true
log file =
mon cluster log file =
mon cluster log to stderr = true
mon allow pool size one = true
mds beacon grace = 600
osd objectstore = memstore
osd pool default size = 1
osd pool default min size = 1
osd pool default pg num = 8
osd crush chooseleaf type = 0
END
# key WHO SECRET {SERVICE WHAT}...: a section of a keyring.
key() {
  printf '[%s]\n  key = %s\n' "$1" "$2"
  shift 2
  printf '  caps %s = "%s"\n' "$@"
}
{
  key mon. AQAAAABpAAAAABAAa2V5LW9mLW1vbi0tLS0tLQ== mon 'allow *'
  key client.admin AQAAAABpAAAAABAAa2V5LW9mLWFkbWluLS0tLQ== mon 'allow *' osd 'allow *' \
    mds 'allow *'
  key osd.0 AQAAAABpAAAAABAAa2V5LW9mLW9zZC0tLS0tLQ== mon 'allow profile osd' osd 'allow *'
  key mds.a AQAAAABpAAAAABAAa2V5LW9mLW1kcy0tLS0tLQ== mon 'allow profile mds' osd 'allow *' \
    mds 'allow *'
  key client.porter AQAAAABpAAAAABAAa2V5LW9mLXBvcnRlci0tLQ== mon 'profile rbd, allow r' \
    osd 'profile rbd pool=rbd, allow rw tag cephfs data=*' mds 'allow rw'
} > /etc/ceph/keyring
mkdir -p /mnt/at/log /var/lib/ceph/{mon,osd,mds,tmp}/ceph-a /var/lib/ceph/osd/ceph-0
daemon() {
  local name=$1
  shift
  setsid "$@" >> /mnt/at/log/$name 2>&1 < /dev/null &
}
# until COMMAND... succeeds.
wait_until() {
  local tries=600
  until "$@" > /dev/null 2>&1; do
    [ $((tries -= 1)) -gt 0 ] || { echo "never came true: $*"; return 1; }
    sleep 0.1
  done
}
active() { ceph mds stat | grep -q up:active; }

monmaptool --create --fsid 5eedf00d-0000-4000-8000-00000000ce90 \
  --addv a '[v2:10.66.100.1:3300,v1:10.66.100.1:6789]' /tmp/monmap
ceph-mon --mkfs -i a --monmap /tmp/monmap
daemon mon ceph-mon -f -i a
uuid=5eedf00d-0000-4000-8000-0000000005d0
ceph osd create $uuid
ceph-osd --mkfs -i 0 --osd-uuid $uuid
daemon osd ceph-osd -f -i 0
daemon mds ceph-mds -f -i a
daemon dhcp dnsmasq --no-daemon --conf-file=/dev/null --port=0 --interface=tap0 --no-ping \
  --log-dhcp --dhcp-leasefile=/run/leases --pid-file= --dhcp-range=10.66.100.100,10.66.100.199,1h \
  --dhcp-option=option:root-path,ceph:10.66.100.1:/srv/root
for pool in rbd meta data; do
  ceph osd pool create $pool
done
ceph fs new files meta data
rbd import --no-progress --image-feature layering /mnt/disk rbd/root
rbd snap create --no-progress rbd/root@made
wait_until active
python3 - <<END
import cephfs, os
there = cephfs.LibCephFS(conffile="/etc/ceph/ceph.conf", auth_id="admin")
there.mount()

def put(source, at):
    there.mkdir(at, 0o755)
    for entry in os.scandir(source):
        path = f"{at}/{entry.name}"
        if entry.is_symlink():
            there.symlink(os.readlink(entry.path), path)
        elif entry.is_dir():
            put(entry.path, path)
        else:
            file = there.open(path, "w", entry.stat().st_mode & 0o777)
            with open(entry.path, "rb") as content:
                there.write(file, content.read(), 0)
            there.close(file)

there.mkdir("/srv", 0o755)
put("/mnt/root", "/srv/root")
there.unmount()
END
