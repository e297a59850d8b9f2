// SPDX-License-Identifier: Apache-2.0
/* Group commit over LMDB: many threads, several processes, closures that fail, a full map, writers
 * that are killed. */
#include "child_support.h"
#include "meta_support.h"
#include <errno.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include "gateway/meta/lmdb/checkpoint.h"

extern void (*gml_assert_hook)(const char *file, int line, const char *text);

/* ---- counters that many change ---- */
struct counter {
	char key[16];
	uint64_t value; /* after the last successful run */
};

static int counter_add(struct gml_txn *txn, void *arg)
{
	struct counter *counter = arg;
	struct gml_span value;
	uint64_t n = 0;
	int rc = gml_txn_get(txn, GML_TABLE_JOURNAL, STR(counter->key), &value);
	if (rc == 0)
		memcpy(&n, value.ptr, sizeof(n));
	else if (rc != GML_ERR_NOENT)
		return rc;
	n++;
	counter->value = n;
	return gml_txn_put(txn, GML_TABLE_JOURNAL, STR(counter->key), SPAN(&n, sizeof(n)));
}

static uint64_t counter_read(struct meta_env *env, const char *key)
{
	struct gml_txn *txn = meta_env_read(env);
	struct gml_span value;
	uint64_t n = 0;
	if (gml_txn_get(txn, GML_TABLE_JOURNAL, STR(key), &value) == 0)
		memcpy(&n, value.ptr, sizeof(n));
	gml_meta_read_end(txn);
	return n;
}

struct adder {
	struct meta_env *env;
	pthread_t thread;
	const char *key;
	int rounds, failures;
	bool relaxed;
};

static void *adder_run(void *arg)
{
	struct adder *adder = arg;
	uint64_t last = 0;
	for (int i = 0; i < adder->rounds; i++) {
		struct counter counter = {0};
		int rc;
		strcpy(counter.key, adder->key);
		rc = adder->relaxed
			     ? gml_meta_update_relaxed(adder->env->meta, counter_add, &counter)
			     : gml_meta_update(adder->env->meta, counter_add, &counter);
		if (rc != 0 || counter.value <= last ||
		    counter_read(adder->env, adder->key) < counter.value)
			adder->failures++;
		last = counter.value;
	}
	return NULL;
}

static void adders(struct meta_env *env, int n, int rounds)
{
	struct adder adder[32];
	int failures = 0;
	for (int i = 0; i < n; i++) {
		adder[i] = (struct adder){env, 0, "shared", rounds, 0, i % 4 == 3};
		assert_int_equal(pthread_create(&adder[i].thread, NULL, adder_run, &adder[i]), 0);
	}
	for (int i = 0; i < n; i++) {
		pthread_join(adder[i].thread, NULL);
		failures += adder[i].failures;
	}
	assert_int_equal(failures, 0);
}

static void test_threads(void **state)
{
	struct meta_env *env = *state;
	struct gml_meta_stats stats;
	adders(env, 32, 60);
	assert_int_equal(counter_read(env, "shared"), 32 * 60);
	gml_meta_stats_get(env->meta, &stats);
	assert_int_equal(stats.updates, 32 * 60);
	assert_true(stats.commits < stats.updates / 2); /* they did share commits */
	meta_env_reopen(env);
	assert_int_equal(counter_read(env, "shared"), 32 * 60);
	assert_int_equal(env->log_errors, 0);
}

static void test_processes(void **state)
{
	struct meta_env *env = *state;
	pid_t pid[2];
	gml_meta_close(env->meta);
	env->meta = NULL;
	for (int i = 0; i < 2; i++) {
		pid[i] = fork();
		assert_true(pid[i] >= 0);
		if (pid[i] == 0) {
			struct adder adder = {env, 0, "shared", 200, 0, false};
			if (gml_meta_open(env->dir, &env->opt, &env->meta) != 0)
				_exit(2);
			adder_run(&adder);
			gml_meta_close(env->meta);
			_exit(adder.failures != 0);
		}
	}
	meta_env_reopen(env);
	adders(env, 8, 50);
	for (int i = 0; i < 2; i++) {
		int status;
		waitpid(pid[i], &status, 0);
		assert_int_equal(status, 0);
	}
	assert_int_equal(counter_read(env, "shared"), 2 * 200 + 8 * 50);
}

/* ---- a batch with black sheep ---- */
/* Holds the leader inside its closure until the others have queued up behind it, so that they form
 * one batch. */
struct gate {
	sem_t entered, go;
};

static int gate_wait(struct gml_txn *txn, void *arg)
{
	struct gate *gate = arg;
	sem_post(&gate->entered);
	while (sem_wait(&gate->go) != 0)
		;
	return gml_txn_put(txn, GML_TABLE_JOURNAL, STR("gate"), STR("x"));
}

struct member {
	struct meta_env *env;
	pthread_t thread;
	gml_meta_fn fn;
	int number, runs, rc;
	size_t size;
};

static void *member_run(void *arg)
{
	struct member *member = arg;
	member->rc = gml_meta_update(member->env->meta, member->fn, member);
	return NULL;
}

struct gated {
	struct gate gate;
	struct meta_env *env;
	int rc;
};

static void *gated_run(void *arg)
{
	struct gated *gated = arg;
	gated->rc = gml_meta_update(gated->env->meta, gate_wait, &gated->gate);
	return NULL;
}

static void batch_run(struct meta_env *env, struct member *member, int n)
{
	struct gated gated = {.env = env};
	struct gml_meta_stats before, now;
	pthread_t leader;
	sem_init(&gated.gate.entered, 0, 0);
	sem_init(&gated.gate.go, 0, 0);
	gml_meta_stats_get(env->meta, &before);
	assert_int_equal(pthread_create(&leader, NULL, gated_run, &gated), 0);
	while (sem_wait(&gated.gate.entered) != 0)
		;
	for (int i = 0; i < n; i++) {
		member[i].env = env;
		member[i].number = i;
		assert_int_equal(pthread_create(&member[i].thread, NULL, member_run, &member[i]),
				 0);
		do { /* in this order */
			usleep(100);
			gml_meta_stats_get(env->meta, &now);
		} while (now.updates < before.updates + 2 + (uint64_t)i);
	}
	sem_post(&gated.gate.go);
	pthread_join(leader, NULL);
	for (int i = 0; i < n; i++)
		pthread_join(member[i].thread, NULL);
	assert_int_equal(gated.rc, 0);
	sem_destroy(&gated.gate.entered);
	sem_destroy(&gated.gate.go);
}

static int member_put(struct gml_txn *txn, struct member *member)
{
	char key[16];
	member->runs++;
	snprintf(key, sizeof(key), "m%d", member->number);
	return gml_txn_put(txn, GML_TABLE_JOURNAL, STR(key), SPAN(&member->number, sizeof(int)));
}

static int member_good(struct gml_txn *txn, void *arg)
{
	return member_put(txn, arg);
}

static int member_refuse(struct gml_txn *txn, void *arg)
{
	(void)txn;
	((struct member *)arg)->runs++;
	return GML_ERR_EXIST;
}

static int member_spoil(struct gml_txn *txn, void *arg)
{
	member_put(txn, arg);
	return GML_ERR_PRECONDITION;
}

static bool member_stored(struct meta_env *env, int number)
{
	struct gml_txn *txn = meta_env_read(env);
	struct gml_span value;
	char key[16];
	int rc;
	snprintf(key, sizeof(key), "m%d", number);
	rc = gml_txn_get(txn, GML_TABLE_JOURNAL, STR(key), &value);
	gml_meta_read_end(txn);
	assert_true(rc == 0 || rc == GML_ERR_NOENT);
	return rc == 0;
}

static void expected_assert(const char *file, int line, const char *text)
{
	(void)file, (void)line, (void)text;
}

static void test_failures_are_private(void **state)
{
	struct meta_env *env = *state;
	struct member member[9] = {{0}};
	for (int i = 0; i < 9; i++)
		member[i].fn = i % 3 == 0 ? member_good : i % 3 == 1 ? member_refuse : member_spoil;
	gml_assert_hook = expected_assert; /* to fail after a write is a bug */
	batch_run(env, member, 9);
	gml_assert_hook = NULL;
	for (int i = 0; i < 9; i++) {
		assert_int_equal(member[i].rc, i % 3 == 0   ? 0
					       : i % 3 == 1 ? GML_ERR_EXIST
							    : GML_ERR_PRECONDITION);
		assert_int_equal(member_stored(env, i), i % 3 == 0);
		if (i % 3 == 2)
			assert_int_equal(member[i].runs,
					 1); /* once it has its result it is left out */
	}
	assert_true(member[0].runs > 1); /* one batch it was, run again */
	assert_int_equal(env->log_errors, 3);
}

static int member_huge(struct gml_txn *txn, void *arg)
{
	struct member *member = arg;
	char key[16], *value = calloc(1, 3 << 20);
	int rc = member_put(txn, member);
	for (int i = 0; rc == 0 && i < 40; i++) {
		snprintf(key, sizeof(key), "h%d", i);
		rc = gml_txn_put(txn, GML_TABLE_JOURNAL, STR(key), SPAN(value, 3 << 20));
	}
	free(value);
	return rc;
}

static void test_full_map(void **state)
{
	struct meta_env *env = *state;
	struct member member[5] = {{0}};
	struct counter counter = {.key = "after"};
	for (int i = 0; i < 5; i++)
		member[i].fn = i == 2 ? member_huge : member_good;
	batch_run(env, member, 5);
	for (int i = 0; i < 5; i++) {
		assert_int_equal(member[i].rc, i == 2 ? GML_ERR_NOSPC : 0);
		assert_int_equal(member_stored(env, i), i != 2);
	}
	meta_env_update(env, counter_add, &counter); /* the store goes on */
	meta_env_reopen(env);
	assert_int_equal(counter_read(env, "after"), 1);
}

static void test_nothing_written(void **state)
{
	struct meta_env *env = *state;
	struct member member[4] = {{0}};
	struct gml_meta_stats before, after;
	for (int i = 0; i < 4; i++)
		member[i].fn = member_refuse;
	batch_run(env, member, 4);
	for (int i = 0; i < 4; i++)
		assert_int_equal(member[i].rc, GML_ERR_EXIST);
	gml_meta_stats_get(env->meta, &before);
	assert_int_equal(gml_meta_update(env->meta, member_refuse, &member[0]), GML_ERR_EXIST);
	gml_meta_stats_get(env->meta, &after);
	assert_int_equal(after.commits, before.commits);
}

/* ---- kill -9 ---- */
static int hang_in_closure(struct gml_txn *txn, void *arg)
{
	char byte = 'h';
	if (gml_txn_put(txn, GML_TABLE_JOURNAL, STR("half"), STR("done")) != 0 ||
	    write(*(int *)arg, &byte, 1) != 1)
		_exit(1);
	child_until_killed();
}

static void test_kill_in_closure(void **state)
{
	struct meta_env *env = *state;
	struct counter counter = {.key = "n"};
	int ready[2], status;
	char byte;
	pid_t pid;
	gml_meta_close(env->meta);
	env->meta = NULL;
	assert_int_equal(pipe(ready), 0);
	pid = fork();
	if (pid == 0) {
		if (gml_meta_open(env->dir, &env->opt, &env->meta) != 0)
			_exit(1);
		gml_meta_update(env->meta, hang_in_closure, &ready[1]);
		_exit(1);
	}
	meta_env_reopen(env);
	assert_int_equal(read(ready[0], &byte, 1), 1);
	kill(pid, SIGKILL);
	waitpid(pid, &status, 0);
	meta_env_update(env, counter_add,
			&counter); /* would hang if the dead one still held the lock */
	assert_int_equal(counter_read(env, "n"), 1);
	assert_int_equal(counter_read(env, "half"), 0);
	close(ready[0]);
	close(ready[1]);
}

/* Processes of several writers each are killed at random moments; what they were told is stored
 * must be there, by every count. */
#define KILL_THREADS 8
struct kill_shared {
	_Atomic uint64_t acked[KILL_THREADS];
};
struct killer_thread {
	struct meta_env *env;
	struct kill_shared *shared;
	int number;
};

static int put_pair(struct gml_txn *txn, void *arg)
{
	struct counter *counter = arg;
	uint64_t id = gml_txn_next_id(txn);
	int rc = counter_add(txn, counter);
	if (rc != 0)
		return rc;
	/* The same number in another table, and an id that must never repeat. */
	rc = gml_txn_put(txn, GML_TABLE_LEASE, STR(counter->key), SPAN(&counter->value, 8));
	return rc != 0 ? rc
		       : gml_txn_put(txn, GML_TABLE_ORPHAN, SPAN(&id, 8), SPAN(&counter->value, 8));
}

static void *kill_writer(void *arg)
{
	struct killer_thread *self = arg;
	for (;;) {
		struct counter counter = {0};
		snprintf(counter.key, sizeof(counter.key), "w%d", self->number);
		if (gml_meta_update(self->env->meta, put_pair, &counter) != 0)
			_exit(1);
		atomic_store(&self->shared->acked[self->number], counter.value);
	}
	return NULL;
}

static void kill_child(struct meta_env *env, struct kill_shared *shared)
{
	struct killer_thread self[KILL_THREADS];
	pthread_t thread;
	if (gml_meta_open(env->dir, &env->opt, &env->meta) != 0)
		_exit(1);
	for (int i = 0; i < KILL_THREADS; i++) {
		self[i] = (struct killer_thread){env, shared, i};
		if (pthread_create(&thread, NULL, kill_writer, &self[i]) != 0)
			_exit(1);
	}
	child_until_killed();
}

static void test_kill_writers(void **state)
{
	struct meta_env *env = *state;
	struct kill_shared *shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE,
					  MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	uint64_t seed = 88172645463325252u, sum = 0, count;
	struct gml_txn *txn;
	assert_true(shared != MAP_FAILED);
	for (int round = 0; round < 12; round++) {
		struct gml_span a, b;
		int status;
		pid_t pid;
		gml_meta_close(env->meta);
		env->meta = NULL;
		pid = fork();
		if (pid == 0)
			kill_child(env, shared);
		usleep(10000 + meta_random(&seed) % 30000);
		kill(pid, SIGKILL);
		waitpid(pid, &status, 0);
		assert_true(WIFSIGNALED(status));
		meta_env_reopen(env);
		txn = meta_env_read(env);
		sum = 0;
		for (int i = 0; i < KILL_THREADS; i++) {
			char key[16];
			uint64_t n = 0;
			snprintf(key, sizeof(key), "w%d", i);
			if (gml_txn_get(txn, GML_TABLE_JOURNAL, STR(key), &a) == 0) {
				assert_int_equal(gml_txn_get(txn, GML_TABLE_LEASE, STR(key), &b),
						 0);
				assert_memory_equal(a.ptr, b.ptr, 8);
				memcpy(&n, a.ptr, 8);
			}
			assert_true(n >= atomic_load(&shared->acked[i]));
			sum += n;
		}
		assert_int_equal(gml_rec_count(txn, GML_TABLE_ORPHAN, &count), 0);
		assert_int_equal(count, sum); /* no id was given twice */
		gml_meta_read_end(txn);
	}
	assert_true(sum > 0);
	munmap(shared, sizeof(*shared));
}

/* ---- how durable a closure wants to be ---- */
struct vote {
	bool relaxed, strict, fails;
	sem_t *wait, *began; /* NULL: it does not wait */
	uint64_t id;
};

static int vote_fn(struct gml_txn *txn, void *arg)
{
	struct vote *vote = arg;
	if (vote->began != NULL)
		sem_post(vote->began);
	if (vote->wait != NULL)
		sem_wait(vote->wait);
	vote->id = gml_txn_next_id(txn);
	if (vote->fails)
		return GML_ERR_EXIST;
	if (vote->relaxed)
		gml_txn_durability(txn, true);
	if (vote->strict)
		gml_txn_durability(txn, false);
	return gml_txn_put(txn, GML_TABLE_JOURNAL, STR("vote"), SPAN(&vote->id, 8));
}

static uint64_t syncs(struct meta_env *env)
{
	struct gml_meta_stats stats;
	gml_meta_stats_get(env->meta, &stats);
	return stats.syncs;
}

/* Flushes that the update waited for. */
static uint64_t vote_syncs(struct meta_env *env, bool relaxed, bool strict, bool asked)
{
	struct vote vote = {.relaxed = relaxed, .strict = strict};
	uint64_t before = syncs(env);
	assert_int_equal(asked ? gml_meta_update_relaxed(env->meta, vote_fn, &vote)
			       : gml_meta_update(env->meta, vote_fn, &vote),
			 0);
	return syncs(env) - before;
}

static void test_votes(void **state)
{
	struct meta_env *env = *state;
	struct gml_meta_stats stats, after;
	assert_int_equal(vote_syncs(env, false, true, false), 1);
	assert_int_equal(vote_syncs(env, false, false, false), 1);
	assert_int_equal(vote_syncs(env, true, false, false), 0);
	assert_int_equal(vote_syncs(env, true, true, false), 1);
	assert_int_equal(vote_syncs(env, false, true, true), 0); /* the caller knows better */
	assert_int_equal(vote_syncs(env, true, false, false), 0);
	gml_meta_stats_get(env->meta, &stats);
	assert_int_equal(gml_meta_flush(env->meta), 0);
	assert_int_equal(syncs(env), stats.syncs + 1);
	gml_meta_stats_get(env->meta, &stats);
	assert_int_equal(gml_meta_flush(env->meta),
			 0); /* nothing is left to flush: it does not even look */
	gml_meta_stats_get(env->meta, &after);
	assert_memory_equal(&stats, &after, sizeof(stats));
}

struct voter {
	struct meta_env *env;
	struct vote vote;
	pthread_t thread;
	int rc;
};

static void *voter_run(void *arg)
{
	struct voter *voter = arg;
	voter->rc = gml_meta_update(voter->env->meta, vote_fn, &voter->vote);
	return NULL;
}

/* The first leads alone; the others are one batch, in their order. Returns the flushes since the
 * first was called. */
static uint64_t one_batch(struct meta_env *env, struct voter *voter, int n)
{
	struct gml_meta_stats stats;
	sem_t wait, began;
	uint64_t before = 0;
	sem_init(&wait, 0, 0);
	sem_init(&began, 0, 0);
	voter[0].vote.wait = &wait;
	voter[0].vote.began = &began;
	gml_meta_stats_get(env->meta, &stats);
	for (int i = 0; i < n; i++) {
		uint64_t queued = stats.updates;
		voter[i].env = env;
		assert_int_equal(pthread_create(&voter[i].thread, NULL, voter_run, &voter[i]), 0);
		if (i == 0)
			sem_wait(&began);
		do {
			usleep(1000);
			gml_meta_stats_get(env->meta, &stats);
		} while (stats.updates == queued);
		if (i == 0)
			before = stats.syncs;
	}
	sem_post(&wait);
	for (int i = 0; i < n; i++)
		pthread_join(voter[i].thread, NULL);
	return syncs(env) - before;
}

/* A relaxed closure, and one that says nothing: the latter waits for a flush. */
static void test_votes_are_private(void **state)
{
	struct voter voter[3] = {{.vote.relaxed = true}, {.vote.relaxed = true}};
	assert_int_equal(one_batch(*state, voter, 3), 1);
	for (int i = 0; i < 3; i++)
		assert_int_equal(voter[i].rc, 0);
}

/* What failed leaves no gap in the numbers. */
static void test_numbers_come_back(void **state)
{
	struct voter voter[4] = {{.rc = 0}, {.vote.fails = true}, {.vote.fails = true}};
	one_batch(*state, voter, 4);
	assert_int_equal(voter[2].rc, GML_ERR_EXIST);
	assert_int_equal(voter[3].rc, 0);
	assert_int_equal(voter[3].vote.id, voter[0].vote.id + 1);
}

int main(void)
{
#define WITH_STORE(test) cmocka_unit_test_setup_teardown(test, meta_env_setup, meta_env_teardown)
	const struct CMUnitTest tests[] = {
		WITH_STORE(test_threads),
		WITH_STORE(test_processes),
		WITH_STORE(test_failures_are_private),
		WITH_STORE(test_full_map),
		WITH_STORE(test_nothing_written),
		WITH_STORE(test_kill_in_closure),
		WITH_STORE(test_kill_writers),
		WITH_STORE(test_votes),
		WITH_STORE(test_votes_are_private),
		WITH_STORE(test_numbers_come_back),
	};
	gml_checkpoint_flush_ms = 3600 * 1000; /* flushes are counted */
	alarm(120); /* a lost wake-up shows as a failure, not as a hang */
	return cmocka_run_group_tests_name("meta_commit", tests, NULL, NULL);
}
