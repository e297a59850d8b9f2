# SPDX-License-Identifier: Apache-2.0
"""Users and groups of the host's NSS: grants, policies of buckets and memberships name them, and what NSS says later holds in time.

The programs run with /etc/passwd and /etc/group of the test's own, in a mount namespace."""
import json
import re
import subprocess
import time

import pytest

import harness
from harness import Gemel
from test_permissions import s3_can

ZOE, YAN, MIA, ANN = 5001, 5002, 5003, 5004
ML = 6001
BOUND = 5  # seconds: identity.nss_seconds is 1


class Host(Gemel):
    """A store whose programs see the test's own users and groups."""

    def __init__(self, home, **more):
        self.etc = home.with_name(home.name + "-etc")
        self.etc.mkdir()
        self.users, self.groups = {"root": (0, 0)}, {"root": (0, [])}
        self.tell()
        super().__init__(home, **more)

    def tell(self):
        """Writes both files, as one write each; the mounts are of these inodes."""
        for name, lines in (("passwd", [f"{user}:x:{uid}:{gid}::/:/bin/sh" for user, (uid, gid) in self.users.items()]),
                            ("group", [f"{group}:x:{gid}:{','.join(members)}" for group, (gid, members) in self.groups.items()])):
            with open(self.etc / name, "w") as file:
                file.write("".join(line + "\n" for line in lines))

    def command(self, *words):
        mounts = " && ".join(f"mount --bind {self.etc}/{name} /etc/{name}" for name in ("passwd", "group"))
        return ["unshare", "--mount", "sh", "-c", mounts + ' && exec "$@"', "sh", str(harness.PROGRAM), "-c", str(self.conf), *map(str, words)]

    def gemel(self, *words, json_out=True, check=True, stdin=None):
        done = subprocess.run(self.command(*(["--json"] if json_out else []), *words), capture_output=True, text=True, input=stdin, timeout=120)
        if check and done.returncode != 0:
            raise AssertionError(f"{words}: exit {done.returncode}\n{done.stdout}{done.stderr}")
        return json.loads(done.stdout) if json_out and done.stdout.strip() else done

    def start(self, wait=True):
        self.said = 0
        harness._servers.append(self)
        with open(self.home / "serve.log", "ab") as log:
            self.process = subprocess.Popen(self.command("serve"), stdout=log, stderr=log, stdin=subprocess.DEVNULL, start_new_session=True)
        self.wait_ready()

    def refused(self, *words):
        done = self.gemel(*words, json_out=False, check=False)
        assert done.returncode != 0, words
        return done.stderr

    def sync(self):
        return {(row["kind"], row["name"], row["change"]) for row in self.gemel("user", "sync")}


@pytest.fixture
def host(scratch, request):
    server = Host(scratch / request.node.name, options={"identity.nss": "yes", "identity.nss_seconds": 1})
    server.users.update(zoe=(ZOE, 100), yan=(YAN, ML), mia=(MIA, 100))
    server.groups.update(ml=(ML, ["zoe"]), users=(100, []))
    server.tell()
    yield server
    server.stop()
    server.assert_clean()
    server.check_store()


def soon(condition):
    deadline = time.monotonic() + BOUND
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.1)


@pytest.fixture
def place(host, kernel):
    """Starts the servers. reads(uid): may that uid read lab/f over NFS? The bucket is closed to others."""
    bucket = host.new_bucket(mode="0700")
    host.start()
    host.s3().put_object(Bucket=bucket, Key="lab/f", Body=b"x")
    target = kernel.mount(host.nfs_port, "/", target="/mnt/nss", options="actimeo=0")

    def reads(uid):
        kernel.run("echo 2 > /proc/sys/vm/drop_caches")
        return kernel.run(f"cat {target}/{bucket}/lab/f", uid=uid, gid=uid, check=False).rc == 0
    yield bucket, reads
    kernel.umount(target)


def test_grants_to_a_group_and_a_user(host, place):
    bucket, reads = place
    assert not any(map(reads, (ZOE, YAN, MIA)))
    host.gemel("grant", "reader", f"s3://{bucket}/lab", "--to", "group:ml")
    shown = host.gemel("group", "show", "ml")
    assert shown["nss_gid"] == ML and shown["members"] == ["zoe"]
    assert reads(ZOE) and not reads(MIA)
    # Whose primary group it is, once the store knows the user.
    host.gemel("user", "create", "yan", "--nss")
    soon(lambda: reads(YAN))
    host.gemel("grant", "reader", f"s3://{bucket}/lab", "--to", "user:mia")
    assert reads(MIA)
    zoe = host.gemel("user", "show", "zoe")
    assert (zoe["uid"], zoe["gid"], zoe["groups"], zoe["nss"], zoe["may_create_buckets"]) == (ZOE, 100, [ML], True, False)
    # Over S3 with a key of hers, she is the same.
    key = host.gemel("key", "create", "zoe")
    s3 = host.s3(key["id"], key["secret"])
    assert s3_can(s3.get_object, Bucket=bucket, Key="lab/f")
    assert host.gemel("access", "explain", "zoe", "s3:GetObject", f"s3://{bucket}/lab/f")["policy"].endswith("of group ml")
    # A command ends a right at once, and NSS in time: over both protocols.
    host.gemel("revoke", "reader", f"s3://{bucket}/lab", "--from", "user:mia")
    assert not reads(MIA)
    host.groups["ml"] = (ML, ["mia"])
    host.tell()
    soon(lambda: not reads(ZOE))
    assert reads(MIA) and not s3_can(s3.get_object, Bucket=bucket, Key="lab/f")
    del host.users["mia"]
    host.tell()
    soon(lambda: not reads(MIA))
    assert host.gemel("user", "show", "mia")["disabled"]
    assert "group ml mia joins" in re.sub(" +", " ", (host.home / "serve.log").read_text())


def test_the_policy_of_a_bucket_names_a_user(host, place):
    bucket, reads = place
    statement = {"Effect": "Allow", "Principal": {"AWS": "arn:aws:iam::000000000000:user/zoe"}, "Action": "s3:GetObject", "Resource": f"arn:aws:s3:::{bucket}/*"}
    host.s3().put_bucket_policy(Bucket=bucket, Policy=json.dumps({"Version": "2012-10-17", "Statement": [statement]}))
    soon(lambda: reads(ZOE))
    assert not reads(MIA)


def test_who_is_not_taken_over(host):
    """Names and uids that the store has are the store's, root is nobody's, and a uid that was another's stays refused."""
    host.gemel("user", "create", "yan", "--uid", 7001)     # another yan
    host.gemel("user", "create", "other", "--uid", MIA)    # has mia's uid
    host.gemel("user", "create", "ann", "--uid", ANN)      # NSS's ann is the same
    host.gemel("user", "create", "former", "--uid", 7002)
    host.gemel("user", "delete", "former")
    host.users.update(ann=(ANN, 100), toor=(0, 0), late=(7002, 100))
    host.users["dom\\ben"] = (5009, 100)
    host.groups["ml"] = (ML, ["zoe", "yan", "mia", "ann", "toor", "late", "dom\\ben", "nobody-knows"])
    host.tell()
    host.gemel("group", "create", "ml", "--nss")
    assert host.gemel("group", "show", "ml")["members"] == ["ann", "zoe"]
    told = host.sync()
    for name, why in (("mia", f"uid {MIA} is that of another user"), ("toor", "root's"), ("late", "was another user's"), ("dom\\ben", "names of up to"), ("nobody-knows", "knows no such user")):
        assert any(kind == "user" and who == name and why in change for kind, who, change in told), (name, told)
    assert not host.gemel("user", "show", "yan")["nss"] and not host.gemel("user", "show", "ann")["nss"]
    assert "--nss" in host.refused("user", "create", "late", "--uid", 7002, "--nss")
    assert "root's" in host.refused("user", "create", "toor", "--nss")
    assert "knows no such user" in host.refused("user", "create", "nowhere", "--nss")
    assert "knows no such group" in host.refused("group", "create", "nowhere", "--nss")
    assert "its members are" in host.refused("group", "add", "ml", "yan")
    assert "its members are" in host.refused("group", "remove", "ml", "ann")
    host.gemel("user", "create", "late", "--nss")          # an administrator may
    # The store's own groups take users of NSS.
    host.gemel("group", "create", "own")
    host.users["new"] = (5010, 100)
    host.tell()
    host.gemel("group", "add", "own", "new")
    assert host.gemel("user", "show", "new")["nss"]


def test_gone_and_back(host):
    host.gemel("user", "create", "zoe", "--nss")
    host.gemel("user", "create", "mia", "--nss", "--buckets")
    host.gemel("group", "create", "ml", "--nss")
    assert host.gemel("user", "show", "mia")["may_create_buckets"]
    shown = lambda name: host.gemel("user", "show", name)["disabled"]
    host.gemel("user", "update", "mia", "--disable")
    before = dict(host.users)
    host.users = {"root": (0, 0), "zoe": (9001, 100)}      # zoe's uid is another
    host.tell()
    assert ("user", "zoe", "gone: disabled") in host.sync() and shown("zoe") and shown("mia")
    assert host.gemel("group", "show", "ml")["members"] == []
    host.gemel("user", "update", "zoe", "--enable")
    assert not shown("zoe") and ("user", "zoe", "gone: disabled") in host.sync()
    host.users = before
    host.tell()
    told = host.sync()
    assert {("user", "zoe", "back: enabled"), ("group", "ml", "zoe joins")} <= told
    assert not shown("zoe") and shown("mia")               # whom an administrator disabled
    # The group's name with another gid is another group.
    host.groups["ml"] = (ML + 1, ["zoe"])
    host.tell()
    host.sync()
    assert host.gemel("group", "show", "ml")["members"] == []
    assert all("gone" in change or "another gid" in change for _, _, change in host.sync())


def test_switched_off(scratch):
    host = Host(scratch / "nss-off")
    host.users["zoe"] = (ZOE, 100)
    host.tell()
    for words in (("user", "create", "zoe", "--nss"), ("group", "create", "ml", "--nss"), ("user", "sync")):
        assert "identity.nss = yes" in host.refused(*words)
    assert "zoe" in host.refused("grant", "reader", "s3://demo", "--to", "user:zoe")
