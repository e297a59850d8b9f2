// SPDX-License-Identifier: Apache-2.0
#include "render.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* The whole file, NUL-terminated; NULL when it cannot be read. */
static char *render_slurp(const char *path)
{
	struct stat st;
	char *text = NULL;
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return NULL;
	if (fstat(fd, &st) == 0 && st.st_size < 1 << 20 &&
	    (text = malloc((size_t)st.st_size + 1)) != NULL) {
		ssize_t got = read(fd, text, (size_t)st.st_size);
		if (got == st.st_size) {
			text[got] = 0;
		} else {
			free(text);
			text = NULL;
		}
	}
	close(fd);
	return text;
}

static const char *render_lookup(const struct render_var *vars, const char *name, size_t len)
{
	for (; vars->name; vars++)
		if (strlen(vars->name) == len && memcmp(vars->name, name, len) == 0)
			return vars->value;
	return NULL;
}

/* Expands `text` into a new string; NULL with the reason in err. */
static char *render_expand(const char *text, const struct render_var *vars, const char *path,
			   char *err, size_t cap)
{
	char *out = NULL;
	size_t out_len;
	FILE *stream = open_memstream(&out, &out_len);
	if (stream == NULL) {
		snprintf(err, cap, "out of memory");
		return NULL;
	}
	while (*text) {
		size_t plain = strcspn(text, "@");
		fwrite(text, 1, plain, stream);
		text += plain;
		if (*text == 0)
			break;
		size_t name = strspn(text + 1, "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_");
		if (name == 0 || text[1 + name] != '@') {
			fputc(*text++, stream);
			continue;
		}
		const char *value = render_lookup(vars, text + 1, name);
		if (value == NULL) {
			snprintf(err, cap, "%s: @%.*s@ has no value", path, (int)name, text + 1);
			fclose(stream);
			free(out);
			return NULL;
		}
		fputs(value, stream);
		text += name + 2;
	}
	if (fclose(stream) != 0) {
		free(out);
		out = NULL;
		snprintf(err, cap, "out of memory");
	}
	return out;
}

static int render_write(const char *path, const char *text, char *err, size_t cap)
{
	char temporary[4096];
	size_t len = strlen(text);
	if (snprintf(temporary, sizeof(temporary), "%s.new", path) >= (int)sizeof(temporary)) {
		snprintf(err, cap, "%s: path too long", path);
		return -1;
	}
	int fd = open(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
	bool good = fd >= 0 && write(fd, text, len) == (ssize_t)len;
	if (fd >= 0 && close(fd) != 0)
		good = false;
	if (!good || rename(temporary, path) != 0) {
		snprintf(err, cap, "%s: %s", path, strerror(errno));
		return -1;
	}
	return 0;
}

int render_file(const char *template_path, const char *out_path, const struct render_var *vars,
		bool *changed_out, char *err, size_t cap)
{
	int rc = -1;
	char *before = NULL, *after = NULL, *text = render_slurp(template_path);
	if (text == NULL) {
		snprintf(err, cap, "%s: %s", template_path, strerror(errno));
		return -1;
	}
	after = render_expand(text, vars, template_path, err, cap);
	if (after == NULL)
		goto out;
	before = render_slurp(out_path);
	*changed_out = before == NULL || strcmp(before, after) != 0;
	rc = *changed_out ? render_write(out_path, after, err, cap) : 0;
out:
	free(before);
	free(after);
	free(text);
	return rc;
}
