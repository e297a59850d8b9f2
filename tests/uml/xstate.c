// SPDX-License-Identifier: Apache-2.0
/* Preloaded into user-mode-linux, whose kernel 6.1 keeps 2.7 KiB of extended processor state
 * (AVX-512). The host takes a whole state or none (EFAULT): 11 KiB on a processor with AMX, where
 * the client would die with its first process. What it leaves out is filled up here with what the
 * traced process has. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <elf.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/types.h>
#include <sys/uio.h>

static long (*xstate_next)(enum __ptrace_request request, pid_t pid, void *addr, void *data);
static char xstate_whole
	[1
	 << 16]; /* not on the stack: kernel stacks are small. Only the one kernel thread traces. */

__attribute__((constructor)) static void xstate_init(void)
{
	*(void **)&xstate_next = dlsym(RTLD_NEXT, "ptrace");
}

static long xstate_set(pid_t pid, void *addr, const struct iovec *part)
{
	struct iovec whole = {xstate_whole, sizeof(xstate_whole)};
	long rc = xstate_next(PTRACE_GETREGSET, pid, addr, &whole);
	if (rc != 0)
		return rc;
	memcpy(xstate_whole, part->iov_base,
	       part->iov_len < whole.iov_len ? part->iov_len : whole.iov_len);
	return xstate_next(PTRACE_SETREGSET, pid, addr, &whole);
}

long ptrace(enum __ptrace_request request, ...)
{
	va_list list;
	pid_t pid;
	void *addr, *data;
	va_start(list, request);
	pid = va_arg(list, pid_t);
	addr = va_arg(list, void *);
	data = va_arg(list, void *);
	va_end(list);
	if (request == PTRACE_SETREGSET && (size_t)addr == NT_X86_XSTATE)
		return xstate_set(pid, addr, data);
	return xstate_next(request, pid, addr, data);
}
