# SPDX-License-Identifier: Apache-2.0
"""kill -9 of each server, of the supervisor, and of all at once, under load, again and again: what was acknowledged is there."""
import hashlib
import os
import random
import signal
import threading
import time
from pathlib import Path

import pytest
from botocore.exceptions import BotoCoreError, ClientError

import nfs4


class Load:
    """Writers over S3 that remember what was acknowledged."""

    def __init__(self, gemel, threads=6):
        self.gemel = gemel
        self.stop = threading.Event()
        self.lock = threading.Lock()
        self.known = {}      # key → sha256 acknowledged, or None when a delete was acknowledged
        self.unsure = {}     # key → what an unanswered request may have made of it
        self.acknowledged = 0
        self.threads = [threading.Thread(target=self.work, args=(n,)) for n in range(threads)]
        for thread in self.threads:
            thread.start()

    def work(self, number):
        rng = random.Random(number)
        s3 = self.gemel.s3(connect_timeout=3, read_timeout=20)
        while not self.stop.is_set():
            key = f"load/{number}/{rng.randrange(40)}"
            body = rng.randbytes(rng.choice([0, 10, 4096, 65536, 65537, 300000]))
            value = None if rng.random() < 0.15 else hashlib.sha256(body).hexdigest()
            with self.lock:
                self.unsure.setdefault(key, set()).add(value)
            try:
                if value is None:
                    s3.delete_object(Bucket="demo", Key=key)
                else:
                    s3.put_object(Bucket="demo", Key=key, Body=body)
            except (BotoCoreError, ClientError, OSError):
                time.sleep(0.05)
                continue
            with self.lock:
                self.known[key] = value
                self.unsure[key] = set()
                self.acknowledged += 1

    def finish(self):
        self.stop.set()
        for thread in self.threads:
            thread.join()

    def verify(self):
        s3 = self.gemel.s3()
        for key, value in sorted(self.known.items()):
            possible = {value} | self.unsure.get(key, set())
            try:
                got = hashlib.sha256(s3.get_object(Bucket="demo", Key=key)["Body"].read()).hexdigest()
            except ClientError as error:
                assert error.response["Error"]["Code"] == "NoSuchKey", error
                got = None
            assert got in possible, f"{key}: {got} is none of {possible}"


@pytest.mark.parametrize("which", ["s3", "nfs", "serve", "all"])
def test_kill_under_s3_load(fresh, which):
    load = Load(fresh)
    try:
        for _ in range(5):
            time.sleep(1.0)
            before = load.acknowledged
            if which == "all":
                fresh.kill_all()
                fresh.start()
            else:
                assert fresh.kill(which), f"there was no process of {which}"
                if which == "serve":
                    fresh.start()
            fresh.wait_ready()
            deadline = time.monotonic() + 20
            while load.acknowledged <= before and time.monotonic() < deadline:
                time.sleep(0.05)
            assert load.acknowledged > before, "no write was acknowledged after the restart"
    finally:
        load.finish()
    load.verify()
    fresh.check_store()
    fresh.kill_all()
    fresh.start()
    load.verify()
    fresh.check_store()


def test_relaxed_bucket_survives_kills(fresh):
    """Its changes are answered before the log is flushed: the death of all processes costs none of them, over neither protocol."""
    assert fresh.gemel("bucket", "durability", "demo", "relaxed")["durability"] == "relaxed"
    load = Load(fresh, threads=4)
    made = []
    try:
        for turn in range(4):
            client = nfs4.Client(fresh.nfs_port)
            top = client.handle("demo")
            for number in range(60):
                name = f"turn{turn}-{number}"
                assert client.compound(nfs4.putfh(top), nfs4.create_directory(name))[0] == nfs4.OK
                made.append(name)
            before = load.acknowledged
            deadline = time.monotonic() + 20
            while load.acknowledged < before + 20 and time.monotonic() < deadline:
                time.sleep(0.01)
            assert load.acknowledged > before
            fresh.kill_all()
            client.close()
            fresh.start()
    finally:
        load.finish()
    load.verify()
    fresh.kill_all()
    fresh.start()
    load.verify()
    client = nfs4.Client(fresh.nfs_port)
    handles = {client.handle("demo", name) for name in made}
    assert len(handles) == len(made)
    client.close()
    assert fresh.s3().list_objects_v2(Bucket="demo", Prefix="turn", Delimiter="/")["KeyCount"] == len(made)
    fresh.check_store()


def test_the_other_door_does_not_notice(fresh):
    """A crash of the NFS server must not cost the S3 server one request, nor the other way round."""
    s3 = fresh.s3()
    s3.put_object(Bucket="demo", Key="k", Body=b"v")
    for _ in range(3):
        fresh.kill("nfs")
        for _ in range(50):
            assert s3.get_object(Bucket="demo", Key="k")["Body"].read() == b"v"
        fresh.wait_ready()


def test_workers_die_with_their_master(fresh):
    """When nginx's master alone is killed, no worker keeps the port from the next one, nor serves on when all is stopped."""
    master, *workers = fresh.pids()["s3"]
    fresh.allowed.append(r"bind\(\)")  # the next master may come while the workers go; it tries again
    os.kill(master, signal.SIGKILL)
    deadline = time.monotonic() + 20
    while any(Path(f"/proc/{pid}").exists() for pid in workers):
        assert time.monotonic() < deadline, "a worker without a master serves on"
        time.sleep(0.05)
    while len(fresh.pids()["s3"]) < 2:
        assert time.monotonic() < deadline
        time.sleep(0.05)
    fresh.wait_ready()
    assert fresh.s3().list_buckets()["Buckets"]


# A writer in the client: numbered records, each fsync'ed, then noted outside of the store (hostfs) as acknowledged.
NFS_WRITER = """
import os, sys
base, note = sys.argv[1], sys.argv[2]
acknowledged = os.open(note, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
log = os.open(base + '/log', os.O_WRONLY | os.O_CREAT)
for i in range(int(sys.argv[3])):
    os.pwrite(log, b'%015d\\n' % i, 16 * i)
    os.fsync(log)
    with open(base + '/file%d' % i, 'wb') as f:
        f.write(b'%d ' % i * 500)
        f.flush()
        os.fsync(f.fileno())
    if i % 3 == 2:
        try:
            os.rename(base + '/file%d' % i, base + '/renamed%d' % i)
        except FileNotFoundError:
            # Done, but the reply died with the server; sent again, in a new session, it finds the name gone (RFC 8881, 2.10.6.5).
            os.stat(base + '/renamed%d' % i)
    os.write(acknowledged, b'%d\\n' % i)
"""


@pytest.mark.parametrize("which", ["nfs", "all"])
def test_kill_under_nfs_load(fresh, kernel, fresh_mounted, tmp_path, which):
    """The kernel client carries on after the restart by itself: the only error that a program may see is of a rename that was done."""
    note = tmp_path / "acknowledged"
    (tmp_path / "writer.py").write_text(NFS_WRITER)
    count = 400
    result = []
    thread = threading.Thread(target=lambda: result.append(kernel.run(f"python3 {tmp_path}/writer.py {fresh_mounted} {note} {count}", timeout=280, check=False)))
    thread.start()
    try:
        for _ in range(3):
            time.sleep(1.5)
            if which == "all":
                fresh.kill_all()
                fresh.start()
            else:
                fresh.kill("nfs")
            fresh.wait_ready()
    finally:
        thread.join()
    assert result and result[0].rc == 0, f"the writer failed: {result}"
    assert note.read_text().split() == [str(i) for i in range(count)]
    s3 = fresh.s3()
    log = s3.get_object(Bucket="demo", Key="log")["Body"].read()
    assert log == b"".join(b"%015d\n" % i for i in range(count))
    for i in range(count):
        name = f"renamed{i}" if i % 3 == 2 else f"file{i}"
        assert s3.get_object(Bucket="demo", Key=name)["Body"].read() == b"%d " % i * 500
    kernel.umount(fresh_mounted)
    fresh.kill_all()
    fresh.start()
    assert s3.get_object(Bucket="demo", Key="log")["Body"].read() == log
    fresh.check_store()


def test_locks_and_open_files_survive_a_restart(fresh, kernel, fresh_mounted, tmp_path):
    """A lock holder keeps its lock, and an open file that was removed stays readable."""
    script = f"""
cat > /run/holder.py <<'END'
import fcntl, os, sys, time
base, go = sys.argv[1], sys.argv[2]
fd = os.open(base + '/held', os.O_RDWR | os.O_CREAT)
os.write(fd, b'held data')
os.fsync(fd)
fcntl.lockf(fd, fcntl.LOCK_EX)
orphan = os.open(base + '/orphan', os.O_RDWR | os.O_CREAT)
os.write(orphan, b'orphan data')
os.fsync(orphan)
open(go + '.ready', 'w').close()
while not os.path.exists(go):
    time.sleep(0.1)
assert os.pread(orphan, 20, 0) == b'orphan data'
os.pwrite(fd, b'HELD', 0)
os.fsync(fd)
print('carried on')
END
python3 /run/holder.py {fresh_mounted} {tmp_path}/go
"""
    result = []
    thread = threading.Thread(target=lambda: result.append(kernel.run(script, timeout=200, check=False)))
    thread.start()
    while not (tmp_path / "go.ready").exists() and thread.is_alive():
        time.sleep(0.1)
    s3 = fresh.s3()
    s3.delete_object(Bucket="demo", Key="orphan")
    fresh.kill("nfs")
    fresh.wait_ready()
    time.sleep(25)  # beyond the grace period and the orphan's 15 seconds
    (tmp_path / "go").touch()
    thread.join()
    assert result and result[0].rc == 0, result
    assert s3.get_object(Bucket="demo", Key="held")["Body"].read() == b"HELD data"


def test_multipart_survives(fresh):
    s3 = fresh.s3()
    part = random.Random(1).randbytes(5 << 20)
    upload = s3.create_multipart_upload(Bucket="demo", Key="mp")["UploadId"]
    etags = []
    for number in range(1, 4):
        etags.append(s3.upload_part(Bucket="demo", Key="mp", UploadId=upload, PartNumber=number, Body=part)["ETag"])
        fresh.kill_all()
        fresh.start()
    s3.complete_multipart_upload(Bucket="demo", Key="mp", UploadId=upload, MultipartUpload={"Parts": [{"PartNumber": n + 1, "ETag": e} for n, e in enumerate(etags)]})
    fresh.kill_all()
    fresh.start()
    assert s3.get_object(Bucket="demo", Key="mp")["Body"].read() == part * 3
    fresh.check_store()
