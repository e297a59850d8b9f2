# SPDX-License-Identifier: Apache-2.0
"""Runs inside the client of a kernel mount: `mount_agent.py JOB ANSWERS` sets a world up as root, then asks questions, each by a
process with the uid and the groups of its caller. What an answer changed is undone as root before the next question.

JOB: {"base": root's mount, "setup": [[call, argument, …], …], "callers": {name: [mount, [uid, gid, [gid, …]]]},
"questions": [[caller, verb, path, to, undo], …]}; `undo` is a list of calls. ANSWERS: for each question 0 or an errno; for
`list` what it found, or an errno. Paths are below the mount."""
import errno
import json
import mmap
import os
import sys

ACL = "system.nfs4_acl"
TAG = "user.s3.tag."


class Calls:
    """What root does."""

    def __init__(self, base):
        self.base = base

    def path(self, path):
        return os.path.join(self.base, path)

    def mkdir(self, path):
        os.mkdir(self.path(path))

    def file(self, path):
        file = os.open(self.path(path), os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
        os.write(file, b"x" * 4096)
        os.close(file)

    def own(self, path, uid, gid, mode):
        os.chown(self.path(path), uid, gid)
        os.chmod(self.path(path), mode)

    def acl(self, path, value):
        os.setxattr(self.path(path), ACL, bytes.fromhex(value))

    def tag(self, path, name, value):
        if value is None:
            os.removexattr(self.path(path), TAG + name)
        else:
            os.setxattr(self.path(path), TAG + name, value.encode())

    def rename(self, path, to):
        os.rename(self.path(path), self.path(to))

    def link(self, path, to):
        os.link(self.path(path), self.path(to))

    def unlink(self, path):
        os.unlink(self.path(path))

    def rmdir(self, path):
        os.rmdir(self.path(path))

    def run(self, calls):
        for name, *arguments in calls:
            try:
                getattr(self, name)(*arguments)
            except OSError as error:
                raise SystemExit(f"{name} {arguments}: {error}") from error


class Verbs:
    """What callers do."""

    def __init__(self, base):
        self.base = base
        self.buffer = mmap.mmap(-1, 4096)

    def ask(self, verb, path, to):
        try:
            found = getattr(self, verb)(os.path.join(self.base, path), to and os.path.join(self.base, to))
            return found if isinstance(found, list) else 0
        except OSError as error:
            return error.errno

    def read(self, path, to):
        file = os.open(path, os.O_RDONLY | os.O_DIRECT)
        try:
            os.preadv(file, [self.buffer], 0)
        finally:
            os.close(file)

    def write(self, path, to):
        file = os.open(path, os.O_WRONLY | os.O_DIRECT)
        try:
            os.pwritev(file, [self.buffer], 0)
        finally:
            os.close(file)

    def create(self, path, to):
        os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))

    def mkdir(self, path, to):
        os.mkdir(path, 0o700)

    def delete(self, path, to):
        os.unlink(path)

    def rmdir(self, path, to):
        """Of a directory that is not empty: whoever may is told that."""
        try:
            os.rmdir(path)
        except OSError as error:
            if error.errno != errno.ENOTEMPTY:
                raise

    def stat(self, path, to):
        os.stat(path)

    def list(self, path, to):
        return sorted(os.listdir(path))

    def rename(self, path, to):
        os.rename(path, to)

    def link(self, path, to):
        os.link(path, to)

    def symlink(self, path, to):
        os.symlink("anything", path)

    def chmod(self, path, to):
        os.chmod(path, os.stat(path).st_mode & 0o7777)

    def get_acl(self, path, to):
        if os.getxattr(path, ACL) == bytes(4):  # it is not shown
            raise PermissionError(errno.EPERM, "no entries")

    def get_tags(self, path, to):
        try:
            os.getxattr(path, TAG + "probe")
        except OSError as error:
            if error.errno != errno.ENODATA:
                raise

    def put_tags(self, path, to):
        os.setxattr(path, TAG + "probe", b"1")

    def get_xattr(self, path, to):
        try:
            os.getxattr(path, "user.probe")
        except OSError as error:
            if error.errno != errno.ENODATA:
                raise

    def put_xattr(self, path, to):
        os.setxattr(path, "user.probe", b"1")


def serve(verbs, caller, source, sink):
    uid, gid, groups = caller
    os.setgroups(groups)
    os.setresgid(gid, gid, gid)
    os.setresuid(uid, uid, uid)
    for line in source:
        sink.write(json.dumps(verbs.ask(*json.loads(line))) + "\n")
        sink.flush()


def start(verbs, caller):
    """(questions go here, answers come from there)"""
    (read_questions, write_questions), (read_answers, write_answers) = os.pipe(), os.pipe()
    if os.fork() == 0:
        os.close(write_questions)
        os.close(read_answers)
        serve(verbs, caller, os.fdopen(read_questions), os.fdopen(write_answers, "w"))
        os._exit(0)
    os.close(read_questions)
    os.close(write_answers)
    return os.fdopen(write_questions, "w"), os.fdopen(read_answers)


def main(job, answers):
    with open(job, encoding="utf-8") as file:
        work = json.load(file)
    calls, found = Calls(work["base"]), []
    os.umask(0)
    calls.run(work["setup"])
    servers = {name: start(Verbs(base), caller) for name, (base, caller) in work["callers"].items()}
    for name, verb, path, to, undo in work["questions"]:
        questions, replies = servers[name]
        questions.write(json.dumps([verb, path, to]) + "\n")
        questions.flush()
        found.append(json.loads(replies.readline()))
        if found[-1] == 0:  # where it was done: other mounts have not seen it
            Calls(work["callers"][name][0]).run(undo)
    with open(answers, "w", encoding="utf-8") as file:
        json.dump(found, file)


if __name__ == "__main__":
    main(*sys.argv[1:])
