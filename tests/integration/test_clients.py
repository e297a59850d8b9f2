# SPDX-License-Identifier: Apache-2.0
"""Each client with its default settings."""
import os
import subprocess
import sys
from pathlib import Path

import pytest

AWS = str(Path(sys.executable).parent / "aws")
DATA = os.urandom(300000)


@pytest.fixture
def local(tmp_path):
    path = tmp_path / "data file"
    path.write_bytes(DATA)
    return path


def run(*words, env=None, **kwargs):
    env = env or {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
    done = subprocess.run([str(w) for w in words], env=env, capture_output=True, timeout=120, **kwargs)
    assert done.returncode == 0, f"{words}: exit {done.returncode}\n{done.stdout.decode(errors='replace')}{done.stderr.decode(errors='replace')}"
    return done.stdout


@pytest.mark.parametrize("checksum", [None, "CRC32", "CRC32C", "CRC64NVME", "SHA1", "SHA256"])
def test_boto3(gemel, bucket, checksum):
    s3 = gemel.s3()
    extra = {"ChecksumAlgorithm": checksum} if checksum else {}
    put = s3.put_object(Bucket=bucket, Key="k", Body=DATA, Metadata={"a": "b", "c-d": "e f"}, ContentType="text/x", **extra)
    got = s3.get_object(Bucket=bucket, Key="k", ChecksumMode="ENABLED")
    assert got["Body"].read() == DATA
    assert got["ETag"] == put["ETag"] and got["Metadata"] == {"a": "b", "c-d": "e f"} and got["ContentType"] == "text/x"
    if checksum:
        assert got["Checksum" + checksum] == put["Checksum" + checksum]


def test_boto3_streams_and_multipart(gemel, bucket, tmp_path):
    from boto3.s3.transfer import TransferConfig

    s3 = gemel.s3()
    big = tmp_path / "big"
    big.write_bytes(os.urandom(21 << 20))
    s3.upload_file(str(big), bucket, "big", Config=TransferConfig(multipart_threshold=5 << 20, multipart_chunksize=5 << 20))
    head = s3.head_object(Bucket=bucket, Key="big")
    assert head["ETag"].endswith('-5"') and head["ContentLength"] == 21 << 20
    s3.download_file(bucket, "big", str(tmp_path / "back"))
    assert (tmp_path / "back").read_bytes() == big.read_bytes()
    with open(big, "rb") as stream:
        s3.upload_fileobj(stream, bucket, "stream")
    assert s3.head_object(Bucket=bucket, Key="stream")["ContentLength"] == 21 << 20
    s3.copy({"Bucket": bucket, "Key": "big"}, bucket, "copy", Config=TransferConfig(multipart_threshold=5 << 20, multipart_chunksize=7 << 20))
    assert s3.get_object(Bucket=bucket, Key="copy")["Body"].read() == big.read_bytes()
    attributes = s3.get_object_attributes(Bucket=bucket, Key="big", ObjectAttributes=["ETag", "ObjectSize", "ObjectParts", "Checksum", "StorageClass"])
    assert attributes["ObjectSize"] == 21 << 20 and attributes["ObjectParts"]["TotalPartsCount"] == 5


def test_boto3_presigned(gemel, bucket):
    import urllib.request

    s3 = gemel.s3(signature_version="s3v4")
    s3.put_object(Bucket=bucket, Key="a b/ü", Body=DATA)
    url = s3.generate_presigned_url("get_object", Params={"Bucket": bucket, "Key": "a b/ü", "ResponseContentType": "x/y"}, ExpiresIn=60)
    with urllib.request.urlopen(url) as answer:
        assert answer.read() == DATA and answer.headers["Content-Type"] == "x/y"
    url = s3.generate_presigned_url("put_object", Params={"Bucket": bucket, "Key": "up"}, ExpiresIn=60)
    with urllib.request.urlopen(urllib.request.Request(url, data=DATA, method="PUT", headers={"Content-Type": ""})) as answer:
        assert answer.status == 200
    assert s3.get_object(Bucket=bucket, Key="up")["Body"].read() == DATA


def test_boto3_virtual_host_style(gemel, bucket):
    """Addressing by host name; the name is resolved by a patched resolver, the request goes out as a real client sends it."""
    import socket

    real = socket.getaddrinfo

    def resolve(host, *args, **kwargs):
        return real("127.0.0.1" if str(host).endswith("s3.gemel.test") else host, *args, **kwargs)

    socket.getaddrinfo = resolve
    try:
        s3 = gemel.s3(endpoint=f"http://s3.gemel.test:{gemel.s3_port}", s3={"addressing_style": "virtual"})
        s3.put_object(Bucket=bucket, Key="k", Body=DATA)
        assert s3.get_object(Bucket=bucket, Key="k")["Body"].read() == DATA
        assert [o["Key"] for o in s3.list_objects_v2(Bucket=bucket)["Contents"]] == ["k"]
    finally:
        socket.getaddrinfo = real


def test_aws_cli(gemel, bucket, local, tmp_path):
    env = gemel.environment()
    run(AWS, "s3", "cp", local, f"s3://{bucket}/x/data", env=env)
    run(AWS, "s3", "cp", f"s3://{bucket}/x/data", tmp_path / "back", env=env)
    assert (tmp_path / "back").read_bytes() == DATA
    assert b"PRE x/" in run(AWS, "s3", "ls", f"s3://{bucket}/", env=env)
    run(AWS, "s3", "mv", f"s3://{bucket}/x/data", f"s3://{bucket}/y", env=env)
    assert run(AWS, "s3", "ls", f"s3://{bucket}/", env=env).split()[-1] == b"y"
    run(AWS, "s3", "rm", "--recursive", f"s3://{bucket}", env=env)
    run(AWS, "s3", "rb", f"s3://{bucket}", env=env)


def test_s3cmd(gemel, bucket, local, tmp_path):
    conf = tmp_path / "s3cfg"
    conf.write_text(f"[default]\naccess_key = {gemel.access_key}\nsecret_key = {gemel.secret}\nhost_base = 127.0.0.1:{gemel.s3_port}\nhost_bucket = 127.0.0.1:{gemel.s3_port}\nuse_https = False\n")
    s3cmd = ("s3cmd", "-c", conf, "--no-progress")
    run(*s3cmd, "put", local, f"s3://{bucket}/dir/data")
    assert b"/dir/data" in run(*s3cmd, "ls", "-r", f"s3://{bucket}")
    run(*s3cmd, "get", f"s3://{bucket}/dir/data", tmp_path / "back")
    assert (tmp_path / "back").read_bytes() == DATA
    run(*s3cmd, "cp", f"s3://{bucket}/dir/data", f"s3://{bucket}/copy")
    run(*s3cmd, "info", f"s3://{bucket}/copy")
    run(*s3cmd, "sync", str(tmp_path) + "/", f"s3://{bucket}/sync/", "--exclude", "s3cfg")
    run(*s3cmd, "del", "-r", "--force", f"s3://{bucket}/")
    run(*s3cmd, "rb", f"s3://{bucket}")


def test_rclone(gemel, bucket, local, tmp_path):
    conf = tmp_path / "rclone.conf"
    conf.write_text(f"[g]\ntype = s3\nprovider = Other\naccess_key_id = {gemel.access_key}\nsecret_access_key = {gemel.secret}\nendpoint = {gemel.endpoint}\nregion = us-east-1\n")
    rclone = ("rclone", "--config", conf, "--retries", "1", "--low-level-retries", "1")
    source = tmp_path / "source"
    for i in range(30):
        (source / f"d{i % 3}").mkdir(parents=True, exist_ok=True)
        (source / f"d{i % 3}" / f"f{i}").write_bytes(os.urandom(i * 1000))
    run(*rclone, "sync", source, f"g:{bucket}/tree")
    run(*rclone, "check", "--download", source, f"g:{bucket}/tree")
    run(*rclone, "check", source, f"g:{bucket}/tree")
    assert run(*rclone, "lsf", f"g:{bucket}/tree").split() == [b"d0/", b"d1/", b"d2/"]
    run(*rclone, "moveto", f"g:{bucket}/tree/d0/f0", f"g:{bucket}/moved")
    run(*rclone, "purge", f"g:{bucket}")


def test_libs3(gemel, local, tmp_path):
    """Debian's libs3 2.0 signs with SigV2: refused by default, served with a key that allows it."""
    refused = {**os.environ, "S3_ACCESS_KEY_ID": gemel.access_key, "S3_SECRET_ACCESS_KEY": gemel.secret, "S3_HOSTNAME": f"127.0.0.1:{gemel.s3_port}"}
    name = gemel.new_bucket()
    done = subprocess.run(["s3", "-u", "-r", "0", "list", name], env=refused, capture_output=True, timeout=60)
    assert b"ERROR" in done.stderr, done  # the tool exits 0 all the same
    key = gemel.gemel("key", "create", "demo", "--sigv2")
    access_key, secret = key["id"], key["secret"]
    env = {**refused, "S3_ACCESS_KEY_ID": access_key, "S3_SECRET_ACCESS_KEY": secret}
    run("s3", "-u", "put", f"{name}/dir/data", f"filename={local}", env=env)
    run("s3", "-u", "get", f"{name}/dir/data", f"filename={tmp_path}/back", env=env)
    assert (tmp_path / "back").read_bytes() == DATA
    assert b"dir/data" in run("s3", "-u", "list", name, env=env)
    run("s3", "-u", "head", f"{name}/dir/data", env=env)
    run("s3", "-u", "copy", f"{name}/dir/data", f"{name}/copy", env=env)
    for key in ("dir/data", "copy"):
        run("s3", "-u", "delete", f"{name}/{key}", env=env)
    run("s3", "-u", "delete", name, env=env)


def test_libnfs(gemel, local, tmp_path):
    # Debian 12's libnfs 4.0 cannot send an NFSv4 WRITE of 4 KiB or more, to any server: its own limit
    small = tmp_path / "small"
    small.write_bytes(DATA[:2000])
    run("nfs-cp", small, gemel.nfs_url("/demo/from-libnfs"))
    assert gemel.s3().get_object(Bucket="demo", Key="from-libnfs")["Body"].read() == DATA[:2000]
    gemel.s3().put_object(Bucket="demo", Key="to-libnfs", Body=DATA)
    assert run("nfs-cat", gemel.nfs_url("/demo/to-libnfs")) == DATA
    assert b"to-libnfs" in run("nfs-ls", gemel.nfs_url("/demo"))


@pytest.mark.parametrize("version", ["4.0", "4.1", "4.2"])
def test_kernel(gemel, kernel, version):
    target = kernel.mount(gemel.nfs_port, "/demo", target=f"/mnt/v{version}", version=version)
    try:
        assert f"vers={version}" in kernel.run(f"grep ' {target} ' /proc/mounts").text
        kernel.run(f"mkdir {target}/v{version} && cd {target}/v{version} && dd if=/dev/urandom of=f bs=1000 count=777 status=none && cp f g && cmp f g && ln f h && ln -s f s && cmp s h && mv g i && rm f h && test -e i && ! test -e g")
        body = gemel.s3().get_object(Bucket="demo", Key=f"v{version}/i")["Body"].read()
        assert len(body) == 777000
    finally:
        kernel.umount(target)
