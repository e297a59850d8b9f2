# SPDX-License-Identifier: Apache-2.0
"""./quickstart as a newcomer runs it (the packages are there already)."""
import json
import os
import shutil
import signal
import socket
import stat
import subprocess
import sys
import tempfile
import urllib.error
import urllib.request
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from harness import BUILD, PROGRAM, TOP

PORTS = ["--s3-port", "17480", "--nfs-port", "12049"]


def quickstart(home, *words, timeout=280):
    env = {**os.environ, "GEMEL_HOME": str(home)}
    return subprocess.run([str(TOP / "quickstart"), *words], env=env, capture_output=True, text=True, timeout=timeout, stdin=subprocess.DEVNULL)


def environment(home):
    """What `set -a; . demo.env` sets in an empty shell."""
    path = str(home / "demo.env").replace("'", "'\\''")
    done = subprocess.run(["sh", "-c", f"set -a; . '{path}'; . '{path}'; env -0"], env={"PATH": "/usr/bin:/bin"}, capture_output=True, text=True, check=True)
    shown = dict(line.split("=", 1) for line in done.stdout.split("\0") if line)
    return {k: v for k, v in shown.items() if k not in ("PWD", "_", "SHLVL", "OLDPWD")}


def test_quickstart(scratch):
    import boto3

    home = scratch / "quick 'start'"
    done = quickstart(home, *PORTS, "--detach")
    try:
        assert done.returncode == 0, done.stdout + done.stderr
        env = environment(home)
        assert {path.name: stat.S_IMODE(path.stat().st_mode) for path in (home, *home.iterdir())} == {
            home.name: 0o700, "demo.env": 0o600, "gemel.conf": 0o600, "store": 0o700, "run": 0o700, "log": 0o700}
        assert set(env) == {"AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_ENDPOINT_URL", "AWS_REGION", "AWS_DEFAULT_REGION", "GEMEL_NFS_PORT", "GEMEL_NFS_EXPORT", "GEMEL_CONF", "PATH"}
        assert env["PATH"] == f"{PROGRAM.parent}:/usr/bin:/bin"  # once, however often it is read
        status = subprocess.run(["gemel", "status"], env=env, capture_output=True, text=True, timeout=60)
        assert status.returncode == 0 and "answers" in status.stdout, status
        steps = [line.split()[1] for line in done.stderr.splitlines() if line.startswith("== ")]
        assert steps == ["packages", "build", "store", "doors", "proof", "up"], done.stderr
        assert not list((home / "run" / "recovery").glob("v4recov/*/*"))  # the proof leaves nothing to reclaim
        told = next(line for line in done.stdout.splitlines() if "set -a" in line)  # as printed, it works
        assert subprocess.run(["sh", "-c", told + '; echo "$AWS_ENDPOINT_URL"'], capture_output=True, text=True, check=True).stdout.strip() == env["AWS_ENDPOINT_URL"]
        assert env["AWS_SECRET_ACCESS_KEY"] not in done.stdout and env["AWS_ENDPOINT_URL"] in done.stdout and "mount -t nfs4" in done.stdout
        s3 = boto3.client("s3", endpoint_url=env["AWS_ENDPOINT_URL"], region_name=env["AWS_REGION"], aws_access_key_id=env["AWS_ACCESS_KEY_ID"], aws_secret_access_key=env["AWS_SECRET_ACCESS_KEY"])
        assert b"Written through S3" in s3.get_object(Bucket="demo", Key="hello.txt")["Body"].read()
        port = urlsplit(env["AWS_ENDPOINT_URL"]).port
        assert f"localhost {socket.gethostname()}" in (home / "gemel.conf").read_text()  # s3.domains
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/healthz") as answer:
            assert json.load(answer)["status"] == "ok"
        for name in ("demo.localhost", f"demo.{socket.gethostname()}"):
            with pytest.raises(urllib.error.HTTPError, match="403") as refused:  # a bucket, and not "unknown host"
                urllib.request.urlopen(urllib.request.Request(f"http://127.0.0.1:{port}/hello.txt", headers={"Host": f"{name}:{port}"}))
            assert refused.value.headers["x-amz-bucket-region"] == env["AWS_REGION"]
        nfs_log = (home / "log" / "nfs.log").read_text()
        assert not [line for line in nfs_log.splitlines() if "errno" in line or "set dead" in line]  # of the proof
        s3.put_object(Bucket="demo", Key="kept", Body=b"kept")
        assert quickstart(home, "--detach").returncode == 1  # runs already
    finally:
        stopped = quickstart(home, "--stop")
    assert stopped.returncode == 0 and "Stopped" in stopped.stdout
    # the second start finds everything, and makes nothing again
    before = {path: path.stat().st_mtime_ns for path in PROGRAM.parent.parent.rglob("*")}
    (home / "gemel.conf").chmod(0o644)  # as an earlier quickstart left it
    done = quickstart(home, "--detach", timeout=60)
    try:
        assert done.returncode == 0, done.stdout + done.stderr
        assert s3.get_object(Bucket="demo", Key="kept")["Body"].read() == b"kept"
        assert {path: path.stat().st_mtime_ns for path in PROGRAM.parent.parent.rglob("*")} == before
        assert stat.S_IMODE((home / "gemel.conf").stat().st_mode) == 0o600
    finally:
        quickstart(home, "--stop")
    # It proves what is switched on.
    set_options(home / "gemel.conf", nfs_enable="no")
    last = quickstart(home, "--detach", timeout=60)
    quickstart(home, "--stop")
    assert last.returncode == 0 and "went in and came back through S3. NFS is switched off" in last.stdout and "mount -t" not in last.stdout, last.stdout + last.stderr
    set_options(home / "gemel.conf", nfs_enable="yes", s3_enable="no")
    last = quickstart(home, "--detach", timeout=60)
    quickstart(home, "--stop")
    assert last.returncode == 0 and "S3 is switched off (s3.enable). NFS has the directory demo" in last.stdout and "mount -t" in last.stdout, last.stdout + last.stderr
    # A store that is not there is not made anew while there is a key of it.
    (home / "store").rename(home / "away")
    last = quickstart(home, "--detach")
    assert last.returncode == 1 and "bring the store back" in last.stderr and not (home / "store").exists()
    (home / "away").rename(home / "store")
    text = (home / "demo.env").read_text()
    (home / "demo.env").write_text(text.replace("AWS_ACCESS_KEY_ID=", "AWS_ACCESS_KEY_ID=X"))
    last = quickstart(home, "--detach")
    assert last.returncode == 1 and "is not one of this store" in last.stderr, last.stderr
    (home / "demo.env").write_text(text)
    reset = next(line for line in done.stdout.splitlines() if line.startswith("  reset ")).split(None, 1)[1]
    assert subprocess.run(["sh", "-c", reset], cwd=TOP, capture_output=True, text=True, check=True).stdout.startswith("Nothing is running in ") and not home.exists()
    assert f"rm -rf {BUILD} && git -C {TOP} clean -fdX" in done.stdout  # the build is not tried away: it is the tests' own
    assert quickstart(home, "--stop").returncode == 0 and not home.exists()


def set_options(conf, **options):
    """section_name=value, in a gemel.conf that has the option."""
    section, lines = "", []
    for line in conf.read_text().splitlines():
        section = line.strip("[]") if line.startswith("[") else section
        name = line.partition(" ")[0]
        lines.append(f"{name} = {options.pop(f'{section}_{name}')}" if f"{section}_{name}" in options else line)
    assert not options
    conf.write_text("\n".join(lines) + "\n")


def test_https(scratch):
    """With a certificate the proof, the endpoint and what clients trust are those of HTTPS."""
    home, keys = scratch / "quickstart-https", scratch / "quickstart-certificates"
    keys.mkdir()
    for name, names in (("address", "IP:127.0.0.1"), ("name", "DNS:localhost"), ("other", "DNS:s3.example.com")):
        subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", keys / f"{name}.key", "-out", keys / f"{name}.pem", "-subj", "/CN=x", "-addext", f"subjectAltName={names}"], check=True, capture_output=True)
    home.mkdir()
    for name, host in (("address", "127.0.0.1"), ("name", "localhost"), ("other", "127.0.0.1")):
        (home / "gemel.conf").write_text(f"[store]\nhome = {home}\n[s3]\nport = 17540\ntls_certificate = {keys}/{name}.pem\ntls_key = {keys}/{name}.key\n[nfs]\nport = 12099\nsquash = none\n")
        done = quickstart(home, "--detach")
        try:
            assert done.returncode == 0 and f"https://{host}:17540" in done.stdout and "came back through NFS" in done.stdout, done.stdout + done.stderr
            env = environment(home)
            assert env["AWS_ENDPOINT_URL"] == f"https://{host}:17540" and ("clients refuse it" in done.stdout) == (name == "other")
            script = 'import boto3; print(boto3.client("s3").list_objects_v2(Bucket="demo")["KeyCount"])'
            told = subprocess.run([sys.executable, "-c", script], env={**env, "HOME": str(home), "AWS_EC2_METADATA_DISABLED": "true", "AWS_MAX_ATTEMPTS": "1"}, capture_output=True, text=True, timeout=60)
            assert (told.stdout.strip() == "1") == (name != "other"), told.stdout + told.stderr
        finally:
            quickstart(home, "--stop")


def test_stop_after_the_supervisor_was_killed(scratch):
    home = scratch / "quickstart-killed"
    assert quickstart(home, "--s3-port", "17550", "--nfs-port", "12109", "--detach").returncode == 0
    os.kill(int((home / "run" / "serve.lock").read_text()), signal.SIGKILL)
    assert socket.socket().connect_ex(("127.0.0.1", 17550)) == 0
    done = quickstart(home, "--stop")
    assert done.returncode == 0 and "The supervisor had been killed" in done.stdout, done
    assert [socket.socket().connect_ex(("127.0.0.1", port)) for port in (17550, 12109)] == [111, 111]
    assert quickstart(home, "--stop").stdout.startswith("Nothing is running")


def test_a_directory_of_another_program(scratch):
    """It is told what is wrong, and nothing is left there."""
    home = scratch / "quickstart-foreign"
    (home / "store").mkdir(parents=True)
    (home / "store" / "letters").write_text("x")
    done = quickstart(home, "--detach")
    assert done.returncode == 1 and f"{home}/store holds other files (letters), and no store" in done.stderr
    assert os.listdir(home) == ["store"] and os.listdir(home / "store") == ["letters"]


def test_a_build_with_other_options(tmp_path):
    """Everything is compiled again; without options, with the same ones or on a fresh clone it is not."""
    (tmp_path / "tools").mkdir()
    (tmp_path / "m4").mkdir()
    shutil.copy(TOP / "tools" / "build", tmp_path / "tools" / "build")
    for name in ("configure.ac", "m4/gemel.m4"):
        (tmp_path / name).touch()
    (tmp_path / "configure").write_text("""#!/bin/sh
touch config.status
printf 'all: object\\nobject:\\n\\techo compiled >> ../log; touch $@\\nclean:\\n\\trm -f object; echo clean >> ../log\\ninstalled.stamp: object\\n\\ttouch $@\\n' > Makefile
""")
    (tmp_path / "configure").chmod(0o755)
    env = {k: v for k, v in os.environ.items() if k != "GEMEL_BUILD"}
    log = []
    for options, done in ((["--enable-tests"], ["compiled"]), ([], []), (["--enable-tests"], []), (["--disable-assert"], ["clean", "compiled"]), ([], [])):
        subprocess.run([tmp_path / "tools" / "build", *options], env=env, check=True, capture_output=True, timeout=60)
        log += done
        assert (tmp_path / "log").read_text().split() == log, options


def test_what_is_missing_of_an_installation_comes_again(scratch):
    """tools/build installs after a change only: also a change of what it installed."""
    page = PROGRAM.parent.parent / "share" / "man" / "man8" / "gemel.8"
    text = page.read_text()
    for harm in (page.unlink, lambda: page.write_text("x")):
        harm()
        subprocess.run([TOP / "tools" / "build"], check=True, capture_output=True, timeout=280)
        assert page.read_text() == text


def test_a_start_does_not_wait_for_clients_that_may_claim(scratch):
    home = scratch / "quickstart-claims"
    ports = ["--s3-port", "17500", "--nfs-port", "12069"]
    first = quickstart(home, *ports, "--detach")
    try:
        assert first.returncode == 0 and "may claim" not in first.stderr, first.stderr
        subprocess.run(["nfs-ls", "nfs://127.0.0.1/demo?version=4&nfsport=12069"], check=True, capture_output=True, timeout=60)  # it says no good-bye
        quickstart(home, "--stop")
        second = quickstart(home, "--detach")
        assert second.returncode == 0 and "came back through NFS" in second.stdout and "may claim their files and locks for up to 45 s" in second.stderr, second.stderr
        refused = subprocess.run(["nfs-cat", "nfs://127.0.0.1/demo/hello.txt?version=4&nfsport=12069"], capture_output=True, text=True, timeout=60)
        assert refused.returncode != 0 and "NFS4ERR_GRACE" in refused.stderr and "NFS4ERR_GRACE" in second.stderr, refused
        assert "NOT IN GRACE" not in (home / "log" / "nfs.log").read_text().rpartition("Now IN GRACE")[2]
    finally:
        quickstart(home, "--stop")


def test_a_door_that_root_may_not_use(scratch):
    """With nfs.squash = root there is nothing that root could read back; the start says so."""
    if os.geteuid() != 0:
        pytest.skip("only root is squashed")
    home = scratch / "quickstart-squashed"
    home.mkdir()
    (home / "gemel.conf").write_text(f"[store]\nhome = {home}\n[s3]\nport = 17510\naddress = 198.51.100.1\n[nfs]\nport = 12079\naddress = 0.0.0.0\n")
    done = quickstart(home, "--detach")
    try:
        assert done.returncode == 0 and "It was not looked for over NFS: nfs.squash" in done.stdout, done.stdout + done.stderr
        assert "used by nobody: demo is root's, and nfs.squash = root keeps root out. Mount 127.0.0.1:/ for users" in done.stdout
        env = environment(home)
        assert env["AWS_ENDPOINT_URL"] == "http://198.51.100.1:17510" and env["GEMEL_NFS_EXPORT"] == "127.0.0.1:/demo"
    finally:
        quickstart(home, "--stop")


def test_a_taken_port(scratch):
    with socket.create_server(("127.0.0.1", 17490)):
        done = quickstart(scratch / "quickstart-taken", "--s3-port", "17490", "--nfs-port", "12059", "--detach")
        assert done.returncode == 1 and "port 17490 is used" in done.stderr and "quickstart: choose another port with --s3-port N" in done.stderr


def test_a_start_that_fails_keeps_no_port(scratch):
    """What was asked for is kept once the servers have answered there, and not before."""
    home = scratch / "quickstart-ports"
    for ports, said in ((("17520", "17520"), "S3 and NFS have the same port"), (("17520", "17521"), "choose another port with --nfs-port N")):
        with socket.create_server(("127.0.0.1", 17521)):
            done = quickstart(home, "--s3-port", ports[0], "--nfs-port", ports[1], "--detach")
        assert done.returncode == 1 and said in done.stderr and "--nfs-port N" in done.stderr, done.stderr
        conf = (home / "gemel.conf").read_text()
        assert "\nport = 7480\n" in conf and "\nport = 2049\n" in conf
    done = quickstart(home, "--detach", "--nfs-port", "12081")
    try:
        assert done.returncode == 0, done.stderr
        assert environment(home)["AWS_ENDPOINT_URL"].endswith(":7480") and environment(home)["GEMEL_NFS_PORT"] == "12081"
    finally:
        quickstart(home, "--stop")
    kept = environment(home)
    with socket.create_server(("127.0.0.1", 17522)):
        assert quickstart(home, "--s3-port", "17522", "--detach").returncode == 1
    assert environment(home) == kept and "\nport = 12081\n" in (home / "gemel.conf").read_text()


def test_another_region(scratch):
    """demo.env is all that boto3, which does not read AWS_REGION, needs to know."""
    home = scratch / "quickstart-region"
    home.mkdir()
    (home / "gemel.conf").write_text(f"[store]\nhome = {home}\n[s3]\nport = 17530\nregion = eu-west-9\n[nfs]\nport = 12089\nsquash = none\n")
    done = quickstart(home, "--detach")
    try:
        assert done.returncode == 0, done.stdout + done.stderr
        script = 'import boto3; s3 = boto3.client("s3"); print(s3.meta.region_name, s3.list_objects_v2(Bucket="demo")["KeyCount"], s3.head_bucket(Bucket="demo")["BucketRegion"])'
        env = {**environment(home), "HOME": str(home), "AWS_EC2_METADATA_DISABLED": "true"}
        told = subprocess.run([sys.executable, "-c", script], env=env, capture_output=True, text=True, timeout=60)
        assert told.stdout.split() == ["eu-west-9", "1", "eu-west-9"], told.stdout + told.stderr
    finally:
        quickstart(home, "--stop")


def test_the_home_of_another_user(scratch):
    """Nothing of it is touched, nor is it said that nothing runs there."""
    store = scratch / "quickstart-theirs" / "store"
    store.mkdir(parents=True)
    try:
        os.chown(store, 65534, 65534)
    except PermissionError:
        pytest.skip("only root can give a directory away")
    for words in (["--detach"], ["--stop"]):
        done = quickstart(store.parent, *words)
        assert done.returncode == 1 and "belongs to nobody" in done.stderr and os.listdir(store.parent) == ["store"]


def test_a_home_that_only_another_user_may_see():
    """It is told whose it is, also by number, and nothing is made; neither is a home that could not be built for."""
    if os.geteuid() != 0:
        pytest.skip("only root can become somebody else")
    base = Path(tempfile.mkdtemp(dir="/var/tmp", prefix="gemel-"))
    base.chmod(0o755)
    try:
        (base / "tools").mkdir()
        for name in ("quickstart", "tools/install", "tools/packages", "tools/build"):
            shutil.copy(TOP / name, base / name)
        (base / "configure.ac").touch()
        closed = base / "var"
        closed.mkdir(mode=0o700)
        env = {k: v for k, v in os.environ.items() if not k.startswith("GEMEL_")}

        def as_nobody(*words, **more):
            return subprocess.run([base / "quickstart", *words], env={**env, **more}, user=65534, group=65534, extra_groups=[], cwd="/", capture_output=True, text=True, timeout=60, stdin=subprocess.DEVNULL)

        for home in (closed, closed / "deep" / "down"):
            for uid, owner in ((0, "root"), (54321, "uid 54321")):
                os.chown(closed, uid, uid)
                for words in (["--detach"], ["--stop"]):
                    done = as_nobody(*words, GEMEL_HOME=str(home))
                    assert (done.returncode, done.stdout) == (1, "") and f"quickstart: {closed} belongs to {owner} and is closed to nobody: run this as that user" in done.stderr, done
        assert as_nobody("--stop", GEMEL_HOME=str(base / "none")).stdout == f"Nothing is running in {base}/none.\n"
        open_home = base / "open"
        open_home.mkdir()
        open_home.chmod(0o777)
        done = as_nobody("--detach", GEMEL_HOME=str(open_home / "var"))
        assert done.returncode == 1 and f"{base}/build cannot be made: set GEMEL_BUILD" in done.stderr and "quickstart: Gemel could not be built" in done.stderr and not list(open_home.iterdir()), done
        (base / "build").mkdir()
        os.chown(base / "build", 54321, 54321)
        done = as_nobody("--detach", GEMEL_HOME=str(open_home / "var"))
        assert done.returncode == 1 and f"{base}/build belongs to uid 54321: build as that user" in done.stderr and not list(open_home.iterdir()), done
    finally:
        shutil.rmtree(base)


def test_bad_words(scratch):
    assert quickstart(scratch / "q", "--s3-port", "x").returncode == 1
    for word, said in (("--stpo", "there is no option '--stpo'."), ("stop", "there is no option 'stop'; did you mean '--stop'?"), ("-stop", "there is no option '-stop'; did you mean '--stop'?")):
        done = quickstart(scratch / "q", word)
        assert (done.returncode, done.stderr) == (2, f"quickstart: {said} See './quickstart --help'\n")
    told = quickstart(scratch / "q", "--help").stdout
    assert "--detach" in told and "GEMEL_BUILD" in told

class Forward:
    """Accepts connections at (address, port) and joins each with one to `target`."""

    def __init__(self, address, port, target):
        import threading

        self.listener = socket.create_server((address, port))
        self.target = target
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        import threading

        while True:
            try:
                one, _ = self.listener.accept()
            except OSError:
                return
            two = socket.create_connection(self.target)
            for a, b in ((one, two), (two, one)):
                threading.Thread(target=self.pump, args=(a, b), daemon=True).start()

    @staticmethod
    def pump(a, b):
        try:
            while data := a.recv(1 << 16):
                b.sendall(data)
            b.shutdown(socket.SHUT_WR)
        except OSError:
            pass  # the other direction ended first

    def close(self):
        self.listener.close()


def test_the_lines_of_the_readme(scratch, kernel):
    """README.md's own lines as they stand, but for var/ and Python's path: S3 here, the mount on another machine whose port 2049 leads to the server."""
    text = (TOP / "README.md").read_text()
    shell = [line.strip() for line in text.split("Then:")[1].split("```python")[0].splitlines() if line.strip()]
    python = text.split("```python\n")[1].split("```")[0]
    assert [line.split()[0] for line in shell] == ["set", "aws", "mount", "cat"], shell
    home = scratch / "readme"
    done = quickstart(home, "--detach")  # the ports of the README are free here
    assert done.returncode == 0, done.stdout + done.stderr
    forward = Forward(kernel.peer, 12990, ("127.0.0.1", 2049))
    try:
        here = [line.replace("var/demo.env", f"{home}/demo.env") for line in shell[:2]]
        clean = {k: v for k, v in os.environ.items() if not k.startswith("AWS_")}
        env = {**clean, "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}", "HOME": str(home), "AWS_EC2_METADATA_DISABLED": "true"}
        script = "\n".join(["set -e", *here, "python3 - <<'END'", python, "END"])
        subprocess.run(["bash", "-c", script], cwd=TOP, env=env, check=True, capture_output=True, timeout=120)
        kernel.run(f"""cat > /run/forward.py <<'END'
import socket, threading
def pump(a, b):
    try:
        while data := a.recv(1 << 16): b.sendall(data)
        b.shutdown(1)
    except OSError: pass
listener = socket.create_server(("127.0.0.1", 2049))
while True:
    one, _ = listener.accept()
    two = socket.create_connection(("{kernel.peer}", 12990))
    for pair in ((one, two), (two, one)): threading.Thread(target=pump, args=pair, daemon=True).start()
END
setsid /usr/bin/python3 /run/forward.py > /dev/null 2>&1 < /dev/null & echo $! > /run/forward.pid; sleep 0.5""")
        try:
            assert kernel.run("\n".join(["set -e", *shell[2:]])).text == text
            assert kernel.run("cat /mnt/a/b").text == "seen at /mnt/a/b at once"
            kernel.run("umount /mnt")
        finally:
            kernel.run("kill $(cat /run/forward.pid)")
    finally:
        forward.close()
        quickstart(home, "--stop")


def test_the_lines_of_the_readme_for_another_machine(scratch, kernel):
    """With the ports open as README.md has it, and SERVER, ID and SECRET filled in: S3 at an address that is not loopback, the mount on another machine."""
    section = (TOP / "README.md").read_text().split("### From another machine")[1].split("###")[0]
    lines = [line.strip() for line in section.splitlines() if line.startswith("    ")]
    assert [line.split()[0] for line in lines] == ["ssh", "gemel", "gemel", "gemel", "export", "aws", "mount", "cat"], lines
    home = scratch / "readme-remote"
    assert quickstart(home, "--detach").returncode == 0
    quickstart(home, "--stop")
    conf = home / "gemel.conf"
    conf.write_text(conf.read_text().replace("\naddress = 127.0.0.1\n", "\naddress = 0.0.0.0\n").replace("\nsquash = none\n", "\nsquash = root\n"))
    assert conf.read_text().count("address = 0.0.0.0\n") == 2 and "squash = root\n" in conf.read_text()
    done = quickstart(home, "--detach")
    try:
        assert done.returncode == 0, done.stdout + done.stderr
        clean = {"PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}", "HOME": str(home), "AWS_EC2_METADATA_DISABLED": "true"}
        made = subprocess.run(["sh", "-ec", f"set -a; . {home}/demo.env; set +a\n" + "\n".join(lines[1:4])], env=clean, check=True, capture_output=True, text=True, timeout=60).stdout
        key = dict(line.split() for line in made.splitlines() if line.split()[0] in ("id", "secret"))
        client = "\n".join(lines[4:6]).replace("SERVER", kernel.peer).replace("=ID", f"={key['id']}").replace("=SECRET", f"={key['secret']}")
        subprocess.run(["sh", "-ec", client], cwd=TOP, env=clean, check=True, capture_output=True, timeout=120)
        kernel.run(lines[6].replace("SERVER", kernel.peer))
        try:
            assert kernel.run(lines[7], uid=1001, gid=1001).text == (TOP / "README.md").read_text()
        finally:
            kernel.run("umount /mnt")
    finally:
        quickstart(home, "--stop")
