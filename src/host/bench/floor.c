/* The floor: an /init that already knows the answer. It loads these modules in this order, mounts
 * this device, and hands over; nothing is looked up and nothing can be asked for. `landfall bench`
 * fills in what stands between @ signs and compiles it, static; with -DPARALLEL each chain of
 * modules is loaded by a process of its own.
 *
 * Sources: mount(2), init_module(2). */
#define _GNU_SOURCE
#include <fcntl.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

/* Chains of modules, each ended by a null. */
static const char *const modules[] = {
@MODULES@
};
#define COUNT (sizeof modules / sizeof *modules)

static void load(const char *path) {
	int file = open(path, O_RDONLY | O_CLOEXEC);
	syscall(SYS_finit_module, file, "", 0);
	close(file);
}

static void load_all(void) {
#ifdef PARALLEL
	unsigned long at = 0;
	while (at < COUNT) {
		if (fork() == 0) {
			for (; modules[at]; at++)
				load(modules[at]);
			_exit(0);
		}
		while (modules[at])
			at++;
		at++;
	}
	while (wait(0) > 0)
		;
#else
	for (unsigned long at = 0; at < COUNT; at++)
		if (modules[at])
			load(modules[at]);
#endif
}

static void move(const char *from, const char *to) {
	mount(from, to, 0, MS_MOVE, 0);
}

int main(int argc, char **argv) {
	static char *const environment[] = {"HOME=/", "TERM=linux", 0};
	(void)argc;
	mount("devtmpfs", "/dev", "devtmpfs", MS_NOSUID, "mode=0755");
	mount("proc", "/proc", "proc", MS_NOSUID | MS_NOEXEC | MS_NODEV, 0);
	mount("sysfs", "/sys", "sysfs", MS_NOSUID | MS_NOEXEC | MS_NODEV, 0);
	load_all();
	if (mount("@DEVICE@", "/root", "@TYPE@", MS_RDONLY, 0) != 0)
		return 1;
	move("/dev", "/root/dev");
	move("/proc", "/root/proc");
	move("/sys", "/root/sys");
	for (unsigned long at = 0; at < COUNT; at++)
		if (modules[at])
			unlink(modules[at]);
	unlink("/init");
	chdir("/root");
	move(".", "/");
	chroot(".");
	chdir("/");
	argv[0] = "/sbin/init";
	execve(argv[0], argv, environment);
	return 1;
}
