// SPDX-License-Identifier: Apache-2.0
/* Exports: opening and closing the store, wire handles, file system information, states. */
#include "fsal.h"

struct gml_fsal_export {
	struct fsal_export export;
	char *store; /* from the configuration */
};

static struct config_item export_items[] = {
	CONF_ITEM_NOOP("name"),
	CONF_MAND_PATH("Store", 1, MAXPATHLEN, NULL, gml_fsal_export, store),
	CONFIG_EOL,
};

static struct config_block export_block = {
	.dbus_interface_name = "org.ganesha.nfsd.config.fsal.gemel-export%d",
	.blk_desc.name = "FSAL",
	.blk_desc.type = CONFIG_BLOCK,
	.blk_desc.u.blk.init = noop_conf_init,
	.blk_desc.u.blk.params = export_items,
	.blk_desc.u.blk.commit = noop_conf_commit,
};

/* ---- the store ---- */

/* A client takes two servers of one owner and scope for one server with two addresses (RFC 8881
 * 2.10.4 and 2.10.5), and ganesha's default is the host's name, for both. The store is what makes a
 * server this one: also behind another address, and not another one behind this. */
static void export_server_owner(const struct gml_store *store)
{
	static const char prefix[] = "gemel-";
	nfs_version4_parameter_t *v4 = &nfs_param.nfsv4_param;
	char name[sizeof(prefix) - 1 + GML_STORE_UUID_TEXT];
	memcpy(name, prefix, sizeof(prefix) - 1);
	gml_store_uuid_text(store, name + sizeof(prefix) - 1);
	if (v4->server_owner == NULL)
		v4->server_owner = gsh_strdup(name);
	if (v4->server_scope == NULL)
		v4->server_scope = gsh_strdup(name);
}

static int export_store_start(const char *path)
{
	struct gml_store_options opt = {.log = gml_fsal_log};
	const uint8_t *uuid;
	struct gml_op op;
	int rc;
	_Static_assert(sizeof(gml_fsal.fsid) == GML_STORE_UUID_LEN,
		       "a file system's id is the uuid");
	gml_assert(gml_fsal.store == NULL);
	rc = gml_store_open(path, &opt, &gml_fsal.store);
	if (rc != 0) {
		LogCrit(COMPONENT_FSAL, "cannot open the store %s: %s", path, gml_err_text(rc));
		return rc;
	}
	gml_fsal_op_root(&op);
	rc = gml_store_recover(&op, gml_fsal.store);
	if (rc == 0 && gml_fsal_maintenance_start() != 0)
		rc = GML_ERR_NOMEM;
	if (rc != 0) {
		LogCrit(COMPONENT_FSAL, "cannot recover the store %s: %s", path, gml_err_text(rc));
		gml_store_close(gml_fsal.store);
		gml_fsal.store = NULL;
		return rc;
	}
	uuid = gml_store_uuid(gml_fsal.store);
	memcpy(&gml_fsal.fsid.major, uuid, sizeof(gml_fsal.fsid.major));
	memcpy(&gml_fsal.fsid.minor, uuid + sizeof(gml_fsal.fsid.major),
	       sizeof(gml_fsal.fsid.minor));
	export_server_owner(gml_fsal.store);
	gml_fsal.store_path = gsh_strdup(path);
	LogEvent(COMPONENT_FSAL, "serving the store %s", path);
	return 0;
}

/* One store per process; every export of it shares it. */
static int export_store_ref(const char *path)
{
	int rc = 0;
	PTHREAD_MUTEX_lock(&gml_fsal.lock);
	if (gml_fsal.exports == 0) {
		/* ganesha would continue without this export, and serve an empty root. */
		if (export_store_start(path) != 0)
			LogFatal(COMPONENT_FSAL,
				 "the store cannot be served: the lines above have the reason");
	} else if (strcmp(path, gml_fsal.store_path) != 0) {
		LogCrit(COMPONENT_FSAL,
			"%s: this server serves %s already, and can serve only one store", path,
			gml_fsal.store_path);
		rc = GML_ERR_INVAL;
	}
	if (rc == 0)
		gml_fsal.exports++;
	PTHREAD_MUTEX_unlock(&gml_fsal.lock);
	return rc;
}

static void export_store_unref(void)
{
	PTHREAD_MUTEX_lock(&gml_fsal.lock);
	gml_assert(gml_fsal.exports > 0 && gml_fsal.store != NULL);
	if (--gml_fsal.exports == 0) {
		gml_fsal_maintenance_stop();
		gml_fsal_file_expire(0);
		gml_store_close(gml_fsal.store);
		gml_fsal.store = NULL;
		gsh_free(gml_fsal.store_path);
		gml_fsal.store_path = NULL;
		LogEvent(COMPONENT_FSAL, "the store is closed");
	}
	PTHREAD_MUTEX_unlock(&gml_fsal.lock);
}

/* ---- operations ---- */

static void export_release(struct fsal_export *exp)
{
	struct gml_fsal_export *mine = container_of(exp, struct gml_fsal_export, export);
	fsal_detach_export(exp->fsal, &exp->exports);
	free_export_ops(exp);
	export_store_unref();
	gsh_free(mine->store);
	gsh_free(mine);
}

/* PUTFH reveals nothing of the object, so it checks no rights: the operations after it do, except
 * two (export_wire_to_host). A client may also send the handle of a nameless file in order to
 * reclaim it. */
static fsal_status_t export_handle(gml_ino ino, struct fsal_obj_handle **out,
				   struct fsal_attrlist *attrs_out)
{
	struct gml_attr attr;
	int rc = gml_inode_find(gml_fsal.store, ino, &attr);
	*out = rc == 0 ? &gml_fsal_obj_new(&attr, attrs_out)->handle : NULL;
	return gml_fsal_status(rc);
}

/* The only path that is looked up is the export's: it is the root of the buckets, under any
 * name. */
static fsal_status_t export_lookup_path(struct fsal_export *exp, const char *path,
					struct fsal_obj_handle **out,
					struct fsal_attrlist *attrs_out)
{
	gml_fsal_access_hook(exp);
	return export_handle(GML_INO_ROOT, out, attrs_out);
}

/* The needs of operations in a compound that ganesha answers alone. */
enum export_unasked {
	UNASKED_NONE = 0,
	UNASKED_OBJECT = 1, /* LOCKT, LOOKUPP: the object itself */
	/* LOCKU, CLOSE, OPEN_DOWNGRADE: a state of a client that has it open */
	UNASKED_STATE = 2,
	UNASKED_LOCK = 4, /* LOCK: the same, and a caller who may still do anything */
};

static unsigned export_unasked_by(nfs_opnum4 op)
{
	switch (op) {
	case NFS4_OP_LOCKT:
	case NFS4_OP_LOOKUPP:
		return UNASKED_OBJECT;
	case NFS4_OP_LOCK:
		return UNASKED_LOCK;
	case NFS4_OP_LOCKU:
	case NFS4_OP_CLOSE:
	case NFS4_OP_OPEN_DOWNGRADE:
		return UNASKED_STATE;
	default:
		return UNASKED_NONE;
	}
}

static stateid4 *export_stateid_of(nfs_argop4 *arg)
{
	switch (arg->argop) {
	case NFS4_OP_LOCK: {
		locker4 *locker = &arg->nfs_argop4_u.oplock.locker;
		return locker->new_lock_owner ? &locker->locker4_u.open_owner.open_stateid
					      : &locker->locker4_u.lock_owner.lock_stateid;
	}
	case NFS4_OP_LOCKU:
		return &arg->nfs_argop4_u.oplocku.lock_stateid;
	case NFS4_OP_CLOSE:
		return &arg->nfs_argop4_u.opclose.open_stateid;
	case NFS4_OP_OPEN_DOWNGRADE:
		return &arg->nfs_argop4_u.opopen_downgrade.open_stateid;
	case NFS4_OP_READ:
		return &arg->nfs_argop4_u.opread.stateid;
	case NFS4_OP_WRITE:
		return &arg->nfs_argop4_u.opwrite.stateid;
	default:
		return NULL;
	}
}

/* ganesha makes a stateid of the client's id and a counter that begins at 1, and does not compare
 * the client of a state with that of the session. A stateid of another client becomes one that
 * nobody has, which is what it is for this one: BAD_STATEID (RFC 8881 8.2.4). Those of zeros and of
 * ones have a meaning of their own. */
static void export_check_stateid(const compound_data_t *compound, nfs_argop4 *arg)
{
	static const char zeros[OTHERSIZE];
	stateid4 *stateid = export_stateid_of(arg);
	char ones[OTHERSIZE];
	clientid4 mine;
	if (stateid == NULL || compound->session == NULL)
		return;
	mine = compound->session->clientid;
	memset(ones, 0xff, sizeof(ones));
	if (memcmp(stateid->other, &mine, sizeof(mine)) == 0 ||
	    memcmp(stateid->other, zeros, OTHERSIZE) == 0 ||
	    memcmp(stateid->other, ones, OTHERSIZE) == 0)
		return;
	memset(stateid->other, 0, OTHERSIZE);
	memcpy(stateid->other, &mine, sizeof(mine));
}

/* The needs of operations on the handle of the present PUTFH. The handle may be saved and restored
 * on the way. Other current handles are checked on their own. */
static unsigned export_unasked(compound_data_t *compound)
{
	bool current = true, saved = false;
	unsigned wanted = UNASKED_NONE;
	for (uint32_t i = compound->oppos + 1; i < compound->argarray_len && (current || saved);
	     i++)
		switch (compound->argarray[i].argop) {
		case NFS4_OP_SAVEFH:
			saved = current;
			break;
		case NFS4_OP_RESTOREFH:
			current = saved;
			break;
		case NFS4_OP_PUTFH:
		case NFS4_OP_PUTPUBFH:
		case NFS4_OP_PUTROOTFH:
		case NFS4_OP_LOOKUP:
		case NFS4_OP_CREATE:
		case NFS4_OP_OPEN:
			current = false;
			break;
		default:
			wanted |= current ? export_unasked_by(compound->argarray[i].argop)
					  : UNASKED_NONE;
			export_check_stateid(compound, &compound->argarray[i]);
			break;
		}
	return wanted;
}

/* ganesha answers some operations from its own state. So the object is checked when its handle
 * arrives, and PUTFH returns the error that they should return, STALE or ACCESS. ACCESS is in their
 * lists of errors, but not in PUTFH's (RFC 8881 15.2); a client that looks at the compound's status
 * sees what it would see otherwise. A client of NFSv4.0 is not known here: it must have the file
 * open, or it could lock with, or close, the state of another. */
static fsal_status_t export_wire_to_host(struct fsal_export *exp, fsal_digesttype_t type,
					 struct gsh_buffdesc *desc, int flags)
{
	compound_data_t *compound = gml_fsal_compound();
	unsigned granted, wanted;
	struct gml_op op;
	gml_ino ino;
	int rc = 0;
	fsal_status_t status = gml_fsal_key_decode(desc, &ino);
	if (FSAL_IS_ERROR(status) || compound == NULL)
		return status;
	wanted = export_unasked(compound);
	if (wanted == UNASKED_NONE)
		return status;
	gml_fsal_op(&op, 0);
	if (wanted & UNASKED_OBJECT)
		rc = gml_inode_access(&op, gml_fsal.store, ino, 0, &granted);
	if (rc == 0 && (wanted & UNASKED_STATE))
		rc = gml_file_state_check(&op, gml_fsal.store, ino);
	if (rc == 0 && (wanted & UNASKED_LOCK))
		rc = gml_file_lock_check(&op, gml_fsal.store, ino);
	return gml_fsal_status(rc);
}

static fsal_status_t export_create_handle(struct fsal_export *exp, struct gsh_buffdesc *desc,
					  struct fsal_obj_handle **out,
					  struct fsal_attrlist *attrs_out)
{
	gml_ino ino;
	fsal_status_t status = gml_fsal_key_decode(desc, &ino);
	*out = NULL;
	return FSAL_IS_ERROR(status) ? status : export_handle(ino, out, attrs_out);
}

static fsal_status_t export_dynamic_info(struct fsal_export *exp, struct fsal_obj_handle *handle,
					 fsal_dynamicfsinfo_t *info)
{
	struct gml_statfs st;
	struct gml_op op;
	int rc;
	gml_fsal_op(&op, 0);
	rc = gml_store_statfs(&op, gml_fsal.store, gml_fsal_obj_of(handle)->ino, &st);
	if (rc != 0)
		return gml_fsal_status(rc);
	memset(info, 0, sizeof(*info));
	info->total_bytes = st.total;
	info->free_bytes = st.free;
	info->avail_bytes = st.avail;
	info->total_files = st.files + st.files_free;
	info->free_files = info->avail_files = st.files_free;
	info->maxread = info->maxwrite = GML_FSAL_IO_MAX;
	info->time_delta.tv_nsec = 1;
	return gml_fsal_status(0);
}

/* Changes whenever WRITEs that were answered as UNSTABLE may be lost, with or without a restart. */
static void export_write_verifier(struct fsal_export *exp, struct gsh_buffdesc *desc)
{
	static uint64_t base;
	struct timespec now;
	uint64_t verifier;
	if (__atomic_load_n(&base, __ATOMIC_ACQUIRE) == 0) {
		uint64_t zero = 0;
		clock_gettime(CLOCK_REALTIME, &now);
		(void)__atomic_compare_exchange_n(&base, &zero,
						  (uint64_t)now.tv_sec * 1000000000 + now.tv_nsec,
						  false, __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE);
	}
	verifier = __atomic_load_n(&base, __ATOMIC_ACQUIRE) + gml_fsal_file_verifier();
	memset(desc->addr, 0, desc->len);
	memcpy(desc->addr, &verifier, desc->len < sizeof(verifier) ? desc->len : sizeof(verifier));
}

static struct state_t *export_alloc_state(struct fsal_export *exp, enum state_type type,
					  struct state_t *related)
{
	struct gml_fsal_state *state = gsh_calloc(1, sizeof(*state));
	_Static_assert(offsetof(struct gml_fsal_state, state) == 0, "ganesha frees the state_t");
	return gml_fsal_state_init(&state->state, exp, type, related);
}

void gml_fsal_state_free(struct state_t *state)
{
	struct gml_fsal_state *mine = container_of(state, struct gml_fsal_state, state);
	if (mine->file)
		LogCrit(COMPONENT_FSAL, "internal error: a state is freed that was not closed");
	gsh_free(mine);
}

static void export_ops(struct export_ops *ops)
{
	ops->release = export_release;
	ops->lookup_path = export_lookup_path;
	ops->wire_to_host = export_wire_to_host;
	ops->create_handle = export_create_handle;
	ops->get_fs_dynamic_info = export_dynamic_info;
	ops->get_write_verifier = export_write_verifier;
	ops->alloc_state = export_alloc_state;
	gml_fsal_state_ops(ops);
}

fsal_status_t gml_fsal_create_export(struct fsal_module *module, void *node,
				     struct config_error_type *err,
				     const struct fsal_up_vector *up_ops)
{
	struct gml_fsal_export *mine = gsh_calloc(1, sizeof(*mine));
	int rc = GML_ERR_INVAL;
	fsal_export_init(&mine->export);
	export_ops(&mine->export.exp_ops);
	if (load_config_from_node(node, &export_block, mine, true, err) != 0)
		goto fail;
	rc = export_store_ref(mine->store);
	if (rc != 0)
		goto fail;
	if (fsal_attach_export(module, &mine->export.exports) != 0) {
		export_store_unref();
		rc = GML_ERR_IO;
		goto fail;
	}
	mine->export.fsal = module;
	mine->export.up_ops = up_ops;
	op_ctx->fsal_export = &mine->export;
	gml_fsal_maintenance_enforce(op_ctx->ctx_export);
	return gml_fsal_status(0);
fail:
	free_export_ops(&mine->export);
	gsh_free(mine->store);
	gsh_free(mine);
	return gml_fsal_status(rc);
}

fsal_status_t gml_fsal_update_export(struct fsal_module *module, void *node,
				     struct config_error_type *err, struct fsal_export *original,
				     struct fsal_module *updated_super)
{
	struct gml_fsal_export *mine = container_of(original, struct gml_fsal_export, export),
			       fresh = {.store = NULL};
	fsal_status_t status = update_export(module, node, err, original, updated_super);
	if (FSAL_IS_ERROR(status))
		return status;
	if (load_config_from_node(node, &export_block, &fresh, true, err) != 0)
		return fsalstat(ERR_FSAL_INVAL, 0);
	if (strcmp(fresh.store, mine->store) != 0) {
		LogCrit(COMPONENT_FSAL, "Store cannot change from %s to %s while the server runs",
			mine->store, fresh.store);
		status = fsalstat(ERR_FSAL_INVAL, 0);
	}
	gsh_free(fresh.store);
	gml_fsal_maintenance_enforce(op_ctx->ctx_export);
	return status;
}
