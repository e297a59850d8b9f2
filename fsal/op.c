// SPDX-License-Identifier: Apache-2.0
/* The core's operation context, from ganesha's. */
#include "fsal.h"

#include <netinet/in.h>
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

/* Did this compound find the object that the operation is about by its name? An object that came as
 * a handle may have lost the name that the client means. */
static bool op_found(const compound_data_t *compound)
{
	for (uint32_t i = compound->oppos + 1; i-- > 0;) {
		const nfs_argop4 *arg = &compound->argarray[i];
		switch (arg->argop) {
		/* by name; or a reclaim of a file that may have lost its name while the server was
		 * down */
		case NFS4_OP_OPEN:
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

/* The client whose open files count as the caller's. Requests of NFSv4.0 do not name their client:
 * all of them are one. NFSv3 opens nothing. */
static void op_client(struct gml_op *op, const compound_data_t *compound)
{
	struct gml_handle_context *handle = &op->handle;
	handle->client = GML_CLIENT_NONE;
	if (compound == NULL)
		return;
	handle->found = op_found(compound);
	handle->client = compound->session ? compound->session->clientid : 0;
	/* A client that has a session reclaims its open files before it does anything else; one of
	 * NFSv4.0 may not even know yet that the server was started anew. */
	handle->recovering = handle->client == 0 && gml_fsal_maintenance_recovering();
}

/* How the RPC was authenticated (RFC 5531 8, RFC 2203). */
static enum gml_authn op_authn(const struct svc_req *rpc)
{
	if (rpc->rq_msg.cb_cred.oa_flavor == AUTH_SYS)
		return GML_AUTHN_SYS;
#ifdef _HAVE_GSSAPI
	if (rpc->rq_msg.cb_cred.oa_flavor == RPCSEC_GSS && rpc->rq_auth != NULL) {
		const struct svc_rpc_gss_data *gss = SVCAUTH_PRIVATE(rpc->rq_auth);
		return gss->sec.svc == RPCSEC_GSS_SVC_PRIVACY	  ? GML_AUTHN_KRB5P
		       : gss->sec.svc == RPCSEC_GSS_SVC_INTEGRITY ? GML_AUTHN_KRB5I
								  : GML_AUTHN_KRB5;
	}
#endif
	return GML_AUTHN_ANONYMOUS;
}

static void op_source(struct gml_context *context)
{
	const sockaddr_t *addr = op_ctx->caller_addr;
	_Static_assert(sizeof(context->source) >= sizeof(struct in6_addr), "any address fits");
	if (addr != NULL && addr->ss_family == AF_INET) {
		context->source_len = sizeof(struct in_addr);
		memcpy(context->source, &((const struct sockaddr_in *)addr)->sin_addr,
		       sizeof(struct in_addr));
	} else if (addr != NULL && addr->ss_family == AF_INET6) {
		context->source_len = sizeof(struct in6_addr);
		memcpy(context->source, &((const struct sockaddr_in6 *)addr)->sin6_addr,
		       sizeof(struct in6_addr));
	}
}

/* The RPC's number, as a packet capture shows it. */
static void op_request_id(struct gml_op *op, uint32_t xid)
{
	_Static_assert(GML_REQUEST_ID_MAX >= 8, "a number of 32 bits in hex fits");
	for (unsigned i = 0; i < 8; i++)
		op->request_id[i] = "0123456789abcdef"[xid >> (28 - 4 * i) & 15];
}

void gml_fsal_op(struct gml_op *op, uint32_t need)
{
	const struct user_cred *creds = &op_ctx->creds;
	const struct gml_cred cred = {.uid = creds->caller_uid,
				      .gid = creds->caller_gid,
				      .ngroups = creds->caller_glen,
				      .groups = creds->caller_garray};
	const nfs_request_t *request = gml_fsal_request();
	enum gml_authn authn = request != NULL ? op_authn(&request->svc) : GML_AUTHN_ANONYMOUS;
	_Static_assert(sizeof(gid_t) == sizeof(uint32_t), "group lists are passed on as they are");
	gml_assert(gml_fsal.store != NULL); /* from the first create_export to the last release */
	*op = (struct gml_op){
		.context =
			{.protocol = GML_PROTOCOL_NFS,
			 .secure = authn == GML_AUTHN_KRB5P,
			 /* ganesha enforces Access_Type for most operations, but not for ALLOCATE,
			  * DEALLOCATE and xattrs. */
			 .read_only = (op_ctx->export_perms.options & need) != need},
		.log = gml_fsal_log,
	};
	gml_principal_of_uid(gml_fsal.store, &cred, authn, &op->principal);
	op_source(&op->context);
	if (request != NULL)
		op_request_id(op, request->svc.rq_msg.rm_xid);
	op_client(op, gml_fsal_compound());
}

void gml_fsal_op_root(struct gml_op *op)
{
	*op = (struct gml_op){.context = {.protocol = GML_PROTOCOL_NFS},
			      .handle = {.found = true},
			      .log = gml_fsal_log};
	gml_principal_server(&op->principal);
}

compound_data_t *gml_fsal_compound(void)
{
	nfs_request_t *request = gml_fsal_request();
	return request && op_ctx->nfs_vers == NFS_V4 ? request->proc_data : NULL;
}
