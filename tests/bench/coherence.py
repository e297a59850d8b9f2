# SPDX-License-Identifier: Apache-2.0
"""How long a kernel client's own cache hides what S3 changed, and what each mount option costs; one Linux client, one mount for each option."""
import argparse
import json
import shutil
import socket
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

HERE = Path(__file__).resolve().parent
TOP = HERE.parent.parent
sys.path.insert(0, str(TOP / "tests"))
from harness import Gemel  # noqa: E402
from uml.client import KernelClient  # noqa: E402

OPTIONS = ("", "lookupcache=positive", "actimeo=1", "lookupcache=positive,actimeo=1", "lookupcache=none", "actimeo=0", "noac", "nocto,actimeo=600")
PORT = 7300
DIRECTORIES, FILES = 20, 50  # of the tree whose walk is timed
LIMIT = 70  # seconds after which a change that is not seen is given up: the longest default of the client is 60

# Each change has three directories of its own, so that no way of looking refreshes what another one has cached.
CHANGES, LOOKS = ("overwrite", "delete", "create"), ("stat", "list", "read")

WATCH = """
import json, os, socket, sys, time
os.chdir(sys.argv[1]); age = float(sys.argv[2])
server = socket.create_server((sys.argv[3], int(sys.argv[4]))); peer, _ = server.accept(); talk = peer.makefile("rw")
OLD, NEW = {"overwrite": 3, "delete": 3, "create": None}, {"overwrite": 7, "delete": None, "create": 3}
def stat(d):
    try: return os.stat(d + "/f").st_size
    except FileNotFoundError: return None
def look_list(d):  # what ls -l and find -size do
    found = None
    with os.scandir(d) as entries:
        for entry in entries:
            if entry.name == "f":
                try: found = entry.stat(follow_symlinks=False).st_size
                except FileNotFoundError: found = "listed"
    return found
def read(d):
    try:
        with open(d + "/f", "rb") as f: return len(f.read())
    except FileNotFoundError: return None
LOOK = {"stat": stat, "list": look_list, "read": read}
places = [(c, l) for c in OLD for l in LOOK]
end = time.monotonic() + age
while True:
    for c, l in places: assert LOOK[l](f"{c}-{l}") == OLD[c], (c, l)
    if time.monotonic() > end: break
    time.sleep(0.2)
talk.write("looked\\n"); talk.flush(); talk.readline()
start, seen, errors = time.monotonic(), {}, {}
while len(seen) < len(places) and time.monotonic() < start + LIMIT:
    for c, l in places:
        if (c, l) not in seen:
            try: got = LOOK[l](f"{c}-{l}")
            except OSError as e: errors[f"{c} {l}"] = e.errno; continue
            if got == NEW[c]: seen[c, l] = time.monotonic() - start
    time.sleep(0.05)
talk.write(json.dumps({"seen": {f"{c} {l}": seen.get((c, l)) for c, l in places}, "errors": errors}) + "\\n"); talk.flush()
"""

COST = """
import json, os, sys, time
os.chdir(sys.argv[1]); D, F = int(sys.argv[2]), int(sys.argv[3])
def counts():
    mine, ops = False, {}
    for line in open("/proc/self/mountstats"):
        words = line.split()
        if words and words[0] == "device": mine = words[4] == sys.argv[1]
        elif mine and len(words) > 8 and words[0].endswith(":") and words[0][:-1].isupper() and words[1].isdigit(): ops[words[0][:-1]] = int(words[1])
    return ops
def walk():
    n = 0
    for top, dirs, files in os.walk("tree"):
        for name in files: n += os.lstat(top + "/" + name).st_size > 0
    assert n == D * F
names = [f"tree/d{d:02}/f{f:02}" for d in range(D) for f in range(F)]
def stats():
    for n in names: os.stat(n)
def reads():
    for n in names:
        fd = os.open(n, os.O_RDONLY); os.read(fd, 8192); os.close(fd)
def absent():
    for n in names: assert not os.path.exists(n + "x")
def creates():
    for i in range(200):
        fd = os.open(f"new/{i}", os.O_WRONLY | os.O_CREAT); os.write(fd, b"x" * 4096); os.close(fd)
def writes():
    fd = os.open("stream", os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
    for i in range(1024): os.write(fd, b"x" * 4096)
    os.close(fd)
os.makedirs("new", exist_ok=True)
out = {}
for name, what, per in (("walk, first", walk, D * F), ("walk, again", walk, D * F), ("stat, again", stats, D * F), ("absent, first", absent, D * F), ("absent, again", absent, D * F), ("read, first", reads, D * F), ("read, again", reads, D * F), ("create", creates, 200), ("write 4 KiB", writes, 1024)):
    before = counts(); t = time.monotonic(); what(); t = time.monotonic() - t; after = counts()
    out[name] = {"each": per, "seconds": t, "calls": {k: after[k] - before.get(k, 0) for k in after if after[k] != before.get(k, 0)}}
for i in range(200): os.unlink(f"new/{i}")
print(json.dumps(out))
"""


def say(*words):
    print(*words, flush=True)


def script(client, name, text):
    client.run(f"cat > /run/{name}.py <<'END_OF_SCRIPT'\n{text}\nEND_OF_SCRIPT")


class Watch:
    """The watching program in the client, and the line over which it is told that the change was answered."""

    def __init__(self, client, target, place, age, port):
        command = f"exec /usr/bin/python3 /run/watch.py {target}/{place} {age} {client.address} {port}"
        self.thread = threading.Thread(target=client.run, args=(command,), kwargs={"timeout": age + LIMIT + 30})
        self.thread.start()
        for _ in range(200):
            try:
                self.connection = socket.create_connection((client.address, port), timeout=age + LIMIT + 30)
                break
            except ConnectionRefusedError:
                threading.Event().wait(0.05)
        self.talk = self.connection.makefile("rw")

    def line(self, say=None):
        if say:
            self.talk.write(say + "\n")
            self.talk.flush()
        return self.talk.readline()

    def close(self):
        self.thread.join()
        self.connection.close()


def watch(gemel, client, target, place, age, port):
    """Seconds from the answer to the S3 request until each look saw it: {"overwrite stat": …}; None when it never did."""
    s3 = gemel.s3()
    key = lambda change, look: f"{place}/{change}-{look}/f"
    for change in CHANGES:
        for look in LOOKS:
            s3.put_object(Bucket="demo", Key=key(change, look) + "ill", Body=b"")
            if change != "create":
                s3.put_object(Bucket="demo", Key=key(change, look), Body=b"old")
    watching = Watch(client, target, place, age, port)
    try:
        if watching.line() != "looked\n":
            raise SystemExit("the watching program failed before the change")
        for look in LOOKS:
            s3.put_object(Bucket="demo", Key=key("overwrite", look), Body=b"the new")
            s3.delete_object(Bucket="demo", Key=key("delete", look))
            s3.put_object(Bucket="demo", Key=key("create", look), Body=b"new")
        return json.loads(watching.line("changed"))
    finally:
        watching.close()


def cost(client, target):
    return json.loads(client.run(f"/usr/bin/python3 /run/cost.py {target} {DIRECTORIES} {FILES}", timeout=300).text)


def fill(gemel):
    s3 = gemel.s3()
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda i: s3.put_object(Bucket="demo", Key=f"tree/d{i // FILES:02}/f{i % FILES:02}", Body=bytes(4096)), range(DIRECTORIES * FILES)))


def figure(value):
    if value is None:
        return f"> {LIMIT}"
    return "at once" if value < 0.3 else f"{value:.1f}"


def table(heads, rows):
    say("| options | " + " | ".join(heads) + " |\n|" + "---|" * (len(heads) + 1))
    for options, cells in rows:
        say(f"| {options or 'default'} | " + " | ".join(cells) + " |")


def report_watch(age, results):
    say(f"\nSeconds until the client saw what S3 had answered; it had looked for {age:g} s before\n")
    columns = [(c, l) for c in CHANGES for l in LOOKS]
    table([f"{c}, {l}" for c, l in columns], [(options, [figure(r["seen"][f"{c} {l}"]) for c, l in columns]) for options, r in results.items()])
    for options, result in results.items():
        if result["errors"]:
            say(f"errors with {options or 'default'}: {result['errors']}")


def report_cost(results):
    kinds = list(next(iter(results.values())))
    say("\nOperations a second, and in brackets the calls to the server that each took\n")
    table(kinds, [(options, [f"{c['each'] / c['seconds']:.0f} ({sum(c['calls'].values()) / c['each']:.2f})" for c in result.values()]) for options, result in results.items()])


def measure_cost(gemel, client, options, rounds):
    """{options: {kind: …}}: of each kind the round with the median time; rounds are interleaved."""
    taken = {o: [] for o in options}
    for _ in range(rounds):
        for o in options:
            target = client.mount(gemel.nfs_port, "/demo", options=o)
            taken[o].append(cost(client, target))
            client.umount(target)
    return {o: {kind: sorted((r[kind] for r in rs), key=lambda c: c["seconds"])[rounds // 2] for kind in rs[0]} for o, rs in taken.items()}


def measure_watch(gemel, client, options, age):
    """All options at once, each on its mount: most of the time is waiting."""
    targets = [client.mount(gemel.nfs_port, "/demo", target=f"/mnt/{number}", options=o) for number, o in enumerate(options)]
    try:
        with ThreadPoolExecutor(len(options)) as pool:
            seen = list(pool.map(lambda n: watch(gemel, client, targets[n], f"watch-{n}-{age:g}", age, PORT + n), range(len(options))))
    finally:
        for target in targets:
            client.umount(target)
    return dict(zip(options, seen))


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--options", action="append", help="mount options to try (repeat it; the default is a list of eight)")
    parser.add_argument("--age", type=float, action="append", help="seconds of looking before the change; 0 measures no such thing (repeat it; default 1 and 40)")
    parser.add_argument("--rounds", type=int, default=3, help="of the costs (default 3); 0 measures none")
    parser.add_argument("--home", type=Path, default=TOP / "build" / "coherence")
    parser.add_argument("--json", type=Path)
    words = parser.parse_args()
    options = words.options or OPTIONS
    shutil.rmtree(words.home, ignore_errors=True)
    words.home.mkdir(parents=True)
    gemel = Gemel(words.home / "gemel")
    gemel.start()
    client = KernelClient(words.home / "uml", index=1)
    results = {"watch": {}}
    try:
        say("Linux", client.run("uname -r").text.strip(), "in user-mode-linux, vers=4.2, on loopback")
        script(client, "watch", f"LIMIT = {LIMIT}\n" + WATCH)
        script(client, "cost", COST)
        if words.rounds:
            fill(gemel)
            results["cost"] = measure_cost(gemel, client, options, words.rounds)
            report_cost(results["cost"])
        for age in filter(None, words.age or [1, 40]):
            results["watch"][age] = measure_watch(gemel, client, options, age)
            report_watch(age, results["watch"][age])
    finally:
        client.close()
        gemel.stop()
    if words.json:
        words.json.write_text(json.dumps(results, indent=1))


if __name__ == "__main__":
    main()
