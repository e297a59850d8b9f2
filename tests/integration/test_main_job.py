# SPDX-License-Identifier: Apache-2.0
"""The main job: a notebook writes a dataset with boto3 or aws-cli, a trainer reads it over a kernel NFS mount, and the other way round."""
import hashlib
import os
import subprocess
import sys
import sysconfig
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

AWS = str(Path(sys.executable).parent / "aws")
GIB = 1 << 30


def library_files(limit=4000):
    """Thousands of real files: the machine's Python library (files only, no symlinks)."""
    root = Path(sysconfig.get_paths()["stdlib"])
    files = sorted(p for p in root.rglob("*") if p.is_file() and not p.is_symlink() and "__pycache__" not in p.parts and "site-packages" not in p.parts)
    return root, files[:limit]


def digest(path):
    return hashlib.sha256(path.read_bytes()).hexdigest()


def all_keys(s3, bucket, prefix=""):
    keys = {}
    for page in s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix):
        for entry in page.get("Contents", []):
            keys[entry["Key"]] = entry["Size"]
    return keys


def sums_in_client(kernel, directory, timeout=240):
    """{relative path: sha256} as the kernel client reads them."""
    text = kernel.run(f"cd {directory} && find . -type f -print0 | xargs -0 -r sha256sum -z", timeout=timeout).stdout
    sums = {}
    for line in text.split(b"\0"):
        if line:
            value, _, name = line.partition(b"  ")
            sums[os.fsdecode(name)[2:]] = value.decode()
    return sums


def test_tree_up_by_boto3_and_read_over_nfs(gemel, kernel, mounted):
    root, files = library_files()
    assert len(files) > 500
    s3 = gemel.s3()
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda p: s3.upload_file(str(p), "demo", "lib/" + str(p.relative_to(root))), files))
    expected = {str(p.relative_to(root)): digest(p) for p in files}
    assert sums_in_client(kernel, mounted + "/lib") == expected
    listed = all_keys(s3, "demo", "lib/")
    assert listed == {"lib/" + str(p.relative_to(root)): p.stat().st_size for p in files}


def test_tree_up_by_aws_cli(gemel, kernel, mounted, tmp_path):
    root, files = library_files(400)
    for p in files:
        target = tmp_path / p.relative_to(root)
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(p.read_bytes())
    subprocess.run([AWS, "s3", "sync", "--only-show-errors", str(tmp_path), "s3://demo/sync"], env=gemel.environment(), check=True, timeout=200)
    assert sums_in_client(kernel, mounted + "/sync") == {str(p.relative_to(root)): digest(p) for p in files}


def test_two_gibibytes_both_ways(gemel, kernel, mounted, tmp_path):
    big = tmp_path / "big"
    block = os.urandom(1 << 20)
    sha = hashlib.sha256()
    with open(big, "wb") as out:
        for i in range(2 * GIB >> 20):
            piece = i.to_bytes(8, "big") + block[8:]
            out.write(piece)
            sha.update(piece)
    s3 = gemel.s3()
    s3.upload_file(str(big), "demo", "big/up")
    big.unlink()
    assert kernel.run(f"sha256sum {mounted}/big/up", timeout=200).text.split()[0] == sha.hexdigest()
    # back: the trainer copies it over NFS, the notebook downloads the copy
    kernel.run(f"dd if={mounted}/big/up of={mounted}/big/copy bs=1M conv=fsync", timeout=280)
    back = hashlib.sha256()
    for piece in s3.get_object(Bucket="demo", Key="big/copy")["Body"].iter_chunks(1 << 20):
        back.update(piece)
    assert back.hexdigest() == sha.hexdigest()
    for key in ("big/up", "big/copy"):
        s3.delete_object(Bucket="demo", Key=key)


def test_tree_written_over_nfs_and_read_by_boto3(gemel, kernel, mounted):
    root, _ = library_files()
    kernel.run(f"mkdir {mounted}/cp && cp -a {root}/email {root}/json {root}/asyncio {mounted}/cp/ && sync", timeout=200)
    kernel.run(f"mkdir {mounted}/tar && tar -C {root} -cf - xml http | tar -C {mounted}/tar -xf -", timeout=200)
    s3 = gemel.s3()
    for top, packages in (("cp", ("email", "json", "asyncio")), ("tar", ("xml", "http"))):
        expected = {}
        for package in packages:
            for p in (root / package).rglob("*"):
                if p.is_file():
                    expected[f"{top}/{p.relative_to(root)}"] = digest(p)
        got = {}
        for key in all_keys(s3, "demo", top + "/"):
            if not key.endswith("/"):
                got[key] = hashlib.sha256(s3.get_object(Bucket="demo", Key=key)["Body"].read()).hexdigest()
        assert got == expected
    # cp -a kept the times and modes
    times = kernel.run(f"cd {root} && find email -type f -printf '%p %m %T@\\n' | sort; echo; cd {mounted}/cp && find email -type f -printf '%p %m %T@\\n' | sort").text
    before, _, after = times.partition("\n\n")
    assert before.split() == after.split()


def test_git_clone_on_the_mount(gemel, kernel, mounted, tmp_path):
    source = tmp_path / "source"
    source.mkdir()
    run = lambda *words: subprocess.run(["git", "-c", "user.name=t", "-c", "user.email=t@t", *words], cwd=source, check=True, capture_output=True)
    run("init", "-q", "-b", "main")
    for i in range(200):
        (source / f"file{i:03}").write_bytes(os.urandom(i * 37))
    run("add", ".")
    run("commit", "-qm", "all")
    kernel.run(f"git clone -q --no-local {source} {mounted}/clone && cd {mounted}/clone && git fsck --strict && git status --porcelain | wc -l | grep -qx 0", timeout=200)
    s3 = gemel.s3()
    for i in (0, 1, 99, 199):
        assert s3.get_object(Bucket="demo", Key=f"clone/file{i:03}")["Body"].read() == (source / f"file{i:03}").read_bytes()


def test_sqlite_on_the_mount(gemel, kernel, mounted, tmp_path):
    script = "PRAGMA journal_mode=DELETE; CREATE TABLE t(i INTEGER PRIMARY KEY, b BLOB);"
    for batch in range(20):
        script += "BEGIN;" + "".join(f"INSERT INTO t VALUES({batch * 50 + i}, randomblob(500));" for i in range(50)) + "COMMIT;"
    script += "DELETE FROM t WHERE i % 7 = 0; VACUUM; PRAGMA integrity_check;"
    assert kernel.run(f"sqlite3 {mounted}/base.db '{script}'", timeout=200).text.split()[-1] == "ok"
    copy = tmp_path / "base.db"
    gemel.s3().download_file("demo", "base.db", str(copy))
    import sqlite3

    with sqlite3.connect(copy) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchone()[0] == "ok"
        assert connection.execute("SELECT count(*) FROM t").fetchone()[0] == 1000 - len(range(0, 1000, 7))


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_odd_offsets(gemel, kernel, mounted, seed):
    """dd at odd offsets and lengths, into new files and into objects that S3 wrote (and packed), against a model."""
    import random

    rng = random.Random(seed)
    size = rng.choice([3000, 70000, 3 << 20])
    model = bytearray(rng.randbytes(size))
    s3 = gemel.s3()
    s3.put_object(Bucket="demo", Key=f"odd{seed}", Body=bytes(model))
    script = [f"cd {mounted}"]
    for _ in range(12):
        offset, length = rng.randrange(0, size + 50000), rng.randrange(1, 40000)
        value = rng.randrange(256)
        if len(model) < offset + length:
            model.extend(bytes(offset + length - len(model)))
        model[offset : offset + length] = bytes([value]) * length
        script.append(f"head -c {length} /dev/zero | tr '\\0' '\\{value:03o}' | dd of=odd{seed} bs=64k seek={offset} oflag=seek_bytes conv=notrunc status=none")
    kernel.run("\n".join(script), timeout=120)
    assert s3.get_object(Bucket="demo", Key=f"odd{seed}")["Body"].read() == bytes(model)
    cut = rng.randrange(1, len(model))
    kernel.run(f"truncate -s {cut} {mounted}/odd{seed}")
    assert s3.get_object(Bucket="demo", Key=f"odd{seed}")["Body"].read() == bytes(model[:cut])


def test_store_is_whole_after_all_this(gemel):
    report = gemel.check_store()
    assert report["inodes"] > 1000
