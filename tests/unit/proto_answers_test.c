// SPDX-License-Identifier: Apache-2.0
/* What S3 answers where nothing is stored, and to what is said beside the point. */
#include "s3_expect.h"

#define TAGGING(tags) "<Tagging><TagSet>" tags "</TagSet></Tagging>"
#define TAG(key, value) "<Tag><Key>" key "</Key><Value>" value "</Value></Tag>"

/* ---- locks that are not there ---- */

static void test_no_lock(void **state)
{
	static const char *const ask[] = {"/bkt/k?retention", "/bkt/k?legal-hold"};
	(void)state;
	put("/bkt/k", NULL, "x");
	for (int i = 0; i < 2; i++) {
		SEND("GET", ask[i]);
		EXPECT(400, "InvalidRequest");
		put(ask[i], NULL, "<x/>");
		EXPECT(400, "InvalidRequest");
	}
	SEND("GET", "/nosuch/k?retention");
	EXPECT(404, "NoSuchBucket");
	put("/bkt/k", "x-amz-object-lock-legal-hold: ON", "y");
	EXPECT(400, "InvalidRequest");
	SEND("DELETE", "/bkt/k", {"x-amz-bypass-governance-retention: true"});
	EXPECT(204, "");
	put("/bkt/k", NULL, "x");
	send_xml_with("POST", "/bkt?delete", "x-amz-bypass-governance-retention: true",
		      "<Delete><Object><Key>k</Key></Object></Delete>");
	EXPECT(200, "");
	expect_body("<Deleted>");
	SEND("HEAD", "/bkt/k");
	EXPECT(404, "NoSuchKey");
	SEND("DELETE", "/bkt/k",
	     {"x-amz-mfa: 20899872 301749", "x-amz-bypass-governance-retention: TRUE"});
	EXPECT(204, "");
}

/* ---- configuration that is not there ---- */

static void test_absent_documents(void **state)
{
	static const char *const gone[] = {
		"cors",	   "encryption",  "lifecycle",	       "policy",
		"tagging", "replication", "publicAccessBlock", "website"};
	static const struct {
		const char *name, *root;
	} lists[] = {{"analytics", "ListBucketAnalyticsConfigurationResult"},
		     {"intelligent-tiering", "ListBucketIntelligentTieringConfigurationsOutput"},
		     {"inventory", "ListInventoryConfigurationsResult"},
		     {"metrics", "ListMetricsConfigurationsResult"}};
	char access[129], secret[129], target[64], text[128];
	(void)state;
	s3_host_user(&host, "bob", 1001, 0, access, secret);
	for (size_t i = 0; i < sizeof(gone) / sizeof(gone[0]); i++) {
		snprintf(target, sizeof(target), "/bkt?%s", gone[i]);
		SEND("DELETE", target);
		EXPECT(204, "");
		SEND("DELETE", target, .access = access, .secret = secret);
		EXPECT(403, "AccessDenied");
		snprintf(target, sizeof(target), "/nosuch?%s", gone[i]);
		SEND("DELETE", target);
		EXPECT(404, "NoSuchBucket");
	}
	for (size_t i = 0; i < sizeof(lists) / sizeof(lists[0]); i++) {
		snprintf(target, sizeof(target), "/bkt?%s", lists[i].name);
		SEND("GET", target);
		EXPECT(200, "");
		snprintf(text, sizeof(text), "<%s xmlns=", lists[i].root);
		expect_body(text);
		expect_body("<IsTruncated>false</IsTruncated>");
		SEND("GET", target, .access = access, .secret = secret);
		EXPECT(403, "AccessDenied");
		snprintf(target, sizeof(target), "/bkt?%s&id=x", lists[i].name);
		SEND("GET", target);
		EXPECT(404, "NoSuchConfiguration");
		SEND("DELETE", target);
		EXPECT(404, "NoSuchConfiguration");
		put(target, NULL, "<x/>");
		EXPECT(501, "NotImplemented");
	}
	SEND("HEAD", "/bkt");
	EXPECT(200, "");
}

static void test_constants(void **state)
{
	static const struct {
		const char *name, *body;
		int status;
		const char *code;
	} rows[] = {
		{"ownershipControls",
		 "<OwnershipControls><Rule><ObjectOwnership>BucketOwnerEnforced</ObjectOwnership></"
		 "Rule></"
		 "OwnershipControls>",
		 200, ""},
		{"ownershipControls",
		 "<OwnershipControls><Rule><ObjectOwnership>ObjectWriter</ObjectOwnership></Rule></"
		 "OwnershipControls>",
		 200, ""},
		{"ownershipControls",
		 "<OwnershipControls><Rule><ObjectOwnership>Me</ObjectOwnership></Rule></"
		 "OwnershipControls>",
		 400, "MalformedXML"},
		{"ownershipControls", "<OwnershipControls/>", 400, "MalformedXML"},
		{"notification", "<NotificationConfiguration/>", 200, ""},
		{"notification",
		 "<NotificationConfiguration xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\"></"
		 "NotificationConfiguration>",
		 200, ""},
		{"notification",
		 "<NotificationConfiguration><QueueConfiguration/></NotificationConfiguration>",
		 501, "NotImplemented"},
		{"notification", "<Other/>", 400, "MalformedXML"},
		{"notification", "", 400, "MalformedXML"},
		{"logging", "<BucketLoggingStatus/>", 200, ""},
		{"logging", "<BucketLoggingStatus><LoggingEnabled/></BucketLoggingStatus>", 501,
		 "NotImplemented"},
		{"requestPayment",
		 "<RequestPaymentConfiguration><Payer>BucketOwner</Payer></"
		 "RequestPaymentConfiguration>",
		 200, ""},
		{"requestPayment",
		 "<RequestPaymentConfiguration><Payer>Requester</Payer></"
		 "RequestPaymentConfiguration>",
		 501, "NotImplemented"},
		{"requestPayment",
		 "<RequestPaymentConfiguration><Payer>BucketOwner</Payer><Payer>BucketOwner</"
		 "Payer></"
		 "RequestPaymentConfiguration>",
		 400, "MalformedXML"},
	};
	char access[129], secret[129], target[64];
	(void)state;
	s3_host_user(&host, "bob", 1001, 0, access, secret);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		snprintf(target, sizeof(target), "/bkt?%s", rows[i].name);
		send_xml("PUT", target, rows[i].body);
		EXPECT(rows[i].status, rows[i].code);
		SEND("GET", target);
		EXPECT(200, "");
		SEND("PUT", target, .body = rows[i].body, .body_len = strlen(rows[i].body),
		     .access = access, .secret = secret);
		EXPECT(403, "AccessDenied");
	}
}

static void test_bucket_tagging(void **state)
{
	char access[129], secret[129], many[8000] = "<Tagging><TagSet>";
	(void)state;
	SEND("GET", "/bkt?tagging");
	EXPECT(404, "NoSuchTagSet");
	send_xml("PUT", "/bkt?tagging", TAGGING(TAG("a", "1") TAG("b &amp; c", "")));
	EXPECT(400, "InvalidTag"); /* & is none of the characters */
	send_xml("PUT", "/bkt?tagging", TAGGING(TAG("a", "1") TAG("b", "")));
	EXPECT(204, "");
	SEND("GET", "/bkt?tagging");
	EXPECT(200, "");
	assert_string_equal(s3_host_header(&answer, "Content-Type"), "application/xml");
	expect_body("<Tagging xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\"><TagSet>" TAG(
		"a", "1") TAG("b", ""));
	send_xml("PUT", "/bkt?tagging", TAGGING(TAG("c", "2")));
	EXPECT(204, "");
	SEND("GET", "/bkt?tagging");
	expect_not("<Key>a</Key>");
	expect_body(TAG("c", "2"));
	for (int i = 0; i < 51; i++) {
		char tag[64];
		snprintf(tag, sizeof(tag), TAG("t%d", "v"), i);
		strcat(many, tag);
		if (i == 49) {
			char fifty[8100];
			snprintf(fifty, sizeof(fifty), "%s</TagSet></Tagging>", many);
			send_xml("PUT", "/bkt?tagging", fifty);
			EXPECT(204, "");
		}
	}
	strcat(many, "</TagSet></Tagging>");
	send_xml("PUT", "/bkt?tagging", many);
	EXPECT(400, "BadRequest");
	send_xml("PUT", "/bkt?tagging", TAGGING(TAG("a", "1") TAG("a", "2")));
	EXPECT(400, "InvalidTag");
	s3_host_user(&host, "bob", 1001, 0, access, secret);
	SEND("DELETE", "/bkt?tagging", .access = access, .secret = secret);
	EXPECT(403, "AccessDenied");
	SEND("GET", "/bkt?tagging");
	expect_body(TAG("t49", "v"));
	SEND("DELETE", "/bkt?tagging");
	EXPECT(204, "");
	SEND("GET", "/bkt?tagging");
	EXPECT(404, "NoSuchTagSet");
	/* From the start, and only if all of it is right. */
	send_xml("PUT", "/born",
		 "<CreateBucketConfiguration><Tags>" TAG(
			 "k", "v") "</Tags></CreateBucketConfiguration>");
	EXPECT(200, "");
	SEND("GET", "/born?tagging");
	expect_body(TAG("k", "v"));
	send_xml("PUT", "/unborn",
		 "<CreateBucketConfiguration><Tags>" TAG(
			 "k*", "v") "</Tags></CreateBucketConfiguration>");
	EXPECT(400, "InvalidTag");
	SEND("HEAD", "/unborn");
	EXPECT(404, "NoSuchBucket");
	SEND("DELETE", "/born");
	EXPECT(204, "");
	SEND("PUT", "/born");
	EXPECT(200, "");
	SEND("GET", "/born?tagging");
	EXPECT(404, "NoSuchTagSet");
}

/* ---- parameters, markers, elements ---- */

static void test_parameters(void **state)
{
	static const char *const ignored[] = {"/bkt/k?v=2", "/bkt/k?brand=new&cache=1",
					      "/bkt/k?id=7", "/bkt/k?prefix=a"};
	static const char *const refused[] = {
		"/bkt/k?brandNew", "/bkt/k?brandNew=", "/bkt/k?v=2&brandNew", "/bkt?list-type=2"};
	static const char *const others[] = {"/bkt/k?policy=1", "/bkt/k?versioning=1",
					     "/bkt/k?delete=1", "/bkt?retention=1"};
	(void)state;
	for (size_t i = 0; i < sizeof(ignored) / sizeof(ignored[0]); i++) {
		put(ignored[i], NULL, "x");
		EXPECT(200, "");
		SEND("GET", "/bkt/k");
		EXPECT(200, "");
		SEND("DELETE", ignored[i]);
		EXPECT(204, "");
		SEND("GET", "/bkt/k");
		EXPECT(404, "NoSuchKey");
	}
	put("/bkt/k", NULL, "x");
	for (size_t i = 0; i < sizeof(refused) / sizeof(refused[0]); i++) {
		SEND("DELETE", refused[i]);
		EXPECT(501, "NotImplemented");
		put(refused[i], NULL, "y");
		EXPECT(501, "NotImplemented");
	}
	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
		SEND("DELETE", others[i]);
		EXPECT(405, "MethodNotAllowed");
		put(others[i], NULL, "y");
		EXPECT(405, "MethodNotAllowed");
	}
	SEND("DELETE", "/bkt/k?partNumber=1");
	EXPECT(501, "NotImplemented");
	SEND("DELETE", "/bkt/k?tagging&uploadId=x"); /* one of them is not meant */
	EXPECT(501, "NotImplemented");
	SEND("GET", "/bkt/k");
	EXPECT(200, "");
	assert_string_equal(answer.body, "x");
	SEND("GET", "/bkt/k?uploads");
	EXPECT(400, "InvalidRequest");
	SEND("GET", "/bkt/k?versions");
	EXPECT(400, "InvalidRequest");
	SEND("GET", "/bkt/k?versions", .access = "");
	EXPECT(400, "InvalidRequest");
	put("/bkt?v=2", NULL, "");
	EXPECT(200, "");
}

static void test_upload_markers(void **state)
{
	static const char *const wrong[] = {"x", "0123456789abcdef0123456789abcdeX", "..%2F"};
	char id[3][64], target[256], next[64];
	(void)state;
	begin_upload("/bkt/a/1", NULL, id[0]);
	begin_upload("/bkt/a/2", NULL, id[1]);
	begin_upload("/bkt/b", NULL, id[2]);
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		snprintf(target, sizeof(target), "/bkt?uploads&key-marker=a&upload-id-marker=%s",
			 wrong[i]);
		SEND("GET", target);
		EXPECT(400, "InvalidArgument");
		assert_string_equal(s3_host_element(&answer, "ArgumentName"), "upload-id-marker");
	}
	SEND("GET", "/bkt?uploads&upload-id-marker=x"); /* without a key it is ignored */
	EXPECT(200, "");
	SEND("GET", "/bkt?uploads&delimiter=%2F&max-uploads=1");
	EXPECT(200, "");
	expect_body("<IsTruncated>true</IsTruncated>");
	assert_string_equal(s3_host_element(&answer, "NextKeyMarker"), "a/");
	snprintf(next, sizeof(next), "%s", s3_host_element(&answer, "NextUploadIdMarker"));
	assert_string_equal(next, id[0]);
	snprintf(target, sizeof(target),
		 "/bkt?uploads&delimiter=%%2F&max-uploads=1&key-marker=a%%2F&upload-id-marker=%s",
		 next);
	SEND("GET", target);
	EXPECT(200, "");
	assert_string_equal(s3_host_element(&answer, "UploadId"), id[2]);
	expect_body("<IsTruncated>false</IsTruncated>");
	/* The upload of the marker may be gone by then. */
	snprintf(target, sizeof(target), "/bkt/a/1?uploadId=%s", id[0]);
	SEND("DELETE", target);
	snprintf(target, sizeof(target), "/bkt?uploads&key-marker=a%%2F1&upload-id-marker=%s",
		 id[0]);
	SEND("GET", target);
	EXPECT(200, "");
	assert_string_equal(s3_host_element(&answer, "UploadId"), id[1]);
}

/* An element that is not known, or stands there twice, is refused in every document. */
static void test_elements(void **state)
{
	static const struct {
		const char *method, *target, *body;
	} rows[] = {
		{"PUT", "/bkt/k?tagging", "<Tagging><TagSet/><More/></Tagging>"},
		{"PUT", "/bkt/k?tagging", "<Tagging><TagSet/><TagSet/></Tagging>"},
		{"PUT", "/bkt/k?tagging",
		 TAGGING("<Tag><Key>a</Key><Value>b</Value><More/></Tag>")},
		{"PUT", "/bkt/k?tagging",
		 TAGGING("<Tag><Key>a</Key><Key>c</Key><Value>b</Value></Tag>")},
		{"PUT", "/bkt/k?tagging", TAGGING("<More/>")},
		{"PUT", "/bkt?tagging", "<Tagging><TagSet/><More/></Tagging>"},
		{"PUT", "/bkt?tagging", TAGGING("<Tag><Key>a</Key><Value>b</Value><More/></Tag>")},
		{"POST", "/bkt?delete", "<Delete><Object><Key>k</Key></Object><More/></Delete>"},
		{"POST", "/bkt?delete", "<Delete><Object><Key>k</Key><More/></Object></Delete>"},
		{"POST", "/bkt?delete",
		 "<Delete><Object><Key>no</Key><Key>k</Key></Object></Delete>"},
		{"POST", "/bkt?delete",
		 "<Delete><Quiet>true</Quiet><Quiet>false</Quiet><Object><Key>k</Key></Object></"
		 "Delete>"},
		{"PUT", "/new", "<CreateBucketConfiguration><More/></CreateBucketConfiguration>"},
		{"PUT", "/new",
		 "<CreateBucketConfiguration><LocationConstraint/><LocationConstraint/></"
		 "CreateBucketConfiguration>"},
		{"PUT", "/bkt?acl",
		 "<AccessControlPolicy><Owner><ID>1000</ID></"
		 "Owner><AccessControlList><Grant><Grantee><ID>1000</ID></"
		 "Grantee><Permission>FULL_CONTROL</Permission></Grant></AccessControlList><More/"
		 "></"
		 "AccessControlPolicy>"},
		{"PUT", "/bkt?acl",
		 "<AccessControlPolicy><AccessControlList><Grant><Grantee><ID>1000</ID></"
		 "Grantee><Permission>"
		 "FULL_CONTROL</Permission><More/></Grant></AccessControlList></"
		 "AccessControlPolicy>"},
		{"PUT", "/bkt?acl",
		 "<AccessControlPolicy><AccessControlList><Grant><Grantee><ID>1000</ID><More/></"
		 "Grantee><Permission>"
		 "FULL_CONTROL</Permission></Grant></AccessControlList></AccessControlPolicy>"},
		{"PUT", "/bkt?requestPayment",
		 "<RequestPaymentConfiguration><Payer>BucketOwner</Payer><More/></"
		 "RequestPaymentConfiguration>"},
		{"PUT", "/bkt?ownershipControls",
		 "<OwnershipControls><Rule><ObjectOwnership>BucketOwnerEnforced</"
		 "ObjectOwnership><More/></Rule></"
		 "OwnershipControls>"},
	};
	char id[64], target[256];
	(void)state;
	put("/bkt/k", NULL, "x");
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		send_xml(rows[i].method, rows[i].target, rows[i].body);
		if (answer.status != 400 || strcmp(answer.code, "MalformedXML") != 0)
			fail_msg("%s: %d %s", rows[i].body, answer.status, answer.code);
	}
	SEND("GET", "/bkt/k");
	EXPECT(200, "");
	SEND("HEAD", "/new");
	EXPECT(404, "NoSuchBucket");
	begin_upload("/bkt/m", NULL, id);
	snprintf(target, sizeof(target), "/bkt/m?uploadId=%s", id);
	for (int i = 0; i < 2; i++) {
		send_xml("POST", target,
			 i ? "<CompleteMultipartUpload><Part><PartNumber>1</"
			     "PartNumber><PartNumber>2</PartNumber><ETag>"
			     "x</ETag></Part></CompleteMultipartUpload>"
			   : "<CompleteMultipartUpload><Part><PartNumber>1</PartNumber><ETag>x</"
			     "ETag><More/></Part></"
			     "CompleteMultipartUpload>");
		EXPECT(400, "MalformedXML");
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		S3_TEST(test_no_lock),	  S3_TEST(test_absent_documents),
		S3_TEST(test_constants),  S3_TEST(test_bucket_tagging),
		S3_TEST(test_parameters), S3_TEST(test_upload_markers),
		S3_TEST(test_elements),
	};
	return cmocka_run_group_tests_name("proto_answers", tests, NULL, NULL);
}
