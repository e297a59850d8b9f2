// SPDX-License-Identifier: Apache-2.0
/* Core errors over NFS. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "fsal_types.h"

#include <gemel/err.h>

#include "fsal/errmap.h"

static void errmap_every_code(void **state)
{
	unsigned faults = 0;
	assert_int_equal(gml_fsal_error(GML_ERR_OK), ERR_FSAL_NO_ERROR);
	for (int rc = GML_ERR_OK + 1; rc < GML_ERR_COUNT_; rc++) {
		fsal_errors_t error = gml_fsal_error(rc);
		assert_int_not_equal(error, ERR_FSAL_NO_ERROR);
		faults += error == ERR_FSAL_SERVERFAULT;
		/* What may succeed when repeated is repeated by the client. */
		if (gml_err_retryable(rc))
			assert_int_equal(error, ERR_FSAL_DELAY);
	}
	assert_int_equal(faults, 13); /* those that no NFS operation can meet */
}

static void errmap_what_clients_rely_on(void **state)
{
	assert_int_equal(gml_fsal_error(GML_ERR_STALE), ERR_FSAL_FHEXPIRED);
	assert_int_equal(gml_fsal_error(GML_ERR_ROFS), ERR_FSAL_ROFS);
	assert_int_equal(gml_fsal_error(GML_ERR_NOXATTR), ERR_FSAL_NOXATTR);
	assert_int_equal(gml_fsal_error(GML_ERR_TOOBIG), ERR_FSAL_XATTR2BIG);
	assert_int_equal(gml_fsal_error(GML_ERR_NXIO), ERR_FSAL_NXIO);
	assert_int_equal(gml_fsal_error(GML_ERR_BUCKETOWNED), ERR_FSAL_EXIST);
}

static void errmap_outside(void **state)
{
	assert_int_equal(gml_fsal_error(GML_ERR_COUNT_), ERR_FSAL_SERVERFAULT);
	assert_int_equal(gml_fsal_error(GML_ERR_COUNT_ + 7), ERR_FSAL_SERVERFAULT);
	assert_int_equal(gml_fsal_error(-1), ERR_FSAL_SERVERFAULT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(errmap_every_code),
		cmocka_unit_test(errmap_what_clients_rely_on),
		cmocka_unit_test(errmap_outside),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
