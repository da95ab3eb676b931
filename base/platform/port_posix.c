/* port_posix.c - port.h by binding and letting go again. */
#include "base/platform/port.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

static lb_err try_port(uint16_t *out, uint16_t port)
{
	struct sockaddr_in address = { .sin_family = AF_INET, .sin_port = htons(port) };
	socklen_t len = sizeof address;
	int one = 1, failed = 0;
	int file = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (file < 0)
		return lb_err_errno(errno);
	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	(void)setsockopt(file, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
	if (bind(file, (struct sockaddr *)&address, sizeof address) != 0 || listen(file, 1) != 0 ||
	    getsockname(file, (struct sockaddr *)&address, &len) != 0)
		failed = errno;
	(void)close(file);
	if (failed != 0)
		return lb_err_errno(failed);
	*out = ntohs(address.sin_port);
	return LB_OK;
}

lb_err plat_port_find(uint16_t *out, uint16_t wanted)
{
	*out = 0;
	if (wanted != 0 && !lb_failed(try_port(out, wanted)))
		return LB_OK;
	return try_port(out, 0);
}
