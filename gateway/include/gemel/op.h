// SPDX-License-Identifier: Apache-2.0
/* Who asks, and for what: the first parameter of every core operation. */
#ifndef GEMEL_OP_H
#define GEMEL_OP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define GML_GROUPS_MAX 1024 /* supplementary groups considered */

#define GML_CLIENT_NONE UINT64_MAX

enum gml_protocol { GML_PROTOCOL_ADMIN, GML_PROTOCOL_NFS, GML_PROTOCOL_S3 };

enum gml_log_level { GML_LOG_ERROR, GML_LOG_WARN, GML_LOG_INFO, GML_LOG_DEBUG };

/* Called with one line without newline. Must not call back into the core. Any thread. */
typedef void (*gml_log_fn)(void *arg, enum gml_log_level level, const char *line);

/* POSIX identity. uid 0 passes every mode check. `groups` is borrowed for the duration of the
 * call. */
struct gml_cred {
	uint32_t uid;
	uint32_t gid;
	uint32_t ngroups;
	const uint32_t *groups;
};

/* One operation's context; caller's storage, lives until the call returns. Zero-initialise, then
 * fill. */
struct gml_op {
	struct gml_cred cred;
	enum gml_protocol door;
	bool read_only; /* the export or bucket view forbids changes: every change answers GML_ERR_ROFS */
	/* The caller's uid may do nothing (gml_uid_refused): what asks for rights answers
	 * ACCESS. */
	bool refused;
	/* The inode was found by its name within this request, or its client reclaims it: it may
	 * have lost that name since, and still answers. */
	bool found;
	/* Clients may not have said yet which files they have open: what one that is not known asks
	 * of an inode without a name answers GML_ERR_AGAIN, not STALE. */
	bool recovering;
	/* Whose open files count as open for this operation (gemel/file.h). 0: not known;
	 * GML_CLIENT_NONE: nobody's. */
	uint64_t client;
	bool nowait; /* gml_object_open: GML_ERR_COLD rather than read content from the disk */
	const char *principal; /* user name, or NULL when only uid and gids are known */
	const char *request_id;
	gml_log_fn log; /* NULL: silent */
	void *log_arg;
};

#endif
