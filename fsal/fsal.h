// SPDX-License-Identifier: Apache-2.0
/* Declarations shared by the files of the plugin. Only this header includes ganesha's.
 *
 * Invariants
 *  1. An operation decodes, calls the core (once; OPEN more often), and encodes. Rights are decided
 *     in the core, with the credentials of op_ctx.
 *  2. Every object handle that an operation returns is new; FSAL_MDCACHE merges it into its own and
 *     releases it.
 *  3. handle.obj_lock guards the members of a handle that change after its creation. Lock order:
 *     idle list (file.c) before obj_lock. No lock is held during a call of the core.
 *  4. A gml_fsal_file lives as long as there is a reference: of the state or handle that opened it,
 *     and of each running I/O. So a CLOSE never waits for I/O, and I/O never uses a closed file. */
#ifndef GML_FSAL_H
#define GML_FSAL_H

#include "config.h" /* ganesha's, see local.mk */

#include "fsal.h"
#include "fsal_convert.h"
#include "FSAL/fsal_commonlib.h"
#include "FSAL/fsal_init.h"
#include "nfs_core.h"
#include "nfs_exports.h"

#include "compat.h"

#include <link.h>

#include <gemel/acl.h>
#include <gemel/file.h>
#include <gemel/handle.h>
#include <gemel/principal.h>
#include "gateway/base/assert.h"

/* Wire handle, host handle and cache key are the same bytes (gemel/handle.h), the code included: it
 * is computed once for an object, and a made-up key finds no cached object either. */
#define GML_FSAL_KEY_LEN GML_HANDLE_LEN
#define GML_FSAL_IO_MAX (4u << 20)
/* Every object has these; ATTR_ACL is filled where it is asked for. */
#define GML_FSAL_ATTRS_ALWAYS (ATTRS_POSIX | ATTR_CREATION | ATTR4_XATTR)
#define GML_FSAL_ATTRS (GML_FSAL_ATTRS_ALWAYS | ATTR_ACL)

/* `who` of an ace that is marked as special, after ganesha's own (FSAL_ACE_SPECIAL_*). */
#define GML_FSAL_ACE_AUTHENTICATED 0x100
#define GML_FSAL_ACE_ANONYMOUS 0x101
/* Number of the attribute mode_umask (RFC 8275). */
#define GML_FSAL_FATTR_MODE_UMASK 81
/* In `generation` of attributes that are to be set: the low bits are the umask of `mode`. */
#define GML_FSAL_HAS_UMASK ((uint64_t)1 << 32)

struct gml_fsal_module {
	struct fsal_module module;
	struct fsal_obj_ops handle_ops;
	struct gml_store *store; /* open from the first create_export to the last release */
	char *store_path;
	unsigned exports; /* both guarded by `lock` */
	pthread_mutex_t lock;
	fsal_fsid_t fsid;
};
extern struct gml_fsal_module gml_fsal;

struct gml_fsal_file {
	struct glist_head link; /* in obj.files, while its owner (state or obj.shared) has it */
	int32_t refs;
	unsigned access; /* GML_OPEN_* */
	struct gml_file *file;
};

struct gml_fsal_obj {
	struct fsal_obj_handle handle;
	uint8_t key[GML_FSAL_KEY_LEN];
	gml_ino ino;
	/* Regular files; guarded by handle.obj_lock. */
	struct fsal_share share;
	struct glist_head files;
	struct gml_fsal_file *shared[2]; /* for I/O without an open state: for reading, for both */
	unsigned states;		 /* open states */
	unsigned creates; /* stateless creates that ganesha has counted as open descriptors */
	time_t used;	  /* when `shared` was last asked for (monotonic seconds) */
	/* in the list of file.c, guarded by its lock, while `listed`; always so when `shared` holds
	 * something */
	struct glist_head idle;
	bool listed;
};

struct gml_fsal_state {
	struct state_t state; /* first: ganesha frees it as a state_t */
	fsal_openflags_t openflags;
	struct gml_fsal_file *file;
};

static inline struct gml_fsal_obj *gml_fsal_obj_of(const struct fsal_obj_handle *handle)
{
	return container_of(handle, struct gml_fsal_obj, handle);
}

static inline struct gml_span gml_fsal_span(const char *name)
{
	return (struct gml_span){name, strlen(name)};
}

/* errmap.c: the one mapping of core errors. */
fsal_status_t gml_fsal_status(int rc);

/* op.c */
/* The caller of an operation. Two ways, each for one purpose:
 *  - gml_fsal_op: the caller, for requests of clients. Credentials and client of op_ctx, and the
 *    compound's facts about the object; read_only unless the export grants all of `need`
 *    (EXPORT_OPTION_*_ACCESS; 0: nothing is changed).
 *  - gml_fsal_op_root: the server itself, with uid 0 and never refused, for files that are open
 *    already and for its own work. Works without op_ctx; no client. */
void gml_fsal_op(struct gml_op *op, uint32_t need);
void gml_fsal_op_root(struct gml_op *op);
/* The NFSv4 compound that this thread works on, or NULL. */
compound_data_t *gml_fsal_compound(void);
void gml_fsal_log(void *arg, enum gml_log_level level, const char *line);

/* attr.c */
object_file_type_t gml_fsal_type(enum gml_type type);
/* Fills everything but request_mask and the ACL. */
void gml_fsal_attr_encode(const struct gml_attr *in, struct fsal_attrlist *out);
/* The same, and the ACL, in a reference of its own. */
void gml_fsal_attr_encode_acl(const struct gml_attr *in, const struct gml_acl *acl,
			      struct fsal_attrlist *out);
/* What a client sets; set.acl points to `acl`. */
struct gml_fsal_set {
	struct gml_setattr set;
	struct gml_acl acl;
};
/* ATTRNOTSUPP for attributes that cannot be set, INVAL for ids out of range and for an invalid
 * fraction of a second; a time that 64 bits of nanoseconds cannot hold becomes the nearest one. For
 * an ACL see gml_fsal_acl_decode. */
fsal_status_t gml_fsal_attr_decode(const struct fsal_attrlist *in, struct gml_fsal_set *out);
/* The same for a new object: a mode that the client did not state is no bound of what the directory
 * hands down. */
fsal_status_t gml_fsal_attr_decode_new(const struct fsal_attrlist *in, struct gml_fsal_set *out);
/* Does the request that this thread works on state a mode, if it states attributes? Ganesha adds
 * modes to requests. */
bool gml_fsal_attr_mode_is_stated(void);

/* acl.c */
/* A reference for the attributes that get it; NULL when ganesha cannot keep it. */
fsal_acl_t *gml_fsal_acl_encode(const struct gml_acl *acl);
/* NULL: an ACL without entries. ATTRNOTSUPP: an entry that cannot be enforced; FBIG: too many. */
fsal_status_t gml_fsal_acl_decode(const fsal_acl_t *in, struct gml_acl *out);

/* handle.c */
/* A new handle for the object, in op_ctx's export; fills attrs_out unless NULL. Never NULL. */
struct gml_fsal_obj *gml_fsal_obj_new(const struct gml_attr *attr, struct fsal_attrlist *attrs_out);
void gml_fsal_handle_ops(struct fsal_obj_ops *ops);
/* The inode of a wire handle: BADHANDLE if it is none, STALE if it is of another store. */
fsal_status_t gml_fsal_key_decode(const struct gsh_buffdesc *desc, gml_ino *ino_out);
fsal_status_t gml_fsal_handle_getattrs(struct fsal_obj_handle *handle,
				       struct fsal_attrlist *attrs_out);

/* readdir.c */
fsal_status_t gml_fsal_readdir(struct fsal_obj_handle *dir, fsal_cookie_t *whence, void *dir_state,
			       fsal_readdir_cb cb, attrmask_t mask, bool *eof);

/* file.c */
struct gml_fsal_file *gml_fsal_file_new(struct gml_file *file, unsigned access);
/* Drops a reference; the last one closes the file. Returns the core's error of that, after noting
 * that unstable data may be lost. */
int gml_fsal_file_put(struct gml_fsal_file *file);
/* A referenced file for I/O with the access mode `access`: the state's own, any other open one, or
 * a shared one that is opened now. Checks share reservations where the state does not cover the
 * access; rights are left to the I/O itself. */
fsal_status_t gml_fsal_file_get(struct gml_fsal_obj *obj, struct state_t *state, unsigned access,
				bool bypass, struct gml_fsal_file **out);
/* SHARE_DENIED if a reservation of another open forbids `access` (FSAL_O_READ, FSAL_O_WRITE) and
 * `state` (may be NULL) does not cover it. */
fsal_status_t gml_fsal_file_share_check(struct gml_fsal_obj *obj, struct state_t *state,
					fsal_openflags_t access, bool bypass);
/* An open file that may have been written, referenced; NULL if there is none. */
struct gml_fsal_file *gml_fsal_file_writer(struct gml_fsal_obj *obj);
/* Takes the shared files from obj into out[2]. obj_lock held for writing. */
void gml_fsal_file_unshare_locked(struct gml_fsal_obj *obj, struct gml_fsal_file *out[2]);
/* For release: closes the shared files and leaves the idle list. */
void gml_fsal_file_forget(struct gml_fsal_obj *obj);
/* Closes shared files that were not used for `age` seconds. */
void gml_fsal_file_expire(time_t age);
/* Notes that data which was acknowledged as unstable may be lost: clients must send it again. */
void gml_fsal_file_lost(void);
/* Changes whenever unstable data may have been lost. */
uint64_t gml_fsal_file_verifier(void);

/* open.c, io.c, xattr.c */
void gml_fsal_open_ops(struct fsal_obj_ops *ops);
void gml_fsal_io_ops(struct fsal_obj_ops *ops);
void gml_fsal_xattr_ops(struct fsal_obj_ops *ops);

/* table.c: tables of ganesha's library that it does not export. */
/* The one place in the library's constant data at which `is` holds; `size` bytes can be read there.
 * NULL: there is none, or more than one. */
void *gml_fsal_table_find(size_t size, bool (*is)(const struct dl_phdr_info *info, const void *at));
/* For `is`: does the library have code at the address; the text? */
bool gml_fsal_table_is_code(const struct dl_phdr_info *info, uintptr_t address);
bool gml_fsal_table_is_text(const struct dl_phdr_info *info, const char *p, const char *text);
/* Changes constant data. While no request runs. */
bool gml_fsal_table_write(void *at, const void *bytes, size_t len);

/* fattr.c: lets ganesha carry ACLs as the core has them, and mode_umask. Hook and unhook as
 * gml_fsal_wire_hook. */
void gml_fsal_fattr_hook(void);
void gml_fsal_fattr_unhook(void);

/* wire.c */
/* Lets ganesha decode and encode values of extended attributes of up to GML_XATTR_VALUE_MAX bytes.
 * Once, before ganesha takes requests; logs when it cannot. */
void gml_fsal_wire_hook(void);
/* Before the plugin is unloaded: restore ganesha's functions. */
void gml_fsal_wire_unhook(void);
/* The longest value that a reply can hold. */
size_t gml_fsal_wire_value_max(void);

/* export.c */
fsal_status_t gml_fsal_create_export(struct fsal_module *module, void *node,
				     struct config_error_type *err,
				     const struct fsal_up_vector *up_ops);
fsal_status_t gml_fsal_update_export(struct fsal_module *module, void *node,
				     struct config_error_type *err, struct fsal_export *original,
				     struct fsal_module *updated_super);

/* access.c: makes FSAL_MDCACHE, under which `exp` is stacked, check rights in the core instead of
 * in its cache. Idempotent. */
void gml_fsal_access_hook(struct fsal_export *exp);

/* maintenance.c: the background thread: frees orphans, closes idle files, keeps the coherence
 * settings. */
int gml_fsal_maintenance_start(void);
void gml_fsal_maintenance_stop(void);
/* May clients still reclaim what they had open when the last server ended? No blocking. */
bool gml_fsal_maintenance_recovering(void);
/* Set the options by which ganesha answers attributes and directories from no cache, in place of
 * the configured ones. */
void gml_fsal_maintenance_enforce(struct gsh_export *exp);

#endif
