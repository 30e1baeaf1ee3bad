# The server guest: PID 1, after the init of its root. It makes a network namespace for each berth,
# and runs the scripts that come through its ports. `berths=N` on the command line says how many.
export HOME=/root LC_ALL=C DM_DISABLE_UDEV=1
mkdir -p /lab /dev/pts /srv/reporter
ln -sf /proc/self/fd /dev/fd
mount -t tmpfs tmpfs /run
mount -t tmpfs tmpfs /lab
mount -t devpts devpts /dev/pts
mkdir -p /run/lock /run/netns
# A berth has its own /run, and with it its own of these.
rm -rf /var/lib/nfs /tmp
ln -s /run/nfs /var/lib/nfs
ln -s /run/berth /berth
ln -s /run/tmp /tmp
hostname server
BERTHS=4
for word in $(cat /proc/cmdline); do
  case $word in berths=*) BERTHS=${word#*=} ;; esac
done

# The helpers of scripts stand in this file, below their marks.
sed '1,/^# ALL SCRIPTS$/d; /^# BERTH SCRIPTS$/,$d' /dev/vda > /lab/wait.sh
sed '1,/^# ALL SCRIPTS$/d' /dev/vda > /lab/berth.sh
. /lab/wait.sh
modprobe -a virtio_net virtio_console virtio_scsi
mount -o ro,noload /dev/vdb /srv/reporter
ln -sf /dev/vdb /srv/reporter.disk
ip link set lo up

# A berth lives in namespaces of its own: of links for good, of mounts and processes for one user.
for n in $(seq $BERTHS); do
  mkdir -p /lab/$n
  ip netns add berth$n
  for link in /sys/class/net/*; do
    if [ "$(<$link/address)" = "52:54:00:66:0$n:01" ]; then
      ip link set ${link##*/} netns berth$n name eth0
    fi
  done
done

# berth_start N: what `berth.sh` runs in has its own /run, /berth and processes.
berth_start() {
  rm -f /lab/$1/pid /lab/$1/ready
  setsid nsenter --net=/run/netns/berth$1 unshare --mount --pid --fork \
    bash -c ". /lab/berth.sh; berth_init $1" > /lab/$1/init 2>&1 < /dev/null &
  wait_until [ -e /lab/$1/ready ]
}

# berth_stop N: nothing that it started is left.
berth_stop() {
  local pid=$(</lab/$1/pid)
  timeout 60 nsenter -t $pid -n -m -p bash -c ". /lab/berth.sh; berth_clear"
  kill -KILL $pid
  wait_until [ ! -e /proc/$pid ]
}

export -f berth_start berth_stop

# port NAME: asked `ID WHERE SECONDS LENGTH` and a script, answers `ID STATUS LENGTH` and what it
# said. WHERE is 0 for the guest itself, or the number of a berth.
port() {
  local id where seconds length status asked= at=/lab/port-$1 device said
  for device in /sys/class/virtio-ports/*; do
    [ "$(<$device/name)" != $1 ] || exec 3<> /dev/${device##*/}
  done
  while :; do
    if ! read -r id where seconds length <&3; then
      # Nobody holds the other end: not yet, or no more.
      [ -z "$asked" ] || [ -e /lab/stay ] || echo o > /proc/sysrq-trigger
      sleep 0.2
      continue
    fi
    asked=yes
    head -c $length <&3 > $at.script
    if [ $where = 0 ]; then
      BASH_ENV=/lab/wait.sh timeout $seconds bash -e $at.script > $at.said 2>&1 < /dev/null 3>&-
      status=$?
    else
      nsenter -t $(</lab/$where/pid) -n -m -p \
        timeout $seconds env N=$where BASH_ENV=/lab/berth.sh bash -e $at.script \
        > $at.said 2>&1 < /dev/null 3>&-
      status=$?
    fi
    # What is still running may still write.
    said=$(stat -c %s $at.said)
    echo "$id $status $said" >&3
    head -c $said $at.said >&3
    rm $at.said
  done
}

for n in $(seq 0 $BERTHS); do
  port lab$n &
done
wait
exit
# ALL SCRIPTS
# wait_until COMMAND...: until it succeeds. (To sleep is to wait for a pipe that nothing comes by:
# programs start slowly here.)
wait_until() {
  local tries=1200 nothing
  exec {nothing}<> <(:)
  until "$@"; do
    [ $((tries -= 1)) -gt 0 ] || { echo "never came true: $*"; return 1; }
    read -r -t 0.05 -u $nothing || :
  done
  exec {nothing}>&-
}
# BERTH SCRIPTS
