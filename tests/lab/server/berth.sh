# What a berth's scripts may say. They run with `bash -e`, where $IF is the link to the client,
# $N the berth's number, $NET the first three numbers of its network and $NET.1 the server itself.
# /run and /berth are this berth's own; /srv/reporter is a root, /srv/reporter.disk a disk with it.
export IF=eth0 NET=10.66.$N NET6=fd66:$N: LOG=/run/log STARTED=/run/started

# berth_init N: process 1 of a berth.
berth_init() {
  local pid rest
  # The number outside: this /proc still is that of outside.
  read -r pid rest < /proc/self/stat
  mount -t tmpfs tmpfs /run
  mkdir -p $LOG $STARTED /run/{lock,sendsigs.omit.d,samba,ganesha,berth,tmp} \
    /run/nfs/{rpc_pipefs,sm,sm.bak,v4recovery,ganesha}
  : > /run/nfs/etab > /run/nfs/rmtab > /run/nfs/state
  mount -t proc proc /proc
  mount -t sysfs sys /sys
  # An address is to be there at once; what others announce is not for a server.
  echo 0 > /proc/sys/net/ipv6/conf/$IF/accept_dad
  echo 0 > /proc/sys/net/ipv6/conf/$IF/accept_ra
  ip -batch - <<END
link set lo up
link set $IF up
address add 10.66.$1.1/24 dev $IF
address add fd66:$1::1/64 dev $IF
END
  echo $pid > /lab/$1/pid
  : > /lab/$1/ready
  # Whatever lost its parent is a child here.
  while :; do sleep infinity & wait; done
}

# What the kernel would go on doing after the last process.
berth_clear() {
  local link
  [ ! -e $STARTED/after ] || tac $STARTED/after | bash
  nft flush ruleset
  tc qdisc del dev $IF root 2> /dev/null
  for link in /sys/class/net/*; do
    case ${link##*/} in lo | $IF) ;; *) ip link delete ${link##*/} 2> /dev/null ;; esac
  done
  ip link set $IF nomaster mtu 1500 down
  ip address flush dev $IF
  ip route flush table all 2> /dev/null
  :
}

listens() { ss -H -ln$1 "sport = :$2" | grep -q .; }

# start NAME COMMAND...: a process that stays, with what it says in $LOG/NAME.
start() {
  local name=$1
  shift
  printf '%q ' "$@" > $STARTED/$name.command
  # Its parent ends before it begins: nbdkit for one ends with its parent.
  (
    setsid "$@" >> $LOG/$name 2>&1 < /dev/null &
    echo $! > $STARTED/$name.pid
  )
}

# ready NAME t|u PORT: until it listens, by TCP or UDP. If it ends instead, that is what it said.
ready() {
  wait_until up_or_gone "$@"
  runs $1 || { echo "$1 ended:"; cat $LOG/$1; return 1; }
}
up_or_gone() { ! runs $1 || listens $2 $3; }
runs() { kill -0 $(<$STARTED/$1.pid) 2> /dev/null; }

# By the name that it was started with: dhcp, nbd, ... What the kernel serves can only be silenced.
signal() { kill -$1 -- -$(<$STARTED/$2.pid); }
pause() { signal STOP $1; }
resume() { signal CONT $1; }
stop() {
  ! runs $1 || signal KILL $1
  wait_until gone $1
}
gone() { ! runs $1; }
restart() {
  stop $1
  eval "start $1 $(<$STARTED/$1.command)"
}

# silence tcp|udp PORT: the packets to it are lost, until `speak`.
silence() {
  nft -f - <<END
table inet silence {
  chain input { type filter hook input priority 0; }
}
add rule inet silence input $1 dport $2 drop
END
}
speak() { nft delete table inet silence; }

# after COMMAND...: at the berth's end, last one first. For what outlives processes.
after() { echo "$(printf '%q ' "$@")" >> $STARTED/after; }

# next WHAT: 1, 2, 3, ...
next() {
  echo >> $STARTED/$1.count
  wc -l < $STARTED/$1.count
}

# own_root DIR: a copy of the root in DIR, which may be written to. own_disk FILE: of the disk.
own_root() { cp -a /srv/reporter $1; }
own_disk() { dd if=${2:-/srv/reporter.disk} of=$1 bs=1M conv=sparse status=none; }
