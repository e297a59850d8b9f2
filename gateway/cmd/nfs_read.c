// SPDX-License-Identifier: Apache-2.0
#include "nfs_read.h"

#include <arpa/inet.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#define NFS_READ_CALL_MAX 8192
#define NFS_READ_REPLY_MAX (NFS_READ_CHUNK + 4096)
#define NFS_READ_GROUPS_MAX 16 /* of AUTH_SYS, RFC 5531 */
#define NFS_READ_GROUPS_ROOM 1024
#define NFS_READ_NAMES_MAX 64 /* of a path */

enum {
	NFS_OP_GETFH = 10,
	NFS_OP_LOOKUP = 15,
	NFS_OP_PUTFH = 22,
	NFS_OP_PUTROOTFH = 24,
	NFS_OP_READ = 25,
};

/* ---- XDR (RFC 4506) ---- */

struct xdr_out {
	uint8_t bytes[NFS_READ_CALL_MAX];
	size_t len;
	bool full;
};

static void xdr_raw(struct xdr_out *out, const void *bytes, size_t len)
{
	size_t padded = (len + 3) & ~(size_t)3;
	if (out->full || padded > sizeof(out->bytes) - out->len) {
		out->full = true;
		return;
	}
	memset(out->bytes + out->len, 0, padded);
	memcpy(out->bytes + out->len, bytes, len);
	out->len += padded;
}

static void xdr_number(struct xdr_out *out, uint32_t number)
{
	number = htonl(number);
	xdr_raw(out, &number, sizeof(number));
}

static void xdr_opaque(struct xdr_out *out, const void *bytes, size_t len)
{
	xdr_number(out, (uint32_t)len);
	xdr_raw(out, bytes, len);
}

struct xdr_in {
	const uint8_t *at, *end;
	bool bad; /* the answer ended too early; numbers are 0 from there on */
};

static const uint8_t *xdr_take(struct xdr_in *in, size_t len)
{
	const uint8_t *at = in->at;
	if (in->bad || len > (size_t)(in->end - at)) {
		in->bad = true;
		return NULL;
	}
	in->at += len;
	return at;
}

static uint32_t xdr_read(struct xdr_in *in)
{
	const uint8_t *at = xdr_take(in, 4);
	return at ? (uint32_t)at[0] << 24 | (uint32_t)at[1] << 16 | (uint32_t)at[2] << 8 | at[3]
		  : 0;
}

static const uint8_t *xdr_read_opaque(struct xdr_in *in, size_t *len_out)
{
	*len_out = xdr_read(in);
	const uint8_t *at = xdr_take(in, *len_out);
	xdr_take(in, (4 - *len_out % 4) % 4);
	return in->bad ? NULL : at;
}

/* ---- the call ---- */

static int nfs_wrong(struct nfs_read *nfs, const char *why)
{
	snprintf(nfs->why, sizeof(nfs->why), "%s", why);
	return -1;
}

/* CALL of COMPOUND with AUTH_SYS, up to the compound's tag and minor version (RFC 5531 9, 10;
 * appendix A). */
static void nfs_header(struct nfs_read *nfs, struct xdr_out *out)
{
	/* CALL, RPC 2, NFS, version 4, COMPOUND, AUTH_SYS */
	static const uint32_t call[] = {0, 2, 100003, 4, 1, 1};
	gid_t groups[NFS_READ_GROUPS_ROOM];
	int n = getgroups(NFS_READ_GROUPS_ROOM, groups);
	n = n < 0 ? 0 : n > NFS_READ_GROUPS_MAX ? NFS_READ_GROUPS_MAX : n;
	xdr_number(out, 0); /* the record mark, when the length is known */
	xdr_number(out, ++nfs->xid);
	for (size_t i = 0; i < sizeof(call) / sizeof(call[0]); i++)
		xdr_number(out, call[i]);
	xdr_number(out, 4 * (uint32_t)(5 + n) + 8); /* the credential's length */
	xdr_number(out, 0);			    /* stamp */
	xdr_opaque(out, "gemel", 5);		    /* machine */
	xdr_number(out, geteuid());
	xdr_number(out, getegid());
	xdr_number(out, (uint32_t)n);
	for (int i = 0; i < n; i++)
		xdr_number(out, groups[i]);
	xdr_number(out, 0); /* no verifier */
	xdr_number(out, 0);
	xdr_number(out, 0); /* no tag */
	xdr_number(out, 0); /* minor version */
}

/* The names of a path, a LOOKUP each; their number, or -1. */
static int nfs_lookups(struct xdr_out *out, const char *path)
{
	int names = 0;
	for (const char *at = path; *at; names++) {
		at += strspn(at, "/");
		size_t len = strcspn(at, "/");
		if (len == 0)
			break;
		if (names == NFS_READ_NAMES_MAX)
			return -1;
		xdr_number(out, NFS_OP_LOOKUP);
		xdr_opaque(out, at, len);
		at += len;
	}
	return names;
}

/* The whole call. The number of its operations before READ, or -1. */
static int nfs_call(struct nfs_read *nfs, struct xdr_out *out, const char *path, uint64_t offset)
{
	static const uint8_t anonymous[16];
	int names = 0;
	nfs_header(nfs, out);
	size_t count_at = out->len;
	xdr_number(out, 0);
	if (nfs->handle_len > 0) {
		xdr_number(out, NFS_OP_PUTFH);
		xdr_opaque(out, nfs->handle, nfs->handle_len);
	} else {
		xdr_number(out, NFS_OP_PUTROOTFH);
		if ((names = nfs_lookups(out, path)) < 0)
			return -1;
		xdr_number(out, NFS_OP_GETFH);
		names++;
	}
	xdr_number(out, NFS_OP_READ);
	xdr_raw(out, anonymous, sizeof(anonymous));
	xdr_number(out, (uint32_t)(offset >> 32));
	xdr_number(out, (uint32_t)offset);
	xdr_number(out, NFS_READ_CHUNK);
	if (out->full)
		return -1;
	uint32_t mark = htonl(0x80000000u | (uint32_t)(out->len - 4));
	uint32_t count = htonl((uint32_t)names + 2);
	memcpy(out->bytes, &mark, 4);
	memcpy(out->bytes + count_at, &count, 4);
	return names + 1;
}

/* ---- the reply ---- */

/* Exactly `len` bytes. The socket's own timeout bounds each wait. */
static bool nfs_receive(struct nfs_read *nfs, void *out, size_t len)
{
	return recv(nfs->fd, out, len, MSG_WAITALL) == (ssize_t)len;
}

/* A server that ends accepts connections until it is gone. */
#define NFS_SILENT "the NFS server does not answer: 'gemel status' shows more"

/* Sends the call and collects the fragments of the reply (RFC 5531 11). Its length, or -1. */
static int64_t nfs_exchange(struct nfs_read *nfs, const struct xdr_out *call)
{
	size_t used = 0;
	uint32_t mark;
	if (send(nfs->fd, call->bytes, call->len, MSG_NOSIGNAL) != (ssize_t)call->len)
		return nfs_wrong(nfs, "the call cannot be sent to the server");
	do {
		if (!nfs_receive(nfs, &mark, sizeof(mark)))
			return nfs_wrong(nfs, NFS_SILENT);
		mark = ntohl(mark);
		size_t len = mark & 0x7fffffffu;
		if (len > NFS_READ_REPLY_MAX - used)
			return nfs_wrong(nfs, "the answer is too long");
		if (len > 0 && !nfs_receive(nfs, nfs->reply + used, len))
			return nfs_wrong(nfs, "the connection ended within the answer");
		used += len;
	} while (!(mark & 0x80000000u));
	return (int64_t)used;
}

/* RFC 7530 13: the errors that a reader may get. */
static int nfs_status(struct nfs_read *nfs, uint32_t status)
{
	static const struct {
		uint32_t status;
		const char *text;
	} known[] = {
		{2, "no such file or directory"},
		{5, "input/output error"},
		{13, "permission denied"},
		{20, "not a directory"},
		{21, "is a directory"},
		{22, "not a regular file"},
		{63, "the name is too long"},
		{70, "the file is gone (stale)"},
		{10006, "the server reports an internal error (NFS4ERR_SERVERFAULT): see its log"},
		{10008, "the server asks to repeat the request later (NFS4ERR_DELAY)"},
		{10012, "the file is locked"},
		{10013, "the server is in its grace period: try again in a minute"},
		{10016, "the server requires another kind of authentication (NFS4ERR_WRONGSEC)"},
		{10029, "is a symbolic link"},
	};
	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
		if (known[i].status == status)
			return nfs_wrong(nfs, known[i].text);
	snprintf(nfs->why, sizeof(nfs->why), "the server answers NFS4ERR %u", status);
	return -1;
}

/* Up to the results of the operations. */
static int nfs_accepted(struct nfs_read *nfs, struct xdr_in *in)
{
	size_t len;
	uint32_t xid = xdr_read(in), type = xdr_read(in), state = xdr_read(in);
	if (in->bad || xid != nfs->xid || type != 1)
		return nfs_wrong(nfs, "the answer is not a reply to this call");
	if (state != 0)
		return nfs_wrong(nfs,
				 "the server refuses the call or its authentication (AUTH_SYS)");
	xdr_read(in); /* verifier */
	xdr_read_opaque(in, &len);
	if (xdr_read(in) != 0)
		return nfs_wrong(nfs, "the call cannot be sent to the server");
	xdr_read(in); /* the compound's status: that of its last operation */
	xdr_read_opaque(in, &len);
	xdr_read(in); /* how many there are */
	return 0;
}

/* The header of one result, and the handle of GETFH. */
static int nfs_result(struct nfs_read *nfs, struct xdr_in *in)
{
	uint32_t op = xdr_read(in), status = xdr_read(in);
	size_t len;
	if (in->bad)
		return nfs_wrong(nfs, "the answer is cut off");
	if (status != 0)
		return nfs_status(nfs, status);
	if (op != NFS_OP_GETFH)
		return 0;
	const uint8_t *handle = xdr_read_opaque(in, &len);
	if (handle == NULL || len == 0 || len > NFS_READ_HANDLE_MAX)
		return nfs_wrong(nfs, "the answer has no file handle");
	memcpy(nfs->handle, handle, len);
	nfs->handle_len = len;
	return 0;
}

int nfs_read_chunk(struct nfs_read *nfs, const char *path, uint64_t offset,
		   const uint8_t **data_out, size_t *len_out, bool *eof_out)
{
	struct xdr_out *call = calloc(1, sizeof(*call));
	int before = call ? nfs_call(nfs, call, path, offset) : 0;
	int64_t len;
	if (before > 0)
		len = nfs_exchange(nfs, call);
	else
		len = nfs_wrong(nfs, call ? "the path is too long" : "out of memory");

	free(call);
	if (len < 0)
		return -1;
	struct xdr_in in = {.at = nfs->reply, .end = nfs->reply + len};
	if (nfs_accepted(nfs, &in) != 0)
		return -1;
	for (int i = 0; i <= before; i++)
		if (nfs_result(nfs, &in) != 0)
			return -1;
	*eof_out = xdr_read(&in) != 0;
	*data_out = xdr_read_opaque(&in, len_out);
	return *data_out ? 0 : nfs_wrong(nfs, "the answer is cut off");
}

/* Connected, with a bound of `milliseconds` for each wait; or -1. */
static int nfs_connect(const char *address, unsigned port, int milliseconds)
{
	struct addrinfo hints = {.ai_flags = AI_NUMERICHOST | AI_NUMERICSERV,
				 .ai_socktype = SOCK_STREAM};
	struct timeval wait = {.tv_sec = milliseconds / 1000,
			       .tv_usec = milliseconds % 1000 * 1000};
	struct addrinfo *peer;
	char service[16];
	snprintf(service, sizeof(service), "%u", port);
	if (getaddrinfo(address, service, &hints, &peer) != 0)
		return -1;
	int fd = socket(peer->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
	bool good = fd >= 0 && setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &wait, sizeof(wait)) == 0 &&
		    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof(wait)) == 0 &&
		    connect(fd, peer->ai_addr, peer->ai_addrlen) == 0;
	freeaddrinfo(peer);
	if (good)
		return fd;
	if (fd >= 0)
		close(fd);
	return -1;
}

int nfs_read_open(struct nfs_read *nfs, const char *address, unsigned port, int milliseconds)
{
	*nfs = (struct nfs_read){
		.fd = -1, .xid = (uint32_t)getpid() << 8, .reply = malloc(NFS_READ_REPLY_MAX)};
	if (nfs->reply == NULL)
		return nfs_wrong(nfs, "out of memory");
	nfs->fd = nfs_connect(address, port, milliseconds);
	if (nfs->fd >= 0)
		return 0;
	return nfs_wrong(nfs, NFS_SILENT);
}

void nfs_read_close(struct nfs_read *nfs)
{
	if (nfs->fd >= 0)
		close(nfs->fd);
	free(nfs->reply);
}
