// SPDX-License-Identifier: Apache-2.0
#include "hasher.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <unistd.h>
#include "gateway/base/assert.h"

#define HASHER_THREADS_MAX 8
#define HASHER_STACK ((size_t)128 << 10)

struct s3_hasher {
	pthread_mutex_t lock;
	pthread_cond_t work;
	/* not taken by a thread yet; never more than there are idle threads */
	struct s3_hash_job *jobs;
	unsigned threads, started, idle;
	bool stop;
	pthread_t thread[HASHER_THREADS_MAX];
};

struct s3_hasher *s3_hasher_new(unsigned threads)
{
	struct s3_hasher *hasher = calloc(1, sizeof(*hasher));
	long processors = sysconf(_SC_NPROCESSORS_ONLN);
	if (!hasher)
		return NULL;
	if (threads == 0)
		threads = processors > 1 ? (unsigned)processors / 2 : 0;
	hasher->threads = threads < HASHER_THREADS_MAX ? threads : HASHER_THREADS_MAX;
	if (pthread_mutex_init(&hasher->lock, NULL) != 0) {
		free(hasher);
		return NULL;
	}
	if (pthread_cond_init(&hasher->work, NULL) != 0) {
		pthread_mutex_destroy(&hasher->lock);
		free(hasher);
		return NULL;
	}
	return hasher;
}

void s3_hasher_free(struct s3_hasher *hasher)
{
	if (!hasher)
		return;
	pthread_mutex_lock(&hasher->lock);
	gml_assert(hasher->jobs == NULL && hasher->idle == hasher->started); /* no job runs */
	hasher->stop = true;
	pthread_cond_broadcast(&hasher->work);
	pthread_mutex_unlock(&hasher->lock);
	for (unsigned i = 0; i < hasher->started; i++)
		pthread_join(hasher->thread[i], NULL);
	pthread_cond_destroy(&hasher->work);
	pthread_mutex_destroy(&hasher->lock);
	free(hasher);
}

static void *hasher_run(void *arg)
{
	struct s3_hasher *hasher = arg;
	pthread_mutex_lock(&hasher->lock);
	while (!hasher->stop) {
		struct s3_hash_job *job = hasher->jobs;
		if (!job) {
			pthread_cond_wait(&hasher->work, &hasher->lock);
			continue;
		}
		hasher->jobs = job->next;
		pthread_mutex_unlock(&hasher->lock);
		gml_digest_update(job->digest, job->buf, job->len);
		pthread_mutex_lock(&hasher->lock);
		hasher->idle++;
		gml_assert(hasher->idle <= hasher->started);
		sem_post(&job->done); /* the job is the waiter's again */
	}
	pthread_mutex_unlock(&hasher->lock);
	return NULL;
}

/* A thread more, as long as there may be one; it counts as idle at once. */
static void hasher_grow_locked(struct s3_hasher *hasher)
{
	pthread_attr_t attr;
	if (hasher->started == hasher->threads || pthread_attr_init(&attr) != 0)
		return;
	pthread_attr_setstacksize(&attr, HASHER_STACK);
	if (pthread_create(&hasher->thread[hasher->started], &attr, hasher_run, hasher) == 0) {
		hasher->started++;
		hasher->idle++;
		gml_assert(hasher->started <= hasher->threads);
	} else {
		hasher->threads = hasher->started; /* limits: do with what there is */
	}
	pthread_attr_destroy(&attr);
}

bool s3_hasher_start(struct s3_hasher *hasher, struct s3_hash_job *job, struct gml_digest *digest,
		     const void *buf, size_t len)
{
	bool taken = false;
	if (!hasher || sem_init(&job->done, 0, 0) != 0)
		return false;
	job->digest = digest;
	job->buf = buf;
	job->len = len;
	pthread_mutex_lock(&hasher->lock);
	if (hasher->idle == 0)
		hasher_grow_locked(hasher);
	if (hasher->idle > 0) {
		taken = true;
		hasher->idle--;
		job->next = hasher->jobs;
		hasher->jobs = job;
		pthread_cond_signal(&hasher->work);
	}
	pthread_mutex_unlock(&hasher->lock);
	if (!taken)
		sem_destroy(&job->done);
	return taken;
}

void s3_hasher_wait(struct s3_hash_job *job)
{
	while (sem_wait(&job->done) != 0 && errno == EINTR)
		;
	sem_destroy(&job->done);
}
