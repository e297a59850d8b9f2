# SPDX-License-Identifier: Apache-2.0
"""What one protocol answered, the other shows at once: no stale answer in thousands of rounds."""
import hashlib
import json
import threading
import textwrap

import pytest
from botocore.exceptions import ClientError

ROUNDS = 1000


def worker(kernel, mounted, body, timeout=280):
    """Run Python in the kernel client with helpers that open files anew each time."""
    prelude = f"""
import os, sys
os.chdir({mounted!r})
def read(name):
    with open(name, 'rb') as f:
        return f.read()
def write(name, data):
    with open(name, 'wb') as f:
        f.write(data)
"""
    script = prelude + textwrap.dedent(body)
    return kernel.run(f"/usr/bin/python3 - <<'END_OF_SCRIPT'\n{script}\nEND_OF_SCRIPT", timeout=timeout)


class Lockstep:
    """S3 in this process and Python in the kernel client take turns over two FIFO-like files outside of the store (hostfs)."""

    SERVER = """
import json, socket
server = socket.create_server((ADDRESS, PORT))
connection, _ = server.accept()
stream = connection.makefile('rw')
for line in stream:
    try:
        value = eval(line, globals())
    except OSError as error:
        value = ['error', error.errno]
    if isinstance(value, bytes):
        value = value.decode('latin-1')
    stream.write(json.dumps(value) + '\\n')
    stream.flush()
"""

    def __init__(self, kernel, mounted, port):
        import socket
        import time

        self.thread = threading.Thread(target=worker, args=(kernel, mounted, f"ADDRESS, PORT = {kernel.address!r}, {port}\n" + self.SERVER))
        self.thread.start()
        for _ in range(200):
            try:
                self.connection = socket.create_connection((kernel.address, port), timeout=60)
                break
            except OSError:
                time.sleep(0.05)
        self.stream = self.connection.makefile("rw")

    def __call__(self, expression):
        self.stream.write(expression + "\n")
        self.stream.flush()
        return json.loads(self.stream.readline())

    def close(self):
        self.stream.close()
        self.connection.close()
        self.thread.join(60)


@pytest.fixture(params=["default", "actimeo=0"])
def nfs(gemel, kernel, request):
    """Python in the kernel client. With default mount options a fresh open() must be coherent (close-to-open); with actimeo=0 also stat and names."""
    options = "" if request.param == "default" else request.param
    target = kernel.mount(gemel.nfs_port, "/demo", target="/mnt/coherence", options=options)
    step = Lockstep(kernel, target, 7100 + (options != ""))
    step.options = options
    yield step
    step.close()
    kernel.umount(target)


def test_overwrites_by_turns(gemel, nfs):
    s3 = gemel.s3()
    for i in range(ROUNDS):
        data = b"s3 %d " % i * (1 + i % 50)
        s3.put_object(Bucket="demo", Key="turns", Body=data)
        assert nfs("read('turns')").encode("latin-1") == data, f"round {i}: NFS is stale"
        data = b"nfs %d " % i * (1 + i % 70)
        assert nfs(f"write('turns', {data!r})") is None
        answer = s3.get_object(Bucket="demo", Key="turns")
        assert answer["Body"].read() == data, f"round {i}: S3 is stale"


def test_names_by_turns(gemel, nfs):
    if nfs.options == "":
        pytest.skip("a default mount may keep names for acregmin (3 s) in the client itself, whatever the server does")
    s3 = gemel.s3()
    for i in range(ROUNDS):
        s3.put_object(Bucket="demo", Key=f"names/a{i}", Body=b"x")
        assert nfs(f"os.path.exists('names/a{i}')") is True
        assert nfs(f"os.rename('names/a{i}', 'names/b{i}')") is None
        with pytest.raises(ClientError):
            s3.head_object(Bucket="demo", Key=f"names/a{i}")
        s3.head_object(Bucket="demo", Key=f"names/b{i}")
        s3.delete_object(Bucket="demo", Key=f"names/b{i}")
        assert nfs(f"os.path.exists('names/b{i}')") is False
        if i % 10 == 0:
            assert nfs("os.path.isdir('names')") is True  # an NFS client worked in it: it stays


def test_every_etag_is_new(gemel, nfs):
    s3 = gemel.s3()
    seen = {}
    for i in range(300):
        assert nfs(f"write('etag', b'{i % 3}')") is None
        head = s3.head_object(Bucket="demo", Key="etag")
        assert head["ETag"] not in seen, f"rounds {seen.get(head['ETag'])} and {i} have one ETag"
        seen[head["ETag"]] = i


def test_etag_changes_with_every_write_of_an_open_file(gemel, nfs):
    """Two writes within one clock tick, without a close between them."""
    s3 = gemel.s3()
    assert nfs("globals().__setitem__('f', os.open('open-etag', os.O_RDWR | os.O_CREAT | os.O_SYNC))") is None
    seen = set()
    for i in range(200):
        assert nfs(f"os.pwrite(f, b'{i:04}', 0)") == 4
        head = s3.head_object(Bucket="demo", Key="open-etag")
        assert head["ETag"] not in seen
        seen.add(head["ETag"])
        assert s3.get_object(Bucket="demo", Key="open-etag", IfMatch=head["ETag"])["Body"].read() == b"%04d" % i
    assert nfs("os.close(f)") is None


def test_compare_and_swap_across_doors(gemel, nfs):
    """If-Match with an ETag from before an NFS write must fail."""
    s3 = gemel.s3()
    for i in range(100):
        tag = s3.put_object(Bucket="demo", Key="cas", Body=b"one")["ETag"]
        assert nfs("write('cas', b'two')") is None
        with pytest.raises(ClientError) as error:
            s3.put_object(Bucket="demo", Key="cas", Body=b"three", IfMatch=tag)
        assert error.value.response["Error"]["Code"] == "PreconditionFailed"
        assert s3.get_object(Bucket="demo", Key="cas")["Body"].read() == b"two"


def test_readers_see_old_or_new_whole(gemel, nfs):
    """While PUTs replace an object, every read over either protocol is one version, whole."""
    s3 = gemel.s3()
    size = 600000
    body = lambda i: hashlib.sha256(b"%d" % i).digest() * (size // 32)
    s3.put_object(Bucket="demo", Key="whole", Body=body(0))
    stop = threading.Event()
    failures = []

    def writer():
        i = 1
        while not stop.is_set():
            gemel_s3.put_object(Bucket="demo", Key="whole", Body=body(i))
            i += 1

    def reader():
        while not stop.is_set():
            data = s3.get_object(Bucket="demo", Key="whole")["Body"].read()
            if len(data) != size or data != data[:32] * (size // 32):
                failures.append("S3 read a mixture")

    gemel_s3 = gemel.s3()
    threads = [threading.Thread(target=writer), threading.Thread(target=reader)]
    for thread in threads:
        thread.start()
    try:
        for _ in range(100):
            good = nfs(f"(lambda d: len(d) == {size} and d == d[:32] * ({size} // 32))(read('whole'))")
            assert good is True, good
    finally:
        stop.set()
        for thread in threads:
            thread.join()
    assert not failures


def test_old_content_stays_with_an_open_file(gemel, nfs):
    s3 = gemel.s3()
    s3.put_object(Bucket="demo", Key="held", Body=b"old" * 100000)
    assert nfs("globals().__setitem__('h', open('held', 'rb', buffering=0))") is None
    s3.put_object(Bucket="demo", Key="held", Body=b"new")
    assert nfs("h.read(6)") == "oldold"
    s3.delete_object(Bucket="demo", Key="held")
    assert nfs("(h.seek(299997), h.read(10).decode())[1]") == "old"
    assert nfs("h.close()") is None


def test_bucket_comes_and_goes(gemel, nfs, kernel):
    s3 = gemel.s3()
    target = kernel.mount(gemel.nfs_port, "/", target="/mnt/root", options="actimeo=0")
    try:
        for i in range(20):
            s3.create_bucket(Bucket=f"comes-{i}")
            assert nfs(f"os.path.isdir('/mnt/root/comes-{i}')") is True
            s3.delete_bucket(Bucket=f"comes-{i}")
            assert nfs(f"os.path.isdir('/mnt/root/comes-{i}')") is False
            assert nfs(f"os.mkdir('/mnt/root/made-{i}')") is None
            s3.head_bucket(Bucket=f"made-{i}")
            assert f"made-{i}" in [b["Name"] for b in s3.list_buckets()["Buckets"]]
            assert nfs(f"os.rmdir('/mnt/root/made-{i}')") is None
            with pytest.raises(ClientError):
                s3.head_bucket(Bucket=f"made-{i}")
    finally:
        kernel.umount(target)
