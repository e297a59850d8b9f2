// SPDX-License-Identifier: Apache-2.0
/* gemel nfs …: NFS, seen from a client. */
#include "cmd.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "nfs_read.h"

#define NFS_WAIT_MS 10000

/* The address at which a client on this machine reaches the NFS server. */
static const char *nfs_address(const struct conf *conf)
{
	const char *address = conf_string(conf, CONF_nfs_address);
	return strcmp(address, "0.0.0.0") == 0 ? "127.0.0.1"
	       : strcmp(address, "::") == 0    ? "::1"
					       : address;
}

static int nfs_json(const struct cmd *cmd, const char *content, size_t len)
{
	json_t *object = json_pack("{s:s, s:I}", "path", cmd->args[0], "bytes", (json_int_t)len);
	json_t *text = json_stringn(content, len);
	json_object_set_new(object, "content",
			    text ? text : json_null()); /* null: it is not UTF-8 */
	return cmd_print_object(cmd, object);
}

static int nfs_print(struct cmd *cmd, struct nfs_read *nfs)
{
	const uint8_t *data;
	char *kept = NULL;
	size_t len, kept_len;
	bool eof = false;
	int rc = 0, status = CMD_OK;
	FILE *out = cmd->json ? open_memstream(&kept, &kept_len) : stdout;
	if (out == NULL)
		return cmd_fail_rc(GML_ERR_NOMEM, cmd->args[0]);
	for (uint64_t offset = 0; rc == 0 && !eof; offset += len) {
		rc = nfs_read_chunk(nfs, cmd->args[0], offset, &data, &len, &eof);
		/* a server that sends neither data nor an end would block for ever */
		eof = eof || len == 0;
		if (rc == 0 && fwrite(data, 1, len, out) != len)
			break; /* main.c tells */
	}
	if (rc != 0)
		status = cmd_fail("%s: %s", cmd->args[0], nfs->why);
	if (!cmd->json)
		return status;
	if (fclose(out) != 0)
		status = cmd_fail_rc(GML_ERR_NOMEM, cmd->args[0]);
	if (status == CMD_OK)
		status = nfs_json(cmd, kept, kept_len);
	free(kept);
	return status;
}

static int nfs_run(struct cmd *cmd)
{
	struct nfs_read nfs;
	int status;
	if (!conf_bool(&cmd->conf, CONF_nfs_enable))
		return cmd_fail("NFS is switched off: set nfs.enable to yes");
	if (nfs_read_open(&nfs, nfs_address(&cmd->conf),
			  (unsigned)conf_number(&cmd->conf, CONF_nfs_port), NFS_WAIT_MS) == 0)
		status = nfs_print(cmd, &nfs);
	else
		status = cmd_fail("%s", nfs.why);
	nfs_read_close(&nfs);
	return status;
}

const struct cmd_verb cmd_nfs_verbs[] = {
	{"nfs",
	 "read",
	 "PATH",
	 "Print the file /BUCKET/KEY as an NFS client with your uid sees it.",
	 CMD_NO_STORE,
	 nfs_run,
	 {{0}}},
	{0},
};
