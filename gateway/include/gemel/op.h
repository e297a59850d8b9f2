/* SPDX-License-Identifier: Apache-2.0 */
/* The context of an operation: its caller, its transport and its number. The first parameter of
 * every core operation. */
#ifndef GEMEL_OP_H
#define GEMEL_OP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <gemel/types.h>

#define GML_GROUPS_MAX 1024 /* supplementary groups considered */

#define GML_CLIENT_NONE UINT64_MAX
#define GML_REQUEST_ID_MAX 16 /* characters */

enum gml_protocol { GML_PROTOCOL_LOCAL, GML_PROTOCOL_NFS, GML_PROTOCOL_S3 };

enum gml_log_level { GML_LOG_ERROR, GML_LOG_WARN, GML_LOG_INFO, GML_LOG_DEBUG };

/* Called with one line without newline. Must not call back into the core. Any thread. */
typedef void (*gml_log_fn)(void *arg, enum gml_log_level level, const char *line);

/* POSIX identity. `groups` is borrowed for the duration of the call. */
struct gml_cred {
	uint32_t uid;
	uint32_t gid;
	uint32_t ngroups;
	const uint32_t *groups;
};

/* How the caller was authenticated. */
enum gml_authn {
	GML_AUTHN_ANONYMOUS,
	GML_AUTHN_LOCAL, /* a process that may open the store's files */
	GML_AUTHN_SIGV4,
	GML_AUTHN_SIGV4_PRESIGNED,
	GML_AUTHN_SIGV2,
	GML_AUTHN_SIGV2_PRESIGNED,
	GML_AUTHN_SYS, /* AUTH_SYS: the client's host states the uid */
	GML_AUTHN_KRB5,
	GML_AUTHN_KRB5I,
	GML_AUTHN_KRB5P,
};

enum {
	GML_PRIVILEGE_ADMIN = 1, /* users, keys, quotas, and every bucket as its owner */
	GML_PRIVILEGE_ROOT = 2,	 /* uid 0 that no export squashed: passes every mode check */
};

/* The caller. Made by the functions of gemel/principal.h, once for each operation; only gateway/iam
 * decides by its members. */
struct gml_principal {
	struct gml_cred cred;
	/* The user's name, borrowed. NULL if only a uid is known: the caller is the guest of that
	 * uid, or the user that has it where a decision looks one up. */
	const char *user;
	struct gml_span key; /* the access key of the signature, borrowed; empty: none */
	uint32_t privileges; /* GML_PRIVILEGE_* */
	enum gml_authn authn;
	/* the uid may do nothing (gml_uid_refused): every check of rights answers ACCESS */
	bool refused;
};

/* Gives the values of a condition key of policies that the request states, in its headers or query.
 *
 * `key` is spelled as the policy has it, in any case, the tag's name after the slash included:
 * "s3:x-amz-acl", "aws:RequestTag/project". Writes at most `max` spans, which stay as they are
 * until the operation ends, and returns how many values there are: 0 if the request does not
 * have the key (more than `max`: they count as unknown). Called for each statement that asks,
 * perhaps several times. Not called for what the core knows: the caller and its tags, address,
 * time and transport, the protocol, the way of authentication, tags of the object. s3:prefix
 * comes here: a protocol without this function asks with the prefix that the operation lists.
 * Must not call the core. Any thread that runs the operation. */
typedef size_t (*gml_condition_fn)(void *arg, struct gml_span key, struct gml_span *values,
				   size_t max);

/* The transport of the request. */
struct gml_context {
	enum gml_protocol protocol;
	bool secure;	    /* the transport is encrypted */
	bool read_only;	    /* the export forbids changes: every change answers GML_ERR_ROFS */
	uint8_t source_len; /* bytes of `source`: 4 (IPv4), 16 (IPv6), 0: not known */
	uint8_t source[16]; /* the client's address, network order */
	gml_condition_fn condition; /* NULL: the request states no value of any key */
	void *condition_arg;
};

/* Facts of the request about the inode of its handle, for the gate of handles
 * (gateway/ns/posix/handle.c). They say which inode is meant and whether it still is; they grant no
 * right: the gate answers STALE and AGAIN by them, and never ACCESS. */
struct gml_handle_context {
	/* The inode was found by its name within this request, or its client reclaims it: it may
	 * have lost that name since, and still answers. */
	bool found;
	/* The name was found in a directory that the caller may not search (a policy let it pass):
	 * no mode bits count. */
	bool barred;
	/* Clients may not have reclaimed their open files yet: a request of an unknown client for
	 * an inode without a name answers GML_ERR_AGAIN, not STALE. */
	bool recovering;
	/* The client whose open files count as open for this operation (gemel/file.h). 0: not
	 * known; GML_CLIENT_NONE: none. */
	uint64_t client;
};

/* One operation; caller's storage, lives until the call returns. Zero-initialise, then fill. Zero
 * is a guest of uid 0 without any privilege. */
struct gml_op {
	struct gml_principal principal;
	struct gml_context context;
	struct gml_handle_context handle;
	bool nowait; /* gml_object_open: GML_ERR_COLD rather than read content from the disk */
	char request_id[GML_REQUEST_ID_MAX + 1]; /* in the operation's log lines; "": none */
	gml_log_fn log;				 /* NULL: the store's */
	void *log_arg;
};

/* Initialiser: the program itself, run by a user that may open the store's files. */
#define GML_OP_LOCAL                                                                               \
	{                                                                                          \
		.principal = {                                                                     \
			.privileges = GML_PRIVILEGE_ADMIN | GML_PRIVILEGE_ROOT,                    \
			.authn = GML_AUTHN_LOCAL                                                   \
		}                                                                                  \
	}

#endif
