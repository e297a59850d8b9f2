# SPDX-License-Identifier: Apache-2.0
"""S3 writers, NFS writers and listings in one directory: nothing lost, nothing twice, list order bytewise."""
import threading
from concurrent.futures import ThreadPoolExecutor

S3_FILES = 600
NFS_FILES = 400


def listing(s3, bucket, **kwargs):
    keys = []
    for page in s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, **kwargs):
        keys += [entry["Key"] for entry in page.get("Contents", [])]
    return keys


def test_writers_and_listings_in_one_directory(gemel, kernel, mounted):
    s3 = gemel.s3()
    stop = threading.Event()
    problems = []
    steady = [f"dir/steady{i:04}" for i in range(300)]
    with ThreadPoolExecutor(16) as pool:
        list(pool.map(lambda k: s3.put_object(Bucket="demo", Key=k, Body=k.encode()), steady))

    def lister():
        mine = gemel.s3()
        while not stop.is_set():
            keys = listing(mine, "demo", Prefix="dir/", PaginationConfig={"PageSize": 97})
            if keys != sorted(keys, key=str.encode):
                problems.append("the order is not bytewise")
            if len(keys) != len(set(keys)):
                problems.append("a key was listed twice")
            if missing := set(steady) - set(keys):
                problems.append(f"lost from a listing: {sorted(missing)[:3]}")

    def nfs_lister():
        while not stop.is_set():
            names = kernel.run(f"ls -f {mounted}/dir", timeout=60).text.split()
            if len(names) != len(set(names)):
                problems.append("readdir gave a name twice")
            if missing := {k[4:] for k in steady} - set(names):
                problems.append(f"lost from readdir: {sorted(missing)[:3]}")

    nfs_script = f"""
cd {mounted}/dir
for i in $(seq {NFS_FILES}); do echo nfs$i > nfs$i; done &
for i in $(seq {NFS_FILES}); do echo x > tmp$i; mv tmp$i moved$i; done &
for i in $(seq {NFS_FILES}); do echo x > gone$i; rm gone$i; done &
wait
"""
    listers = [threading.Thread(target=lister), threading.Thread(target=nfs_lister)]
    for thread in listers:
        thread.start()
    try:
        with ThreadPoolExecutor(9) as pool:
            nfs = pool.submit(kernel.run, nfs_script, timeout=250)
            list(pool.map(lambda i: s3.put_object(Bucket="demo", Key=f"dir/s3-{i}", Body=b"%d" % i), range(S3_FILES)))
            nfs.result()
    finally:
        stop.set()
        for thread in listers:
            thread.join()
    assert not problems, problems[:5]
    expected = sorted(steady + [f"dir/s3-{i}" for i in range(S3_FILES)] + [f"dir/{kind}{i}" for i in range(1, NFS_FILES + 1) for kind in ("nfs", "moved")], key=str.encode)
    assert listing(s3, "demo", Prefix="dir/") == expected
    names = kernel.run(f"ls -f {mounted}/dir").text.split()
    assert sorted(n for n in names if n not in (".", "..")) == sorted(k[4:] for k in expected)
    for i in (1, 77, NFS_FILES):
        assert s3.get_object(Bucket="demo", Key=f"dir/nfs{i}")["Body"].read() == b"nfs%d\n" % i


def test_one_key_many_writers(gemel):
    """Conditional creation: exactly one of many wins; unconditional: the last state is one of those written, whole."""
    s3 = gemel.s3()
    bodies = [bytes([i]) * 70000 for i in range(32)]

    def put(i):
        try:
            gemel_s3.put_object(Bucket="demo", Key="one", Body=bodies[i], IfNoneMatch="*")
            return i
        except gemel_s3.exceptions.ClientError as error:
            assert error.response["Error"]["Code"] in ("PreconditionFailed", "ConditionalRequestConflict")
            return None

    gemel_s3 = s3
    with ThreadPoolExecutor(32) as pool:
        winners = [i for i in pool.map(put, range(32)) if i is not None]
    assert len(winners) == 1
    assert s3.get_object(Bucket="demo", Key="one")["Body"].read() == bodies[winners[0]]
    with ThreadPoolExecutor(32) as pool:
        list(pool.map(lambda i: s3.put_object(Bucket="demo", Key="one", Body=bodies[i]), range(32)))
    assert s3.get_object(Bucket="demo", Key="one")["Body"].read() in bodies


def test_counter_under_compare_and_swap(gemel):
    """Eight clients increment a number with If-Match: no increment is lost."""
    s3 = gemel.s3()
    s3.put_object(Bucket="demo", Key="counter", Body=b"0")

    def work(_):
        mine = gemel.s3()
        done = 0
        while done < 25:
            answer = mine.get_object(Bucket="demo", Key="counter")
            value = int(answer["Body"].read())
            try:
                mine.put_object(Bucket="demo", Key="counter", Body=b"%d" % (value + 1), IfMatch=answer["ETag"])
                done += 1
            except mine.exceptions.ClientError as error:
                assert error.response["Error"]["Code"] in ("PreconditionFailed", "ConditionalRequestConflict")

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(work, range(8)))
    assert s3.get_object(Bucket="demo", Key="counter")["Body"].read() == b"200"


def test_locks_between_two_nfs_processes(gemel, kernel, mounted):
    """Byte-range locks keep a shared counter right."""
    script = f"""
cat > /run/locker.py <<'END'
import fcntl, os, sys
fd = os.open(sys.argv[1], os.O_RDWR)
for _ in range(100):
    fcntl.lockf(fd, fcntl.LOCK_EX)
    value = int(os.pread(fd, 20, 0) or b'0')
    os.pwrite(fd, b'%d' % (value + 1), 0)
    fcntl.lockf(fd, fcntl.LOCK_UN)
END
echo 0 > {mounted}/locked
for i in 1 2 3 4; do python3 /run/locker.py {mounted}/locked & done
wait
"""
    kernel.run(script, timeout=120)
    assert gemel.s3().get_object(Bucket="demo", Key="locked")["Body"].read().strip() == b"400"


def test_store_is_whole(gemel):
    gemel.check_store()
