// SPDX-License-Identifier: Apache-2.0
/* docs/errors.md has one row for each code, with the text and the answers that the program has. A
 * row that is missing or wrong is printed as it should be. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "fsal_types.h"

#include <gemel/err.h>

#include "fsal/errmap.h"
#include "s3api/proto/error.h"

#define DOC_MAX ((size_t)64 << 10)

static char doc_text[DOC_MAX];

/* What nfs-ganesha sends for a status of an FSAL. */
static const char *doc_nfs(fsal_errors_t error)
{
	static const struct {
		fsal_errors_t error;
		const char *name;
	} rows[] = {
		{ERR_FSAL_NO_ERROR, "OK"},
		{ERR_FSAL_NOENT, "NOENT"},
		{ERR_FSAL_EXIST, "EXIST"},
		{ERR_FSAL_NOTDIR, "NOTDIR"},
		{ERR_FSAL_ISDIR, "ISDIR"},
		{ERR_FSAL_NOTEMPTY, "NOTEMPTY"},
		{ERR_FSAL_ACCESS, "ACCESS"},
		{ERR_FSAL_PERM, "PERM"},
		{ERR_FSAL_INVAL, "INVAL"},
		{ERR_FSAL_NAMETOOLONG, "NAMETOOLONG"},
		{ERR_FSAL_NOSPC, "NOSPC"},
		{ERR_FSAL_DQUOT, "DQUOT"},
		{ERR_FSAL_ROFS, "ROFS"},
		{ERR_FSAL_XDEV, "XDEV"},
		{ERR_FSAL_FHEXPIRED, "STALE"},
		{ERR_FSAL_BADHANDLE, "BADHANDLE"},
		{ERR_FSAL_FBIG, "FBIG"},
		{ERR_FSAL_MLINK, "MLINK"},
		{ERR_FSAL_IO, "IO"},
		{ERR_FSAL_NOXATTR, "NOXATTR"},
		{ERR_FSAL_XATTR2BIG, "XATTR2BIG"},
		{ERR_FSAL_NXIO, "NXIO"},
		{ERR_FSAL_NOTSUPP, "NOTSUPP"},
		{ERR_FSAL_DELAY, "DELAY"},
		{ERR_FSAL_SERVERFAULT, "SERVERFAULT"},
	};
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (rows[i].error == error)
			return rows[i].name;
	fail_msg("a status of the FSAL that this test does not know: %d", (int)error);
	return NULL;
}

/* The row of a code up to the column that people write. */
static void doc_row(int rc, char *out, size_t cap)
{
	enum s3_error s3 = s3_error_from(rc);
	char answer[80] = "200";
	if (s3 != S3_OK)
		snprintf(answer, sizeof(answer), "%s %d", s3_error_code(s3), s3_error_status(s3));
	snprintf(out, cap, "\n| %s | %s | %s | %s | %s | ", gml_err_name(rc), gml_err_text(rc),
		 doc_nfs(gml_fsal_error(rc)), answer, gml_err_retryable(rc) ? "yes" : "");
}

static void test_every_code_has_its_row(void **state)
{
	unsigned wrong = 0;
	(void)state;
	for (int rc = 0; rc < GML_ERR_COUNT_; rc++) {
		char row[300];
		const char *found;
		doc_row(rc, row, sizeof(row));
		found = strstr(doc_text, row);
		/* Something must follow: what the code means. */
		if (found != NULL && found[strlen(row)] != '|' && found[strlen(row)] != '\n')
			continue;
		wrong++;
		print_error("docs/errors.md should have the row%s… |\n", row);
	}
	assert_int_equal(wrong, 0);
}

static void test_no_other_row(void **state)
{
	unsigned rows = 0;
	(void)state;
	for (const char *p = doc_text; (p = strstr(p, "\n| ")) != NULL; p++)
		rows++;
	assert_int_equal(rows, GML_ERR_COUNT_ + 1); /* and the head of the table */
}

static int doc_read(void **state)
{
	const char *top = getenv("srcdir");
	char path[1000];
	FILE *file;
	(void)state;
	snprintf(path, sizeof(path), "%s/docs/errors.md", top != NULL ? top : ".");
	file = fopen(path, "r");
	if (file == NULL)
		return -1;
	doc_text[fread(doc_text, 1, sizeof(doc_text) - 1, file)] = '\0';
	return fclose(file);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_every_code_has_its_row),
		cmocka_unit_test(test_no_other_row),
	};
	return cmocka_run_group_tests_name("errors.md", tests, doc_read, NULL);
}
