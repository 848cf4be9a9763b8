/* Tools as the helper starts them: what they are given, what they say, and how they end. */
#include <sys/mman.h>
#include <sys/wait.h>

#include "talk.h"

#define LINE(text) (char[]){text}, sizeof(text)

static int start_shell(const char *script, const char *input, int third, int32_t *complaints)
{
	char words[512];
	int size = snprintf(words, sizeof words, "/bin/sh%c-c%c%s", 0, 0, script) + 1;

	return cv_tool_start(words, (uint32_t)size, input, (uint32_t)strlen(input), third, complaints);
}

static int run_shell(const char *script, const char *input, char *out, uint32_t room)
{
	int32_t complaints = -1;
	int pid = start_shell(script, input, -1, &complaints);

	CHECK(pid > 0);
	return cv_tool_wait(pid, complaints, 10000, out, room);
}

static void words_and_ends(void)
{
	char out[64];
	int before = descriptor_count();

	EXPECT(run_shell("exit 0", "", out, sizeof out), 0);
	CHECK(strcmp(out, "") == 0);
	EXPECT(WEXITSTATUS(run_shell("echo no >&2; exit 3", "", out, sizeof out)), 3);
	CHECK(strcmp(out, "no\n") == 0);
	EXPECT(WTERMSIG(run_shell("kill -TERM $$", "", out, sizeof out)), SIGTERM);
	/* More than there is room for, and more than a pipe holds, is read and cut. */
	EXPECT(run_shell("head -c 200000 /dev/zero | tr '\\0' x >&2", "", out, 8), 0);
	CHECK(strcmp(out, "xxxxxxx") == 0);
	EXPECT(run_shell("cat >&2", "what it reads", out, sizeof out), 0);
	CHECK(strcmp(out, "what it reads") == 0);
	EXPECT(run_shell("echo to nobody", "", out, sizeof out), 0);
	EXPECT(descriptor_count(), before);
}

static void nothing_else_is_handed_on(void)
{
	char out[512];
	int third = memfd_create("third", MFD_CLOEXEC), other = open("/dev/null", O_RDONLY);
	int32_t complaints = -1;
	const char *ignored;
	sigset_t blocked;

	CHECK(third >= 0 && other >= 0 && write(third, "three", 5) == 5 && lseek(third, 0, SEEK_SET) == 0);
	sigemptyset(&blocked);
	sigaddset(&blocked, SIGTERM);
	CHECK(sigprocmask(SIG_BLOCK, &blocked, NULL) == 0 && signal(SIGPIPE, SIG_IGN) != SIG_ERR);
	CHECK(setenv("EVIL", "1", 1) == 0);
	int pid = start_shell("cat <&3 >&2; echo \" $EVIL$LC_ALL\" >&2; ls /proc/self/fd >&2; "
			      "grep -E 'Sig(Blk|Ign)' /proc/self/status >&2",
			      "", third, &complaints);
	EXPECT(cv_tool_wait(pid, complaints, 10000, out, sizeof out), 0);
	/* 4 is the directory that ls reads. */
	CHECK(strncmp(out, "three C\n0\n1\n2\n3\n4\nSig", 21) == 0);
	CHECK(strstr(out, "SigBlk:\t0000000000000000\n") != NULL);
	/* But for two of glibc's own, which it leaves ignored for a new program to take. */
	ignored = strstr(out, "SigIgn:\t");
	CHECK(ignored != NULL && (strtoull(ignored + 8, NULL, 16) & 0x7fffffff) == 0);
}

static void what_cannot_be_started(void)
{
	char out[64];
	int before = descriptor_count();
	int32_t complaints = -1;

	EXPECT(cv_tool_start(LINE("/nowhere"), NULL, 0, -1, &complaints), -ENOENT);
	EXPECT(cv_tool_start(LINE("/etc/passwd"), NULL, 0, -1, &complaints), -EACCES);
	EXPECT(cv_tool_start((char[]){"cut"}, 3, NULL, 0, -1, &complaints), -EINVAL);
	EXPECT(cv_tool_start(LINE(""), NULL, 0, -1, &complaints), -ENOENT);
	EXPECT(cv_tool_start((char[32]){0}, 32, NULL, 0, -1, &complaints), -E2BIG);
	EXPECT(descriptor_count(), before);
	int pid = start_shell("exec sleep 60", "", -1, &complaints);
	EXPECT(cv_tool_wait(pid, complaints, 50, out, sizeof out), -ETIMEDOUT);
	EXPECT(kill(pid, 0), -1);
	/* What it leaves behind keeps its stderr open; it is its own end that counts. */
	EXPECT(run_shell("sleep 2 & echo gone >&2", "", out, sizeof out), 0);
	CHECK(strcmp(out, "gone\n") == 0);
	EXPECT(descriptor_count(), before);
}

int main(void)
{
	in_process("a tool's complaints, its input and its end are told", words_and_ends);
	in_process("a tool gets a fixed environment, three or four descriptors and no signal mask", nothing_else_is_handed_on);
	in_process("what cannot be started or does not end is told, and leaves nothing", what_cannot_be_started);
	return 0;
}
