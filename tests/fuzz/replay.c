// SPDX-License-Identifier: Apache-2.0
/* Runs a fuzz target over files: those named as arguments, else all of the directory GML_CORPUS.
 * Fails if it finds none. */
#include <dirent.h>
#include <stdio.h>
#include <string.h>

#include "tests/fuzz/fuzz.h"

#define REPLAY_MAX (1u << 20)

static int replay_file(const char *path)
{
	static uint8_t buf[REPLAY_MAX];
	FILE *file = fopen(path, "rb");
	uint8_t *exact;
	size_t len;
	if (file == NULL) {
		perror(path);
		return 1;
	}
	len = fread(buf, 1, sizeof(buf), file);
	fclose(file);
	/* Memory of exactly the input's size: a sanitizer sees reads beyond it. */
	exact = malloc(len > 0 ? len : 1);
	if (exact == NULL)
		return 1;
	memcpy(exact, buf, len);
	LLVMFuzzerTestOneInput(exact, len);
	free(exact);
	return 0;
}

static int replay_dir(const char *path)
{
	DIR *dir = opendir(path);
	struct dirent *entry;
	unsigned count = 0;
	int rc = 0;
	if (dir == NULL) {
		perror(path);
		return 1;
	}
	while ((entry = readdir(dir)) != NULL) {
		char file[4096];
		if (entry->d_name[0] == '.')
			continue;
		if ((size_t)snprintf(file, sizeof(file), "%s/%s", path, entry->d_name) >=
		    sizeof(file))
			rc = 1;
		else
			rc |= replay_file(file);
		count++;
	}
	closedir(dir);
	printf("%s: %u inputs\n", path, count);
	return rc != 0 || count == 0;
}

int main(int argc, char **argv)
{
	int rc = 0;
	for (int i = 1; i < argc; i++)
		rc |= replay_file(argv[i]);
	return argc > 1 ? rc : replay_dir(GML_CORPUS);
}
