/*
 * What the tests of culvert-launch run as the app, or around it: `probe families|fds|connect PATH|listen PATH`,
 * and `probe pty COMMAND…`, which gives a command a pseudo terminal that is nobody's controlling terminal yet.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

static const struct {
	const char *name;
	int family;
} families[] = {
	{"unix", 1}, {"inet", 2}, {"inet6", 10}, {"netlink", 16}, {"packet", 17},
	{"bluetooth", 31}, {"alg", 38}, {"vsock", 40}, {"qipcrtr", 42}, {"xdp", 44}, {"high", 0x10001},
};

static void say(const char *call, const char *name, long result)
{
	const int error = result < 0 ? errno : 0;

	if (result >= 0 && result < 1000)
		close((int)result);
	printf("%s %s %d\n", call, name, error);
}

#ifdef __x86_64__
/* A call by the i386 gate, as a 32-bit program makes it; no 32-bit compiler is needed for that. */
static long gate(long number, long first, long second, long third)
{
	long result;

	__asm__ volatile("int $0x80"
			 : "=a"(result)
			 : "a"(number), "b"(first), "c"(second), "d"(third)
			 : "memory", "r8", "r9", "r10", "r11");
	if ((int)result < 0 && (int)result > -4096) {
		errno = -(int)result;
		return -1;
	}
	return result;
}

/* socketcall(2), as the C library of most 32-bit distributions makes every socket; its arguments in memory. */
static long by_socketcall(int family)
{
	unsigned *arguments = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_32BIT, -1, 0);

	if (arguments == MAP_FAILED)
		return -1;
	arguments[0] = (unsigned)family;
	arguments[1] = SOCK_DGRAM;
	return gate(102, 1, (long)arguments, 0);
}
#endif

static int show_families(void)
{
	for (size_t i = 0; i < sizeof(families) / sizeof(families[0]); i++) {
		const int family = families[i].family;
		int pair[2];

		say("socket", families[i].name, socket(family, SOCK_DGRAM, 0));
		say("socketpair", families[i].name, socketpair(family, SOCK_DGRAM, 0, pair));
#ifdef __x86_64__
		say("x32", families[i].name, syscall(0x40000000L | 41, family, SOCK_DGRAM, 0));
		say("i386", families[i].name, gate(359, family, SOCK_DGRAM, 0));
		say("i386-pair", families[i].name, gate(360, family, SOCK_DGRAM, 0));
		say("socketcall", families[i].name, by_socketcall(family));
#endif
	}
	return 0;
}

static int show_fds(void)
{
	DIR *dir = opendir("/proc/self/fd");
	struct dirent *entry;

	while (dir && (entry = readdir(dir)))
		if (entry->d_name[0] != '.' && atoi(entry->d_name) != dirfd(dir))
			printf("%s\n", entry->d_name);
	return dir ? 0 : 1;
}

static int use_socket(const char *path, int is_server)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	const int fd = socket(AF_UNIX, SOCK_STREAM, 0);
	char byte;

	strncpy(address.sun_path, path, sizeof(address.sun_path) - 1);
	if (!is_server) {
		say("connect", path, connect(fd, (struct sockaddr *)&address, sizeof(address)) < 0 ? -1 : fd);
		return 0;
	}
	unlink(path);
	if (bind(fd, (struct sockaddr *)&address, sizeof(address)) < 0 || listen(fd, 8) < 0)
		return 1;
	puts("listening");
	fflush(stdout);
	/* Until the test closes standard input. */
	while (read(0, &byte, 1) > 0)
		;
	return 0;
}

static void forward(int from, int to)
{
	char bytes[4096];
	const ssize_t size = read(from, bytes, sizeof(bytes));

	if (size <= 0)
		exit(0); /* closes the master: the terminal hangs up */
	if (write(to, bytes, (size_t)size) < 0)
		exit(1);
}

static int run_in_terminal(char **command)
{
	const int master = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
	struct pollfd polls[2] = {{0, POLLIN, 0}, {master, POLLIN, 0}};
	int slave;

	if (master < 0 || grantpt(master) < 0 || unlockpt(master) < 0)
		return 1;
	slave = open(ptsname(master), O_RDWR | O_NOCTTY | O_CLOEXEC);
	/* Held open here: a slave that nobody has yet would read as hung up. */
	if (slave < 0)
		return 1;
	if (fork() == 0) {
		/* No leader of a session, or the first open of the slave would take it as controlling terminal. */
		if (setsid() < 0 || fork() != 0)
			_exit(0);
		for (int fd = 0; fd < 3; fd++)
			dup2(slave, fd);
		execvp(command[0], command);
		_exit(127);
	}
	/* The payload and the status pipe of a launcher in the command are not ours to hold. */
	close(4);
	close(5);
	for (;;) {
		if (poll(polls, 2, -1) < 0)
			return 1;
		for (int i = 0; i < 2; i++)
			if (polls[i].revents)
				forward(polls[i].fd, i == 0 ? master : 1);
	}
}

int main(int argc, char **argv)
{
	if (argc == 2 && strcmp(argv[1], "families") == 0)
		return show_families();
	if (argc == 2 && strcmp(argv[1], "fds") == 0)
		return show_fds();
	if (argc == 3 && strcmp(argv[1], "connect") == 0)
		return use_socket(argv[2], 0);
	if (argc == 3 && strcmp(argv[1], "listen") == 0)
		return use_socket(argv[2], 1);
	if (argc > 2 && strcmp(argv[1], "pty") == 0)
		return run_in_terminal(argv + 2);
	return 2;
}
