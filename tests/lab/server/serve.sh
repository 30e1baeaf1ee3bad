# The servers of a berth. Each returns when it listens.

# serve_dhcp OPTIONS...: dnsmasq's. Without --dhcp-range: $NET.50 to $NET.99.
serve_dhcp() {
  case " $* " in *" --dhcp-range="*) ;; *) set -- --dhcp-range=$NET.50,$NET.99,1h "$@" ;; esac
  # No names, unless somebody says where they are asked for.
  case " $* " in *" --port="*) ;; *) set -- --port=0 "$@" ;; esac
  start dhcp dnsmasq --keep-in-foreground --conf-file=/dev/null --user=root \
    --interface=$IF --bind-interfaces --dhcp-leasefile=/run/leases --pid-file= \
    --no-ping --log-dhcp --log-facility=- "$@"
  ready dhcp u 67
}

# serve_isc_dhcp CONFIG: a text of dhcpd.conf(5), with the subnet.
serve_isc_dhcp() {
  echo "$1" > /run/dhcpd.conf
  touch /run/dhcpd.leases
  start dhcp dhcpd -4 -f -d -cf /run/dhcpd.conf -lf /run/dhcpd.leases --no-pid $IF
  ready dhcp u 67
}

# serve_dhcp6 OPTIONS...: dnsmasq's, which also advertises itself as a router. Without --dhcp-range=:
# $NET6:50 to $NET6:99, and routers say that these are to be asked for.
serve_dhcp6() {
  case " $* " in *" --dhcp-range="*) ;; *) set -- --dhcp-range=$NET6:50,$NET6:99,64,1h "$@" ;; esac
  case " $* " in *" --port="*) ;; *) set -- --port=0 "$@" ;; esac
  start dhcp6 dnsmasq --keep-in-foreground --conf-file=/dev/null --user=root --enable-ra \
    --interface=$IF --bind-interfaces --dhcp-leasefile=/run/leases6 --pid-file= \
    --log-dhcp --log-facility=- "$@"
  wait_until advertises_or_gone dhcp6
  runs dhcp6 || { cat $LOG/dhcp6; return 1; }
}
# It has no port where it gives no leases.
advertises_or_gone() { ! runs $1 || grep -q "router advertisement" $LOG/$1; }

# serve_isc_dhcp6 CONFIG: as serve_isc_dhcp, with a subnet6. It advertises nothing.
serve_isc_dhcp6() {
  echo "$1" > /run/dhcpd6.conf
  touch /run/dhcpd6.leases
  start isc6 dhcpd -6 -f -d -cf /run/dhcpd6.conf -lf /run/dhcpd6.leases --no-pid $IF
  ready isc6 u 547
}

# serve_hostile_dhcp SERVER ADDRESS ack|nak|mute [OPTIONS]: offers everybody ADDRESS, as SERVER, and
# then keeps to it, refuses it, or says nothing more. OPTIONS as they are sent, in hexadecimal.
# Beside another one it listens as well.
serve_hostile_dhcp() {
  start hostile python3 -uc "$HOSTILE" "$IF" "$@"
  wait_until grep -q listens $LOG/hostile
}
export HOSTILE='
import sys
from socket import *
link, server, given, verdict, more = (sys.argv[1:] + [""])[:5]
line = socket(AF_INET, SOCK_DGRAM)
for option in SO_REUSEADDR, SO_REUSEPORT, SO_BROADCAST:
    line.setsockopt(SOL_SOCKET, option, 1)
line.setsockopt(SOL_SOCKET, SO_BINDTODEVICE, link.encode())
line.bind(("", 67))
print("listens")
while True:
    asked = line.recv(2048)
    options, at = {}, 240
    while asked[at] != 255:
        length = asked[at + 1]
        options[asked[at]] = asked[at + 2:at + 2 + length]
        at += 2 + length
    kind = options[53][0]
    print("heard", kind)
    if kind == 1:
        answer = 2
    elif kind == 3 and options[54] == inet_aton(server) and verdict != "mute":
        answer = 5 if verdict == "ack" else 6
    else:
        continue
    head = bytes([2, 1, 6, 0]) + asked[4:12] + bytes(4) + inet_aton(given) + inet_aton(server)
    head += asked[24:44] + bytes(192) + asked[236:240]
    body = bytes([53, 1, answer, 54, 4]) + inet_aton(server)
    if answer != 6:
        body += bytes.fromhex("3304 00000e10 0104 ffffff00" + more)
    line.sendto(head + body + bytes([255]), ("255.255.255.255", 68))
    print("said", answer)
'

# neighbour ADDRESS: another machine on the link, which has this one.
neighbour() {
  local pid
  start neighbour unshare --net sleep infinity
  pid=$(<$STARTED/neighbour.pid)
  wait_until apart $pid
  ip link add name other link $IF type macvlan mode bridge
  ip link set other netns $pid
  nsenter --net=/proc/$pid/ns/net ip -batch - <<END
address add $1/24 dev other
link set other up
END
}
apart() { [ -e /proc/$1/ns/net ] && ! [ /proc/$1/ns/net -ef /proc/self/ns/net ]; }

# export_nfs DIR [OPTIONS]: the kernel's server, version 3 (TCP; `nfs_udp=1`: UDP too) and 4.
# Called again for another directory.
export_nfs() {
  [ -e /proc/fs/nfsd/threads ] || start_nfsd
  exportfs -o fsid=$(next export),no_subtree_check,no_root_squash,insecure,${2:-ro} "*:$1"
}
start_nfsd() {
  modprobe nfsd
  mount -t nfsd nfsd /proc/fs/nfsd
  serve_rpcbind
  start mountd rpc.mountd --foreground --no-udp
  after rpc.nfsd 0
  after exportfs -ua
  # Who is told that no client was here before waits for none.
  mount -t rpc_pipefs rpc_pipefs /var/lib/nfs/rpc_pipefs
  start nfsdcld nfsdcld -F -p /var/lib/nfs/rpc_pipefs -s /var/lib/nfs/nfsdcld
  wait_until watches nfsdcld
  rpc.nfsd ${nfs_udp:+--udp} --lease-time 10 --grace-time 10 4
  ready mountd t 2049
}
# The kernel asks it only if it already waits for being asked.
watches() { ls -l /proc/$(<$STARTED/$1.pid)/fd 2>&1 | grep -q inotify; }
serve_rpcbind() {
  start rpcbind rpcbind -f -w
  ready rpcbind t 111
}

# serve_ganesha DIR [LINES]: NFS 3 and 4 by a process. LINES of its EXPORT.
serve_ganesha() {
  serve_rpcbind
  cat > /run/ganesha.conf <<END
NFS_CORE_PARAM { Protocols = 3, 4; NFS_Port = 2049; Enable_NLM = false; Enable_RQUOTA = false; }
NFSv4 { Graceless = true; RecoveryRoot = /var/lib/nfs/ganesha; Only_Numeric_Owners = true; }
EXPORT_DEFAULTS { SecType = sys, none; Squash = No_Root_Squash; }
EXPORT { Export_Id = 1; Path = $1; Pseudo = $1; Access_Type = RW; FSAL { Name = VFS; } ${2-} }
END
  start ganesha ganesha.nfsd -F -f /run/ganesha.conf -L STDOUT -p /run/ganesha.pid -N EVENT
  ready ganesha t 2049
}

# serve_nbd FILE NAME [PORT] [OPTIONS...]: qemu-nbd's.
serve_nbd() {
  local file=$1 name=$2 port=${3:-10809}
  shift $(($# < 3 ? $# : 3))
  start nbd qemu-nbd --persistent --shared=0 --format=raw --export-name="$name" \
    --bind=:: --port=$port "$@" $file
  ready nbd t $port
}

# serve_nbdkit PORT WORDS...: its plugin, and what that is told.
serve_nbdkit() {
  local port=$1
  shift
  start nbdkit nbdkit --foreground --verbose --port=$port "$@"
  ready nbdkit t $port
}

# serve_nbd_server LINES: sections of nbd-server's configuration, after [generic]. No `restart`.
serve_nbd_server() {
  printf '[generic]\nlistenaddr = %s\nallowlist = true\n%s\n' $NET.1 "$1" > /run/nbd.conf
  # In the foreground it would leave after the first client.
  nbd-server -C /run/nbd.conf -p $STARTED/nbd-server.pid
  wait_until listens t 10809
}

# serve_nvme FILE NQN [PORT]: NVMe over TCP. No two berths may use the same NQN at a time: have $N
# in it.
serve_nvme() {
  local port=${3:-4420} top=/sys/kernel/config/nvmet
  modprobe -a nvmet nvmet_tcp
  configfs
  local subsystem=$top/subsystems/$2 at=$top/ports/$((N * 10000 + port % 10000))
  after rmdir $subsystem
  mkdir $subsystem
  echo 1 > $subsystem/attr_allow_any_host
  after rmdir $subsystem/namespaces/1
  mkdir $subsystem/namespaces/1
  # Files in memory cannot be read past the cache.
  [ -b $1 ] || echo 1 > $subsystem/namespaces/1/buffered_io
  echo -n $1 > $subsystem/namespaces/1/device_path
  echo 1 > $subsystem/namespaces/1/enable
  if [ ! -e $at ]; then
    after rmdir $at
    mkdir $at
    echo ipv4 > $at/addr_adrfam
    echo tcp > $at/addr_trtype
    echo $NET.1 > $at/addr_traddr
    echo $port > $at/addr_trsvcid
  fi
  after rm $at/subsystems/$2
  ln -s $subsystem $at/subsystems/$2
}
configfs() {
  [ -e /sys/kernel/config/nvmet ] || [ -e /sys/kernel/config/target ] ||
    mount -t configfs configfs /sys/kernel/config
}

# serve_iscsi FILE IQN [USER PASSWORD]: for any initiator; with a password only after CHAP. Called
# again for another target. No two berths may use the same IQN at a time: have $N in it.
serve_iscsi() {
  local core=/sys/kernel/config/target/core iscsi=/sys/kernel/config/target/iscsi
  local number=$(next target)
  local store=$core/fileio_$N/$number group=$iscsi/$2/tpgt_1
  modprobe -a target_core_mod target_core_file iscsi_target_mod
  configfs
  # The kernel makes the directory when it is asked for.
  [ -d $iscsi ] || mkdir -p $iscsi
  [ -d $core/fileio_$N ] || after rmdir $core/fileio_$N
  after rmdir $store
  mkdir -p $store
  echo "fd_dev_name=$1,fd_dev_size=$(size_of $1)" > $store/control
  echo 1 > $store/enable
  echo "landfall-$N-$number" > $store/wwn/vpd_unit_serial
  after rmdir $iscsi/$2
  after rmdir $group
  mkdir -p $group
  after rmdir $group/lun/lun_0
  mkdir $group/lun/lun_0
  after rm $group/lun/lun_0/disk
  ln -s $store $group/lun/lun_0/disk
  echo 1 > $group/attrib/generate_node_acls
  echo 0 > $group/attrib/demo_mode_write_protect
  echo 0 > $group/attrib/authentication
  if [ $# -ge 4 ]; then
    echo 1 > $group/attrib/authentication
    echo -n "$3" > $group/auth/userid
    echo -n "$4" > $group/auth/password
  fi
  after rmdir $group/np/$NET.1:3260
  mkdir $group/np/$NET.1:3260
  after eval "echo 0 > $group/enable"
  echo 1 > $group/enable
}
size_of() { if [ -b $1 ]; then blockdev --getsize64 $1; else stat -c %s $1; fi; }

# serve_aoe FILE SHELF SLOT: ATA over Ethernet, on the link to the client.
serve_aoe() { start aoe-$2.$3 vblade $2 $3 $IF $1; }

# serve_cifs DIR [USER PASSWORD]: as //$NET.1/share. Without a user: for guests.
serve_cifs() {
  local s=/run/samba
  cat > $s/smb.conf <<END
[global]
  interfaces = $IF
  bind interfaces only = yes
  server role = standalone
  disable netbios = yes
  smb ports = 445
  map to guest = Bad User
  guest account = root
  load printers = no
  private dir = $s
  lock directory = $s
  state directory = $s
  cache directory = $s
  pid directory = $s
  ncalrpc dir = $s/ncalrpc
[share]
  path = $1
  read only = no
  guest ok = yes
END
  if [ $# -ge 3 ]; then
    sed -i 's/guest ok = yes/guest ok = no/' $s/smb.conf
    id $2 > /dev/null 2>&1 || useradd --no-create-home $2
    printf '%s\n%s\n' "$3" "$3" | smbpasswd -c $s/smb.conf -s -a $2
    echo "  force user = root" >> $s/smb.conf
  fi
  start cifs smbd --foreground --no-process-group --configfile=$s/smb.conf --debug-stdout
  ready cifs t 445
}
