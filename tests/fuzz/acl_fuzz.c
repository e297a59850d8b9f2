// SPDX-License-Identifier: Apache-2.0
/* Input: two bytes of a mode, then an encoded ACL. Properties: what is read can be written and read
 * again; chmod stays within its room, gives the mode, and changes nothing the second time; an ACL
 * that cannot be read grants nothing. */
#include <string.h>
#include <gemel/acl.h>

#include "gateway/iam/acl.h"
#include "tests/fuzz/fuzz.h"

static bool fuzz_same(const struct gml_acl *a, const struct gml_acl *b)
{
	uint8_t of_a[GML_ACL_BYTES_MAX], of_b[GML_ACL_BYTES_MAX];
	size_t len = gml_acl_encode(a, of_a);
	return len == gml_acl_encode(b, of_b) && memcmp(of_a, of_b, len) == 0;
}

static void fuzz_ask(struct gml_span encoded, bool readable)
{
	const struct gml_principal who = {.cred = {.uid = 1, .gid = 2}, .authn = GML_AUTHN_SYS};
	const struct gml_acl_question question = {.who = &who, .uid = 1, .gid = 2, .want = 0xff};
	struct gml_acl_answer answer;
	int rc = gml_acl_ask(encoded, &question, &answer);
	FUZZ_CHECK(rc == 0 || (!readable && answer.allowed == 0));
	FUZZ_CHECK((answer.allowed & answer.denied) == 0);
	FUZZ_CHECK(!((answer.allowed | answer.denied) & ~question.want));
}

static void fuzz_chmod(const struct gml_acl *acl, uint32_t mode)
{
	static struct gml_acl once, twice;
	gml_acl_chmod(acl, mode, true, &once);
	FUZZ_CHECK(once.count <= GML_ACL_ENTRIES_ROOM);
	FUZZ_CHECK(gml_acl_mode(&once) == mode);
	gml_acl_chmod(&once, mode, true, &twice);
	FUZZ_CHECK(fuzz_same(&once, &twice));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct gml_acl acl, again;
	uint8_t bytes[GML_ACL_BYTES_MAX];
	struct gml_span encoded;
	int rc;
	if (size < 2)
		return 0;
	encoded = (struct gml_span){data + 2, size - 2};
	rc = gml_acl_decode(encoded, &acl);
	fuzz_ask(encoded, rc == 0);
	if (rc != 0) {
		FUZZ_CHECK(!gml_acl_allows_any(encoded, UINT32_MAX));
		return 0;
	}
	FUZZ_CHECK(gml_acl_decode((struct gml_span){bytes, gml_acl_encode(&acl, bytes)}, &again) ==
		   0);
	FUZZ_CHECK(fuzz_same(&acl, &again));
	fuzz_chmod(&acl, (data[0] << 8 | data[1]) & 0777u);
	return 0;
}
