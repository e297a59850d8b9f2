// SPDX-License-Identifier: Apache-2.0
/* Does a server answer? Used by whoever watches a door from outside of it.
 *
 * All functions: `address` is an IPv4 or IPv6 address as text (0.0.0.0 and :: stand for this machine), times are in ms, any
 * thread, they block for about the time given at most, and keep nothing. */
#ifndef GEMEL_PROBE_H
#define GEMEL_PROBE_H

#include <stdbool.h>
#include <gemel/visibility.h>

GML_API_BEGIN

/* Sends one HTTP request, in the clear, and waits for the first bytes of an answer. */
bool gml_probe_s3(const char *address, unsigned port, int milliseconds);
/* Does anything accept a TCP connection there? */
bool gml_probe_tcp(const char *address, unsigned port, int milliseconds);
/* One NULL call of NFSv4 (RFC 5531, RFC 8881 17.1) and its accepted reply. */
bool gml_probe_nfs(const char *address, unsigned port, int milliseconds);
/* Can the port be bound now? 0, or the errno. Does not wait. */
int gml_probe_bind(const char *address, unsigned port);

GML_API_END

#endif
