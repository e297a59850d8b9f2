# SPDX-License-Identifier: Apache-2.0
"""The gemel program, its configuration, and what happens when something is wrong with them."""
import json
import re
import socket
import subprocess
import time
import urllib.parse
from pathlib import Path

import pytest

from harness import PROGRAM, TOP, Gemel


def run(*words, **kwargs):
    return subprocess.run([str(PROGRAM), *map(str, words)], capture_output=True, text=True, timeout=60, **kwargs)


def test_help_tells_every_noun():
    text = run("--help").stdout
    for noun in ("serve", "status", "bucket create", "user create", "key create", "store check", "config check"):
        assert noun in text
    for noun, verb in re.findall(r"^  ([a-z]+) ([a-z]+) ", text, re.M):
        told = run(noun, verb, "--help").stdout
        assert told.startswith(f"Usage: gemel {noun} {verb}") and run("help", noun, verb).stdout == told
        of_noun = run("help", noun).stdout
        assert f"  {noun} {verb} " in of_noun and run(noun, "--help").stdout == of_noun == run(noun, "help").stdout
    assert run("help").stdout == text == run("-h").stdout
    for options in (run("help", "user", "create").stdout, run("help", "bucket", "update").stdout):  # one column, also after a character of several bytes
        assert {re.match(r"  \S.*?  +(?=\S)", line).end() for line in options.splitlines() if line.startswith("  ")} == {36}
    listed = json.loads(run("--json", "help").stdout)
    assert [[o["name"] for o in v["options"]] for v in listed if (v["noun"], v["verb"]) == ("bucket", "update")] == [["owner", "mode"]]
    assert [v["verb"] for v in json.loads(run("--json", "help", "config").stdout)] == ["check", "show"]


def test_version():
    text = run("version")
    assert text.returncode == 0 and re.fullmatch(r"gemel \d+\.\d+\.\d+\n", text.stdout) and run("--version").stdout == text.stdout
    assert f'gemel {json.loads(run("version", "--json").stdout)["gemel"]}\n' == text.stdout


@pytest.mark.parametrize("words, said", [
    ("buckt list", "no noun is called 'buckt'; did you mean 'bucket'? See 'gemel help'"),
    ("create bucket b", "no noun is called 'create'; did you mean 'bucket create'?"),
    ("remove user u", "did you mean 'user delete'?"),
    ("start", "did you mean 'serve'?"),
    ("nonsense --help", "no noun is called 'nonsense'. See 'gemel help'"),
    ("help nonsense", "no noun is called 'nonsense'."),
    ("bucket creat b", "'bucket' has no verb 'creat'; did you mean 'bucket create'? See 'gemel help bucket'"),
    ("bucket rm b", "did you mean 'bucket delete'?"),
    ("help key creat", "did you mean 'key create'?"),
    ("key", "'gemel key' needs a verb"),
    ("status now", "'now' is one argument too many: it is 'gemel status'"),
    ("bucket create", "'gemel bucket create' needs NAME"),
    ("bucket show a b", "'b' is one argument too many"),
    ("grant reader s3://b user:ann", "'user:ann' is one argument too many: it is 'gemel grant ROLE PLACE --to WHOM'"),
    ("bucket show a b c d e", "'e' is one argument too many"),
    ("bucket create b --ownr u", "'bucket create' has no option --ownr; did you mean '--owner'? See 'gemel help bucket create'"),
    ("bucket create b --ownr=u", "did you mean '--owner'?"),
    ("bucket create b --nonsense", "'bucket create' has no option --nonsense. See"),
    ("bucket create b --owner", "--owner needs a value: USER"),
    ("bucket create b --owner --mode 700", "--owner needs a value: USER"),
    ("bucket create b -o u", "two dashes"),
    ("--owner u bucket create b", "The options of a verb follow it"),
    ("--jsn user list", "did you mean '--json'?"),
    ("user list --json=1", "--json takes no value"),
    ("user update u --disable=1", "--disable takes no value"),
    ("user list --config", "--config needs a value: FILE"),
    ("user update u", "changes the settings that its options name, and no option is given"),
    ("user update u --yes", "no option is given"),
    ("key update k", "no option is given"),
    ("bucket update b", "no option is given"),
    ("bucket quota b", "no option is given"),
    ("user update u --disable --enable", "--disable and --enable exclude each other"),
    ("user update u --buckets --no-buckets", "exclude each other"),
    ("key update k --sigv2 --no-sigv2", "exclude each other"),
    ("key update k --enable --disable", "exclude each other"),
])
def test_a_wrong_word_is_told_with_what_may_have_been_meant(words, said):
    """One line, exit status 2, and no configuration is needed."""
    done = run(*words.split(), env={"GEMEL_CONF": "/nonexistent"})
    assert (done.returncode, done.stdout) == (2, "") and done.stderr.startswith("gemel: ") and said in done.stderr.splitlines()[0], done


def test_the_configuration_comes_from_the_environment(tmp_path):
    conf = tmp_path / "g.conf"
    conf.write_text("[s3]\nregion = eu-west-9\n")
    assert json.loads(run("--json", "config", "show", env={"GEMEL_CONF": str(conf)}).stdout)["s3.region"] == "eu-west-9"
    assert json.loads(run("--json", f"--config={conf}", "config", "show", env={}).stdout)["s3.region"] == "eu-west-9"
    empty = run("config", "show", env={"GEMEL_CONF": ""})  # as if it were not set
    assert empty.returncode == 1 and "/etc/gemel/gemel.conf is not there" in empty.stderr and "GEMEL_CONF" in empty.stderr


def test_the_documented_configuration_is_the_default(tmp_path):
    """conf/gemel.conf names every option with its default."""
    documented = json.loads(run("-c", TOP / "conf" / "gemel.conf", "--json", "config", "show").stdout)
    empty = tmp_path / "empty.conf"
    empty.write_text("")
    defaults = json.loads(run("-c", empty, "--json", "config", "show").stdout)
    assert documented == defaults
    text = (TOP / "conf" / "gemel.conf").read_text()
    for dotted in defaults:
        assert re.search(rf"^{dotted.split('.')[1]} =", text, re.M), dotted


@pytest.mark.parametrize("lines, where, what", [
    ("[s3]\nport = 99999\n", 2, "s3.port = 99999: is out of range: 1 to 65535"),
    ("[s3]\n\nprot = 1\n", 3, "section [s3] has no option 'prot'"),
    ("[s3]\n\nprot = 1\n", 3, "did you mean 'port'?"),
    ("[s4]\n", 1, "no section is called [s4]; did you mean 's3'?"),
    ("[stroe]\n", 1, "no section is called [stroe]; did you mean 'store'?"),
    ("[nfs]\nregion = x\n", 2, "section [nfs] has no option 'region': write 'region' under [s3]"),
    ("[s3]\nnfs.port = 1\n", 2, "write 'port' under [nfs]"),
    ("port = 1\n", 1, "before the first section has no option 'port'"),
    ("[nfs]\nnonsense = 1\n", 2, "section [nfs] has no option 'nonsense'"),
    ("[nfs]\nsquash = some\n", 2, "must be one of the allowed words: root none all"),
    ("[nfs]\nenable = true\n", 2, "must be yes or no"),
    ("[store]\nhome = relative\n", 2, "must be an absolute path"),
    ("port 5\n", 1, "expected 'name = value'"),
    ("[s3]\naddress = localhost\n", 2, "must be an IPv4 or IPv6 address"),
    ("[s3]\nregion = a;b\n", 2, "holds a character that is not allowed here"),
    ("[s3]\nregion =\n", 2, "must not be empty"),
    ("[s3]\nconnections_per_address = 65536\n", 2, "is out of range: 1 to 65535"),
    ("[s3]\nport = 2049\n", 2, "S3 and NFS have the same port"),
    ("[nfs]\nthreads = 1\n", 2, "needs 2 or more"),
    ("[s3]\naddress = 0.0.0.0\n[nfs]\nport = 7480\n", 4, "S3 and NFS have the same port"),
])
def test_bad_configuration_is_refused_with_file_and_line(tmp_path, lines, where, what):
    conf = tmp_path / "bad.conf"
    conf.write_text(lines)
    done = run("-c", conf, "config", "check")
    assert done.returncode == 1 and f"{conf}:{where}: " in done.stderr and what in done.stderr


def test_all_errors_of_a_configuration_are_told(tmp_path):
    """A line each. What stands in a section that is not known is not told as well; of very many errors only their number."""
    conf = tmp_path / "bad.conf"
    conf.write_text(f"[s3]\nport = 0\n{'x' * 9000}\n[stroe]\nhome = /x\n[nfs\nport = 1\n[nfs]\nprot = 1\nsquash = some")
    told = [line.split(": ")[1] for line in run("-c", conf, "config", "check").stderr.splitlines() if line.startswith("gemel: ")]
    assert told == [f"{conf}:{line}" for line in (2, 3, 4, 6, 9, 10)]
    conf.write_text("x\n" * 30)
    told = run("-c", conf, "bucket", "list").stderr.splitlines()
    assert len(told) == 21 and f"{conf}:20: " in told[19] and told[20] == f"gemel: {conf}: 10 more errors follow"
    conf.write_text("[s3]\nport = 2049\ntls_key = /nonexistent\n[nfs]\nthreads = 1\n")
    told = run("-c", conf, "config", "check")
    assert told.returncode == 1 and [f"{conf}:{line}: " in text for line, text in zip((2, 5, 3, 3), told.stderr.splitlines(), strict=True)] == [True] * 4, told


def test_missing_things_say_what_to_do(tmp_path):
    conf = tmp_path / "g.conf"
    conf.write_text(f"[store]\nhome = {tmp_path}/home\n")
    assert "gemel store create" in run("-c", conf, "bucket", "list").stderr
    (tmp_path / "home" / "store").mkdir(parents=True)
    assert "gemel store create" in run("-c", conf, "bucket", "list").stderr
    (tmp_path / "home" / "store" / ".hidden").write_text("")
    for words in (("bucket", "list"), ("store", "create")):
        assert "home/store: this directory holds other files" in run("-c", conf, *words).stderr
    (tmp_path / "home" / "store" / ".hidden").rename(tmp_path / "home" / "store" / "making")
    assert "making this store was cut short" in run("-c", conf, "bucket", "list").stderr
    assert run("-c", conf, "store", "create").returncode == 0 and run("-c", conf, "bucket", "list").returncode == 0
    (tmp_path / "home" / "store" / "format").unlink()
    assert "the file 'format' of this store is missing" in run("-c", conf, "bucket", "list").stderr
    assert "it has lost its file 'format'" in run("-c", conf, "store", "create").stderr
    conf.write_text("[store]\nhome =\n")
    assert f"{conf}:2: store.home = : must not be empty" in run("-c", conf, "config", "check").stderr
    missing = run("-c", tmp_path / "none", "bucket", "list")
    assert missing.returncode == 1 and Path(re.search(r"\S*/gemel\.conf", missing.stderr).group()).is_file()
    assert run("nonsense").returncode == 2
    assert run("-c", conf, "bucket", "create").returncode == 2


def test_wrong_calls_say_what_is_wanted(gemel):
    """Exit status 2, as the manual page has it, and a text that names the rule."""
    gemel.gemel("user", "create", "erin", "--uid", 3010)
    gemel.gemel("key", "create", "erin", "--id", "ERINSKEY")
    for words, what in (
        ("bucket create some", "--owner USER is missing"), ("bucket create some --owner erin --mode 999", "not an octal mode"), ("bucket create b1 --owner erin", "3 to 63 lower-case letters"),
        ("bucket create some --owner erin --mode +7", "not an octal mode"), ("bucket create some --owner erin --mode 17777", "not an octal mode"), ("bucket update some --mode 0888", "not an octal mode"),
        ("user create u", "--uid N is missing"), ("user create \xfc --uid 1", "letters, digits"), (f"user create {'u' * 65} --uid 1", "1 to 64 letters"), ("user create u --uid 0x10", "not a number"),
        ("user create u --uid -1", "not a number from 0 to 4294967294\n"), ("user create u --uid 1K", "not a number"),
        ("bucket quota demo --bytes 1X", "K, M, G or T after it stand for 1024"), ("bucket quota demo --objects 9223372036854775808", "K, M, G or T"), ("bucket quota demo --bytes 8388608T", "to 9223372036854775807"),
        ("key create erin --id a/b", "--id a/b: a key's id has 1 to 128 letters, digits"), (f"key create erin --id {'k' * 129}", "1 to 128 letters"),
        ("user create u --uid 1 --groups 5,,6", "--groups 5,,6: not up to"), ("user create u --uid 1 --groups 5,", "not up to"), ("user create u --uid 1 --groups +5", "not up to"),
        ("user create u --uid 1 --groups 4294967295", "not up to"),
        # the name is looked at first: what else a call lacks is not its fault
        ("bucket create Bad_Name", "'Bad_Name' cannot be a bucket's name"), ("bucket create Bad_Name --owner nobody-there", "'Bad_Name' cannot be a bucket's name"),
        ("bucket create 10.0.0.1 --owner erin", "neither an IP address"), ("bucket create xn--b --owner erin", "S3 reserves"),
        ("user create a/b", "'a/b' cannot be a user's name"), ("key create nobody-there --id a/b", "--id a/b"),
        ("key create erin --expires 2027-02-30", "not a moment: 2027-01-31"), ("key rotate ERINSKEY --expires 1y", "not a moment: 2027-01-31"),
    ):
        done = gemel.gemel(*words.split(), json_out=False, check=False)
        assert (done.returncode, done.stdout) == (2, "") and what in done.stderr, (words, done)
    done = gemel.gemel("key", "create", "erin", "--id", "ERINSKEY", json_out=False, check=False)
    assert (done.returncode, done.stderr) == (1, "gemel: ERINSKEY: this key id exists already: choose another --id\n")
    done = gemel.gemel("key", "list", "nobody-there", json_out=False, check=False)
    assert done.returncode == 1 and "nobody-there: no such user; 'gemel user list' shows" in done.stderr
    for words, what in (
        ("bucket create some --owner nobody-there", "nobody-there: no such user"), ("bucket create demo --owner erin", "demo: there is a bucket of this name already"),
        ("bucket update demo --owner nobody-there", "nobody-there: no such user"), ("bucket update nowhere --mode 700", "nowhere: no such bucket; 'gemel bucket list' shows"),
        ("user create erin --uid 1", "erin: this user exists already"), ("key delete NOKEY", "NOKEY: no such access key; 'gemel key list' shows"),
        ("key create nobody-there --secret-file /nonexistent", "nobody-there: no such user"), ("key create erin --secret-file /nonexistent", "--secret-file /nonexistent: No such file"),
    ):
        done = gemel.gemel(*words.split(), json_out=False, check=False)
        assert (done.returncode, done.stdout) == (1, "") and what in done.stderr, (words, done)
    gemel.gemel("user", "delete", "erin", "--yes", json_out=False)


@pytest.mark.parametrize("said, uid", [("4294967294", 4294967294), ("2147483648", 2147483648), ("0123", 123)])
def test_every_uid_is_shown_as_it_is(gemel, said, uid):
    made = gemel.gemel("user", "create", "frank", "--uid", said)
    assert (made["uid"], made["gid"]) == (uid, uid)
    gemel.gemel("user", "delete", "frank", json_out=False)


def test_users_keys_buckets(gemel):
    gemel.gemel("user", "create", "carol", "--uid", 3001, "--groups", "5,6")
    assert gemel.gemel("user", "show", "carol")["groups"] == [5, 6]
    assert gemel.gemel("user", "create", "carol", "--uid", 3001, json_out=False, check=False).returncode == 1
    key = gemel.gemel("key", "create", "carol", "--id", "CAROLSKEY", "--secret-file", "-", stdin="a-secret-of-carol-1234\n")
    assert key["id"] == "CAROLSKEY" and "secret" not in key  # who brought it knows it
    listed = gemel.gemel("key", "list", "carol")
    assert [k["id"] for k in listed] == ["CAROLSKEY"] and "secret" not in listed[0]
    s3 = gemel.s3("CAROLSKEY", "a-secret-of-carol-1234")
    s3.create_bucket(Bucket="carols")
    assert gemel.gemel("bucket", "show", "carols")["owner"] == "carol"
    assert "carol owns buckets: carols; delete them, or" in gemel.gemel("user", "delete", "carol", json_out=False, check=False).stderr
    s3.put_object(Bucket="carols", Key="k", Body=b"12345")
    shown = gemel.gemel("bucket", "show", "carols")
    assert (shown["objects"], shown["bytes"]) == (1, 5)
    assert "not empty" in gemel.gemel("bucket", "delete", "carols", json_out=False, check=False).stderr
    s3.delete_object(Bucket="carols", Key="k")
    gemel.gemel("bucket", "delete", "carols", json_out=False)
    refused = gemel.gemel("user", "delete", "carol", json_out=False, check=False)
    assert refused.returncode == 2 and "carol has 1 access key, which would be deleted with the user" in refused.stderr and "--yes" in refused.stderr
    assert s3.list_buckets()["Buckets"] == []
    gemel.gemel("user", "delete", "carol", "--yes", json_out=False)
    with pytest.raises(s3.exceptions.ClientError):
        s3.list_buckets()


def at_terminal(gemel, answer, *words):
    """`gemel WORDS…` with a terminal, at which `answer` is typed: (exit status, what was shown)."""
    import os
    import pty

    pid, terminal = pty.fork()
    if pid == 0:
        os.execv(PROGRAM, [str(PROGRAM), "-c", str(gemel.conf), *words])
    shown = b""
    try:
        while part := os.read(terminal, 4096):
            shown += part
            if b"[y/N] " in shown and answer:
                os.write(terminal, answer)
                answer = b""
    except OSError:
        pass  # it has ended
    os.close(terminal)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), shown.decode()


def test_what_cannot_be_undone_is_asked(gemel):
    gemel.gemel("user", "create", "ivy", "--uid", 3020)
    gemel.gemel("key", "create", "ivy")
    for answer in (b"n\n", b"\n", b"x\n", b"\x04"):
        status, shown = at_terminal(gemel, answer, "user", "delete", "ivy")
        assert status == 1 and "ivy has 1 access key" in shown and "Delete the user? [y/N]" in shown and "nothing was changed" in shown, shown
    assert len(gemel.gemel("key", "list", "ivy")) == 1
    assert at_terminal(gemel, b"yes\n", "user", "delete", "ivy")[0] == 0
    assert gemel.gemel("user", "show", "ivy", json_out=False, check=False).returncode == 1
    gemel.gemel("user", "create", "ivy", "--uid", 3020)
    assert gemel.gemel("user", "delete", "ivy", json_out=False).returncode == 0  # nothing goes with it


def test_a_bucket_does_not_drop_uploads_in_silence(gemel):
    s3 = gemel.s3()
    s3.create_bucket(Bucket="half-sent")
    upload = s3.create_multipart_upload(Bucket="half-sent", Key="k")["UploadId"]
    s3.upload_part(Bucket="half-sent", Key="k", UploadId=upload, PartNumber=1, Body=b"x")
    refused = gemel.gemel("bucket", "delete", "half-sent", json_out=False, check=False)
    assert refused.returncode == 2 and "holds 1 unfinished multipart upload, which would be deleted with it" in refused.stderr
    assert s3.list_parts(Bucket="half-sent", Key="k", UploadId=upload)["Parts"]
    gemel.gemel("bucket", "delete", "half-sent", "--yes", json_out=False)
    assert "half-sent" not in [b["name"] for b in gemel.gemel("bucket", "list")]


def test_a_user_does_not_leave_its_buckets_in_silence(gemel):
    gemel.gemel("user", "create", "jack", "--uid", 3030)
    gemel.gemel("bucket", "create", "jacks", "--owner", "jack")
    refused = gemel.gemel("user", "update", "jack", "--uid", 3031, json_out=False, check=False)
    assert refused.returncode == 2 and "jack owns 1 bucket" in refused.stderr and "keep the uid 3030" in refused.stderr
    assert gemel.gemel("user", "update", "jack", "--uid", 3030, "--groups", "7")["groups"] == [7]
    assert gemel.gemel("user", "update", "jack", "--uid", 3031, "--yes")["uid"] == 3031
    assert gemel.gemel("bucket", "update", "jacks", "--owner", "jack")["uid"] == 3031
    gemel.gemel("bucket", "delete", "jacks", json_out=False)
    gemel.gemel("user", "delete", "jack", json_out=False)


def test_a_secret_that_is_brought_is_never_shown(gemel, tmp_path):
    gemel.gemel("user", "create", "kim", "--uid", 3040)
    good, short, blank = "SHUSH-a-good-secret-0", "SHUSH-short", "SHUSH a secret with blanks"
    for secret, why in ((short, "16 to 128 characters"), (blank, "no blanks"), ("SHUSH" * 40, "16 to 128 characters"), ("", "it is empty")):
        done = gemel.gemel("key", "create", "kim", "--secret-file", "-", stdin=secret and secret + "\n", json_out=False, check=False)
        assert done.returncode in (1, 2) and why in done.stderr and "SHUSH" not in done.stdout + done.stderr, done
    (tmp_path / "secret").write_text(good + "\n")
    for json_out, key_id in ((False, "KIM1"), (True, "KIM2")):
        done = run("-c", gemel.conf, *(["--json"] if json_out else []), "key", "create", "kim", "--id", key_id, "--secret-file", tmp_path / "secret")
        assert done.returncode == 0 and key_id in done.stdout and "SHUSH" not in done.stdout + done.stderr, done
        assert gemel.s3(key_id, good).list_buckets()["Buckets"] == []
    made = run("-c", gemel.conf, "key", "create", "kim").stdout  # nobody knows this one but by its being shown
    assert re.search(r"^secret +[A-Za-z0-9]{40}$", made, re.M)
    gemel.gemel("user", "delete", "kim", "--yes", json_out=False)


def test_a_bucket_gets_another_owner_and_mode(gemel):
    """In force over both protocols at once; what is in the bucket stays as it is."""
    s3 = {}
    for name, uid in (("lena", 3050), ("mark", 3051)):
        s3[name] = gemel.s3(*gemel.new_user(name, uid, gid=uid + 100))
    gemel.gemel("bucket", "create", "handed", "--owner", "lena")
    s3["lena"].put_object(Bucket="handed", Key="k", Body=b"lena's")
    client = gemel.s3()
    with pytest.raises(client.exceptions.ClientError, match="AccessDenied"):
        s3["mark"].list_objects_v2(Bucket="handed")
    shown = gemel.gemel("bucket", "update", "handed", "--owner", "mark")
    assert (shown["owner"], shown["uid"], shown["mode"], shown["objects"]) == ("mark", 3051, "0700", 1) and shown == gemel.gemel("bucket", "show", "handed")
    assert [o["Key"] for o in s3["mark"].list_objects_v2(Bucket="handed")["Contents"]] == ["k"]
    with pytest.raises(client.exceptions.ClientError, match="AccessDenied"):
        s3["lena"].get_object(Bucket="handed", Key="k")
    assert [b["Name"] for b in s3["mark"].list_buckets()["Buckets"]] == ["handed"] and not s3["lena"].list_buckets()["Buckets"]
    shown = gemel.gemel("bucket", "update", "handed", "--mode", "0755")
    assert (shown["owner"], shown["mode"]) == ("mark", "0755")
    assert s3["lena"].get_object(Bucket="handed", Key="k")["Body"].read() == b"lena's"
    shown = gemel.gemel("bucket", "update", "handed", "--owner", "lena", "--mode", "0")
    assert (shown["owner"], shown["mode"]) == ("lena", "0000")
    assert gemel.gemel("bucket", "create", "shut", "--owner", "lena", "--mode", "0")["mode"] == "0000"  # not the default
    gemel.gemel("bucket", "update", "handed", "--mode", "700")
    s3["lena"].delete_object(Bucket="handed", Key="k")
    for name in ("handed", "shut"):
        gemel.gemel("bucket", "delete", name, json_out=False)
    for name in s3:
        gemel.gemel("user", "delete", name, "--yes", json_out=False)
    assert gemel.gemel("store", "check")["problems"] == 0


def recovery(gemel):
    """What ganesha keeps to let clients claim their state after a restart."""
    return sorted(p.name for p in (gemel.home / "run" / "recovery").glob("v4*/*/*"))


def test_nfs_read(fresh):
    """What S3 wrote, of any size; as who runs it; and no state is left at the server."""
    import os

    s3 = fresh.s3()
    for name, size in (("empty", 0), ("one", 1), ("chunk", 256 << 10), ("more", (256 << 10) + 1), ("dir/large", 3000001)):
        body = os.urandom(size)
        s3.put_object(Bucket="demo", Key=name, Body=body)
        done = subprocess.run([PROGRAM, "-c", fresh.conf, "nfs", "read", f"/demo/{name}"], capture_output=True, timeout=60)
        assert (done.returncode, done.stderr) == (0, b"") and done.stdout == body, (name, done.stderr)
    s3.put_object(Bucket="demo", Key="text", Body="grüße\0".encode())
    assert fresh.gemel("nfs", "read", "demo/text") == {"path": "demo/text", "bytes": 8, "content": "grüße\0"}
    s3.put_object(Bucket="demo", Key="bytes", Body=b"\xff")
    assert fresh.gemel("nfs", "read", "demo/bytes") == {"path": "demo/bytes", "bytes": 1, "content": None}
    for path, said in (("/demo/none", "no such file"), ("/demo", "is a directory"), ("/none/x", "no such file"), ("/demo/text/x", "not a directory"), ("/" + "a/" * 65, "too long")):
        done = fresh.gemel("nfs", "read", path, json_out=False, check=False)
        assert (done.returncode, done.stdout) == (1, "") and f"{path}: " in done.stderr and said in done.stderr, done
    assert recovery(fresh) == []
    subprocess.run(["nfs-ls", fresh.nfs_url("/demo")], capture_output=True, check=True, timeout=60)
    assert len(recovery(fresh)) == 1  # a client that does leave state
    fresh.stop()
    fresh.start()
    assert fresh.gemel("nfs", "read", "demo/text")["bytes"] == 8 and "NOT IN GRACE" not in (fresh.home / "log" / "nfs.log").read_text().rpartition("Now IN GRACE")[2]
    fresh.kill("serve")
    fresh.kill("nfs")
    done = fresh.gemel("nfs", "read", "/demo/text", json_out=False, check=False)
    assert done.returncode == 1 and "the NFS server does not answer: 'gemel status'" in done.stderr
    fresh.kill("s3")


def test_durability(gemel):
    gemel.gemel("user", "create", "gert", "--uid", 3011)
    assert gemel.gemel("bucket", "create", "plain", "--owner", "gert")["durability"] == "strict"
    assert gemel.gemel("bucket", "create", "rough", "--owner", "gert", "--durability", "relaxed")["durability"] == "relaxed"
    assert gemel.gemel("bucket", "show", "rough")["durability"] == "relaxed"
    assert re.search(r"^durability +relaxed$", gemel.gemel("bucket", "show", "rough", json_out=False).stdout, re.M)
    assert {b["name"]: b["durability"] for b in gemel.gemel("bucket", "list") if b["owner"] == "gert"} == {"plain": "strict", "rough": "relaxed"}
    assert gemel.gemel("bucket", "durability", "plain", "relaxed")["durability"] == "relaxed"
    assert gemel.gemel("bucket", "quota", "plain", "--objects", 5)["durability"] == "relaxed"
    assert gemel.gemel("bucket", "durability", "plain", "strict")["durability"] == "strict"
    for words, status, text in (
        (("durability", "plain", "loose"), 2, "strict or relaxed"),
        (("create", "other", "--owner", "gert", "--durability", "none"), 2, "strict or relaxed"),
        (("durability", "plain"), 2, "HOW"),
        (("durability", "nowhere", "strict"), 1, "nowhere"),
    ):
        done = gemel.gemel("bucket", *words, json_out=False, check=False)
        assert (done.returncode, text in done.stderr) == (status, True), (words, done.stderr)
    for name in ("plain", "rough"):
        gemel.gemel("bucket", "delete", name, json_out=False)
    gemel.gemel("user", "delete", "gert", json_out=False)


def test_status_and_info(gemel):
    status = gemel.gemel("status")
    assert status["good"] and status["s3"]["answers"] and status["nfs"]["answers"]
    info = gemel.gemel("store", "info")
    assert len(info["uuid"]) == 32 and info["disk_available"] > 0


def test_json_of_every_verb(gemel, tmp_path):
    """Also of those that have nothing to tell."""
    read, trust = tmp_path / "read", tmp_path / "trust"
    read.write_text(json.dumps({"Statement": {"Effect": "Allow", "Action": "s3:GetObject", "Resource": "*"}}))
    trust.write_text(json.dumps({"Statement": {"Effect": "Allow", "Principal": {"AWS": "000000000000"}, "Action": "sts:AssumeRole"}}))
    gemel.s3().put_object(Bucket="demo", Key="js-read", Body=b"x")
    policy = gemel.home / "js-policy.json"
    policy.write_text('{"Statement": {"Effect": "Allow", "Action": "s3:GetObject", "Resource": "*"}}')
    wanted = {(v["noun"], v["verb"]) for v in json.loads(run("--json", "help").stdout)} - {("serve", None), ("store", "create"), ("user", "sync")}
    for words in (
        ["help", "help user", "version", "user create js --uid 77", "user show js", "user update js --groups 1,2", "user list", "key create js --id JSONSKEY", "key update JSONSKEY --disable", "key rotate JSONSKEY --id JSONSKEY2", "key list js", "key delete JSONSKEY", "key delete JSONSKEY2", "bucket create js-bucket --owner js",
         "bucket quota js-bucket --bytes 1G", "bucket durability js-bucket relaxed", "bucket update js-bucket --mode 750", "bucket show js-bucket", "bucket list", "bucket delete js-bucket",
         "user tag js --set a=b", "group create js-group", "group add js-group js", "group list", "group show js-group", "group remove js-group js", "group delete js-group", "role create js-role", "role tag js-role --set a=b", "role update js-role --max-session 7200", "role list", "role show js-role", f"role update js-role --trust {trust}", "role trust js-role", "role delete js-role",
         f"policy put js-policy --file {read}", "policy list", "policy get js-policy", "policy show js-policy", "policy attach js-policy --user js", "policy detach js-policy --user js", "policy boundary js-policy --user js", "policy boundary --remove --user js", "policy delete js-policy",
         "account show", "account public-access none", "bucket public-access demo none", "bucket ownership demo BucketOwnerEnforced", "bucket access demo either", "access explain js s3:GetObject s3://demo/js-read", "access list s3://demo/js-read", "grant reader s3://demo/js/ --to user:js", "revoke reader s3://demo/js/ --from user:js", f"policy simulate s3:GetObject s3://demo/a --file {policy}", "user delete js", "store info", "store check", "store recover", "store compact", "store sum", "config check", "config show", "status", "nfs read demo/js-read", f"policy lint {policy}"]
    ):
        done = run("-c", gemel.conf, "--json", *words.split())
        assert done.returncode == 0, (words, done.stderr)
        assert isinstance(json.loads(done.stdout), (dict, list)), words
        noun, verb, *_ = [*words.split(), None]
        wanted -= {(noun, verb), (noun, None)}
    assert not wanted


def test_systemd_is_told(scratch, monkeypatch):
    """Type=notify: READY=1 when both servers answer, STOPPING=1 at the end."""
    path = scratch / "notify"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as inbox:
        inbox.bind(str(path))
        inbox.settimeout(30)
        monkeypatch.setenv("NOTIFY_SOCKET", str(path))
        server = Gemel(scratch / "notified")
        server.start(wait=False)
        assert inbox.recv(100) == b"READY=1"
        assert server.gemel("status")["good"]
        server.stop()
        assert inbox.recv(100) == b"STOPPING=1"


def test_doors_listen_where_they_are_told_to(scratch):
    """At loopback means at no other address: NFS believes every uid that it is told. (`netns` gives a second address.)"""
    for address, others in (("127.0.0.1", ["127.0.0.2", "198.51.100.1", "::1"]), ("198.51.100.1", ["127.0.0.1", "::1"]), ("0.0.0.0", ["::1"])):
        server = Gemel(scratch / f"at-{address}", options={"s3.address": address, "nfs.address": address})
        server.start()
        for port in (server.s3_port, server.nfs_port):
            for other in others:
                with socket.socket(socket.AF_INET6 if ":" in other else socket.AF_INET) as client:
                    assert client.connect_ex((other, port)) != 0, (address, other, port)
        server.stop()
        server.assert_clean()


def test_version_3_without_rpcbind_says_so(scratch):
    server = Gemel(scratch / "v3", options={"nfs.v3": "yes"})
    done = run("-c", server.conf, "serve")
    assert done.returncode == 1 and "nfs.v3 = yes: NFSv3 needs rpcbind" in done.stderr


def raw_request(gemel, request):
    with socket.create_connection(("127.0.0.1", gemel.s3_port), timeout=10) as connection:
        connection.sendall(request)
        return connection.recv(1000)


def raw_get(gemel, url):
    parts = urllib.parse.urlsplit(url)
    return raw_request(gemel, f"GET {parts.path}?{parts.query} HTTP/1.1\r\nHost: {parts.netloc}\r\n\r\n".encode())


def access_log(gemel, key):
    """The lines about bucket demo (the supervisor asks for / now and then), once there is one about that key."""
    log = gemel.home / "log" / "s3-access.log"
    deadline = time.monotonic() + 5
    while f'"key":"{key}"'.encode() not in log.read_bytes() and time.monotonic() < deadline:
        time.sleep(0.1)
    return [line for line in map(json.loads, log.read_bytes().decode().splitlines()) if line.get("bucket") == "demo"]


def test_logs_can_be_moved_away(gemel):
    """As the manual page has it for logrotate."""
    text = (TOP / "man" / "gemel.8").read_text().replace("\\-", "-").replace("HOME", str(gemel.home))
    after = re.search(r"postrotate\n\s*(.+)\n", text).group(1)
    logs = gemel.home / "log"
    for path in logs.glob("*.log"):
        path.rename(f"{path}.1")
    subprocess.run(["sh", "-c", after], check=True)
    wait_for(lambda: (logs / "s3-access.log").exists())
    raw_request(gemel, b"GET /demo/after-the-move HTTP/1.1\r\nHost: localhost\r\n\r\n")
    assert access_log(gemel, "after-the-move")
    gemel.kill("nfs")  # it tells when it starts
    gemel.wait_ready()
    assert "NFS SERVER INITIALIZED" in (logs / "nfs.log").read_text()


def test_every_option_stands_in_the_manual_page():
    text = (TOP / "man" / "gemel.8").read_text().replace("\\-", "-")
    for noun, verb in [v for v in re.findall(r"^  ([a-z]+) ([a-z]+) ", run("--help").stdout, re.M) if v[0] != "gemel"]:
        assert f'"{noun} {verb}"' in text or f"{noun} {verb}\n" in text, (noun, verb)
        for option in re.findall(r"^  --([a-z0-9-]+)", run(noun, verb, "--help").stdout, re.M):
            assert f"--{option}" in text, (noun, verb, option)


def test_the_access_log_is_json(gemel):
    """One line of valid JSON for each request, whatever bytes it holds."""
    for request in (b"GET /demo/%ff%0a%22?x=\xff HTTP/1.1\r\nHost: localhost\r\nUser-Agent: \xff\xfe\"quote\\\r\n\r\n", b"garbage\r\n\r\n", b"GET /demo/log-me HTTP/1.1\r\nHost: localhost\r\n\r\n"):
        raw_request(gemel, request)
    line = access_log(gemel, "log-me")[-1]
    assert line["error"] == "AccessDenied" and len(line["request_id"]) == 16 and line["target"] == "/demo/log-me"
    assert not {"user", "access_key", "auth", "agent", "tls"} & line.keys()  # nothing to say


def test_the_access_log_says_who_signed_and_keeps_signatures_out(gemel):
    s3 = gemel.s3(signature_version="s3v4")
    s3.put_object(Bucket="demo", Key="signed", Body=b"x")
    url = s3.generate_presigned_url("get_object", Params={"Bucket": "demo", "Key": "signed", "ResponseContentType": "text/plain"})
    assert raw_get(gemel, url).startswith(b"HTTP/1.1 200 ")
    old = gemel.s3(signature_version="s3").generate_presigned_url("get_object", Params={"Bucket": "demo", "Key": "signed"})
    assert raw_get(gemel, old).startswith(b"HTTP/1.1 400 ")  # version 2 is off
    raw_request(gemel, b"GET /demo/signed?%58-amz-SIGNATUR%65=HUSH&x=1&Signature=HUSH&&X-Amz-Security-Token=HUSH&y&signature HTTP/1.1\r\nHost: localhost\r\n\r\n")
    raw_request(gemel, f"GET /demo/last?X-Amz-Credential={gemel.access_key}%2Fnonsense&X-Amz-Signature=HUSH HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
    lines = access_log(gemel, "last")
    put, get, v2, raw, last = lines[-5:]
    assert (put["operation"], put["auth"], put["access_key"], put["user"]) == ("PutObject", "header", gemel.access_key, "demo")
    assert (get["operation"], get["auth"], get["access_key"], get["user"]) == ("GetObject", "query", gemel.access_key, "demo")
    assert get["target"] == "/demo/signed?response-content-type=text%2Fplain" and "error" not in get
    assert (v2["auth"], v2["access_key"], v2["target"], v2["error"]) == ("query", gemel.access_key, "/demo/signed", "InvalidRequest") and "user" not in v2
    assert raw["target"] == "/demo/signed?x=1&&y" and "auth" not in raw
    assert last["target"] == "/demo/last" and last["error"] == "AuthorizationQueryParametersError" and "auth" not in last
    raw_request(gemel, f"GET /demo/long?x={'%22' * 2000}&Signature=HUSH HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
    assert access_log(gemel, "long")[-1]["target"] == ("/demo/long?x=" + "%22" * 2000)[:4096]  # as much as fits
    assert "HUSH" not in json.dumps(lines) and "aws4_request" not in json.dumps(lines)


@pytest.mark.parametrize("name, text, other, said", [
    ("libfsalgemel.so", rb"gemel_fsal_built_for [0-9.]+ ", b"gemel_fsal_built_for 4", "was built for nfs-ganesha 4, but the installed one reports: "),
    ("ngx_http_gemel_module.so", rb"[0-9],[0-9],[0-9],[01]{34}", b"9,9,9,", "was built for another nginx"),
])
def test_modules_for_another_server_are_told(scratch, name, text, other, said):
    import os
    import shutil

    server = Gemel(scratch / f"other-{name}")
    libraries = shutil.copytree(PROGRAM.parent.parent / "lib" / "gemel", server.home / "lib")
    before = (libraries / name).read_bytes()
    found = re.search(text, before).group()
    after = before.replace(found, other.ljust(len(found), b" " if b" " in found else b"0"))
    (libraries / name).write_bytes(after)
    done = run("-c", server.conf, "serve", env={**os.environ, "GEMEL_LIBDIR": str(libraries)})
    assert done.returncode == 1 and said in done.stderr, done.stderr


def test_only_one_supervisor(gemel):
    done = run("-c", gemel.conf, "serve")
    assert done.returncode == 1 and "another 'gemel serve' is running" in done.stderr


def wait_for(what):
    deadline = time.monotonic() + 30
    while not what():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def region_refused(server, region):
    """Is a request that is signed for this region refused?"""
    from botocore.exceptions import ClientError

    try:
        server.s3(region=region).list_buckets()
        return False
    except ClientError as error:
        assert error.response["Error"]["Code"] == "AuthorizationHeaderMalformed", error.response
        return True


def test_a_start_in_vain_does_not_hide_a_change_from_the_reload(scratch):
    import os
    import signal

    server = Gemel(scratch / "in-vain")
    server.start()
    server.write_conf({**server.values, "s3.region": "eu-west-1"})
    assert "another 'gemel serve' is running" in run("-c", server.conf, "serve").stderr
    os.kill(server.process.pid, signal.SIGHUP)
    wait_for(lambda: "S3 door: reloads" in (server.home / "serve.log").read_text())
    wait_for(lambda: region_refused(server, "us-east-1"))  # by the new workers
    wait_for(lambda: not region_refused(server, "eu-west-1"))  # the old ones may still take a connection
    server.stop()
    server.assert_clean()


def test_a_refused_start_leaves_no_trace(scratch):
    """The servers outlive the supervisor; a start with another configuration is refused; once its cause is gone, the same configuration is served."""
    server = Gemel(scratch / "refused")
    server.start()
    server.kill("serve")
    certificate = server.home / "certificate.pem"
    subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:1024", "-nodes", "-keyout", certificate, "-out", server.home / "c", "-subj", "/CN=x"], check=True, capture_output=True)
    certificate.write_text(certificate.read_text() + (server.home / "c").read_text())
    server.s3_port += 10000
    server.write_conf({**server.values, "s3.port": server.s3_port, "s3.tls_certificate": certificate, "s3.tls_key": certificate})
    assert "key too small" in run("-c", server.conf, "serve").stderr  # nginx finds that, after the files were written
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", certificate, "-out", server.home / "c", "-subj", "/CN=x"], check=True, capture_output=True)
    certificate.write_text(certificate.read_text() + (server.home / "c").read_text())
    server.allowed.append("key too small")
    server.start()
    server.stop()
    server.assert_clean()


def test_idle_connections_over_a_shells_limit_of_open_files(scratch):
    """Shells allow few open files, and more on request: s3.connections counts all the same."""
    import resource

    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    server = Gemel(scratch / "descriptors")
    resource.setrlimit(resource.RLIMIT_NOFILE, (256, hard))
    try:
        server.start()
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    idle = [socket.create_connection(("127.0.0.1", server.s3_port)) for _ in range(400)]
    assert server.s3().list_buckets()["Buckets"]
    for connection in idle:
        connection.close()
    server.stop()
    assert "open file" not in (server.home / "log" / "nginx-error.log").read_text()  # neither "too many open files" nor that it expects so
    server.assert_clean()


def test_a_stop_while_a_door_is_awaited(scratch):
    """A server that a killed supervisor left does not answer: SIGTERM ends the new one before it gives up on it."""
    import signal

    server = Gemel(scratch / "awaited")
    server.start()
    server.kill("serve")
    server.kill("s3", signal.SIGSTOP)
    server.start(wait=False)
    wait_for(lambda: "NFS door: pid" in (server.home / "serve.log").read_text())
    server.stop()
    log = (server.home / "serve.log").read_text()
    assert "stopping" in log and "does not answer" not in log, log


def test_a_taken_port_is_a_clear_error(scratch):
    server = Gemel(scratch / "taken")
    with socket.create_server(("127.0.0.1", server.s3_port)):
        done = run("-c", server.conf, "serve")
    assert done.returncode == 1 and f"port {server.s3_port}" in done.stderr and "s3.port" in done.stderr


def test_a_damaged_store_is_told(scratch):
    server = Gemel(scratch / "damaged")
    server.start()
    server.s3().put_object(Bucket="demo", Key="big", Body=bytes(200000))
    server.stop()
    blobs = [p for p in (server.home / "store" / "data").rglob("*") if p.is_file() and p.stat().st_size == 200000]
    assert len(blobs) == 1
    blobs[0].unlink()
    done = server.gemel("store", "check", json_out=False, check=False)
    assert done.returncode == 1 and "problem" in done.stdout


def test_what_the_store_says_is_told(scratch):
    """What happens inside the store reaches whoever runs the command, and the supervisor's log."""
    server = Gemel(scratch / "says")
    server.start()
    for which in ("serve", "nfs"):  # no other process that makes a checkpoint after the change
        server.kill(which)
    server.s3().put_object(Bucket="demo", Key="k", Body=b"v")
    server.kill_all()
    server.start(wait=False)  # whoever opens the store first tells it: no `gemel status` beside it
    wait_for(lambda: re.search(r"Z gemel: replayed [0-9]+ changes of the metadata log", (server.home / "serve.log").read_text()))
    server.wait_ready()
    server.stop()
    (server.home / "store" / "meta" / "redo").unlink()
    done = server.gemel("store", "info", json_out=False, check=False)
    assert done.returncode == 1 and "the metadata log (redo) is missing" in done.stderr, done.stderr


def test_one_door_alone(scratch):
    for off in ("s3", "nfs"):
        server = Gemel(scratch / f"without-{off}", options={f"{off}.enable": "no"})
        server.start()
        status = server.gemel("status")
        assert status["good"] and not status[off]["enabled"]
        server.stop()
        server.assert_clean()


def test_reload_switches_doors(scratch):
    import os
    import signal
    import time

    server = Gemel(scratch / "switches")
    server.start()
    values = dict(server.values)
    for s3, nfs in ((True, False), (False, True), (True, True)):
        server.write_conf({**values, "s3.enable": "yes" if s3 else "no", "nfs.enable": "yes" if nfs else "no"})
        os.kill(server.process.pid, signal.SIGHUP)
        deadline = time.monotonic() + 30
        while time.monotonic() < deadline:
            status = server.gemel("status", check=False)
            if (status["s3"]["enabled"], status["nfs"]["enabled"]) == (s3, nfs) and status["good"] and (bool(server.pids()["s3"]), bool(server.pids()["nfs"])) == (s3, nfs):
                break
            time.sleep(0.1)
        else:
            raise AssertionError((s3, nfs, status, server.pids(), server.logs()))
    server.stop()
    server.assert_clean()


def test_config_check_touches_nothing(tmp_path):
    """Not even what run.user will own."""
    home = tmp_path / "home"
    home.mkdir()
    before = home.stat()
    conf = tmp_path / "g.conf"
    conf.write_text(f"[store]\nhome = {home}\n[run]\nuser = nobody\n")
    tmp_path.chmod(0o755)
    assert run("-c", conf, "config", "check").returncode == 0 and run("-c", conf, "config", "show").returncode == 0
    assert (home.stat().st_uid, home.stat().st_ctime_ns) == (before.st_uid, before.st_ctime_ns)


def test_another_users_configuration_or_store(scratch):
    """Whoever may not read is told what to do, also when root became run.user."""
    import os
    import tempfile

    if os.geteuid() != 0:
        pytest.skip("only root can become somebody else")
    for place in PROGRAM.resolve().parents:
        if place.stat().st_mode & 1 == 0:
            pytest.skip(f"{place} keeps other users from the program")
    with tempfile.TemporaryDirectory(dir="/var/tmp", prefix="gemel-") as base:
        base = Path(base)
        base.chmod(0o755)
        conf = base / "gemel.conf"
        conf.write_text(f"[store]\nhome = {base}/home\n")
        assert run("-c", conf, "store", "create").returncode == 0
        conf.chmod(0o600)
        done = run("-c", conf, "nfs", "read", "/a/b", user=65534, group=65534, extra_groups=[])
        assert done.returncode == 1 and "permission denied: run gemel as a user who may read it" in done.stderr and "port and address of [nfs]" in done.stderr, done
        conf.write_text(f"[store]\nhome = {base}/home\n[run]\nuser = nobody\n")
        conf.chmod(0o644)
        done = run("-c", conf, "bucket", "list")
        assert done.returncode == 1 and f"{base}/home/store belongs to root, and run.user is nobody: give all of it to that user" in done.stderr, done


def test_root_becomes_run_user():
    """With run.user everything runs as, and belongs to, that user; nothing as root."""
    import os
    import shutil
    import tempfile

    if os.geteuid() != 0:
        pytest.skip("only root can become somebody else")
    for place in PROGRAM.resolve().parents:
        if place.stat().st_mode & 1 == 0:
            pytest.skip(f"{place} keeps other users from the program")
    base = Path(tempfile.mkdtemp(dir="/var/tmp", prefix="gemel-"))
    base.chmod(0o755)
    server = Gemel(base / "as-nobody", options={"run.user": "nobody"})
    server.start()
    try:
        server.s3().put_object(Bucket="demo", Key="k", Body=bytes(100000))
        pids = server.pids()
        assert pids["s3"] and pids["nfs"]
        for pid in sum(pids.values(), []):
            assert re.search(r"^Uid:\t65534\t65534", Path(f"/proc/{pid}/status").read_text(), re.M)
        assert {p.stat().st_uid for p in (server.home / "store").rglob("*")} == {65534}
    finally:
        server.stop()
    server.assert_clean()
    shutil.rmtree(base)


def reload(server, values):
    import os
    import signal

    server.write_conf(values)
    os.kill(server.process.pid, signal.SIGHUP)


@pytest.mark.parametrize("option", ["s3.port", "nfs.port", "s3.address", "nfs.address", "nfs.v3", "run.jemalloc", "run.user"])
def test_a_reload_that_cannot_be_done_changes_nothing(scratch, option):
    server = Gemel(scratch / f"cannot-{option}")
    server.allowed.append("203.0.113.9")  # nginx -t calls it an emergency
    server.start()
    pids, values = server.pids(), dict(server.values)
    with socket.create_server(("0.0.0.0", 19998)):
        reload(server, {**values, option: {"port": 19998, "address": "203.0.113.9", "v3": "yes", "jemalloc": "no", "user": "nobody"}[option.split(".")[1]]})
        wait_for(lambda: "not reloaded" in (server.home / "serve.log").read_text())
    if option != "run.user":  # the store is not that user's
        status = server.gemel("status")  # of what is served
        assert status["good"] and status["not_in_force"] == [option] and status["s3"]["port"] == server.s3_port, status
        said = server.gemel("status", json_out=False)
        assert f"not_in_force         {option}\n" in said.stdout and "has other values of these options than what is served" in said.stderr, said
    server.write_conf(values)
    assert server.pids() == pids and server.gemel("status")["not_in_force"] == []
    server.stop()
    server.assert_clean()


def test_reload_opens_the_doors_to_other_addresses(scratch):
    server = Gemel(scratch / "addresses", options={"s3.address": "127.0.0.1", "nfs.address": "127.0.0.1"})
    server.start()

    def answers(address):
        with socket.socket() as s3, socket.socket() as nfs:
            return [s3.connect_ex((address, server.s3_port)) == 0, nfs.connect_ex((address, server.nfs_port)) == 0]

    values = dict(server.values)
    for address in ("0.0.0.0", "127.0.0.1"):
        reload(server, {**values, "s3.address": address, "nfs.address": address})
        wait_for(lambda: (server.home / "run" / "ganesha.conf").read_text().count(f"Bind_Addr = {address};"))
        wait_for(lambda: answers("127.0.0.1") == [True, True] and answers("127.0.0.2") == [address == "0.0.0.0"] * 2 and answers("127.0.0.1") == [True, True])
    server.stop()
    server.assert_clean()


def test_reload_does_not_lose_requests(gemel):
    import os
    import signal
    import threading

    s3 = gemel.s3(retries={"total_max_attempts": 5, "mode": "standard"})
    failures = []

    def work():
        for i in range(150):
            body = os.urandom(200000)
            s3.put_object(Bucket="demo", Key=f"reload{i % 5}", Body=body)

    thread = threading.Thread(target=lambda: _catch(work, failures))
    thread.start()
    for level in ("debug", "info", "debug"):
        gemel.values["log.level"] = level
        gemel.write_conf(gemel.values)
        os.kill(gemel.process.pid, signal.SIGHUP)
        threading.Event().wait(0.7)
    thread.join()
    assert not failures, failures


def _catch(function, failures):
    try:
        function()
    except Exception as error:  # handed to the test, which fails on it
        failures.append(error)
