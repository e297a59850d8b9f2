// SPDX-License-Identifier: Apache-2.0
/* gemel store …, gemel config … */
#include "cmd.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static int store_create(struct cmd *cmd)
{
	char path[CONF_VALUE_MAX + 16];
	struct gml_store_options options = {
		.meta_capacity = conf_number(&cmd->conf, CONF_store_metadata_max),
		.log = cmd->op.log};
	const char *home = conf_string(&cmd->conf, CONF_store_home);
	if (!conf_home_path(&cmd->conf, "store", path, sizeof(path)))
		return cmd_fail("store.home is too long");
	if (mkdir(home, 0700) != 0 && errno != EEXIST)
		return cmd_fail("store.home = %s cannot be made: %s", home, strerror(errno));
	if (access(home, W_OK) != 0)
		return cmd_fail("store.home = %s cannot be written: %s", home, strerror(errno));
	int rc = gml_store_create(path, &options);
	if (rc == GML_ERR_EXIST)
		return cmd_fail("%s: a store exists already: set store.home to another directory",
				path);
	if (rc == GML_ERR_NOTEMPTY)
		return cmd_fail("%s: this directory holds other files: move them away, or set "
				"store.home to another directory; if they are those of a store, it "
				"has lost "
				"its file 'format': put that back",
				path);
	return rc ? cmd_fail_rc(rc, path) : cmd_print_nothing(cmd);
}

static int store_info(struct cmd *cmd)
{
	struct gml_statfs fs;
	char uuid[GML_STORE_UUID_TEXT];
	int rc = gml_store_statfs(&cmd->op, cmd->store, GML_INO_ROOT, &fs);
	if (rc != 0)
		return cmd_fail_rc(rc, "the store");
	gml_store_uuid_text(cmd->store, uuid);
	return cmd_print_object(cmd,
				json_pack("{s:s, s:s, s:I, s:I, s:I, s:I}", "home",
					  conf_string(&cmd->conf, CONF_store_home), "uuid", uuid,
					  "inodes", (json_int_t)fs.files, "content_bytes",
					  (json_int_t)fs.used, "disk_total", (json_int_t)fs.total,
					  "disk_available", (json_int_t)fs.avail));
}

struct store_check {
	bool json, tty;
	const char *what; /* is counted */
	json_t *problems;
};

static void store_problem(void *arg, const char *text)
{
	struct store_check *check = arg;
	if (check->json)
		json_array_append_new(
			check->problems,
			json_string(text) ?: json_string("problem with a name that is not UTF-8"));
	else
		printf("problem: %s\n", text);
}

static void store_progress(void *arg, uint64_t done, uint64_t total)
{
	struct store_check *check = arg;
	if (check->tty && total > 0)
		fprintf(stderr, "\r%3u %% of %llu %s", (unsigned)(done * 100 / total),
			(unsigned long long)total, check->what);
}

static int store_check(struct cmd *cmd)
{
	struct store_check check = {
		.json = cmd->json, .tty = isatty(STDERR_FILENO), .problems = json_array()};
	struct gml_content_report content = {0};
	struct gml_check_report report = {0};
	bool data = cmd_option(cmd, "data") != NULL;
	int rc;
	check.what = "inodes";
	rc = gml_store_check(&cmd->op, cmd->store, store_problem, store_progress, &check, &report);
	check.what = "blobs";
	if (rc == 0 && data)
		rc = gml_store_check_content(&cmd->op, cmd->store, store_problem, store_progress,
					     &check, &content);
	report.problems += content.problems;
	if (check.tty)
		fputs("\r\033[K", stderr);
	if (rc != 0) {
		json_decref(check.problems);
		return cmd_fail_rc(rc, "the check cannot be completed");
	}
	json_t *object = json_pack(
		"{s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I}", "problems",
		(json_int_t)report.problems, "inodes", (json_int_t)report.inodes, "directories",
		(json_int_t)report.directories, "dirents", (json_int_t)report.dirents, "extents",
		(json_int_t)report.extents, "blobs", (json_int_t)report.blobs, "xattrs",
		(json_int_t)report.xattrs, "buckets", (json_int_t)report.buckets, "uploads",
		(json_int_t)report.uploads, "parts", (json_int_t)report.parts, "orphans",
		(json_int_t)report.orphans, "bytes", (json_int_t)report.bytes);
	if (data) {
		json_object_set_new(object, "verified_bytes",
				    json_integer((json_int_t)content.bytes));
		json_object_set_new(object, "unsummed_blobs",
				    json_integer((json_int_t)content.unsummed));
	}
	if (cmd->json)
		json_object_set(object, "details", check.problems);
	json_decref(check.problems);
	int status = cmd_print_object(cmd, object);
	return status == CMD_OK && report.problems > 0 ? CMD_FAILED : status;
}

static int store_recover(struct cmd *cmd)
{
	int rc = gml_store_recover(&cmd->op, cmd->store);
	return rc ? cmd_fail_rc(rc, "recovery") : cmd_print_nothing(cmd);
}

static int store_compact(struct cmd *cmd)
{
	uint64_t freed = 0;
	int rc = gml_store_compact(&cmd->op, cmd->store, &freed);
	return rc ? cmd_fail_rc(rc, "compaction")
		  : cmd_print_object(cmd, json_pack("{s:I}", "freed_bytes", (json_int_t)freed));
}

static int store_sum(struct cmd *cmd)
{
	uint64_t bytes = 0, summed;
	bool more = true;
	int rc = 0;
	while (rc == 0 && more) {
		rc = gml_store_sum(&cmd->op, cmd->store, 0, (uint64_t)1 << 30, &summed, &more);
		bytes += summed;
	}
	return rc ? cmd_fail_rc(rc, "making checksums")
		  : cmd_print_object(cmd, json_pack("{s:I}", "summed_bytes", (json_int_t)bytes));
}

const struct cmd_verb cmd_store_verbs[] = {
	{"store",
	 "create",
	 "",
	 "Make an empty store in store.home.",
	 CMD_NEW_STORE,
	 store_create,
	 {{0}}},
	{"store",
	 "info",
	 "",
	 "Show the contents of the store in numbers.",
	 CMD_STORE,
	 store_info,
	 {{0}}},
	{"store",
	 "check",
	 "",
	 "Verify every invariant; exit 1 if one does not hold. May run while serving.",
	 CMD_STORE,
	 store_check,
	 {{"data", NULL, "also read all content and compare it with its checksums"}}},
	{"store",
	 "recover",
	 "",
	 "Clean up after a crash ('gemel serve' does it by itself).",
	 CMD_STORE,
	 store_recover,
	 {{0}}},
	{"store",
	 "compact",
	 "",
	 "Free the space of deleted small objects ('gemel serve' does it by itself).",
	 CMD_STORE,
	 store_compact,
	 {{0}}},
	{"store",
	 "sum",
	 "",
	 "Make the checksums of what NFS clients wrote ('gemel serve' does it by itself).",
	 CMD_STORE,
	 store_sum,
	 {{0}}},
	{0},
};

static int config_show(struct cmd *cmd)
{
	json_t *object = json_object();
	for (int i = 0; i < CONF_COUNT_; i++)
		json_object_set_new(object, conf_name((enum conf_option)i),
				    json_string(conf_string(&cmd->conf, (enum conf_option)i)));
	return cmd_print_object(cmd, object);
}

static int config_check(struct cmd *cmd)
{
	char err[CONF_ERRORS_SIZE];
	if (conf_check(&cmd->conf, err, sizeof(err)) != 0) /* it was read before this verb ran */
		return cmd_fail_lines(err);
	if (cmd->json)
		return cmd_print_object(cmd,
					json_pack("{s:s, s:b}", "file", cmd->conf.file, "good", 1));
	printf("%s: good\n", cmd->conf.file);
	return CMD_OK;
}

const struct cmd_verb cmd_config_verbs[] = {
	{"config", "check", "", "Check the configuration file.", CMD_NO_STORE, config_check, {{0}}},
	{"config", "show", "", "Show the value of every option.", CMD_NO_STORE, config_show, {{0}}},
	{0},
};
