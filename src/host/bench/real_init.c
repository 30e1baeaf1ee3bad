/* The real init of a measured boot: notes the time first thing, says what it was handed, and
 * switches the machine off. Lines on the console begin with "bench: "; times are nanoseconds of
 * CLOCK_MONOTONIC, or the kernel log's own. Compiled by `landfall bench`, static.
 *
 * Sources: clock_gettime(2), syslog(2), setns(2), proc(5); kernel/time/timer_list.c. */
#define _GNU_SOURCE
#include <ctype.h>
#include <dirent.h>
#include <fcntl.h>
#include <ftw.h>
#include <sched.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/klog.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

static int console;
static char text[1 << 20];

static long long now(void) {
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000000000LL + t.tv_nsec;
}

static const char *read_file(const char *path) {
	static char bytes[16384];
	int file = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n = file < 0 ? -1 : read(file, bytes, sizeof bytes - 1);
	if (file >= 0)
		close(file);
	bytes[n > 0 ? n : 0] = 0;
	return bytes;
}

/* A number of a file behind a name, as in /proc/meminfo; -1: not there. */
static long long number(const char *path, const char *name) {
	const char *at = strstr(read_file(path), name);
	return at ? atoll(at + strlen(name)) : -1;
}

/* Nanoseconds that the processor was idle for a disk, since the kernel started: how long a disk
 * takes is this machine's affair, and the only thing that no counter of instructions can fix. */
static long long disk_wait(void) {
	static const char name[] = ".iowait_sleeptime";
	int file = open("/proc/timer_list", O_RDONLY | O_CLOEXEC);
	size_t have = 0;
	ssize_t n;
	while (file >= 0 && (n = read(file, text + have, sizeof text - 1 - have)) > 0)
		have += n;
	if (file >= 0)
		close(file);
	text[have] = 0;
	char *at = strstr(text, name);
	at = at ? strchr(at, ':') : NULL;
	return at ? atoll(at + 1) : -1;
}

/* What the kernel and the mark wrote, and nothing else: a serial line is slow. */
static void say_log(void) {
	static const char *const wanted[] = {
		"unpack rootfs image", "Freeing initrd memory", "as init process", "landfall-bench mark",
		"NIC Link is Up", "(nbd0): mounted filesystem",
	};
	int n = klogctl(3 /* SYSLOG_ACTION_READ_ALL */, text, sizeof text - 1);
	text[n > 0 ? n : 0] = 0;
	for (char *line = strtok(text, "\n"); line; line = strtok(NULL, "\n"))
		for (size_t i = 0; i < sizeof wanted / sizeof *wanted; i++)
			if (strstr(line, wanted[i])) {
				char *bracket = strchr(line, '[');
				dprintf(console, "bench: log %s\n", bracket ? bracket : line);
				break;
			}
}

static int lines_of(const char *path) {
	int lines = 0;
	for (const char *c = read_file(path); *c; c++)
		lines += *c == '\n';
	return lines;
}

/* Processes besides this one that are no kernel threads (those descend from pid 2). */
static int strangers(void) {
	int found = 0;
	DIR *proc = opendir("/proc");
	for (struct dirent *e; proc && (e = readdir(proc));) {
		char path[300], *end;
		if (!isdigit((unsigned char)e->d_name[0]) || atoi(e->d_name) <= 2)
			continue;
		snprintf(path, sizeof path, "/proc/%s/stat", e->d_name);
		end = strrchr(read_file(path), ')');
		found += end && strlen(end) > 4 && atoi(end + 4) != 2;
	}
	if (proc)
		closedir(proc);
	return found;
}

static long long entries, bytes;

static int count(const char *path, const struct stat *s, int kind, struct FTW *at) {
	(void)path;
	entries += at->level > 0;
	bytes += kind == FTW_F ? s->st_size : 0;
	return 0;
}

/* What is left of the initramfs. Without "/" and in its own mount namespace again, a process
 * stands on the lowest mount there is: the rootfs that the image was unpacked to. */
static void say_left(void) {
	int own = open("/proc/self/ns/mnt", O_RDONLY | O_CLOEXEC);
	pid_t child = fork();
	if (child == 0) {
		if (umount2("/", MNT_DETACH) == 0 && setns(own, CLONE_NEWNS) == 0) {
			/* Some leave a process behind that is still deleting: what is met counts. */
			nftw("/", count, 16, FTW_PHYS | FTW_MOUNT);
			dprintf(console, "bench: left_entries %lld\n", entries);
			dprintf(console, "bench: left_bytes %lld\n", bytes);
		}
		_exit(0);
	}
	waitpid(child, NULL, 0);
}

int main(void) {
	long long first = now(), before, after;
	int log = open("/dev/kmsg", O_WRONLY | O_CLOEXEC);
	if (log < 0) {
		mount("devtmpfs", "/dev", "devtmpfs", 0, NULL);
		log = open("/dev/kmsg", O_WRONLY | O_CLOEXEC);
	}
	before = now();
	/* Without its end of line a record stays open, and is not in the log yet. Not dprintf: glibc's
	 * asks lseek(2) where the file stands first, gets EINVAL from the log, and writes nothing. */
	static const char mark[] = "<6>landfall-bench mark\n";
	write(log, mark, sizeof mark - 1);
	after = now();
	if (access("/proc/meminfo", R_OK) != 0)
		mount("proc", "/proc", "proc", 0, NULL);
	long long free = number("/proc/meminfo", "MemFree:");
	long long available = number("/proc/meminfo", "MemAvailable:");
	const char *load = strrchr(read_file("/proc/loadavg"), ' ');
	int last_pid = load ? atoi(load) : -1;
	long long waited = disk_wait();
	console = open("/dev/console", O_RDWR | O_NOCTTY | O_CLOEXEC);
	if (console < 0)
		console = 1;
	dprintf(console, "\nbench: clock %lld %lld %lld\n", first, before, after);
	dprintf(console, "bench: disk_wait_ns %lld\n", waited);
	dprintf(console, "bench: memory_free_kib %lld\n", free);
	dprintf(console, "bench: memory_available_kib %lld\n", available);
	dprintf(console, "bench: last_pid %d\n", last_pid);
	dprintf(console, "bench: modules %d\n", lines_of("/proc/modules"));
	dprintf(console, "bench: strangers %d\n", strangers());
	say_log();
	say_left();
	dprintf(console, "bench: end\n");
	tcdrain(console);
	reboot(RB_POWER_OFF);
	for (;;)
		pause();
}
