// SPDX-License-Identifier: Apache-2.0
/* gemel status: whether the servers answer, and how full the store is. */
#include "cmd.h"

#include <stdio.h>
#include <gemel/probe.h>

static json_t *status_server(bool enabled, const char *address, unsigned port, bool answers)
{
	return json_pack("{s:b, s:s, s:i, s:b}", "enabled", enabled, "address", address, "port",
			 (int)port, "answers", answers);
}

static int status_run(struct cmd *cmd)
{
	const struct conf *conf = &cmd->conf;
	struct gml_statfs fs;
	bool s3_on = conf_bool(conf, CONF_s3_enable), nfs_on = conf_bool(conf, CONF_nfs_enable);
	const char *s3_address = conf_string(conf, CONF_s3_address),
		   *nfs_address = conf_string(conf, CONF_nfs_address);
	unsigned s3_port = (unsigned)conf_number(conf, CONF_s3_port),
		 nfs_port = (unsigned)conf_number(conf, CONF_nfs_port);
	bool s3 = s3_on && gml_probe_s3(s3_address, s3_port, 3000);
	bool nfs = nfs_on && gml_probe_nfs(nfs_address, nfs_port, 3000);
	int rc = gml_store_statfs(&cmd->op, cmd->store, GML_INO_ROOT, &fs);
	if (rc != 0)
		return cmd_fail_rc(rc, "the store");
	bool good = s3 == s3_on && nfs == nfs_on;
	json_t *object = json_pack("{s:b}", "good", good);
	if (cmd->json) {
		json_object_set_new(object, "s3", status_server(s3_on, s3_address, s3_port, s3));
		json_object_set_new(object, "nfs",
				    status_server(nfs_on, nfs_address, nfs_port, nfs));
	} else {
		json_object_set_new(object, "s3",
				    json_sprintf("%s:%u %s", s3_address, s3_port,
						 !s3_on ? "is switched off"
						 : s3	? "answers"
							: "does not answer"));
		json_object_set_new(object, "nfs",
				    json_sprintf("%s:%u %s", nfs_address, nfs_port,
						 !nfs_on ? "is switched off"
						 : nfs	 ? "answers"
							 : "does not answer"));
	}
	json_object_set_new(object, "inodes", json_integer((json_int_t)fs.files));
	json_object_set_new(object, "content_bytes", json_integer((json_int_t)fs.used));
	json_object_set_new(object, "disk_available", json_integer((json_int_t)fs.avail));
	int status = cmd_print_object(cmd, object);
	return status == CMD_OK && !good ? CMD_FAILED : status;
}

const struct cmd_verb cmd_status_verbs[] = {
	{"status",
	 NULL,
	 "",
	 "Show whether S3 and NFS answer; exit 1 if one that is switched on does not.",
	 CMD_STORE,
	 status_run,
	 {{0}}},
	{0},
};
