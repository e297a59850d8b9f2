# SPDX-License-Identifier: Apache-2.0
"""A right that is taken away ends at both doors within a second, also for open files, with 64 clients at work and a busy machine."""
import json
import os
import subprocess
import threading
import time

import pytest
from botocore.exceptions import ClientError

from nfs4 import ACCESS, OK, READ, Client, putfh, read

WORKER, CLIENTS = 1701, 64
BELOW = 1.0  # seconds after the command has answered
AGAIN = 0.02  # a client's pause: the machine is to be at work, not to drown


def policy(*statements):
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})


def statement(effect, bucket, **more):
    return {"Effect": effect, "Action": "s3:GetObject", "Resource": f"arn:aws:s3:::{bucket}/*", **more}


class Workers:
    """Half of them GET with boto3, half READ one file that they have open; each notes when it last succeeded."""

    def __init__(self, gemel, key, bucket):
        self.end, self.last, self.count, self.errors = threading.Event(), [0.0] * CLIENTS, [0] * CLIENTS, []
        root = Client(gemel.nfs_port)
        handle = root.handle(bucket, "f")
        root.close()
        s3 = gemel.s3(*key)
        works = [self.by_s3(s3, bucket) if number % 2 else self.by_nfs(gemel, handle) for number in range(CLIENTS)]
        self.threads = [threading.Thread(target=self.work, args=(number, work)) for number, work in enumerate(works)]
        for thread in self.threads:
            thread.start()

    @staticmethod
    def by_s3(s3, bucket):
        def once():
            try:
                s3.get_object(Bucket=bucket, Key="f")["Body"].read()
                return True
            except ClientError as error:
                assert error.response["ResponseMetadata"]["HTTPStatusCode"] == 403, error
                return False
        return once

    @staticmethod
    def by_nfs(gemel, handle):
        client = Client(gemel.nfs_port, uid=WORKER, gid=WORKER)
        status, stateid = client.open_handle(handle, READ)
        assert status == OK

        def once():
            status, _ = client.compound(putfh(handle), read(stateid, 0, 100))
            assert status in (OK, ACCESS), status
            return status == OK
        return once

    def work(self, number, once):
        try:
            while not self.end.is_set():
                begun = time.monotonic()
                if once():  # what was asked after the command must not be granted: its question counts, not its answer
                    self.last[number] = begun
                    self.count[number] += 1
                time.sleep(AGAIN)
        except Exception as error:
            self.errors.append(error)

    def wait_all(self):
        """Until each has succeeded since now."""
        begun = time.monotonic()
        while not all(last > begun for last in self.last):
            assert time.monotonic() - begun < 60 and not self.errors, self.errors
            time.sleep(0.05)

    def stop(self):
        self.end.set()
        for thread in self.threads:
            thread.join(60)
        assert not self.errors, self.errors


@pytest.fixture
def burners():
    """Both processors are busy, at a lower priority."""
    found = [subprocess.Popen(["nice", "-n", "5", "sh", "-c", "while :; do :; done"]) for _ in range(os.cpu_count())]
    yield
    for process in found:
        process.kill()
        process.wait()


@pytest.fixture(scope="module")
def worker(gemel):
    key = gemel.new_user("worker", WORKER)
    gemel.gemel("group", "create", "readers")
    return key


def revocations(gemel, key, bucket):
    """(what it is, what gives the right, what takes it away, what is to be cleared)"""
    allow, deny = policy(statement("Allow", bucket)), policy(statement("Deny", bucket))
    everyone = policy(statement("Allow", bucket, Principal={"AWS": "arn:aws:iam::000000000000:user/worker"}))
    nobody = policy(statement("Deny", bucket, Principal="*"))
    run = gemel.gemel
    put = lambda text, *words: run("policy", "put", *words, "--file", "-", stdin=text)
    return [
        ("a policy is detached", lambda: (put(allow, "lent"), run("policy", "attach", "lent", "--user", "worker")),
         lambda: run("policy", "detach", "lent", "--user", "worker"), lambda: run("policy", "delete", "lent")),
        ("a Deny is put", lambda: put(allow, "own", "--user", "worker"), lambda: put(deny, "no", "--user", "worker"),
         lambda: (run("policy", "delete", "own", "--user", "worker"), run("policy", "delete", "no", "--user", "worker"))),
        ("a membership ends", lambda: (put(allow, "read", "--group", "readers"), run("group", "add", "readers", "worker")),
         lambda: run("group", "remove", "readers", "worker"), lambda: run("policy", "delete", "read", "--group", "readers")),
        ("the bucket's policy changes", lambda: put(everyone, "--bucket", bucket), lambda: put(nobody, "--bucket", bucket),
         lambda: run("policy", "delete", "--bucket", bucket)),
        ("the user is disabled", lambda: put(allow, "own", "--user", "worker"), lambda: run("user", "update", "worker", "--disable"),
         lambda: (run("user", "update", "worker", "--enable"), run("policy", "delete", "own", "--user", "worker"))),
        ("the key is disabled", lambda: put(allow, "own", "--user", "worker"), lambda: run("key", "update", key[0], "--disable"),
         lambda: (run("key", "update", key[0], "--enable"), run("policy", "delete", "own", "--user", "worker"))),
    ]


def late(gemel, key, bucket):
    """{what was done: how long after it the last request that was granted began, over S3 and NFS}"""
    found = {}
    for what, give, take, clear in revocations(gemel, key, bucket):
        give()
        workers = Workers(gemel, key, bucket)
        try:
            workers.wait_all()
            take()
            taken = time.monotonic()
            time.sleep(BELOW + 0.5)
        finally:
            workers.stop()
            clear()
        s3, nfs = max(workers.last[1::2]) - taken, max(workers.last[0::2]) - taken
        found[what] = (s3, nfs)
        if what == "the key is disabled":  # it is S3's: the files stay open
            assert nfs > BELOW
            found[what] = (s3, None)
    return found


def judge(found):
    for what, (s3, nfs) in found.items():
        print(f"{what}: S3 {s3 * 1000:.0f} ms" + (f", NFS {nfs * 1000:.0f} ms" if nfs is not None else ""))
    slowest = max(value for values in found.values() for value in values if value is not None)
    print(f"latest success {slowest * 1000:.0f} ms after the command")
    assert slowest < BELOW, found


def test_clients_at_work(gemel, worker):
    bucket = gemel.new_bucket(mode="0700")
    gemel.s3().put_object(Bucket=bucket, Key="f", Body=b"x" * 4096)
    judge(late(gemel, worker, bucket))


def test_busy_machine(gemel, worker, burners):
    bucket = gemel.new_bucket(mode="0700")
    gemel.s3().put_object(Bucket=bucket, Key="f", Body=b"x" * 4096)
    judge(late(gemel, worker, bucket))
