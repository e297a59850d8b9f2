// SPDX-License-Identifier: Apache-2.0
#include "tls.h"

#include <errno.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <stdio.h>
#include <string.h>

/* A key with a passphrase would stop the server at each start. */
static int tls_no_passphrase(char *buf, int size, int writes, void *arg)
{
	(void)buf;
	(void)size;
	(void)writes;
	*(bool *)arg = true;
	return -1;
}

const char *tls_wrong(const char *certificate, const char *key, bool *key_out)
{
	const char *wrong = NULL;
	bool locked = false;
	FILE *first = fopen(certificate, "re"), *second = fopen(key, "re");
	X509 *cert = first ? PEM_read_X509_AUX(first, NULL, tls_no_passphrase, &locked) : NULL;
	EVP_PKEY *pkey =
		second ? PEM_read_PrivateKey(second, NULL, tls_no_passphrase, &locked) : NULL;
	*key_out = cert != NULL;
	if (cert == NULL)
		wrong = "it has no certificate in PEM";
	else if (pkey == NULL && locked)
		wrong = "the key has a passphrase: the server needs it without";
	else if (pkey == NULL)
		wrong = "it has no private key in PEM";
	else if (X509_check_private_key(cert, pkey) != 1)
		wrong = "it is not the key of s3.tls_certificate";
	ERR_clear_error();
	EVP_PKEY_free(pkey);
	X509_free(cert);
	if (first)
		fclose(first);
	if (second)
		fclose(second);
	return wrong;
}
