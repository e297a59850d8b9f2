// SPDX-License-Identifier: Apache-2.0
/* The model, and the comparison of a store with it. See model.h. */
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include <gemel/dir.h>
#include <gemel/file.h>
#include <gemel/inode.h>
#include <gemel/object.h>
#include <gemel/principal.h>
#include <gemel/upload.h>
#include "model.h"
#include "tests/spans.h"

#define MODEL_BYTES ((size_t)256 << 20) /* address space */
#define MODEL_SECTOR 512
#define MODEL_READ_MAX ((size_t)8 << 20)

struct model {
	const struct disk_log
		*log; /* whose events are the moments; NULL: the model counts its own */
	size_t nitems, nbytes, moments;
	size_t marked_items, marked_bytes;
	unsigned marked_states[MODEL_ITEMS];
	struct model_item items[MODEL_ITEMS];
	uint8_t bytes[];
};

struct model *model_new(const struct disk_log *log)
{
	struct model *model = mmap(NULL, sizeof(*model) + MODEL_BYTES, PROT_READ | PROT_WRITE,
				   MAP_SHARED | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (model == MAP_FAILED)
		disk_die("no memory");
	model->log = log;
	return model;
}

void model_slot(struct model_item *item, enum model_type type, const char *path, const char *arg)
{
	struct model_slot *slot = &item->slots[item->nslots++];
	if (item->nslots > MODEL_SLOTS)
		disk_die("too many slots");
	slot->type = type;
	snprintf(slot->path, sizeof(slot->path), "%s", path);
	snprintf(slot->arg, sizeof(slot->arg), "%s", arg == NULL ? "" : arg);
}

struct model_item *model_item(struct model *model, enum model_type type, const char *path,
			      const char *arg)
{
	size_t at = __atomic_fetch_add(&model->nitems, 1, __ATOMIC_SEQ_CST);
	if (at >= MODEL_ITEMS)
		disk_die("too many items");
	model_slot(&model->items[at], type, path, arg);
	model->items[at].nstates = 1;
	return &model->items[at];
}

const uint8_t *model_copy(struct model *model, const void *bytes, size_t len)
{
	size_t at = __atomic_fetch_add(&model->nbytes, (len + 7) & ~(size_t)7, __ATOMIC_SEQ_CST);
	if (at + len > MODEL_BYTES)
		disk_die("the model is too large");
	if (len > 0)
		memcpy(model->bytes + at, bytes, len);
	return model->bytes + at;
}

const struct model_state *model_last(const struct model_item *item)
{
	return &item->states[item->nstates - 1];
}

struct model_state *model_next(struct model_item *item)
{
	struct model_state *next = &item->states[item->nstates];
	if (item->nstates == MODEL_STATES)
		disk_die("too many states");
	*next = next[-1];
	next->mixed = false;
	next->acked = SIZE_MAX;
	next->asked = SIZE_MAX;
	for (int s = 0; s < MODEL_SLOTS; s++)
		next->values[s].mtime = 0;
	return next;
}

static size_t model_now(struct model *model)
{
	return model->log != NULL ? disk_now(model->log)
				  : __atomic_add_fetch(&model->moments, 1, __ATOMIC_SEQ_CST);
}

void model_request(struct model *model, struct model_item *item)
{
	item->states[item->nstates++].asked = model_now(model);
}

void model_acknowledge(struct model *model, struct model_item *item)
{
	item->states[item->nstates - 1].acked = model_now(model);
}

void model_refuse(struct model_item *item)
{
	item->nstates--;
}

void model_mark(struct model *model)
{
	model->marked_items = model->nitems;
	model->marked_bytes = model->nbytes;
	for (size_t i = 0; i < model->nitems; i++)
		model->marked_states[i] = model->items[i].nstates;
}

void model_rewind(struct model *model)
{
	model->nitems = model->marked_items;
	model->nbytes = model->marked_bytes;
	for (size_t i = 0; i < model->nitems; i++)
		model->items[i].nstates = model->marked_states[i];
}

/* ---- what the store says --------------------------------------------------------------------- */

struct model_observation {
	struct model_value value;
	uint8_t *buf;
	char etag[GML_ETAG_MAX + 1];
	char error[160]; /* not empty: the protocols contradict each other, or a call failed */
};

static struct gml_op model_op(void)
{
	return (struct gml_op)GML_OP_LOCAL;
}

static void model_fail(struct model_observation *answer, const char *what, int rc)
{
	if (answer->error[0] == '\0')
		snprintf(answer->error, sizeof(answer->error), "%s: %s", what, gml_err_name(rc));
}

static void model_text(struct model_observation *answer, const char *text)
{
	answer->value.there = true;
	answer->value.len = strlen(text);
	memcpy(answer->buf, text, answer->value.len);
}

/* NOENT also when a directory of the path is missing. */
static int model_walk(struct gml_store *store, const char *path, struct gml_attr *out)
{
	struct gml_op op = model_op();
	gml_ino at = GML_INO_ROOT;
	int rc = gml_dir_lookup(&op, store, at, STR(MODEL_BUCKET_NAME), out);
	while (rc == 0 && *path != '\0') {
		size_t len = strcspn(path, "/");
		at = out->ino;
		rc = gml_dir_lookup(&op, store, at, (struct gml_span){path, len}, out);
		path += len + (path[len] == '/');
	}
	return rc;
}

static void model_read_nfs(struct gml_store *store, const struct gml_attr *attr,
			   struct model_observation *answer)
{
	struct gml_op op = model_op();
	struct gml_file *file;
	bool eof = false;
	int rc = gml_file_open(&op, store, attr->ino, GML_OPEN_READ, &file);
	if (rc != 0) {
		model_fail(answer, "NFS open", rc);
		return;
	}
	rc = gml_file_read(&op, file, 0, (struct gml_buf){answer->buf, MODEL_READ_MAX},
			   &answer->value.len, &eof);
	if (rc != 0)
		model_fail(answer, "NFS read", rc);
	else if (!eof || answer->value.len != attr->size)
		model_fail(answer, "NFS size", 0);
	gml_file_close(&op, file);
}

/* The same bytes must come over S3. */
static void model_read_s3(struct gml_object *object, struct model_observation *answer)
{
	const struct gml_object_info *info = gml_object_info(object);
	uint8_t *buf = malloc(info->size + 1);
	struct gml_run run;
	snprintf(answer->etag, sizeof(answer->etag), "%s", info->etag);
	if (info->size != answer->value.len)
		model_fail(answer, "S3 and NFS differ in size", 0);
	for (uint64_t off = 0; answer->error[0] == '\0' && off < info->size; off += run.len) {
		int rc = gml_object_run(object, off, info->size - off, &run);
		if (rc != 0) {
			model_fail(answer, "S3 read", rc);
			break;
		}
		if (run.mem != NULL)
			memcpy(buf + off, run.mem, run.len);
		else if (run.fd < 0)
			memset(buf + off, 0, run.len);
		else if (pread(run.fd, buf + off, run.len, (off_t)run.file_off) != (ssize_t)run.len)
			model_fail(answer, "S3 run is short", 0);
	}
	if (answer->error[0] == '\0' && memcmp(buf, answer->buf, info->size) != 0)
		model_fail(answer, "S3 and NFS differ", 0);
	free(buf);
}

static void model_observe_file(struct gml_store *store, const char *path,
			       struct model_observation *answer)
{
	struct gml_op op = model_op();
	struct gml_object *object = NULL;
	struct gml_attr attr;
	int nfs = model_walk(store, path, &attr), s3;
	if (nfs == 0) {
		answer->value.there = true;
		answer->value.mtime = attr.mtime;
		model_read_nfs(store, &attr, answer);
	}
	s3 = gml_object_open(&op, store, OBJECT_REF(STR(MODEL_BUCKET_NAME), STR(path)), true,
			     &object);
	if (s3 == GML_ERR_NOBUCKET)
		s3 = GML_ERR_NOENT;
	if (s3 != nfs)
		model_fail(answer, "S3 and NFS differ in whether it is there", s3);
	else if (s3 == 0)
		model_read_s3(object, answer);
	else if (s3 != GML_ERR_NOENT)
		model_fail(answer, "lookup", s3);
	gml_object_close(object);
}

static void model_observe_path(struct gml_store *store, const struct model_slot *slot,
			       struct model_observation *answer)
{
	struct gml_op op = model_op();
	struct gml_attr attr;
	char text[80];
	int rc = model_walk(store, slot->path, &attr);
	if (rc == GML_ERR_NOENT)
		return;
	if (rc == 0 && slot->type == MODEL_MODE) {
		snprintf(text, sizeof(text), "%o %u %u %u", attr.mode, attr.uid, attr.gid,
			 attr.nlink);
		model_text(answer, text);
	} else if (rc == 0 && slot->type == MODEL_DIR) {
		rc = attr.type == GML_DIR ? 0 : GML_ERR_NOTDIR;
		model_text(answer, "");
	} else if (rc == 0 && slot->type == MODEL_LINK) {
		rc = gml_inode_readlink(&op, store, attr.ino, (char *)answer->buf, MODEL_READ_MAX,
					&answer->value.len);
		answer->value.there = true;
	} else if (rc == 0) {
		rc = gml_xattr_get(&op, store, attr.ino, STR(slot->arg),
				   (struct gml_buf){answer->buf, MODEL_READ_MAX},
				   &answer->value.len);
		answer->value.there = rc == 0;
		rc = rc == GML_ERR_NOXATTR ? 0 : rc;
	}
	if (rc != 0)
		model_fail(answer, "lookup", rc);
}

static bool model_observe_part(void *arg, const struct gml_part *part)
{
	struct model_observation *answer = arg;
	answer->value.len +=
		(size_t)sprintf((char *)answer->buf + answer->value.len, "%u:%llu:%02x ",
				part->number, (unsigned long long)part->size, part->md5[0]);
	return true;
}

static void model_observe_upload(struct gml_store *store, const struct model_slot *slot,
				 struct model_observation *answer)
{
	struct gml_op op = model_op();
	bool more;
	int rc = gml_part_list(
		&op, store,
		&(struct gml_part_query){
			.upload = {{STR(MODEL_BUCKET_NAME), STR(slot->path), {NULL, 0}},
				   STR(slot->arg)},
			.after = 0,
			.max = 1000},
		model_observe_part, answer, &more);
	answer->value.there = rc == 0;
	if (rc != 0 && rc != GML_ERR_NOUPLOAD && rc != GML_ERR_NOBUCKET)
		model_fail(answer, "upload", rc);
}

static void model_observe_record(struct gml_store *store, const struct model_slot *slot,
				 struct model_observation *answer)
{
	struct gml_op op = model_op();
	struct gml_bucket bucket;
	struct gml_user user;
	struct gml_key key;
	char text[160] = "";
	int rc;
	if (slot->type == MODEL_BUCKET) {
		rc = gml_bucket_head(&op, store, STR(slot->path), &bucket);
		if (rc == 0)
			snprintf(text, sizeof(text), "%llu",
				 (unsigned long long)bucket.quota_objects);
	} else if (slot->type == MODEL_USER) {
		rc = gml_user_get(store, slot->path, &user);
		if (rc == 0)
			snprintf(text, sizeof(text), "%u", user.uid);
	} else {
		rc = gml_key_lookup(store, STR(slot->path), &key, &user);
		if (rc == 0)
			snprintf(text, sizeof(text), "%s", key.secret);
	}
	if (rc == 0)
		model_text(answer, text);
	else if (rc != GML_ERR_NOBUCKET && rc != GML_ERR_NOUSER && rc != GML_ERR_NOKEY)
		model_fail(answer, "record", rc);
}

static void model_observe(struct gml_store *store, const struct model_slot *slot,
			  struct model_observation *answer)
{
	answer->value = (struct model_value){0};
	answer->error[0] = answer->etag[0] = '\0';
	switch (slot->type) {
	case MODEL_UNUSED:
		break;
	case MODEL_FILE:
		model_observe_file(store, slot->path, answer);
		break;
	case MODEL_LINK:
	case MODEL_DIR:
	case MODEL_MODE:
	case MODEL_XATTR:
		model_observe_path(store, slot, answer);
		break;
	case MODEL_UPLOAD:
		model_observe_upload(store, slot, answer);
		break;
	case MODEL_BUCKET:
	case MODEL_USER:
	case MODEL_KEY:
		model_observe_record(store, slot, answer);
		break;
	}
}

/* ---- does it hold? --------------------------------------------------------------------------- */

static bool model_same(const struct model_value *want, const struct model_observation *got)
{
	char etag[33];
	if (want->there != got->value.there)
		return false;
	if (!want->there)
		return true;
	if (want->len != got->value.len ||
	    (want->len > 0 && memcmp(want->bytes, got->buf, want->len) != 0))
		return false;
	for (int i = 0; want->md5 != NULL && i < 16; i++)
		sprintf(etag + 2 * i, "%02x", want->md5[i]);
	return want->md5 == NULL || strcmp(etag, got->etag) == 0;
}

/* May this sector be there when the file was on its way from state `a` to `b`? */
static bool model_sector(const struct model_item *item, unsigned a, unsigned b,
			 const struct model_observation *got, size_t off)
{
	size_t end = off + MODEL_SECTOR < got->value.len ? off + MODEL_SECTOR : got->value.len;
	bool zeros = true;
	for (size_t i = off; i < end; i++)
		zeros = zeros && got->buf[i] == 0;
	for (unsigned s = a; s <= b; s++) {
		const struct model_value *value = &item->states[s].values[0];
		size_t held = value->len > off ? value->len - off : 0;
		/* A state that ends within it: zeros follow, once the file grew. */
		held = held < end - off ? held : end - off;
		if ((held == 0 && zeros) ||
		    (held > 0 && memcmp(value->bytes + off, got->buf + off, held) == 0)) {
			size_t i = off + held;
			while (i < end && got->buf[i] == 0)
				i++;
			if (i == end)
				return true;
		}
	}
	return false;
}

static bool model_mixture(const struct model_item *item, unsigned a, unsigned b,
			  const struct model_observation *got)
{
	size_t least = SIZE_MAX, most = 0;
	bool gone = false;
	for (unsigned s = a; s <= b; s++) {
		const struct model_value *value = &item->states[s].values[0];
		gone = gone || !value->there;
		least = value->len < least ? value->len : least;
		most = value->len > most ? value->len : most;
	}
	if (!got->value.there)
		return gone;
	if (got->value.len < least || got->value.len > most)
		return false;
	for (size_t off = 0; off < got->value.len; off += MODEL_SECTOR)
		if (!model_sector(item, a, b, got, off))
			return false;
	return true;
}

static bool model_holds(const struct model_item *item, unsigned a, unsigned b,
			const struct model_observation got[])
{
	bool mixed = false;
	for (unsigned s = a; s <= b; s++) {
		bool all = true;
		mixed = mixed || (s > a && item->states[s].mixed);
		for (unsigned i = 0; i < item->nslots; i++)
			all = all && model_same(&item->states[s].values[i], &got[i]);
		if (all)
			return true;
	}
	return mixed && model_mixture(item, a, b, &got[0]);
}

static void model_report(const struct model_item *item, unsigned a, unsigned b,
			 const struct model_observation got[], FILE *out)
{
	for (unsigned i = 0; i < item->nslots; i++) {
		fprintf(out, "  %s %s: %s", item->slots[i].path, item->slots[i].arg,
			got[i].error[0] != '\0' ? got[i].error : "");
		fprintf(out, " is %s, %zu bytes, mtime %lld; allowed are states %u to %u of %u:",
			got[i].value.there ? "there" : "not there", got[i].value.len,
			(long long)got[i].value.mtime, a, b, item->nstates);
		for (unsigned s = a; s <= b; s++)
			fprintf(out, " [%s, %zu bytes, mtime %lld]",
				item->states[s].values[i].there ? "there" : "not there",
				item->states[s].values[i].len,
				(long long)item->states[s].values[i].mtime);
		fprintf(out, "\n");
	}
}

static bool model_check(const struct model_item *item, struct gml_store *store, size_t cut,
			struct model_observation got[MODEL_SLOTS], FILE *out)
{
	unsigned a = 0, b = 0;
	bool good = true;
	while (b + 1 < item->nstates && item->states[b + 1].asked <= cut)
		b++;
	for (unsigned s = 1; s <= b; s++)
		a = item->states[s].acked != SIZE_MAX && item->states[s].acked <= cut ? s : a;
	for (unsigned i = 0; i < item->nslots; i++) {
		model_observe(store, &item->slots[i], &got[i]);
		good = good && got[i].error[0] == '\0';
		if (a == b && item->states[a].values[i].there &&
		    item->states[a].values[i].mtime != 0)
			good = good && got[i].value.mtime == item->states[a].values[i].mtime;
	}
	good = good && model_holds(item, a, b, got);
	if (!good)
		model_report(item, a, b, got, out);
	return good;
}

unsigned model_verify(struct model *model, struct gml_store *store, size_t cut, FILE *out)
{
	struct model_observation got[MODEL_SLOTS];
	unsigned bad = 0;
	for (int i = 0; i < MODEL_SLOTS; i++) {
		got[i].buf = malloc(MODEL_READ_MAX);
		if (got[i].buf == NULL)
			disk_die("no memory");
	}
	for (size_t i = 0; i < model->nitems; i++)
		bad += !model_check(&model->items[i], store, cut, got, out);
	for (int i = 0; i < MODEL_SLOTS; i++)
		free(got[i].buf);
	return bad;
}
