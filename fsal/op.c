// SPDX-License-Identifier: Apache-2.0
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

/* Did this compound find the object that the operation is about by its name? An object that it brought as a handle may
 * have lost the name that the client means. */
static bool op_found(const compound_data_t *compound)
{
	for (uint32_t i = compound->oppos + 1; i-- > 0;) {
		const nfs_argop4 *arg = &compound->argarray[i];
		switch (arg->argop) {
		case NFS4_OP_OPEN: /* by name; or a reclaim, of what may have lost its name while the server was down */
			return arg->nfs_argop4_u.opopen.claim.claim == CLAIM_NULL ||
			       arg->nfs_argop4_u.opopen.claim.claim == CLAIM_PREVIOUS;
		case NFS4_OP_LOOKUP:
		case NFS4_OP_LOOKUPP:
		case NFS4_OP_CREATE:
			if (i < compound->oppos)
				return true;
			break; /* itself: it is about the directory */
		case NFS4_OP_PUTFH:
		case NFS4_OP_PUTPUBFH:
		case NFS4_OP_PUTROOTFH:
		case NFS4_OP_RESTOREFH:
			return false;
		default:
			break;
		}
	}
	return false;
}

/* Whose open files count as the caller's. A client of NFSv4.0 does not say who it is: all of them are one. NFSv3 opens
 * nothing. */
static void op_client(struct gml_op *op, const compound_data_t *compound)
{
	op->client = GML_CLIENT_NONE;
	if (compound == NULL)
		return;
	op->found = op_found(compound);
	op->client = compound->session ? compound->session->clientid : 0;
	/* A client that has a session reclaims its open files before it does anything else; one of NFSv4.0 may not
	 * even know yet that the server was started anew. */
	op->recovering = op->client == 0 && gml_fsal_maintenance_recovering();
}

void gml_fsal_op(struct gml_op *op, uint32_t need)
{
	const struct user_cred *creds = &op_ctx->creds;
	_Static_assert(sizeof(gid_t) == sizeof(uint32_t), "group lists are passed on as they are");
	*op = (struct gml_op){
		.cred = {.uid = creds->caller_uid,
			 .gid = creds->caller_gid,
			 .ngroups = creds->caller_glen,
			 .groups = creds->caller_garray},
		.door = GML_PROTOCOL_NFS,
		/* ganesha enforces Access_Type for most operations, but not for ALLOCATE, DEALLOCATE and xattrs. */
		.read_only = (op_ctx->export_perms.options & need) != need,
		.refused = gml_uid_refused(gml_fsal.store, creds->caller_uid),
		.log = gml_fsal_log,
	};
	op_client(op, gml_fsal_compound());
}

void gml_fsal_op_as_root(struct gml_op *op)
{
	op->cred = (struct gml_cred){.uid = 0};
}

void gml_fsal_op_root(struct gml_op *op)
{
	*op = (struct gml_op){.door = GML_PROTOCOL_NFS, .found = true, .log = gml_fsal_log};
}

compound_data_t *gml_fsal_compound(void)
{
	nfs_request_t *request = gml_fsal_request();
	return request && op_ctx->nfs_vers == NFS_V4 ? request->proc_data : NULL;
}
