# SPDX-License-Identifier: Apache-2.0
"""What policies cost: instructions in the core (callgrind), and the servers' processor time and latency in interleaved rounds, by the number of statements. See README.md here."""
import argparse
import http.client
import json
import math
import os
import random
import re
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
TOP = HERE.parent.parent
TOOLS = TOP / "build" / "bench"
UID = 1000
PLACE = "p005/a/b"
FILES = 100
COUNT = 1000  # operations that callgrind counts
OPERATIONS = ["getattr", "directory", "lookup", "read", "each", "get"]


def statement(number, principal=False):
    who = '"Principal":"*",' if principal else ""
    return f'{{"Effect":"Allow",{who}"Action":"s3:GetObject","Resource":"arn:aws:s3:::demo/p{number:03}/*"}}'


def single(number):
    return f'{{"Effect":"Allow","Action":"s3:GetObject","Resource":"arn:aws:s3:::demo/{PLACE}/f{number}"}}'


def document(statements):
    return '{"Version":"2012-10-17","Statement":[' + ",".join(statements) + "]}"


def give(gemel, text, *whose):
    with tempfile.NamedTemporaryFile("w", suffix=".json") as file:
        file.write(text)
        file.flush()
        gemel.gemel("policy", "put", *whose, "--file", file.name, json_out=False)


def give_identity(gemel, statements):
    """Managed policies of 60 statements; those that a user may not have any more come by a group."""
    gemel.gemel("group", "create", "many", json_out=False)
    gemel.gemel("group", "add", "many", "demo", json_out=False)
    for i in range(0, len(statements), 60):
        give(gemel, document(statements[i : i + 60]), f"part{i}")
        owner = ["--user", "demo"] if i < 600 else ["--group", "many"]
        gemel.gemel("policy", "attach", f"part{i}", *owner, json_out=False)


def no_policy(gemel):
    pass


def of_another(gemel):
    gemel.new_user("other", 1001)
    give(gemel, document([statement(1)]), "own", "--user", "other")


def identity(count):
    return lambda gemel: give_identity(gemel, [statement(i) for i in range(count)])


def bucket(count):
    return lambda gemel: give(gemel, document([statement(i, True) for i in range(count)]), "--bucket", "demo")


def singles(gemel):
    give_identity(gemel, [single(i) for i in range(100)])


# 200 is what a policy of a bucket has room for.
SETUPS = {
    "none": no_policy, "of another": of_another, "identity 10": identity(10), "identity 100": identity(100), "identity 1000": identity(1000),
    "bucket 10": bucket(10), "bucket 100": bucket(100), "bucket 200": bucket(200), "single keys 100": singles,
}


def fill(gemel, setup):
    """A store with 100 files of 4 KiB, of user demo, and the policies."""
    SETUPS[setup](gemel)
    s3 = gemel.s3(signature_version="s3v4")
    for i in range(FILES):
        s3.put_object(Bucket="demo", Key=f"{PLACE}/f{i}", Body=bytes(4096))
    return s3


# ---- the core


def instructions(store, operation):
    """Of one operation."""
    with tempfile.NamedTemporaryFile() as out:
        words = ["valgrind", "--tool=callgrind", f"--callgrind-out-file={out.name}", "--toggle-collect=bench_run", str(TOOLS / "access"), store, str(UID), operation, str(COUNT)]
        done = subprocess.run(words, capture_output=True, text=True)
        if done.returncode != 0:
            raise SystemExit(done.stderr)
        total = next(line for line in Path(out.name).read_text().splitlines() if line.startswith(("totals:", "summary:")))
    return int(total.split()[1]) / COUNT


def core(home):
    from harness import Gemel

    print("instructions of one operation in the core, and what they are of those without policies")
    print(f"{'':16}" + "".join(f"{operation:>16}" for operation in OPERATIONS))
    base, found = {}, {}
    for setup in SETUPS:
        gemel = Gemel(home / setup.replace(" ", "-"), uid=UID, options={"store.metadata_max": "1G"})  # valgrind maps no more
        gemel.start()
        fill(gemel, setup)
        gemel.stop()
        store = next(gemel.home.rglob("data.mdb")).parent.parent
        row = {operation: instructions(str(store), operation) for operation in OPERATIONS}
        base = base or row
        print(f"{setup:16}" + "".join(f"{row[o]:9.0f} {row[o] / base[o]:5.3f} " for o in OPERATIONS), flush=True)
        found[setup] = row
    return found


# ---- whole requests


def counted(words, env, request, least, most):
    """Instructions of one request in a server under callgrind: the difference of two runs, without its start and its end."""
    totals = []
    for count in (least, most):
        with tempfile.TemporaryDirectory() as out:
            server = subprocess.Popen(["valgrind", "--tool=callgrind", f"--callgrind-out-file={out}/run", *words], env=env, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            deadline = time.monotonic() + 120
            while not request(count):
                if server.poll() is not None or time.monotonic() > deadline:
                    raise SystemExit(f"{words[0]} does not answer under valgrind")
                time.sleep(0.5)
            server.terminate()
            server.wait(120)
            lines = [line for file in Path(out).iterdir() for line in file.read_text(errors="replace").splitlines()]
        totals.append(sum(int(line.split()[1]) for line in lines if line.startswith("totals:")))
    return (totals[1] - totals[0]) / (most - least)


def count(tree, home, port, setup):
    """In a process of its own, as serve: GET by nginx alone, without a master, and GETATTR by ganesha."""
    import itertools

    import harness

    harness._ports = itertools.count(port, 2)
    room = re.search(r'"(store\.\w+)": "64G"', (tree / "tests/harness.py").read_text())[1]
    gemel = harness.Gemel(home, uid=UID, options={room: "1G"})  # valgrind maps no more
    gemel.start()
    url = fill(gemel, setup).generate_presigned_url("get_object", Params={"Bucket": "demo", "Key": f"{PLACE}/f0"}, ExpiresIn=36000)
    pid = gemel.pids()["nfs"][0]
    words = Path(f"/proc/{pid}/cmdline").read_text().split("\0")[:-1]
    env = dict(entry.split("=", 1) for entry in Path(f"/proc/{pid}/environ").read_text().split("\0") if entry)
    gemel.stop()
    conf = next(gemel.home.rglob("nginx.conf"))
    conf.write_text(re.sub(r"worker_processes \d+;", "worker_processes 1; master_process off;", conf.read_text()))
    host, path = url.split("/", 3)[2:]

    def gets(number):
        connection = http.client.HTTPConnection(host, timeout=60)
        try:
            connection.connect()
        except OSError:
            return False
        for _ in range(number):
            connection.request("GET", f"/{path}")
            answer = connection.getresponse()
            if len(answer.read()) != 4096 or answer.status != 200:
                raise SystemExit(f"GET: {answer.status}")
        connection.close()
        return True

    def getattrs(number):
        place = f"nfs://127.0.0.1/demo/{PLACE}?version=4&nfsport={gemel.nfs_port}&uid={UID}&gid={UID}"
        return subprocess.run([str(TOOLS / "nfs_load"), place, "getattr:f0", str(number), "1"], capture_output=True).returncode == 0

    get = counted(["nginx", "-p", str(conf.parent), "-c", str(conf), "-e", str(home / "nginx.log")], None, gets, 200, 1200)
    print(json.dumps([get, counted(words, env, getattrs, 500, 2500)]))


def requests(home, other, setups):
    print("instructions of one request in the whole server: GET 4 KiB, NFS GETATTR; and what they are of those without policies")
    none = None
    for i, (tree, setup) in enumerate([(TOP, setup) for setup in setups] + ([(other, "none")] if other else [])):
        words = [sys.executable, __file__, "count", str(tree), str(home / f"count{i}"), str(35000 + 100 * i), setup]
        done = subprocess.run(words, env={**os.environ, "GEMEL_BUILD": str(built(tree))}, stdout=subprocess.PIPE, text=True, check=True)
        found = json.loads(done.stdout)
        none = none or found
        print(f"  {setup if tree == TOP else 'other tree':16}" + "".join(f"{a:10.0f} {a / b:.3f}" for a, b in zip(found, none)), flush=True)


# ---- the servers


def serve(tree, home, port, setup):
    """In a process of its own, for the harness of each tree: a store and its servers until a line comes."""
    import itertools

    import harness

    harness._ports = itertools.count(port, 2)
    gemel = harness.Gemel(home, uid=UID)
    gemel.start()
    s3 = fill(gemel, setup)
    url = s3.generate_presigned_url("get_object", Params={"Bucket": "demo", "Key": f"{PLACE}/f0"}, ExpiresIn=36000)
    print(json.dumps({"url": url, "nfs": gemel.nfs_port, "pids": gemel.pids()}), flush=True)
    sys.stdin.readline()
    gemel.stop()


class Side:
    def __init__(self, tree, home, port, setup):
        words = [sys.executable, __file__, "serve", str(tree), str(home), str(port), setup]
        self.process = subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env={**os.environ, "GEMEL_BUILD": str(built(tree))})
        self.facts = json.loads(self.process.stdout.readline())

    def spent(self, which):
        """us of processor time, of threads that have ended too."""
        ticks = 0
        for pid in self.facts["pids"][which]:
            ticks += sum(map(int, Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[11:13]))
        return ticks * 1e6 / os.sysconf("SC_CLK_TCK")

    def get(self):
        url = self.facts["url"]
        before = self.spent("s3")
        done = subprocess.run(["wrk", "-t1", "-c8", "-d1s", "--latency", "-s", str(HERE / "get.lua"), url], capture_output=True, text=True, check=True)
        rate, bad, broken, p50, _ = (float(w) for w in next(line for line in done.stdout.splitlines() if line.startswith("RESULT")).split()[1:])
        if bad or broken:
            raise SystemExit(f"{url}: {bad:.0f} error answers")
        return (self.spent("s3") - before) / rate, p50 * 1e3

    def nfs(self, operation, count):
        url = f"nfs://127.0.0.1/demo/{PLACE}?version=4&nfsport={self.facts['nfs']}&uid={UID}&gid={UID}"
        before = self.spent("nfs")
        done = subprocess.run([str(TOOLS / "nfs_load"), url, operation, str(count), "1"], capture_output=True, text=True, check=True)
        return (self.spent("nfs") - before) / count, 1e6 / float(done.stdout)

    def end(self):
        self.process.communicate("\n")


LOADS = {"GET 4 KiB": Side.get, "NFS GETATTR": lambda side: side.nfs("getattr:f0", 5000), "NFS LOOKUP": lambda side: side.nfs("lookup:f0", 5000)}


def built(tree):
    production = Path(tree) / "build" / "production"
    return production if production.exists() else Path(tree) / "build"


def ratio(values, others):
    """The mean of the paired ratios, and its standard error, by their logarithms."""
    logs = [math.log(a / b) for a, b in zip(values, others)]
    return math.exp(statistics.mean(logs)), statistics.stdev(logs) / math.sqrt(len(logs))


def servers(home, rounds, other, setups):
    sides = {}
    try:
        for i, setup in enumerate(setups):
            sides[setup] = Side(TOP, home / f"side{i}", 20000 + 100 * i, setup)
        if other:
            sides["other tree"] = Side(other, home / "other", 30000, "none")
        found = {name: {setup: [] for setup in sides} for name in LOADS}
        for number in range(rounds + 1):
            order = list(sides)
            random.Random(number).shuffle(order)
            for name, load in LOADS.items():
                for setup in order:
                    one = load(sides[setup])
                    if number > 0:  # the first round warms up
                        found[name][setup].append(one)
    finally:
        for side in sides.values():
            side.end()
    for name, by_setup in found.items():
        print(f"{name}: us of the server's processor and of latency for one; their ratios to no policy ± standard error ({rounds} rounds)")
        for setup, values in by_setup.items():
            text = ""
            for column in range(2):
                mine, none = [v[column] for v in values], [v[column] for v in by_setup["none"]]
                mean, error = ratio(mine, none) if setup != "none" else (1, 0)
                text += f"  {statistics.median(mine):8.1f}  {mean:.3f} ± {error:.3f}"
            print(f"  {setup:16}{text}", flush=True)
    return found


def main():
    if sys.argv[1:2] in (["serve"], ["count"]):
        sys.path.insert(0, str(Path(sys.argv[2]) / "tests"))
        (serve if sys.argv[1] == "serve" else count)(Path(sys.argv[2]), Path(sys.argv[3]), int(sys.argv[4]), sys.argv[5])
        return
    sys.path.insert(0, str(TOP / "tests"))
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", choices=["core", "requests", "servers"])
    parser.add_argument("--rounds", type=int, default=20)
    parser.add_argument("--setups", default="none,identity 10,identity 100,identity 1000,bucket 100", help="of requests and servers; the first is none")
    parser.add_argument("--other", help="the tree of another version, built: its servers without policies are measured beside")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="gemel-access-") as home:
        start = time.monotonic()
        if args.only in (None, "core"):
            core(Path(home))
        if args.only in (None, "requests"):
            requests(Path(home), args.other, args.setups.split(","))
        if args.only in (None, "servers"):
            servers(Path(home), args.rounds, args.other, args.setups.split(","))
        print(f"{time.monotonic() - start:.0f} s")


if __name__ == "__main__":
    main()
