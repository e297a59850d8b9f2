// SPDX-License-Identifier: Apache-2.0
/* What the disk holds after a cut. The rules are in disk.h. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "disk_log.h"

#define IMAGE_SECTOR 512
#define IMAGE_LOST 32 /* lost truncations and punches of one file that are remembered */

struct image_file {
	uint8_t *bytes;
	uint64_t cap;	     /* room in `bytes`: the end of the last write that was not zeros */
	uint64_t size, high; /* bytes past `high` are zeros */
	uint64_t safe;	     /* events before this are covered */
	uint64_t safe_time;  /* the same, by a sync that keeps the mtime */
	int64_t mtime;
	bool stopped; /* a change was lost: none of the later ones may be kept */
	unsigned nlost;
	struct {
		uint64_t off, end;
	} lost[IMAGE_LOST];
};

struct image_name {
	uint32_t parent, node;
	const char *name;
	bool there;
};

struct image {
	const struct disk_log *log;
	size_t cut;
	enum disk_cut_mode mode;
	uint64_t seed;
	struct image_file files[DISK_NODES];
	struct image_name names[DISK_NODES];
	size_t nnames;
};

const char *disk_cut_mode_name(enum disk_cut_mode mode)
{
	static const char *const names[DISK_CUT_MODES] = {"none", "all", "harm", "some"};
	return names[mode];
}

static bool image_chance(struct image *image)
{
	return disk_random(&image->seed) >> 33 & 1;
}

/* Is an uncovered event kept? harm: it takes something away. */
static bool image_kept(struct image *image, bool harm)
{
	switch (image->mode) {
	case DISK_NONE:
		return false;
	case DISK_ALL:
		return true;
	case DISK_HARM:
		return harm;
	case DISK_SOME:
	case DISK_CUT_MODES:
		break;
	}
	return image_chance(image);
}

/* How far each node is safe, and how much room its bytes need. */
static void image_survey(struct image *image)
{
	for (size_t i = 0; i < image->cut; i++) {
		const struct disk_event *event = &image->log->events[i];
		struct image_file *file = &image->files[event->node];
		if (event->what == DISK_WRITE && !event->zeros &&
		    event->off + event->len > file->cap)
			file->cap = event->off + event->len;
		if (event->what != DISK_SYNC)
			continue;
		for (size_t k = file->safe_time; event->datasync && k < event->covers; k++) {
			const struct disk_event *past = &image->log->events[k];
			if (past->node == event->node && past->grew && past->what >= DISK_WRITE) {
				file->safe_time = event->covers;
				break;
			}
		}
		if (!event->datasync && event->covers > file->safe_time)
			file->safe_time = event->covers;
		if (event->covers > file->safe)
			file->safe = event->covers;
	}
}

/* ---- names ----------------------------------------------------------------------------------- */

static void image_link(struct image *image, size_t at, const struct disk_event *event)
{
	bool safe = at < image->log->first || at < image->files[event->parent].safe ||
		    (!image->log->nodes[event->node].dir && at < image->files[event->node].safe);
	if (!safe && !image_kept(image, false))
		return;
	if (image->nnames == DISK_NODES)
		disk_die("too many names");
	image->names[image->nnames++] = (struct image_name){
		event->parent, event->node, (const char *)image->log->bytes + event->bytes, true};
}

static void image_unlink(struct image *image, size_t at, const struct disk_event *event)
{
	bool safe = at < image->log->first || at < image->files[event->parent].safe;
	if (!safe && !image_kept(image, true))
		return;
	for (size_t i = 0; i < image->nnames; i++)
		if (image->names[i].node == event->node && image->names[i].parent == event->parent)
			image->names[i].there = false;
}

/* ---- content --------------------------------------------------------------------------------- */

static bool image_is_lost(const struct image_file *file, uint64_t off, uint64_t end)
{
	for (unsigned i = 0; i < file->nlost; i++)
		if (off < file->lost[i].end && end > file->lost[i].off)
			return true;
	return false;
}

static void image_put(struct image *image, struct image_file *file, const struct disk_event *event,
		      uint64_t from, uint64_t to)
{
	if (!event->zeros) {
		memcpy(file->bytes + from, image->log->bytes + event->bytes + (from - event->off),
		       to - from);
		file->high = to > file->high ? to : file->high;
	} else if (from < file->high) {
		memset(file->bytes + from, 0, (to < file->high ? to : file->high) - from);
	}
	file->size = to > file->size ? to : file->size;
}

static void image_write(struct image *image, size_t at, struct image_file *file,
			const struct disk_event *event)
{
	uint64_t from = event->off, end = event->off + event->len;
	if (at < image->log->first || at < file->safe || event->dsync || image->mode == DISK_ALL) {
		image_put(image, file, event, from, end);
	} else if (event->zeros) {
		if (image_kept(image, false) && !image_is_lost(file, from, end))
			image_put(image, file, event, from, end);
	} else if (image->mode == DISK_SOME) {
		bool coarse = image_chance(image),
		     keep = image_chance(image); /* all or nothing, or sector by sector */
		for (uint64_t to; from < end; from = to) {
			to = (from / IMAGE_SECTOR + 1) * IMAGE_SECTOR;
			to = to < end ? to : end;
			if ((coarse ? keep : image_chance(image)) && !image_is_lost(file, from, to))
				image_put(image, file, event, from, to);
		}
	}
}

/* Bytes from `off` on read as zeros. */
static void image_zero(struct image_file *file, uint64_t off, uint64_t end)
{
	if (off < file->high)
		memset(file->bytes + off, 0, (end < file->high ? end : file->high) - off);
	if (end >= file->high && off < file->high)
		file->high = off;
}

static void image_change(struct image *image, size_t at, struct image_file *file,
			 const struct disk_event *event)
{
	uint64_t off = event->off,
		 end = event->what == DISK_TRUNCATE ? UINT64_MAX : off + event->len;
	bool keep = at < image->log->first || at < file->safe ||
		    (!file->stopped && image_kept(image, true));
	if (!keep) {
		file->stopped = true;
		if (event->what == DISK_ALLOCATE)
			return;
		if (file->nlost == IMAGE_LOST)
			disk_die("too many lost truncations");
		file->lost[file->nlost].off = off;
		file->lost[file->nlost++].end = end;
	} else if (event->what == DISK_TRUNCATE) {
		image_zero(file, off, UINT64_MAX);
		file->size = off;
	} else if (event->what == DISK_PUNCH) {
		image_zero(file, off, end);
	} else if (end > file->size) {
		file->size = end;
	}
}

static void image_file_event(struct image *image, size_t at, const struct disk_event *event)
{
	struct image_file *file = &image->files[event->node];
	if (file->bytes == NULL) {
		file->bytes = calloc(1, file->cap + 1);
		if (file->bytes == NULL)
			disk_die("no memory");
	}
	if (event->what == DISK_WRITE)
		image_write(image, at, file, event);
	else if (event->what != DISK_MTIME)
		image_change(image, at, file, event);
	if (at < image->log->first || at < file->safe_time || image_kept(image, true))
		file->mtime = event->mtime;
}

/* ---- out ------------------------------------------------------------------------------------- */

static void image_out_file(const struct image_file *file, int dirfd, const char *name)
{
	struct timespec times[2] = {{.tv_nsec = UTIME_OMIT},
				    {file->mtime / 1000000000, file->mtime % 1000000000}};
	uint64_t len = file->high < file->size ? file->high : file->size;
	int fd = openat(dirfd, name, O_WRONLY | O_CREAT | O_EXCL, 0600);
	if (fd < 0 || (len > 0 && pwrite(fd, file->bytes, len, 0) != (ssize_t)len) ||
	    ftruncate(fd, (off_t)file->size) != 0 || futimens(fd, times) != 0)
		disk_die(name);
	close(fd);
}

static void image_out(const struct image *image, uint32_t dir, int dirfd)
{
	for (size_t i = 0; i < image->nnames; i++) {
		const struct image_name *name = &image->names[i];
		int fd;
		if (!name->there || name->parent != dir)
			continue;
		if (!image->log->nodes[name->node].dir) {
			image_out_file(&image->files[name->node], dirfd, name->name);
			continue;
		}
		if (mkdirat(dirfd, name->name, 0700) != 0)
			disk_die(name->name);
		fd = openat(dirfd, name->name, O_RDONLY | O_DIRECTORY);
		if (fd < 0)
			disk_die(name->name);
		image_out(image, name->node, fd);
		close(fd);
	}
}

void disk_build(const struct disk_log *log, size_t cut, enum disk_cut_mode mode, uint64_t seed,
		const char *root)
{
	struct image *image = calloc(1, sizeof(*image));
	int fd;
	if (image == NULL)
		disk_die("no memory");
	image->log = log;
	image->cut = cut;
	image->mode = mode;
	image->seed = seed | 1;
	image_survey(image);
	for (size_t i = 0; i < cut; i++) {
		const struct disk_event *event = &log->events[i];
		if (event->what == DISK_LINK)
			image_link(image, i, event);
		else if (event->what == DISK_UNLINK)
			image_unlink(image, i, event);
		else if (event->what != DISK_SYNC)
			image_file_event(image, i, event);
	}
	disk_remove_tree(root);
	if (mkdir(root, 0700) != 0 || (fd = open(root, O_RDONLY | O_DIRECTORY)) < 0)
		disk_die(root);
	image_out(image, 0, fd);
	close(fd);
	for (size_t i = 0; i < log->nnodes; i++)
		free(image->files[i].bytes);
	free(image);
}
