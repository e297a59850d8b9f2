// SPDX-License-Identifier: Apache-2.0
/* Bytes of data.mdb that changed on the disk: a damaged value is found and named; whatever is
 * damaged, no read returns a wrong value. What LMDB itself makes of damaged pages is counted
 * (docs/adr/0007-record-seals.md has the figures); META_DAMAGE_FLIPS chooses how many are tried. */
#include "meta_support.h"
#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include "gateway/meta/record/record_internal.h"

#define INODES 2000
#define PAGE 4096

static void inode_of(uint64_t ino, struct gml_inode *out)
{
	*out = (struct gml_inode){.ino = gml_ino_of(0, ino),
				  .bucket = gml_ino_of(0, 77),
				  .parent = gml_ino_of(0, 77),
				  .type = GML_REG,
				  .mode = 0644,
				  .nlink = 1,
				  .size = ino * 0x10001,
				  .change = ino * 3,
				  .born = 1,
				  .name = STR("a name of some length"),
				  .nextents = 1};
	out->extents[0] = (struct gml_extent){0, ino + 1000000, 0, ino * 0x10001};
	memset(out->md5, (int)(ino & 0xff) | 1, sizeof(out->md5));
}

static int put_inodes(struct gml_txn *txn, void *arg)
{
	struct gml_inode inode;
	(void)arg;
	for (uint64_t ino = 1; ino <= INODES; ino++) {
		inode_of(ino, &inode);
		CLOSURE_CHECK(gml_rec_inode_put(txn, &gml_line_none, &inode) == 0);
	}
	return 0;
}

static bool inode_same(const struct gml_inode *got, uint64_t ino)
{
	struct gml_inode want;
	inode_of(ino, &want);
	return got->size == want.size && got->change == want.change &&
	       got->extents[0].blob == want.extents[0].blob &&
	       memcmp(got->md5, want.md5, sizeof(want.md5)) == 0 &&
	       got->name.len == want.name.len &&
	       memcmp(got->name.ptr, want.name.ptr, want.name.len) == 0;
}

static int data_open(const struct meta_env *env)
{
	char path[96];
	int fd;
	snprintf(path, sizeof(path), "%s/data.mdb", env->dir);
	fd = open(path, O_RDWR);
	assert_true(fd >= 0);
	return fd;
}

/* ---- one value ---- */
struct damage_log {
	char last[512];
};

static void damage_log(void *arg, enum gml_log_level level, const char *line)
{
	struct damage_log *log = arg;
	if (level == GML_LOG_ERROR)
		snprintf(log->last, sizeof(log->last), "%s", line);
}

static void damage_found(void *arg, enum gml_table table, struct gml_span key)
{
	assert_int_equal(table, GML_TABLE_INODE);
	assert_int_equal(gml_key_read_u64(key.ptr), 1234);
	++*(int *)arg;
}

/* Where the value of inode 1234 stands in the file. */
static off_t value_find(struct meta_env *env, size_t *len_out)
{
	struct gml_txn *txn = meta_env_read(env);
	uint8_t key[8], value[512], *map;
	struct gml_span span;
	struct stat st;
	off_t at = -1;
	int fd;
	gml_key_u64(key, 1234);
	assert_int_equal(gml_txn_get(txn, GML_TABLE_INODE, SPAN(key, 8), &span), 0);
	assert_true(span.len < sizeof(value));
	memcpy(value, span.ptr, span.len);
	*len_out = span.len;
	gml_meta_read_end(txn);
	gml_meta_close(env->meta);
	env->meta = NULL;
	fd = data_open(env);
	assert_int_equal(fstat(fd, &st), 0);
	map = malloc((size_t)st.st_size);
	assert_int_equal(pread(fd, map, (size_t)st.st_size, 0), st.st_size);
	for (off_t i = 0; at < 0 && i + (off_t)*len_out <= st.st_size; i++)
		if (memcmp(map + i, value, *len_out) == 0)
			at = i;
	assert_true(at > 0);
	free(map);
	close(fd);
	return at;
}

static void value_flip(struct meta_env *env, off_t at)
{
	int fd = data_open(env);
	uint8_t byte;
	assert_int_equal(pread(fd, &byte, 1, at), 1);
	byte ^= 0x20;
	assert_int_equal(pwrite(fd, &byte, 1, at), 1);
	close(fd);
}

/* Each byte of the value in turn, as a disk might change it while nobody has the store open. */
static void test_value(void **state)
{
	struct meta_env *env = *state;
	struct damage_log log;
	size_t len;
	off_t at;
	meta_env_update(env, put_inodes, NULL);
	at = value_find(env, &len);
	env->opt.log = damage_log;
	env->opt.log_arg = &log;
	for (size_t i = 0; i < len; i++) {
		struct gml_inode inode;
		struct gml_txn *txn;
		int found = 0;
		value_flip(env, at + (off_t)i);
		log.last[0] = 0;
		meta_env_reopen(env);
		txn = meta_env_read(env);
		assert_int_equal(gml_rec_inode_get(txn, gml_ino_of(0, 1234), &inode),
				 GML_ERR_CORRUPT);
		assert_non_null(strstr(log.last, "table INODE at key \\x00\\x00\\x00\\x00\\x00"
						 "\\x00\\x04\\xd2 is damaged"));
		assert_int_equal(gml_rec_inode_get(txn, gml_ino_of(0, 1233), &inode), 0);
		assert_true(inode_same(&inode, 1233));
		assert_int_equal(gml_rec_verify(txn, GML_TABLE_INODE, damage_found, &found), 0);
		assert_int_equal(found, 1);
		gml_meta_read_end(txn);
		gml_meta_close(env->meta);
		env->meta = NULL;
		value_flip(env, at + (off_t)i);
	}
	meta_env_reopen(env);
}

/* ---- any byte of any page ---- */
enum outcome { OUT_RIGHT, OUT_CORRUPT, OUT_ERROR, OUT_MISSING, OUT_WRONG, OUT_KINDS };

/* In a process of its own: LMDB ends it for some damage. */
static int pages_read(struct meta_env *env)
{
	enum outcome worst = OUT_RIGHT;
	struct gml_txn *txn;
	if (gml_meta_open(env->dir, &env->opt, &env->meta) != 0)
		return OUT_ERROR;
	if (gml_meta_read_begin(env->meta, &txn) != 0)
		return OUT_ERROR;
	for (uint64_t ino = 1; ino <= INODES; ino++) {
		struct gml_inode inode;
		int rc = gml_rec_inode_get(txn, gml_ino_of(0, ino), &inode);
		enum outcome out = rc == GML_ERR_CORRUPT     ? OUT_CORRUPT
				   : rc == GML_ERR_NOENT     ? OUT_MISSING
				   : rc != 0		     ? OUT_ERROR
				   : inode_same(&inode, ino) ? OUT_RIGHT
							     : OUT_WRONG;
		worst = out > worst ? out : worst;
	}
	return (int)worst;
}

/* A file as it was when the store was closed. */
struct kept_file {
	char path[96];
	uint8_t *bytes;
	off_t size;
};

static void kept_read(struct kept_file *kept, const struct meta_env *env, const char *name)
{
	struct stat st;
	int fd;
	snprintf(kept->path, sizeof(kept->path), "%s/%s", env->dir, name);
	fd = open(kept->path, O_RDONLY);
	assert_int_equal(fstat(fd, &st), 0);
	kept->size = st.st_size;
	kept->bytes = malloc((size_t)st.st_size);
	assert_int_equal(read(fd, kept->bytes, (size_t)st.st_size), st.st_size);
	close(fd);
}

static void kept_write(const struct kept_file *kept)
{
	int fd = open(kept->path, O_WRONLY | O_TRUNC);
	assert_int_equal(write(fd, kept->bytes, (size_t)kept->size), kept->size);
	close(fd);
}

struct flips {
	unsigned count[OUT_KINDS], died, hung;
};

static void flips_one(struct meta_env *env, struct flips *flips)
{
	int status;
	pid_t pid = fork();
	if (pid == 0) {
		if (freopen("/dev/null", "w", stderr) == NULL)
			_exit(OUT_ERROR);
		for (int sig = 1; sig < 32; sig++) /* not cmocka's */
			signal(sig, SIG_DFL);
		alarm(20);
		_exit(pages_read(env));
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	if (WIFSIGNALED(status) && WTERMSIG(status) == SIGALRM)
		flips->hung++;
	else if (WIFSIGNALED(status))
		flips->died++;
	else
		flips->count[WEXITSTATUS(status)]++;
}

static void test_pages(void **state)
{
	const char *text = getenv("META_DAMAGE_FLIPS");
	unsigned tries = text != NULL ? (unsigned)atoi(text) : 60;
	struct kept_file data, redo;
	struct meta_env *env = *state;
	struct flips flips = {{0}, 0, 0};
	uint64_t seed = 88172645463325252u;
	meta_env_update(env, put_inodes, NULL);
	gml_meta_close(env->meta);
	env->meta = NULL;
	env->opt.log = NULL;
	kept_read(&data, env, "data.mdb");
	kept_read(&redo, env, "redo");
	for (unsigned i = 0; i < tries; i++) {
		/* Beyond the meta pages, which the log restores. */
		uint64_t at =
			2 * PAGE + (meta_random(&seed) >> 8) % (uint64_t)(data.size - 2 * PAGE);
		uint8_t flip = (uint8_t)(1 << (meta_random(&seed) >> 40 & 7));
		data.bytes[at] ^= flip;
		kept_write(&data);
		kept_write(&redo);
		flips_one(env, &flips);
		data.bytes[at] ^= flip;
	}
	kept_write(&data);
	kept_write(&redo);
	printf("%u flips: %u harmless, %u found by a seal, %u other errors, %u with a record "
	       "missing, %u ended the process, %u hung, %u wrong\n",
	       tries, flips.count[OUT_RIGHT], flips.count[OUT_CORRUPT], flips.count[OUT_ERROR],
	       flips.count[OUT_MISSING], flips.died, flips.hung, flips.count[OUT_WRONG]);
	assert_int_equal(flips.count[OUT_WRONG], 0);
	free(data.bytes);
	free(redo.bytes);
	meta_env_reopen(env);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_value, meta_env_setup, meta_env_teardown),
		cmocka_unit_test_setup_teardown(test_pages, meta_env_setup, meta_env_teardown),
	};
	return cmocka_run_group_tests_name("meta_damage", tests, NULL, NULL);
}
