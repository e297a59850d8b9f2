# SPDX-License-Identifier: Apache-2.0
"""Measures both servers side by side with nginx's static files, the disk itself, and ganesha's FSAL_VFS, in interleaved rounds; prints medians of paired ratios."""
import argparse
import json
import os
import shutil
import signal
import statistics
import subprocess
import sys
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
TOP = HERE.parent.parent
sys.path.insert(0, str(TOP / "tests"))
from harness import Gemel  # noqa: E402
from uml.client import KernelClient  # noqa: E402

TOOLS = TOP / "build" / "bench"
READS = 5  # one takes a tenth of a second: so many pairs in a round
SIZES = {"4KiB": 4096, "100KiB": 102400, "10MiB": 10 << 20}


def say(*words):
    print(*words, flush=True)


def wrk(script, url, connections, seconds, **env):
    done = subprocess.run(["wrk", "-t1", f"-c{connections}", f"-d{seconds}s", "--timeout", "20s", "--latency", "-s", str(HERE / script), url], capture_output=True, text=True, env={**os.environ, **env}, check=True)
    words = next(line for line in done.stdout.splitlines() if line.startswith("RESULT")).split()[1:]
    rate, bad, broken, p50, p99 = (float(w) for w in words)
    if bad or broken:
        raise SystemExit(f"{url[:80]}: {bad:.0f} error answers, {broken:.0f} broken connections: not a measurement")
    return rate, p50, p99


class Static:
    """nginx's own static serving with the settings of our server."""

    def __init__(self, home):
        self.root = home / "static"
        self.root.mkdir(parents=True)
        conf = home / "nginx.conf"
        conf.write_text(f"""daemon off; worker_processes 1; pid {home}/static.pid; error_log {home}/static.log; {"user root;" if os.geteuid() == 0 else ""}
events {{ worker_connections 4096; multi_accept on; }}
http {{ access_log {home}/static-access.log combined buffer=64k flush=1s; sendfile on; sendfile_max_chunk 2m; tcp_nopush off; tcp_nodelay on; keepalive_requests 1000000; client_body_temp_path {home}/t1; proxy_temp_path {home}/t2;
fastcgi_temp_path {home}/t3; uwsgi_temp_path {home}/t4; scgi_temp_path {home}/t5; server {{ listen 127.0.0.1:18080 backlog=4096; root {self.root}; }} }}""")
        self.process = subprocess.Popen(["/usr/sbin/nginx", "-p", str(home), "-c", str(conf), "-e", f"{home}/static.log"])
        time.sleep(0.5)

    def url(self, name):
        return f"http://127.0.0.1:18080/{name}"

    def close(self):
        self.process.terminate()
        self.process.wait()


class Vfs:
    """ganesha's FSAL_VFS, with its caches on as packaged, on the same disk."""

    PORT = 18049
    MOUNT = "/vfs"

    def __init__(self, home):
        self.export = home / "vfs"
        self.export.mkdir(parents=True)
        (home / "recovery").mkdir()
        conf = home / "vfs.conf"
        conf.write_text(f"""NFS_CORE_PARAM {{ Protocols = 4; NFS_Port = {self.PORT}; Enable_NLM = false; Enable_RQUOTA = false; Enable_UDP = false; }}
NFSv4 {{ Lease_Lifetime = 10; Grace_Period = 15; Graceless = true; RecoveryBackend = fs; RecoveryRoot = {home}/recovery; Only_Numeric_Owners = true; Delegations = false; }}
EXPORT {{ Export_Id = 1; Path = {self.export}; Pseudo = {self.MOUNT}; Access_Type = RW; Squash = No_Root_Squash; SecType = sys; FSAL {{ Name = VFS; }} }}""")
        env = {**os.environ, "MALLOC_MMAP_THRESHOLD_": "67108864", "MALLOC_TRIM_THRESHOLD_": "1073741824", "MALLOC_TOP_PAD_": "16777216"}
        self.process = subprocess.Popen(["ganesha.nfsd", "-F", "-f", str(conf), "-L", f"{home}/vfs.log", "-p", f"{home}/vfs.pid"], env=env)
        deadline = time.time() + 30
        while subprocess.run(["nfs-ls", self.url("")], capture_output=True).returncode != 0:
            if time.time() > deadline:
                raise SystemExit(f"FSAL_VFS does not come up; see {home}/vfs.log")
            time.sleep(0.1)

    def url(self, path):
        return f"nfs://127.0.0.1{self.MOUNT}{path}?version=4&nfsport={self.PORT}"

    def mkdir(self, name, synchronous=False):
        (self.export / name).mkdir()
        if synchronous:
            subprocess.run(["chattr", "+DS", str(self.export / name)], check=True)

    def close(self):
        self.process.terminate()
        self.process.wait()


def nfs(url, operation, count, depth, size=None):
    words = [str(TOOLS / "nfs_load"), url, operation, str(count), str(depth), *([str(size)] if size else [])]
    return float(subprocess.run(words, capture_output=True, text=True, check=True, timeout=320).stdout)


def nfs_many(urls, operation, count):
    """One client for each URL, all at once; operations per second in all."""
    running = [subprocess.Popen([str(TOOLS / "nfs_load"), url, operation, str(count), "1"], stdout=subprocess.PIPE, text=True) for url in urls]
    rates = [float(process.communicate(timeout=320)[0] or "nan") for process in running]
    if any(process.returncode for process in running):
        raise SystemExit(f"nfs_load {operation} failed: not a measurement")
    return sum(rates)


def flushes(place):
    """Cache flushes that the disk below `place` has completed so far; None where the kernel does not say."""
    device = os.stat(place).st_dev
    try:
        return int(Path(f"/sys/dev/block/{os.major(device)}:{os.minor(device)}/stat").read_text().split()[15])
    except (OSError, IndexError):
        return None


class Flushes:
    """Counts the disk's flushes during measurements, per operation."""

    def __init__(self, place):
        self.place, self.count, self.operations = place, 0, 0

    def measure(self, operations, function, *arguments):
        before = flushes(self.place)
        result = function(*arguments)
        after = flushes(self.place)
        if before is not None and after is not None:
            self.count += after - before
            self.operations += operations
        return result

    def __str__(self):
        return f"{self.count / self.operations:.2f}" if self.operations else "unknown"


def median(values):
    return statistics.median(values)


class Report:
    def __init__(self):
        self.rows = []

    def add(self, name, unit, ours, theirs, against, **more):
        ratios = [a / b for a, b in zip(ours, theirs)]
        row = {"name": name, "unit": unit, "gemel": round(median(ours), 1), "against": against, "other": round(median(theirs), 1), "ratio": round(median(ratios), 3), "ratios": [round(r, 3) for r in ratios], **more}
        self.rows.append(row)
        say(f"{name:38} {row['gemel']:>10} {unit:6} {against}: {row['other']:>10}   ratio {row['ratio']:.2f}  [{min(ratios):.2f}-{max(ratios):.2f}] " + " ".join(f"{k} {v}" for k, v in more.items()))

    def plain(self, name, unit, values, **more):
        row = {"name": name, "unit": unit, "gemel": round(median(values), 1), "values": [round(v, 1) for v in values], **more}
        self.rows.append(row)
        say(f"{name:38} {row['gemel']:>10} {unit:6} " + " ".join(f"{k} {v}" for k, v in more.items()))


def presigned(s3, operation, key, seconds=36000):
    url = s3.generate_presigned_url(operation, Params={"Bucket": "demo", "Key": key}, ExpiresIn=seconds)
    return url


def bench_get(report, gemel, static, rounds, seconds):
    s3 = gemel.s3(signature_version="s3v4")
    for label, size in SIZES.items():
        data = os.urandom(size)
        (static.root / label).write_bytes(data)
        s3.put_object(Bucket="demo", Key=f"get/{label}", Body=data)
        url = presigned(s3, "get_object", f"get/{label}")
        connections = 8 if size > 1 << 20 else 32
        ours, theirs, alike = [], [], []
        for _ in range(rounds):
            theirs.append(wrk("get.lua", static.url(label), connections, seconds)[0])
            ours.append(wrk("get.lua", url, connections, seconds)[0])
            # nginx ignores the query: so much of the difference is the length of a signed request
            alike.append(wrk("get.lua", static.url(label) + "?" + url.partition("?")[2], connections, seconds)[0])
        report.add(f"S3 GET {label}, {connections} connections", "req/s", ours, theirs, "nginx static")
        report.add(f"S3 GET {label}, {connections} connections", "req/s", ours, alike, "nginx static, asked in as many bytes")


def bench_put(report, gemel, home, rounds, seconds):
    s3 = gemel.s3(signature_version="s3v4")
    keys = home / "keys"
    origin = f"http://127.0.0.1:{gemel.s3_port}"
    for size, connections, count in ((4096, 1, 400), (4096, 16, 3000), (4096, 64, 6000), (1 << 20, 16, 200)):
        label = f"{size // 1024}KiB"
        keys.write_text("".join(presigned(s3, "put_object", f"put/{label}-{connections}/{i}")[len(origin):] + "\n" for i in range(2000)))
        ours, theirs, p50, p99 = [], [], [], []
        for i in range(rounds):
            place = home / f"disk-{label}-{connections}-{i}"
            place.mkdir()
            done = subprocess.run([str(TOOLS / "disk_load"), str(place), str(connections), str(count), str(size)], capture_output=True, text=True, check=True)
            theirs.append(float(done.stdout.split()[0]))
            shutil.rmtree(place)
            rate, a, b = wrk("put.lua", origin, connections, seconds, GEMEL_BENCH_URLS=str(keys), GEMEL_BENCH_SIZE=str(size), GEMEL_BENCH_HOST=f"127.0.0.1:{gemel.s3_port}")
            ours.append(rate)
            p50.append(a)
            p99.append(b)
        report.add(f"S3 durable PUT {label}, {connections} connections", "PUT/s", ours, theirs, "file write+fsync")
        report.rows[-1].update(p50_ms=round(median(p50), 2), p99_ms=round(median(p99), 2))


def bench_nfs(report, gemel, vfs, arguments):
    rounds, scale = arguments.rounds, arguments.scale
    # NFSv4.0 puts the opens of one client in order, so "at a time" is as many clients. FSAL_VFS answers creates and removes before they are on the disk; in a
    # directory with chattr +DS the file system writes them first. Whether it also has the disk flush its cache, without which a power cut still takes them
    # back, depends on the file system (ext4 with a journal does, without one it does not): so the flushes of both sides are counted.
    # A relaxed bucket promises what FSAL_VFS does as packaged.
    gemel.gemel("bucket", "create", "scratch", "--owner", "demo", "--durability", "relaxed")
    against = (("as packaged", False, "demo"), ("+DS", True, "demo"), ("as packaged", False, "scratch"))
    for clients, count in ((1, 1500 * scale), (16, 500 * scale)):
        results = {(operation, pair): ([], [], Flushes(arguments.home), Flushes(arguments.home)) for pair in against for operation in ("create", "stat", "delete", "exclusive")}
        for i in range(rounds):
            for number, pair in enumerate(against):
                _, synchronous, bucket = pair
                names = [f"meta-{clients}-{i}-{number}-{n}" for n in range(clients)]
                for name in names:
                    vfs.mkdir(name, synchronous)
                    gemel.s3().put_object(Bucket=bucket, Key=f"{name}/.keep", Body=b"")
                for operation in ("create", "stat", "delete", "exclusive"):
                    ours, theirs, our_flushes, their_flushes = results[operation, pair]
                    theirs.append(their_flushes.measure(clients * count, nfs_many, [vfs.url(f"/{name}") for name in names], operation, count))
                    ours.append(our_flushes.measure(clients * count, nfs_many, [gemel.nfs_url(f"/{bucket}/{name}") for name in names], operation, count))
        for (operation, (kind, _, bucket)), (ours, theirs, our_flushes, their_flushes) in results.items():
            report.add(f"NFS {operation}{', relaxed' if bucket == 'scratch' else ''}, {clients} clients", "op/s", ours, theirs, f"FSAL_VFS {kind}", flushes_per_op=f"{our_flushes} vs {their_flushes}")
    size = (256 << 20) * scale
    # libnfs 4.0 cannot send an NFSv4 WRITE of 4 KiB or more: the kernel client in user-mode-linux writes
    client = KernelClient(Path(arguments.home) / "uml")
    sides = ((vfs.PORT, vfs.MOUNT), (gemel.nfs_port, "/demo"))
    write, read = ([], []), ([], [])
    try:
        # One mount at a time: both ganeshas give the same server owner, and the client would take them for one server (RFC 8881 2.10.5).
        for values, count, command in ((write, rounds, "dd if=/dev/zero of={}/kernel-{} bs=1M count={} conv=fsync status=none"), (read, rounds * READS, "dd if={}/kernel-{} of=/dev/null bs=1M count={} status=none")):
            for i in range(count):
                for side in (i % 2, 1 - i % 2):
                    target = client.mount(*sides[side], target="/mnt/bench")
                    client.run("sync; echo 3 > /proc/sys/vm/drop_caches")
                    start = time.monotonic()
                    client.run(command.format(target, i % rounds, size >> 20), timeout=280)
                    values[side].append(size / 1e6 / (time.monotonic() - start))
                    client.umount(target)
        report.add("NFS sequential write + fsync, kernel", "MB/s", write[1], write[0], "FSAL_VFS")
        report.add("NFS sequential read, kernel", "MB/s", read[1], read[0], "FSAL_VFS")
    finally:
        client.close()
    ours, theirs = [], []
    for i in range(rounds * READS):
        theirs.append(nfs(vfs.url(""), f"read:kernel-{i % rounds}", size, 8, 1 << 20))
        ours.append(nfs(gemel.nfs_url("/demo"), f"read:kernel-{i % rounds}", size, 8, 1 << 20))
    report.add("NFS sequential read, 1 MiB x 8", "MB/s", ours, theirs, "FSAL_VFS")
    # what S3 wrote, read over NFS
    data = os.urandom(1 << 20) * (size >> 20)
    from io import BytesIO

    gemel.s3().upload_fileobj(BytesIO(data), "demo", "from-s3/big")
    vfs.mkdir("from-s3")
    (vfs.export / "from-s3" / "big").write_bytes(data)
    pairs = [(nfs(gemel.nfs_url("/demo/from-s3"), "read:big", size, 8, 1 << 20), nfs(vfs.url("/from-s3"), "read:big", size, 8, 1 << 20)) for _ in range(rounds * READS)]
    report.add("NFS read of an S3 multipart object", "MB/s", [a for a, _ in pairs], [b for _, b in pairs], "FSAL_VFS")


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5, help="interleaved rounds of each pair (default 5)")
    parser.add_argument("--seconds", type=int, default=4, help="length of one HTTP measurement (default 4)")
    parser.add_argument("--scale", type=int, default=1, help="multiplies the NFS workloads")
    parser.add_argument("--only", choices=["get", "put", "nfs"], action="append")
    parser.add_argument("--home", default=str(TOP / "build" / "bench" / "home"), help="working directory; its disk is what is measured")
    parser.add_argument("--out", default=str(TOP / "build" / "bench.json"))
    arguments = parser.parse_args()
    home = Path(arguments.home)
    shutil.rmtree(home, ignore_errors=True)
    home.mkdir(parents=True)
    what = arguments.only or ["get", "put", "nfs"]
    report = Report()
    gemel = Gemel(home / "gemel", options={"log.access": "yes"})
    gemel.start()
    others = []
    try:
        if "get" in what:
            others.append(Static(home))
            bench_get(report, gemel, others[-1], arguments.rounds, arguments.seconds)
        if "put" in what:
            bench_put(report, gemel, home, arguments.rounds, arguments.seconds)
        if "nfs" in what:
            others.append(Vfs(home))
            bench_nfs(report, gemel, others[-1], arguments)
    finally:
        for other in others:
            other.close()
        gemel.stop()
    Path(arguments.out).write_text(json.dumps({"rounds": arguments.rounds, "cpus": os.cpu_count(), "rows": report.rows}, indent=2) + "\n")
    say(f"written to {arguments.out}")


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    main()
