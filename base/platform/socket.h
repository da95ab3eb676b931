/* socket.h - TCP sockets for programs that are given some: to listen, to connect, and what is done
 * to one.
 *
 * Layer: platform.  A socket is a number, as a file is; plat_ops.close ends it.
 * Failures are lb_err_errno's codes with the errno as context, NOTFOUND where a
 * host's name means nothing.  Writing to one that nobody reads is an error, not
 * a signal.  Threads: any.
 */
#ifndef PLAT_SOCKET_H
#define PLAT_SOCKET_H

#include "base/platform/handle_io.h"

/* `host`: a name or an address; port 0: any free one.  They wait for the system's resolver. */
lb_err plat_socket_listen(int *out, const char *host, uint16_t port);
lb_err plat_socket_connect(int *out, const char *host, uint16_t port);
lb_err plat_socket_port(uint16_t *out, int socket); /* the one it has here */

/* `flags`: enum plat_handle_flag; NONBLOCK alone counts. */
lb_err plat_socket_accept(int *out, int listener, unsigned flags);

enum plat_receive { PLAT_RECEIVE_PEEK = 1, PLAT_RECEIVE_ALL = 2 };

/* As plat_handle_read; *cut: what did not fit of a datagram is gone. */
lb_err plat_socket_receive(size_t *got, bool *cut, int socket, const struct plat_span *to,
                           size_t count, unsigned how);
lb_err plat_socket_send(size_t *put, int socket, const struct plat_span *from, size_t count);
lb_err plat_socket_shut(int socket, bool reading, bool writing);

#endif
