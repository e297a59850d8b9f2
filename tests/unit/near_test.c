// SPDX-License-Identifier: Apache-2.0
/* Which word was probably meant. */
#include "gateway/base/near.h"

#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

static void test_distance(void **state)
{
	char longest[GML_NEAR_WORD_MAX + 2];
	(void)state;
	assert_int_equal(gml_near_distance("", ""), 0);
	assert_int_equal(gml_near_distance("", "abc"), 3);
	assert_int_equal(gml_near_distance("abc", ""), 3);
	assert_int_equal(gml_near_distance("port", "port"), 0);
	assert_int_equal(gml_near_distance("prot", "port"), 1); /* exchanged */
	assert_int_equal(gml_near_distance("pot", "port"), 1);
	assert_int_equal(gml_near_distance("poort", "port"), 1);
	assert_int_equal(gml_near_distance("pert", "port"), 1);
	assert_int_equal(gml_near_distance("ca", "abc"), 3); /* a letter changes once at most */
	memset(longest, 'a', sizeof(longest));
	longest[GML_NEAR_WORD_MAX] = 0;
	assert_int_equal(gml_near_distance(longest, ""), GML_NEAR_WORD_MAX);
	assert_int_equal(gml_near_distance(longest, longest), 0);
	longest[GML_NEAR_WORD_MAX] = 'a';
	longest[GML_NEAR_WORD_MAX + 1] = 0;
	assert_true(gml_near_distance(longest, "a") == UINT_MAX);
	assert_true(gml_near_distance("a", longest) == UINT_MAX);
}

static const char *meant(const char *word)
{
	static const char *const words[] = {"bucket", "user", "s3", "update", "show", "store"};
	struct gml_near near = {.word = word};
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		gml_near_offer(&near, words[i]);
	return near.best ? near.best : "";
}

static void test_offer(void **state)
{
	(void)state;
	assert_string_equal(meant("buckt"), "bucket");
	assert_string_equal(meant("bukcte"), "bucket");
	assert_string_equal(meant("users"), "user");
	assert_string_equal(meant("BUCKETS"), "bucket");
	assert_string_equal(meant("UPD"), "update");
	assert_string_equal(meant("upd"), "update"); /* its beginning */
	assert_string_equal(meant("s4"), "s3");
	assert_string_equal(meant("sho"), "show");
	assert_string_equal(meant("shore"), "store"); /* the nearer one of two */
	assert_string_equal(meant("s"), "");
	assert_string_equal(meant(""), "");
	assert_string_equal(meant("balloon"), "");
	assert_string_equal(meant("usXY"), ""); /* two changes in four letters */
}

static void test_question(void **state)
{
	struct gml_near near = {.word = "buckt"};
	char text[64], small[8];
	(void)state;
	assert_string_equal(gml_near_question(&near, "", text, sizeof(text)), "");
	gml_near_offer(&near, "bucket");
	assert_string_equal(gml_near_question(&near, "help ", text, sizeof(text)),
			    "; did you mean 'help bucket'?");
	assert_int_equal(strlen(gml_near_question(&near, "", small, sizeof(small))),
			 sizeof(small) - 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_distance),
		cmocka_unit_test(test_offer),
		cmocka_unit_test(test_question),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
