# SPDX-License-Identifier: Apache-2.0
"""Who is let in, over both protocols: users that are disabled, deleted or renumbered, and uids that several want."""
import threading
import time
from urllib.error import HTTPError
from urllib.request import urlopen

import pytest
from botocore.exceptions import ClientError

import nfs4
from test_nfs import PY

ALICE, BOB, CAROL = 1001, 1002, 1003
ACCESS = 13
GETATTR = (9, nfs4.u32(1, 1 << 4), nfs4.Reader.bitmap)  # size; what follows the mask is not read


def test_a_disabled_uid_is_refused_at_once(gemel):
    """From the return of the command on, on the same session, with files that are open."""
    keys = gemel.new_user("alice", ALICE)
    gemel.new_user("bob", BOB)
    bucket = gemel.new_bucket(owner="alice", mode="0777")
    alice, bob = (nfs4.Client(gemel.nfs_port, uid=uid, gid=uid) for uid in (ALICE, BOB))
    directory = alice.handle(bucket)
    status, state, handle = alice.open(directory, "f", create=nfs4.GUARDED)
    assert status == nfs4.OK
    deeds = {
        "READ": (handle, nfs4.read(state, 0, 4)), "WRITE": (handle, nfs4.write(state, 0, b"text")), "GETATTR": (handle, GETATTR), "SETATTR": (handle, nfs4.setattr_mode()),
        "truncate": (handle, nfs4.setattr_size(4, state)), "ALLOCATE": (handle, nfs4.allocate(0, 4, state)), "LOOKUP": (directory, nfs4.lookup("f")),
    }

    def answers():
        return {name: alice.compound(nfs4.putfh(on), deed)[0] for name, (on, deed) in deeds.items()}

    def s3():
        try:
            return gemel.s3(*keys).list_buckets() and True
        except ClientError as error:
            assert error.response["ResponseMetadata"]["HTTPStatusCode"] == 403
            return False

    assert set(answers().values()) == {nfs4.OK} and s3()
    for off, on in ((["user", "update", "alice", "--disable"], ["user", "update", "alice", "--enable"]),) * 3:
        gemel.gemel(*off)
        assert set(answers().values()) == {ACCESS} and not s3(), answers()
        assert alice.compound(nfs4.putfh(handle), nfs4.lock(state, alice.clientid, 0, 1))[0] == ACCESS
        assert alice.open(directory, "f")[0] == ACCESS and alice.open(directory, "new", create=nfs4.UNCHECKED)[0] == ACCESS
        assert bob.compound(nfs4.putfh(bob.handle(bucket)), nfs4.lookup("f"))[0] == nfs4.OK
        gemel.gemel(*on)
        assert set(answers().values()) == {nfs4.OK} and s3(), answers()
    # Her bucket becomes another's: users that own some are not lightly renumbered, and never deleted.
    status, _ = nfs4.Client(gemel.nfs_port).compound(nfs4.putfh(directory), (34, nfs4.ANONYMOUS + nfs4.u32(2, 0, 1 << 4) + nfs4.opaque(nfs4.opaque("0")), nfs4.Reader.bitmap))
    assert status == nfs4.OK
    # Another uid: the old one is nobody's, and back again.
    gemel.gemel("user", "update", "alice", "--uid", CAROL)
    assert set(answers().values()) == {ACCESS}
    gemel.gemel("user", "update", "alice", "--uid", ALICE)
    assert set(answers().values()) == {nfs4.OK}
    # Deleted, until somebody has the uid.
    for key in gemel.gemel("key", "list", "alice"):
        gemel.gemel("key", "delete", key["id"], json_out=False)
    gemel.gemel("user", "delete", "alice", json_out=False)
    assert set(answers().values()) == {ACCESS}
    gemel.gemel("user", "create", "anna", "--uid", ALICE)
    assert set(answers().values()) == {nfs4.OK}
    # What is refused can still be closed.
    gemel.gemel("user", "update", "anna", "--disable")
    assert alice.compound(nfs4.putfh(handle), nfs4.close(state))[0] == nfs4.OK
    alice.close()
    bob.close()


def test_a_disabled_user_of_a_kernel_client(gemel, kernel):
    """EACCES for what is opened and for what is open; the others of the same mount go on."""
    gemel.new_user("carol", CAROL)
    bucket = gemel.new_bucket(owner="carol", mode="0777")
    target = kernel.mount(gemel.nfs_port, f"/{bucket}", target="/mnt/users", options="actimeo=0")
    script = f"""
import mmap, os, time
fd = os.open('{target}/f', os.O_CREAT | os.O_RDWR | os.O_DIRECT, 0o666)
buf = mmap.mmap(-1, 4096)
os.pwritev(fd, [buf], 0)
cached = os.open('{target}/cached', os.O_CREAT | os.O_RDWR)
os.write(cached, b'not on the server yet')
open('/run/users/ready', 'w').close()
while not os.path.exists('/run/users/go'): time.sleep(0.05)
for deed in (lambda: os.fsync(cached), lambda: os.preadv(fd, [buf], 0), lambda: os.pwritev(fd, [buf], 0), lambda: os.open('{target}/f', os.O_RDONLY), lambda: os.listdir('{target}'), lambda: os.mkdir('{target}/d')):
    try: deed(); print('done')
    except PermissionError: print('refused')
os.close(fd)
"""
    kernel.run("rm -rf /run/users && mkdir -m 1777 /run/users")
    result = []
    thread = threading.Thread(target=lambda: result.append(kernel.run(f"{PY} - <<'END'\n{script}\nEND", uid=CAROL, gid=CAROL, timeout=60, check=False)))
    thread.start()
    kernel.run("until test -e /run/users/ready; do sleep 0.05; done", timeout=60)
    gemel.gemel("user", "update", "carol", "--disable")
    kernel.run("touch /run/users/go")
    thread.join()
    assert result[0].text.split() == ["refused"] * 6, result
    kernel.run(f"cat {target}/f > /dev/null && touch {target}/others", uid=BOB, gid=BOB)
    gemel.gemel("user", "update", "carol", "--enable")
    kernel.run(f"cat {target}/f > /dev/null && echo again >> {target}/f && ls {target}", uid=CAROL, gid=CAROL)
    kernel.umount(target)


def test_one_enabled_user_a_uid(gemel):
    def refused(*words):
        done = gemel.gemel(*words, json_out=False, check=False)
        assert done.returncode == 1 and "uid 2001 belongs to the enabled user dora," in done.stderr and "gemel key create dora" in done.stderr, done

    gemel.new_user("dora", 2001)
    refused("user", "create", "emil", "--uid", 2001)
    assert gemel.gemel("user", "show", "emil", json_out=False, check=False).returncode == 1
    gemel.gemel("user", "create", "emil", "--uid", 2002)
    refused("user", "update", "emil", "--uid", 2001)
    gemel.gemel("user", "create", "fritz", "--uid", 2001, "--disable")
    refused("user", "update", "fritz", "--enable")
    gemel.gemel("user", "update", "dora", "--disable")
    gemel.gemel("user", "update", "fritz", "--enable")
    assert gemel.gemel("user", "show", "fritz")["disabled"] is False
    gemel.check_store()


@pytest.mark.parametrize("version", ["4.2", "4.0"])
def test_mount_of_a_private_bucket(scratch, kernel, version):
    """root is squashed, and mounts what only its owner may look into."""
    from harness import Gemel

    server = Gemel(scratch / f"private-{version}", options={"nfs.squash": "root"})
    server.start()
    try:
        keys = server.new_user("alice", ALICE)
        server.gemel("bucket", "create", "private", "--owner", "alice")
        target = kernel.mount(server.nfs_port, "/private", target="/mnt/private", version=version)
        kernel.run(f"cd {target} && echo hers > f && mkdir d && mv f d/g && cat d/g && ls d && stat -c %U d && df . > /dev/null", uid=ALICE, gid=ALICE)
        assert server.s3(*keys).get_object(Bucket="private", Key="d/g")["Body"].read() == b"hers\n"
        for uid in (0, BOB):
            for script in (f"ls {target}", f"cat {target}/d/g", f"stat {target}/d", f"touch {target}/new", f"rm -rf {target}/d/g", f"chmod 777 {target}"):
                assert kernel.run(script, uid=uid, gid=uid, check=False).rc != 0, (uid, script)
        assert kernel.run(f"stat -c %a {target}", uid=BOB, gid=BOB).text == "700\n"
        kernel.umount(target)
        target = kernel.mount(server.nfs_port, "/", target="/mnt/private", version=version)
        assert kernel.run(f"ls {target}").text == "" and kernel.run(f"ls {target}", uid=ALICE, gid=ALICE).text == "private\n"
        kernel.umount(target)
    finally:
        server.stop()
    server.assert_clean()


def test_keys_expire_and_rotate(gemel):
    """From the second on that they expire, on a connection that is in use as well; presigned URLs end with their key."""
    gemel.gemel("user", "create", "petra", "--uid", 1017, "--gid", 1017)
    key = gemel.gemel("key", "create", "petra", "--expires", "1h")
    assert key["expires"] > key["created"]
    s3 = gemel.s3(key["id"], key["secret"], signature_version="s3v4")

    def answer(client=None):
        try:
            (client or s3).list_buckets()
        except ClientError as error:
            return error.response["Error"]["Code"]

    assert answer() is None
    url = s3.generate_presigned_url("list_buckets")
    assert urlopen(url).status == 200
    # Rotated: both are accepted until the first has expired.
    new = gemel.gemel("key", "rotate", key["id"], "--expires", "3s")
    begun = time.monotonic()
    other = gemel.s3(new["id"], new["secret"])
    assert new["user"] == "petra" and new["expires"] is None and answer(other) is None and answer() is None
    while answer() is None:
        assert time.monotonic() < begun + 10
        time.sleep(0.05)
    assert time.monotonic() > begun + 1  # a second is left off the moment, and the clock's own
    assert answer() == "InvalidAccessKeyId" and answer(other) is None
    with pytest.raises(HTTPError) as refused:
        urlopen(url)
    assert refused.value.code == 403
    listed = {row["id"]: row["expires"] for row in gemel.gemel("key", "list", "petra")}
    assert listed.keys() == {key["id"], new["id"]} and listed[key["id"]] and listed[new["id"]] is None
    # What has expired can be prolonged.
    gemel.gemel("key", "update", key["id"], "--expires", "never")
    assert answer() is None
    for words, says in ((("update", key["id"], "--expires", "2001-01-01"), "is past"), (("rotate", key["id"], "--expires", "never"), "the old key must end"), (("rotate", "NOKEY"), "no such access key")):
        done = gemel.gemel("key", *words, json_out=False, check=False)
        assert done.returncode in (1, 2) and says in done.stderr, done.stderr
    gemel.gemel("user", "delete", "petra", "--yes")
