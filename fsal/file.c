// SPDX-License-Identifier: Apache-2.0
/* Open files of the core, shared by an object's states and by I/O without a state.
 *
 * I/O with a special stateid, over NFSv3 or with a lock stateid has no open file. Opening and
 * closing one for each request would finalize the file after each WRITE. So such files stay open
 * until the object's last state closes, or until they have been idle for some seconds. */
#include "fsal.h"

static struct {
	pthread_mutex_t lock;
	struct glist_head objs; /* with something in `shared` */
} file_idle = {.lock = PTHREAD_MUTEX_INITIALIZER, .objs = GLIST_HEAD_INIT(file_idle.objs)};

static uint64_t file_losses;

static time_t file_now(void)
{
	struct timespec ts;
	clock_gettime(CLOCK_MONOTONIC_COARSE, &ts);
	return ts.tv_sec;
}

uint64_t gml_fsal_file_verifier(void)
{
	return __atomic_load_n(&file_losses, __ATOMIC_ACQUIRE);
}

void gml_fsal_file_lost(void)
{
	__atomic_add_fetch(&file_losses, 1, __ATOMIC_ACQ_REL);
}

struct gml_fsal_file *gml_fsal_file_new(struct gml_file *file, unsigned access)
{
	struct gml_fsal_file *f = gsh_calloc(1, sizeof(*f));
	gml_assert(file != NULL && (access & ~(GML_OPEN_READ | GML_OPEN_WRITE)) == 0);
	glist_init(&f->link);
	f->refs = 1;
	f->access = access;
	f->file = file;
	return f;
}

int gml_fsal_file_put(struct gml_fsal_file *f)
{
	gml_ino ino;
	struct gml_op op;
	int32_t left;
	int rc;
	if (f == NULL)
		return 0;
	left = __atomic_sub_fetch(&f->refs, 1, __ATOMIC_ACQ_REL);
	gml_assert(left >= 0);
	if (left > 0)
		return 0;
	gml_assert(glist_empty(&f->link) || glist_null(&f->link)); /* no owner lists it */
	ino = gml_file_ino(f->file);
	gml_fsal_op_root(&op);
	rc = gml_file_close(&op, f->file);
	if (rc != 0) {
		gml_fsal_file_lost();
		LogCrit(COMPONENT_FSAL, "cannot close inode %s: %s", gml_ino_text(ino),
			gml_err_text(rc));
	}
	gsh_free(f);
	return rc;
}

static struct gml_fsal_file *file_ref(struct gml_fsal_file *f)
{
	int32_t refs = __atomic_add_fetch(&f->refs, 1, __ATOMIC_RELAXED);
	gml_assert(refs > 1); /* its owner, or the caller, has one */
	return f;
}

static struct gml_fsal_file *file_find_locked(struct gml_fsal_obj *obj, unsigned access)
{
	struct glist_head *each;
	glist_for_each(each, &obj->files)
	{
		struct gml_fsal_file *f = glist_entry(each, struct gml_fsal_file, link);
		if ((f->access & access) == access)
			return file_ref(f);
	}
	return NULL;
}

static fsal_status_t file_share_check_locked(struct gml_fsal_obj *obj, struct state_t *state,
					     fsal_openflags_t access, bool bypass)
{
	if (state) {
		/* A lock state belongs to an open state whose mode ganesha has checked. */
		if (state->state_type != STATE_TYPE_SHARE &&
		    state->state_type != STATE_TYPE_NLM_SHARE)
			return fsalstat(ERR_FSAL_NO_ERROR, 0);
		if (container_of(state, struct gml_fsal_state, state)->openflags & access)
			return fsalstat(ERR_FSAL_NO_ERROR, 0);
	}
	return check_share_conflict(&obj->share, access, bypass);
}

fsal_status_t gml_fsal_file_share_check(struct gml_fsal_obj *obj, struct state_t *state,
					fsal_openflags_t access, bool bypass)
{
	fsal_status_t status;
	PTHREAD_RWLOCK_rdlock(&obj->handle.obj_lock);
	status = file_share_check_locked(obj, state, access, bypass);
	PTHREAD_RWLOCK_unlock(&obj->handle.obj_lock);
	return status;
}

/* Keeps `f` as obj's shared file for its mode; returns the one that another thread put there
 * meanwhile, if any. Referenced for the caller. */
static struct gml_fsal_file *file_share(struct gml_fsal_obj *obj, struct gml_fsal_file *f)
{
	struct gml_fsal_file **slot = &obj->shared[f->access & GML_OPEN_WRITE ? 1 : 0],
			     *extra = NULL;
	gml_assert(f->access & GML_OPEN_READ); /* shared[]: for reading, for both */
	PTHREAD_MUTEX_lock(&file_idle.lock);
	PTHREAD_RWLOCK_wrlock(&obj->handle.obj_lock);
	if (*slot) {
		extra = f;
		f = *slot;
	} else {
		*slot = f;
		glist_add_tail(&obj->files, &f->link);
		if (!obj->listed)
			glist_add_tail(&file_idle.objs, &obj->idle);
		obj->listed = true;
	}
	file_ref(f);
	PTHREAD_RWLOCK_unlock(&obj->handle.obj_lock);
	PTHREAD_MUTEX_unlock(&file_idle.lock);
	(void)gml_fsal_file_put(extra);
	return f;
}

fsal_status_t gml_fsal_file_get(struct gml_fsal_obj *obj, struct state_t *state, unsigned access,
				bool bypass, struct gml_fsal_file **out)
{
	struct gml_fsal_file *f = NULL;
	struct gml_file *file;
	struct gml_op op;
	fsal_status_t status;
	int rc;
	PTHREAD_RWLOCK_rdlock(&obj->handle.obj_lock);
	status = file_share_check_locked(
		obj, state, access & GML_OPEN_WRITE ? FSAL_O_WRITE : FSAL_O_READ, bypass);
	if (FSAL_IS_SUCCESS(status)) {
		struct gml_fsal_state *mine =
			state ? container_of(state, struct gml_fsal_state, state) : NULL;
		if (mine && mine->file && (mine->file->access & access) == access)
			f = file_ref(mine->file);
		else
			f = file_find_locked(obj, access);
		__atomic_store_n(&obj->used, file_now(), __ATOMIC_RELAXED);
	}
	PTHREAD_RWLOCK_unlock(&obj->handle.obj_lock);
	if (f == NULL && FSAL_IS_SUCCESS(status)) {
		/* GML_OPEN_IO: rights are checked by the I/O itself, which lets the owner pass. */
		gml_fsal_op(&op, 0);
		access |= access & GML_OPEN_WRITE ? GML_OPEN_READ : 0;
		rc = gml_file_open(&op, gml_fsal.store, obj->ino, access | GML_OPEN_IO, &file);
		if (rc != 0)
			return gml_fsal_status(rc);
		f = file_share(obj, gml_fsal_file_new(file, access));
	}
	gml_assert(f == NULL || (f->access & access) == access);
	*out = f;
	return status;
}

struct gml_fsal_file *gml_fsal_file_writer(struct gml_fsal_obj *obj)
{
	struct gml_fsal_file *f;
	PTHREAD_RWLOCK_rdlock(&obj->handle.obj_lock);
	f = file_find_locked(obj, GML_OPEN_WRITE);
	PTHREAD_RWLOCK_unlock(&obj->handle.obj_lock);
	return f;
}

void gml_fsal_file_unshare_locked(struct gml_fsal_obj *obj, struct gml_fsal_file *out[2])
{
	for (int i = 0; i < 2; i++) {
		out[i] = obj->shared[i];
		obj->shared[i] = NULL;
		if (out[i])
			glist_del(&out[i]->link);
	}
}

void gml_fsal_file_forget(struct gml_fsal_obj *obj)
{
	struct gml_fsal_file *shared[2];
	if (obj->handle.type != REGULAR_FILE)
		return;
	PTHREAD_MUTEX_lock(&file_idle.lock);
	gml_assert(obj->listed || (obj->shared[0] == NULL && obj->shared[1] == NULL));
	if (obj->listed)
		glist_del(&obj->idle);
	PTHREAD_MUTEX_unlock(&file_idle.lock);
	gml_fsal_file_unshare_locked(obj, shared); /* no other thread has obj any more */
	(void)gml_fsal_file_put(shared[0]);
	(void)gml_fsal_file_put(shared[1]);
}

#define FILE_EXPIRE_BATCH 64

/* One batch under the lock, closed after it. True if there may be more. */
static bool file_expire_some(time_t before)
{
	struct gml_fsal_file *old[2 * FILE_EXPIRE_BATCH];
	struct glist_head *each, *next;
	unsigned n = 0;
	PTHREAD_MUTEX_lock(&file_idle.lock);
	glist_for_each_safe(each, next, &file_idle.objs)
	{
		struct gml_fsal_obj *obj = glist_entry(each, struct gml_fsal_obj, idle);
		gml_assert(obj->listed && n <= 2 * FILE_EXPIRE_BATCH);
		if (n == 2 * FILE_EXPIRE_BATCH)
			break;
		if (__atomic_load_n(&obj->used, __ATOMIC_RELAXED) > before)
			continue;
		PTHREAD_RWLOCK_wrlock(&obj->handle.obj_lock);
		gml_fsal_file_unshare_locked(obj, &old[n]);
		n += 2;
		glist_del(&obj->idle);
		obj->listed = false;
		PTHREAD_RWLOCK_unlock(&obj->handle.obj_lock);
	}
	PTHREAD_MUTEX_unlock(&file_idle.lock);
	for (unsigned i = 0; i < n; i++)
		(void)gml_fsal_file_put(old[i]);
	return n == 2 * FILE_EXPIRE_BATCH;
}

void gml_fsal_file_expire(time_t age)
{
	time_t before = file_now() - age;
	while (file_expire_some(before))
		;
}
