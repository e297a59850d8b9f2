/* The core's operation context, from ganesha's. */
#include "fsal.h"
#include "errmap.h"

fsal_status_t gml_fsal_status(int rc)
{
	return fsalstat(gml_fsal_error(rc), rc);
}

void gml_fsal_log(void *arg, enum gml_log_level level, const char *line)
{
	switch (level) {
	case GML_LOG_ERROR:
		LogCrit(COMPONENT_FSAL, "%s", line);
		break;
	case GML_LOG_WARN:
		LogWarn(COMPONENT_FSAL, "%s", line);
		break;
	case GML_LOG_INFO:
		LogEvent(COMPONENT_FSAL, "%s", line);
		break;
	case GML_LOG_DEBUG:
		LogDebug(COMPONENT_FSAL, "%s", line);
		break;
	}
}

void gml_fsal_op(struct gml_op *op, uint32_t need)
{
	const struct user_cred *creds = &op_ctx->creds;

	if (!__atomic_load_n(&gml_fsal_wire_seen, __ATOMIC_RELAXED))
		gml_fsal_wire_hook();
	_Static_assert(sizeof(gid_t) == sizeof(uint32_t), "group lists are passed on as they are");
	*op = (struct gml_op){
		.cred = {.uid = creds->caller_uid,
			 .gid = creds->caller_gid,
			 .ngroups = creds->caller_glen,
			 .groups = creds->caller_garray},
		.door = GML_DOOR_NFS,
		/* ganesha enforces Access_Type for most operations, but not for ALLOCATE, DEALLOCATE and xattrs. */
		.read_only = (op_ctx->export_perms.options & need) != need,
		.refused = gml_uid_refused(gml_fsal.store, creds->caller_uid),
		.log = gml_fsal_log,
	};
}

void gml_fsal_op_root(struct gml_op *op)
{
	*op = (struct gml_op){.door = GML_DOOR_NFS, .log = gml_fsal_log};
}

compound_data_t *gml_fsal_compound(void)
{
	nfs_request_t *request = gml_fsal_request();

	return request && op_ctx->nfs_vers == NFS_V4 ? request->proc_data : NULL;
}
