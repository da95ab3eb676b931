/* seccomp_linux.c - the system calls that no step needs and that lead out of its namespaces.
 *
 * Refused with EPERM: kernel keyrings (they belong to the user, not to the sandbox), BPF,
 * performance counters, userfaultfd, input pushed into a terminal.  Sockets are those of the
 * Internet, of Unix and of netlink: other families (VSOCK, which reaches the machine around a
 * virtual one) know no network namespace.  Programs of another architecture would pass by this
 * filter, so they cannot run.
 */
#include "ci-runner/sandbox/process_priv.h"

#include <errno.h>
#include <seccomp.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

static const int refused[] = {
	SCMP_SYS(add_key),
	SCMP_SYS(request_key),
	SCMP_SYS(keyctl),
	SCMP_SYS(bpf),
	SCMP_SYS(perf_event_open),
	SCMP_SYS(userfaultfd),
	SCMP_SYS(kexec_load),
	SCMP_SYS(kexec_file_load),
	SCMP_SYS(init_module),
	SCMP_SYS(finit_module),
	SCMP_SYS(delete_module),
	SCMP_SYS(open_by_handle_at),
	SCMP_SYS(process_vm_writev),
};

static const unsigned terminal_requests[] = { TIOCSTI, TIOCLINUX };

static bool allowed_family(unsigned family)
{
	return family == AF_UNIX || family == AF_INET || family == AF_INET6 || family == AF_NETLINK;
}

static int add_rules(scmp_filter_ctx filter)
{
	int failed = seccomp_attr_set(filter, SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_ERRNO(ENOSYS));

	for (size_t i = 0; i < sizeof refused / sizeof refused[0] && failed == 0; i++)
		failed = seccomp_rule_add(filter, SCMP_ACT_ERRNO(EPERM), refused[i], 0);
	for (size_t i = 0; i < 2 && failed == 0; i++)
		failed = seccomp_rule_add(filter, SCMP_ACT_ERRNO(EPERM), SCMP_SYS(ioctl), 1,
		                          SCMP_A1(SCMP_CMP_MASKED_EQ, UINT32_MAX,
		                                  terminal_requests[i]));
	for (unsigned family = 0; family < AF_MAX && failed == 0; family++) {
		if (!allowed_family(family))
			failed = seccomp_rule_add(filter, SCMP_ACT_ERRNO(EAFNOSUPPORT),
			                          SCMP_SYS(socket), 1,
			                          SCMP_A0(SCMP_CMP_MASKED_EQ, UINT32_MAX, family));
	}
	return failed;
}

static lb_err read_back(struct lb_buf *out, int file)
{
	off_t size = lseek(file, 0, SEEK_END);
	unsigned char *to = size > 0 ? lb_buf_reserve(out, (size_t)size) : NULL;

	if (size <= 0)
		return lb_err_of(LB_E_IO);
	if (to == NULL)
		return lb_buf_check(out);
	if (pread(file, to, (size_t)size, 0) != size)
		return lb_err_of(LB_E_IO);
	out->len += (size_t)size;
	return LB_OK;
}

lb_err runner_seccomp_program(struct lb_buf *out)
{
	scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ALLOW);
	int file = memfd_create("seccomp", MFD_CLOEXEC);
	lb_err err = LB_OK;

	if (filter == NULL || file < 0)
		err = lb_err_of(LB_E_NOMEM);
	if (!lb_failed(err) && (add_rules(filter) != 0 || seccomp_export_bpf(filter, file) != 0))
		err = lb_err_of(LB_E_UNSUPPORTED);
	if (!lb_failed(err))
		err = read_back(out, file);
	if (file >= 0)
		(void)close(file);
	seccomp_release(filter);
	return err;
}
