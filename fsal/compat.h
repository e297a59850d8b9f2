// SPDX-License-Identifier: Apache-2.0
/* Differences between the FSAL APIs of nfs-ganesha 4.x (11) and 6.x (13). Only this header tests
 * the version. */
#ifndef GML_FSAL_COMPAT_H
#define GML_FSAL_COMPAT_H

#if FSAL_MAJOR_VERSION != 11 && FSAL_MAJOR_VERSION != 13
#error "this plugin speaks the FSAL APIs 11 (nfs-ganesha 4.x) and 13 (6.x)"
#endif

/* The last parameters of an operation that changes a directory, or two: 6.x has parameters for
 * their attributes before and after the change. They are not filled: ganesha then calls getattrs,
 * as 4.x does. */
#if FSAL_MAJOR_VERSION == 11
#define GML_FSAL_DIR_ATTRS
#define GML_FSAL_DIRS_ATTRS
#else
#define GML_FSAL_DIR_ATTRS , struct fsal_attrlist *before, struct fsal_attrlist *after
#define GML_FSAL_DIRS_ATTRS                                                                        \
	, struct fsal_attrlist *old_before, struct fsal_attrlist *old_after,                       \
		struct fsal_attrlist *new_before, struct fsal_attrlist *new_after
#endif

static inline void gml_fsal_handle_init(struct fsal_obj_handle *handle, struct fsal_export *exp,
					object_file_type_t type)
{
#if FSAL_MAJOR_VERSION == 11
	fsal_obj_handle_init(handle, exp, type);
#else
	fsal_obj_handle_init(handle, exp, type, true);
#endif
}

static inline void gml_fsal_handle_fini(struct fsal_obj_handle *handle)
{
#if FSAL_MAJOR_VERSION == 11
	fsal_obj_handle_fini(handle);
#else
	fsal_obj_handle_fini(handle, true);
#endif
}

static inline pthread_rwlock_t *gml_fsal_exports_lock(struct fsal_module *module)
{
#if FSAL_MAJOR_VERSION == 11
	return &module->lock;
#else
	return &module->fsm_lock;
#endif
}

/* export.c */
void gml_fsal_state_free(struct state_t *state);

/* 4.x frees a state through the export, 6.x through the state. */
static inline struct state_t *gml_fsal_state_init(struct state_t *state, struct fsal_export *exp,
						  enum state_type type, struct state_t *related)
{
#if FSAL_MAJOR_VERSION == 11
	return init_state(state, exp, type, related);
#else
	return init_state(state, gml_fsal_state_free, type, related);
#endif
}

#if FSAL_MAJOR_VERSION == 11
static inline void gml_fsal_export_free_state(struct fsal_export *exp, struct state_t *state)
{
	gml_fsal_state_free(state);
}
#endif

static inline void gml_fsal_state_ops(struct export_ops *ops)
{
#if FSAL_MAJOR_VERSION == 11
	ops->free_state = gml_fsal_export_free_state;
#endif
}

/* The request that this thread works on, or NULL. 4.x embeds the operation context in it. */
static inline nfs_request_t *gml_fsal_request(void)
{
	if (op_ctx->req_type != NFS_REQUEST)
		return NULL;
#if FSAL_MAJOR_VERSION == 11
	return container_of(op_ctx, nfs_request_t, op_context);
#else
	return op_ctx->nfs_reqdata;
#endif
}

#endif
