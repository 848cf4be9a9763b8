/*
 * The seccomp filter of an app on a lane (S11).
 *
 * *Does*: lets socket(2) and socketpair(2) make AF_UNIX, AF_INET, AF_INET6 and AF_NETLINK sockets; any other
 * family gives EAFNOSUPPORT, as on a kernel that does not know it. AF_VSOCK, AF_QIPCRTR and Bluetooth ignore
 * network namespaces, so they would be a way round the lane.
 * *Must not*: kill, or touch any other call; programs have to run as they do elsewhere.
 *
 * Each ABI of the machine is filtered with its own numbers: x86_64 with x32 (the same numbers and one bit),
 * i386; aarch64 and 32-bit ARM. Known limits: i386's old socketcall(2) passes its arguments in memory, where a
 * filter cannot look. The C library of most 32-bit distributions uses it for every socket, so it stays
 * allowed, or Wine and Steam would not run; a 32-bit program can therefore still make an AF_VSOCK socket.
 * io_uring's IORING_OP_SOCKET (Linux 5.19) is not a system call of its own and is not seen either. A
 * well-meaning app does neither by accident; a mode for hostile apps has to refuse both.
 *
 * Numbers from the kernel's syscall tables (arch/x86/entry/syscalls, include/uapi/asm-generic/unistd.h,
 * arch/arm/tools/syscall.tbl).
 */
#include <errno.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "launch.h"

#define LOAD(field) BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, field))
#define EQUAL(value, yes, no) BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (value), (yes), (no))
#define RETURN(value) BPF_STMT(BPF_RET | BPF_K, (value))
#define REFUSE(error) RETURN(SECCOMP_RET_ERRNO | (error))
#define ALLOW RETURN(SECCOMP_RET_ALLOW)

/*
 * Seven instructions for one ABI: skipped when the call came by another one; else allowed unless it makes a
 * socket, then on by `distance` instructions. The architecture stays loaded when the first jump is taken.
 */
#define ABI(arch, mask, socket, socketpair, distance)                                                           \
	EQUAL((arch), 0, 6), LOAD(nr), BPF_STMT(BPF_ALU | BPF_AND | BPF_K, (mask)), EQUAL((socket), 1, 0),      \
		EQUAL((socketpair), 0, 1), BPF_STMT(BPF_JMP | BPF_JA, (distance)), ALLOW

#define ALL_BITS 0xffffffffU
#define ALL_BUT_X32 0xbfffffffU /* __X32_SYSCALL_BIT is 0x40000000 */

#if defined(__x86_64__)
#define FIRST_ABI(distance) ABI(AUDIT_ARCH_X86_64, ALL_BUT_X32, 41, 53, distance)
#define SECOND_ABI(distance) ABI(AUDIT_ARCH_I386, ALL_BITS, 359, 360, distance)
#elif defined(__aarch64__) && !defined(__AARCH64EB__)
#define FIRST_ABI(distance) ABI(AUDIT_ARCH_AARCH64, ALL_BITS, 198, 199, distance)
#define SECOND_ABI(distance) ABI(AUDIT_ARCH_ARM, ALL_BITS, 281, 288, distance)
#else
#error "write down the system call numbers of this machine before starting apps on it"
#endif

static struct sock_filter program[] = {
	LOAD(arch),
	FIRST_ABI(9),  /* 1 to 7: from 7, 9 more is the load of the family */
	SECOND_ABI(2), /* 8 to 14: from 14, 2 more is the same */
	/* 15: a way into the kernel that the tables above do not know */
	REFUSE(ENOSYS),
	/* 16: the low half; the family is an int, and both machines are little-endian */
	LOAD(args[0]),
	EQUAL(AF_UNIX, 4, 0),
	EQUAL(AF_INET, 3, 0),
	EQUAL(AF_INET6, 2, 0),
	EQUAL(AF_NETLINK, 1, 0),
	REFUSE(EAFNOSUPPORT),
	ALLOW,
};

/*
 * Needs CAP_SYS_ADMIN in the user namespace: without it the kernel would want no_new_privs, and sudo inside
 * would be dead. SPEC_ALLOW: before Linux 5.16 a filter also switched on mitigations that slow the app down
 * and guard nothing here (seccomp(2)).
 */
int launch_filter(struct launch *launch)
{
	const struct sock_fprog filter = {sizeof(program) / sizeof(program[0]), program};

	(void)launch;
	if (syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_SPEC_ALLOW, &filter) < 0)
		return -errno;
	return 0;
}
