#!/bin/sh
# The /init that people write by hand: load what the devices ask for, find root, mount it, switch.
mount -t devtmpfs devtmpfs /dev
mount -t proc proc /proc
mount -t sysfs sysfs /sys

coldplug() {
	find /sys/devices -name modalias -exec cat {} + | sort -u | xargs modprobe -a -q
}

for word in $(cat /proc/cmdline); do
	case $word in
	root=*) root=${word#root=} ;;
	esac
done
# The second time for what the drivers of the first time found.
coldplug
coldplug
until device=$(findfs "$root"); do
	sleep 0.1
	coldplug
done
mount -t ext4 -o ro "$device" /root
exec switch_root /root /sbin/init
