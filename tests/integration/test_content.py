# SPDX-License-Identifier: Apache-2.0
"""Checksums of content: a byte that changes on the disk is found, and told with file, bytes and name."""
import time


def files(server):
    return {p for p in (server.home / "store" / "data").rglob("*") if p.is_file()}


def flip(path, at):
    with open(path, "r+b") as file:
        file.seek(at)
        byte = file.read(1)
        file.seek(at)
        file.write(bytes([byte[0] ^ 1]))


def check(server):
    """What was told, and the report."""
    report = server.gemel("store", "check", "--data", check=False)
    assert report["problems"] == len(report["details"])
    return sorted(report["details"]), report


def test_a_flipped_byte_of_s3_and_nfs_content_is_named(fresh, kernel, fresh_mounted):
    s3 = fresh.s3()
    s3.put_object(Bucket="demo", Key="dir/small", Body=b"s" * 5000)
    before = files(fresh)
    s3.put_object(Bucket="demo", Key="dir/large", Body=bytes(range(256)) * 1024)
    [large] = files(fresh) - before
    before = files(fresh)
    kernel.run(f"dd if=/dev/urandom of={fresh_mounted}/dir/nfs bs=64k count=5 conv=fsync")
    [nfs] = files(fresh) - before
    assert fresh.gemel("store", "sum") == {"summed_bytes": 5 * 65536}
    told, report = check(fresh)
    assert told == [] and report["verified_bytes"] == 5000 + 262144 + 327680 and report["unsummed_blobs"] == 0

    relative = lambda path: str(path.relative_to(fresh.home / "store"))
    pack = next(p for p in before if p.parent.name == "pack" and b"sssss" in p.read_bytes())
    at = pack.read_bytes().index(b"sssss")
    for path, offset in ((large, 70000), (nfs, 5 * 65536 - 1), (pack, at + 4999)):
        flip(path, offset)
    assert check(fresh)[0] == sorted([
        f"{relative(large)}: bytes 65536 to 131071 are not what was written (content of demo/dir/large)",
        f"{relative(nfs)}: bytes 262144 to 327679 are not what was written (content of demo/dir/nfs)",
        f"{relative(pack)}: bytes {at} to {at + 4999} are not what was written (content of demo/dir/small)",
    ])
    assert fresh.gemel("store", "check", "--data", check=False, json_out=False).returncode == 1
    # Without --data nothing is read; written again, it is whole again.
    assert fresh.gemel("store", "check")["problems"] == 0
    s3.put_object(Bucket="demo", Key="dir/small", Body=b"t")
    s3.put_object(Bucket="demo", Key="dir/large", Body=b"t")
    kernel.run(f"dd if=/dev/zero of={fresh_mounted}/dir/nfs bs=64k count=5 conv=notrunc,fsync")
    fresh.gemel("store", "sum")
    for _ in range(60):  # the old content goes within seconds
        told, _report = check(fresh)
        if told == []:
            break
        time.sleep(0.5)
    assert told == []


def test_checksums_follow_what_nfs_writes(fresh, kernel, fresh_mounted):
    """A file that is being written has none; appending takes those of before away."""
    kernel.run(f"echo one > {fresh_mounted}/f")
    assert check(fresh)[1]["unsummed_blobs"] == 1
    fresh.gemel("store", "sum")
    assert check(fresh)[1]["unsummed_blobs"] == 0
    kernel.run(f"echo two >> {fresh_mounted}/f")
    assert check(fresh)[1]["unsummed_blobs"] == 1
    kernel.run(f"exec 9>> {fresh_mounted}/f && echo three >&9 && sync {fresh_mounted}/f")
    fresh.gemel("store", "sum")
    told, report = check(fresh)
    assert told == [] and report["unsummed_blobs"] == 0 and report["verified_bytes"] == len("one two three ")
