// SPDX-License-Identifier: Apache-2.0
/* See gemel/probe.h. */
#include <gemel/probe.h>

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static int probe_address(const char *address, unsigned port, struct sockaddr_storage *out,
			 socklen_t *len)
{
	struct sockaddr_in *v4 = (struct sockaddr_in *)out;
	struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)out;
	memset(out, 0, sizeof(*out));
	if (inet_pton(AF_INET, address, &v4->sin_addr) == 1) {
		v4->sin_family = AF_INET;
		v4->sin_port = htons((uint16_t)port);
		*len = sizeof(*v4);
		return AF_INET;
	}
	if (inet_pton(AF_INET6, address, &v6->sin6_addr) == 1) {
		v6->sin6_family = AF_INET6;
		v6->sin6_port = htons((uint16_t)port);
		*len = sizeof(*v6);
		return AF_INET6;
	}
	return -1;
}

static bool probe_wait(int fd, short events, int milliseconds)
{
	struct pollfd poll_fd = {.fd = fd, .events = events};
	int rc;
	do {
		rc = poll(&poll_fd, 1, milliseconds);
	} while (rc < 0 && errno == EINTR);
	return rc > 0;
}

/* Connected descriptor, or -1. */
static int probe_connect(const char *address, unsigned port, int milliseconds)
{
	struct sockaddr_storage peer;
	socklen_t len, error_len = sizeof(int);
	int error = 0, family = probe_address(address, port, &peer, &len);
	if (family < 0)
		return -1;
	int fd = socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -1;
	if (connect(fd, (struct sockaddr *)&peer, len) == 0)
		return fd;
	if (errno == EINPROGRESS && probe_wait(fd, POLLOUT, milliseconds) &&
	    getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &error_len) == 0 && error == 0)
		return fd;
	close(fd);
	return -1;
}

static bool probe_exchange(int fd, const void *request, size_t len, void *answer, size_t want,
			   int milliseconds)
{
	size_t got = 0;
	if (send(fd, request, len, MSG_NOSIGNAL) != (ssize_t)len)
		return false;
	while (got < want) {
		if (!probe_wait(fd, POLLIN, milliseconds))
			return false;
		ssize_t n = recv(fd, (char *)answer + got, want - got, 0);
		if (n <= 0)
			return false;
		got += (size_t)n;
	}
	return true;
}

bool gml_probe_s3(const char *address, unsigned port, int milliseconds)
{
	/* A server with TLS answers plain HTTP as well: with an error, but in HTTP. */
	static const char request[] =
		"GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
	char answer[5];
	int fd = probe_connect(address, port, milliseconds);
	if (fd < 0)
		return false;
	bool good = probe_exchange(fd, request, sizeof(request) - 1, answer, sizeof(answer),
				   milliseconds) &&
		    memcmp(answer, "HTTP/", 5) == 0;
	close(fd);
	return good;
}

bool gml_probe_tcp(const char *address, unsigned port, int milliseconds)
{
	int fd = probe_connect(address, port, milliseconds);
	if (fd >= 0)
		close(fd);
	return fd >= 0;
}

bool gml_probe_nfs(const char *address, unsigned port, int milliseconds)
{
	/* record mark (last fragment, 40 bytes), xid, CALL, RPC 2, NFS 4, NULL, no credentials, no
	 * verifier */
	uint32_t call[11] = {htonl(0x80000000u | 40),
			     htonl(0x67656d65),
			     htonl(0),
			     htonl(2),
			     htonl(100003),
			     htonl(4),
			     htonl(0),
			     0,
			     0,
			     0,
			     0};
	/* record mark (24 bytes), xid, REPLY, MSG_ACCEPTED, no verifier, SUCCESS. All of it is
	 * read: a close with bytes unread resets the connection, which ganesha logs. */
	uint32_t reply[7];
	int fd = probe_connect(address, port, milliseconds);
	if (fd < 0)
		return false;
	bool good = probe_exchange(fd, call, sizeof(call), reply, sizeof(reply), milliseconds) &&
		    reply[1] == call[1] && ntohl(reply[2]) == 1 && reply[3] == 0 && reply[6] == 0;
	close(fd);
	return good;
}

int gml_probe_bind(const char *address, unsigned port)
{
	struct sockaddr_storage local;
	socklen_t len;
	int one = 1, error = 0, family = probe_address(address, port, &local, &len);
	if (family < 0)
		return EINVAL;
	int fd = socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return errno;
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	if (bind(fd, (struct sockaddr *)&local, len) != 0 || listen(fd, 1) != 0)
		error = errno;
	close(fd);
	return error;
}
