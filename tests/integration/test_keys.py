# SPDX-License-Identifier: Apache-2.0
"""Every legal key round-trips over S3, and shows over NFS as docs/architecture.md says."""
import hashlib
import os
import random
import shlex

import pytest

KEYS = [
    "a", "a/", "a/b", "a/b/", "a//b", "a/b//", "/lead", "//", "///", "x//", ".", "..", "./", "../", "d/.", "d/..", "d/./e", "d/../e", "d/.../e", " ", "a b", "a+b", "a%20b", "a%2Fb", "%00x", "a&b=c", "q?x=1", "h#f",
    "'\"<>\\`", "tab\there", "line\nfeed", "cr\rhere", "\x01\x02\x1f\x7f", "ü", "日本語/キー", "🧸", "e\u0301", "é", "trailing.", "trailing ", ".hidden", ".gml~f~x", ".gml~d~x/y", ".gml~", "~", "long/" + "n" * 256 + "/x", "n" * 1024,
    "m" * 300 + "/" + "k" * 700, "a" * 1023 + "/", "ÿ" * 512, "-", "a-b", "a.b", "a0", "con", "nul", "aux.txt", "*", "?", ":", "|", "a:b", "CASE", "case",
]


def everything(s3, bucket, **kwargs):
    keys = []
    for page in s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, **kwargs):
        keys += [o["Key"] for o in page.get("Contents", [])]
    return keys


def test_round_trip(gemel, bucket):
    s3 = gemel.s3()
    for key in KEYS:
        s3.put_object(Bucket=bucket, Key=key, Body=b"body of " + key.encode(), Metadata={"n": str(len(key))})
    for key in KEYS:
        got = s3.get_object(Bucket=bucket, Key=key)
        assert got["Body"].read() == b"body of " + key.encode(), key
        assert got["Metadata"] == {"n": str(len(key))}
    expected = sorted(KEYS, key=str.encode)
    assert everything(s3, bucket) == expected
    for size in (1, 2, 7):
        assert everything(s3, bucket, PaginationConfig={"PageSize": size}) == expected
    for key in KEYS:
        assert everything(s3, bucket, Prefix=key) == [k for k in expected if k.encode().startswith(key.encode())]
        assert everything(s3, bucket, StartAfter=key) == [k for k in expected if k.encode() > key.encode()]
    # copy and delete, in random order
    order = KEYS[:]
    random.Random(1).shuffle(order)
    for i, key in enumerate(order):
        s3.delete_object(Bucket=bucket, Key=key)
        if i % 10 == 0:
            assert everything(s3, bucket) == sorted(order[i + 1 :], key=str.encode)
    assert everything(s3, bucket) == []
    s3.delete_bucket(Bucket=bucket)
    gemel.check_store()


@pytest.mark.parametrize("seed", range(3))
def test_listing_against_a_model(gemel, bucket, seed):
    rng = random.Random(seed)
    s3 = gemel.s3()
    alphabet = ["a", "b", "/", "/", "-", "0", ".", "é", "ab"]
    keys = {"".join(rng.choice(alphabet) for _ in range(rng.randrange(1, 9))) for _ in range(150)}
    for key in keys:
        s3.put_object(Bucket=bucket, Key=key, Body=b"")
    for _ in range(120):
        prefix = "".join(rng.choice(alphabet) for _ in range(rng.randrange(0, 4)))
        delimiter = rng.choice(["", "/", "-", "a", "ab", "é", "//"])
        after = rng.choice(["", rng.choice(sorted(keys)), "b", "a/"])
        size = rng.choice([1, 2, 5, 1000])
        want_keys, want_prefixes = [], []
        for key in sorted(keys, key=str.encode):
            if not key.startswith(prefix) or key.encode() <= after.encode():
                continue
            at = key.find(delimiter, len(prefix)) if delimiter else -1
            if at < 0:
                want_keys.append(key)
            else:
                common = key[: at + len(delimiter)]
                if common not in want_prefixes and common.encode() > after.encode():
                    want_prefixes.append(common)
        got_keys, got_prefixes = [], []
        kwargs = {"Bucket": bucket, "Prefix": prefix, "MaxKeys": size}
        if delimiter:
            kwargs["Delimiter"] = delimiter
        if after:
            kwargs["StartAfter"] = after
        for _ in range(500):
            page = s3.list_objects_v2(**kwargs)
            got_keys += [o["Key"] for o in page.get("Contents", [])]
            got_prefixes += [p["Prefix"] for p in page.get("CommonPrefixes", [])]
            assert page["KeyCount"] <= size
            if not page["IsTruncated"]:
                break
            kwargs["ContinuationToken"] = page["NextContinuationToken"]
        note = (prefix, delimiter, after, size)
        assert got_keys == want_keys, note
        assert sorted(got_prefixes, key=str.encode) == sorted(want_prefixes, key=str.encode), note


def test_too_long_and_bad(gemel, bucket):
    s3 = gemel.s3()
    with pytest.raises(s3.exceptions.ClientError) as error:
        s3.put_object(Bucket=bucket, Key="k" * 1025, Body=b"")
    assert error.value.response["Error"]["Code"] == "KeyTooLongError"


def names(kernel, directory):
    return sorted(os.fsdecode(n) for n in kernel.run(f"find {shlex.quote(directory)} -mindepth 1 -maxdepth 1 -printf '%f\\0'").stdout.split(b"\0") if n)


def test_as_seen_over_nfs(gemel, kernel, bucket):
    s3 = gemel.s3()
    long_name = "n" * 300
    contents = {
        "plain": b"1", "both": b"2", "both/inside": b"3", "marker/": b"", "full/": b"4", "two//slashes": b"5", "dots/.": b"6", "dots/../up": b"7", ".gml~f~x": b"8", long_name: b"9",
    }
    for key, body in contents.items():
        s3.put_object(Bucket=bucket, Key=key, Body=body)
    target = kernel.mount(gemel.nfs_port, f"/{bucket}", target="/mnt/keys", options="actimeo=0")
    try:
        digest = hashlib.sha256(long_name.encode()).hexdigest()[:32]
        shown_long = f".gml~F~{digest}~" + "n" * 200
        assert names(kernel, target) == sorted(["plain", "both", ".gml~f~both", "marker", "full", "two", "dots", ".gml~f~.gml~f~x", shown_long])
        assert names(kernel, target + "/marker") == []
        assert names(kernel, target + "/full") == [".gml~f~"]
        assert names(kernel, target + "/two") == [".gml~d~"]
        assert names(kernel, target + "/dots") == sorted([".gml~f~.", ".gml~d~.."])
        read = lambda path: kernel.run(f"cat {target}/{shlex.quote(path)}").stdout
        assert [read(p) for p in ("plain", ".gml~f~both", "both/inside", "full/.gml~f~", "two/.gml~d~/slashes", "dots/.gml~f~.", "dots/.gml~d~../up", ".gml~f~.gml~f~x", shown_long)] == [
            b"1", b"2", b"3", b"4", b"5", b"6", b"7", b"8", b"9"]
        # written, renamed and removed through their escapes
        kernel.run(f"echo new > {target}/.gml~f~both")
        assert s3.get_object(Bucket=bucket, Key="both")["Body"].read() == b"new\n"
        kernel.run(f"mv {target}/{shown_long} {target}/short")
        assert s3.get_object(Bucket=bucket, Key="short")["Body"].read() == b"9"
        assert kernel.run(f"touch {target}/.gml~f~new", check=False).rc != 0
        kernel.run(f"rm {target}/dots/.gml~f~. && rmdir {target}/marker")
        # the name that the directory hid; the client lists anew, for it remembers that it removed the name
        kernel.run(f"rm -r {target}/both && ls {target} && cat {target}/both && rm {target}/both")
        left = everything(s3, bucket)
        assert left == sorted(["plain", "full/", "two//slashes", "dots/../up", ".gml~f~x", "short"], key=str.encode)
        kernel.run(f"rm -r {target}/two {target}/dots {target}/full {target}/plain {target}/short {target}/.gml~f~.gml~f~x")
        assert everything(s3, bucket) == []
    finally:
        kernel.umount(target)
    gemel.check_store()


def test_directories_at_both_doors(gemel, kernel, bucket):
    s3 = gemel.s3()
    target = kernel.mount(gemel.nfs_port, f"/{bucket}", target="/mnt/keys", options="actimeo=0")
    try:
        kernel.run(f"mkdir {target}/made")
        assert everything(s3, bucket) == ["made/"]
        head = s3.head_object(Bucket=bucket, Key="made/")
        assert head["ContentLength"] == 0 and head["ContentType"].startswith("application/x-directory")
        s3.put_object(Bucket=bucket, Key="made/k", Body=b"x")
        assert everything(s3, bucket) == ["made/k"]
        assert [p["Prefix"] for p in s3.list_objects_v2(Bucket=bucket, Delimiter="/")["CommonPrefixes"]] == ["made/"]
        s3.delete_object(Bucket=bucket, Key="made/k")
        kernel.run(f"test -d {target}/made")  # made by a client: it stays
        s3.delete_object(Bucket=bucket, Key="made/")
        kernel.run(f"test ! -e {target}/made")
        s3.put_object(Bucket=bucket, Key="i/m/p/l", Body=b"x")
        kernel.run(f"test -d {target}/i/m/p")
        s3.delete_object(Bucket=bucket, Key="i/m/p/l")
        kernel.run(f"test ! -e {target}/i")  # implicit: gone with its last key
        kernel.run(f"ln -s nowhere {target}/link; mkfifo {target}/fifo")
        assert everything(s3, bucket) == []
        with pytest.raises(s3.exceptions.ClientError):
            s3.get_object(Bucket=bucket, Key="link")
        with pytest.raises(s3.exceptions.ClientError):
            s3.delete_bucket(Bucket=bucket)
        kernel.run(f"rm {target}/link {target}/fifo")
    finally:
        kernel.umount(target)
    s3.delete_bucket(Bucket=bucket)
