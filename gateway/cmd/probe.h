/* Does a door answer? */
#ifndef GML_CMD_PROBE_H
#define GML_CMD_PROBE_H

#include <stdbool.h>

/* Sends one HTTP request, in the clear, and waits for the first bytes of an answer. */
bool probe_s3(const char *address, unsigned port, int milliseconds);
/* Does anything accept a TCP connection there? */
bool probe_tcp(const char *address, unsigned port, int milliseconds);
/* One NULL call of NFSv4 (RFC 5531, RFC 8881 17.1) and its accepted reply. */
bool probe_nfs(const char *address, unsigned port, int milliseconds);
/* Can the port be bound now? 0, or the errno. */
int probe_bind(const char *address, unsigned port);

#endif
