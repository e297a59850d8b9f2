// SPDX-License-Identifier: Apache-2.0
/* gemel status: whether the servers answer, and how full the store is.
 *
 * The configuration file may say something else than the servers were started with: it was changed,
 * or a reload was refused. `gemel serve` leaves what it serves under run/; if a server answers
 * there, that is shown, with the options that differ. */
#include "cmd.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include <gemel/probe.h>

#define STATUS_WAIT_MS 3000

struct status {
	const struct conf *conf; /* the one in force, as far as is known */
	bool s3_on, nfs_on, s3, nfs;
};

static void status_probe(const struct conf *conf, struct status *out)
{
	*out = (struct status){.conf = conf,
			       .s3_on = conf_bool(conf, CONF_s3_enable),
			       .nfs_on = conf_bool(conf, CONF_nfs_enable)};
	out->s3 = out->s3_on &&
		  gml_probe_s3(conf_string(conf, CONF_s3_address),
			       (unsigned)conf_number(conf, CONF_s3_port), STATUS_WAIT_MS);
	out->nfs = out->nfs_on &&
		   gml_probe_nfs(conf_string(conf, CONF_nfs_address),
				 (unsigned)conf_number(conf, CONF_nfs_port), STATUS_WAIT_MS);
}

/* The names of the options that differ. */
static json_t *status_pending(const struct conf *file, const struct conf *in_force)
{
	json_t *names = json_array();
	for (int i = 0; i < CONF_COUNT_; i++)
		if (strcmp(conf_string(file, (enum conf_option)i),
			   conf_string(in_force, (enum conf_option)i)) != 0)
			json_array_append_new(names, json_string(conf_name((enum conf_option)i)));
	return names;
}

/* Reads what `gemel serve` left. False, if there is nothing or after printing its errors. */
static bool status_in_force(const struct conf *file, struct conf *out)
{
	char path[CONF_VALUE_MAX + 32], err[CONF_ERRORS_SIZE];
	if (!conf_home_path(file, "run/" CONF_IN_FORCE, path, sizeof(path)) ||
	    access(path, F_OK) != 0)
		return false;
	conf_defaults(out);
	if (conf_read(out, path, err, sizeof(err)) == 0)
		return true;
	cmd_fail_lines(err);
	return false;
}

static json_t *status_server(const struct cmd *cmd, bool enabled, const char *address,
			     unsigned port, bool answers)
{
	if (cmd->json)
		return json_pack("{s:b, s:s, s:i, s:b}", "enabled", enabled, "address", address,
				 "port", (int)port, "answers", answers);
	return json_sprintf("%s:%u %s", address, port,
			    !enabled  ? "is switched off"
			    : answers ? "answers"
				      : "does not answer");
}

static int status_print(struct cmd *cmd, const struct status *status, const struct gml_statfs *fs,
			json_t *pending)
{
	const struct conf *conf = status->conf;
	bool good = status->s3 == status->s3_on && status->nfs == status->nfs_on;
	json_t *object = json_pack("{s:b}", "good", good);
	json_object_set_new(object, "s3",
			    status_server(cmd, status->s3_on, conf_string(conf, CONF_s3_address),
					  (unsigned)conf_number(conf, CONF_s3_port), status->s3));
	json_object_set_new(object, "nfs",
			    status_server(cmd, status->nfs_on, conf_string(conf, CONF_nfs_address),
					  (unsigned)conf_number(conf, CONF_nfs_port), status->nfs));
	json_object_set_new(object, "inodes", json_integer((json_int_t)fs->files));
	json_object_set_new(object, "content_bytes", json_integer((json_int_t)fs->used));
	json_object_set_new(object, "disk_available", json_integer((json_int_t)fs->avail));
	if (cmd->json || json_array_size(pending) > 0)
		json_object_set(object, "not_in_force", pending);
	int rc = cmd_print_object(cmd, object);
	if (!cmd->json && json_array_size(pending) > 0)
		cmd_fail("%s has other values of these options than what is served; 'gemel serve' "
			 "reads it at SIGHUP and at its start, and its log says if it refused it",
			 cmd->conf.file);
	return rc == CMD_OK && !good ? CMD_FAILED : rc;
}

static int status_run(struct cmd *cmd)
{
	struct conf in_force;
	struct status status = {0};
	struct gml_statfs fs;
	json_t *pending = NULL;
	if (status_in_force(&cmd->conf, &in_force)) {
		status_probe(&in_force, &status);
		if (status.s3 || status.nfs)
			pending = status_pending(&cmd->conf, &in_force);
	}
	if (pending == NULL) {
		status_probe(&cmd->conf, &status);
		pending = json_array();
	}
	int rc = gml_store_statfs(&cmd->op, cmd->store, GML_INO_ROOT, &fs);
	rc = rc ? cmd_fail_rc(rc, "the store") : status_print(cmd, &status, &fs, pending);
	json_decref(pending);
	return rc;
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
