# SPDX-License-Identifier: Apache-2.0
"""Fixtures: real servers in a directory of their own, real clients."""
import ctypes
import os
import subprocess
from pathlib import Path

import pytest

from harness import Gemel
from uml.client import KernelClient

CLONE_NEWNET = 0x40000000
WORKER = os.environ.get("PYTEST_XDIST_WORKER")  # gw0, gw1, … when several processes share the files of tests


def pytest_configure():
    """Each of several processes has its own network, as `tests/netns` makes it for one: all may use the same ports."""
    if WORKER is None:
        return
    if ctypes.CDLL(None, use_errno=True).unshare(CLONE_NEWNET) != 0:
        raise OSError(ctypes.get_errno(), "unshare(CLONE_NEWNET)")
    subprocess.run([Path(__file__).parent.parent / "netns", "--here"], check=True)


@pytest.fixture(scope="session")
def scratch(tmp_path_factory):
    """On a real disk: hostfs and O_DIRECT want one, and the figures should mean something."""
    base = Path(os.environ.get("GEMEL_TEST_DIR") or tmp_path_factory.mktemp("gemel"))
    base.mkdir(parents=True, exist_ok=True)
    return base


@pytest.fixture(scope="session")
def kernel(scratch):
    """One Linux NFS client for the whole run."""
    client = KernelClient(scratch / "uml1", index=1, processor=int(WORKER.removeprefix("gw")) if WORKER else 0)
    yield client
    client.close()


@pytest.fixture(scope="module")
def gemel(scratch, request):
    """A served store of this test module, with user and bucket `demo` (uid 0: the tests' own)."""
    name = request.module.__name__.rpartition(".")[2]
    server = Gemel(scratch / name)
    server.start()
    yield server
    server.stop()
    server.assert_clean()


@pytest.fixture
def fresh(scratch, request):
    """A served store of this test alone, for tests that kill servers."""
    name = "".join(c if c.isalnum() else "_" for c in request.node.name)[:60]
    server = Gemel(scratch / name)
    server.start()
    yield server
    server.stop()
    server.assert_clean()


@pytest.fixture
def mounted(gemel, kernel):
    """The bucket `demo` mounted in the kernel client with NFSv4.2 and default options; the path of the mount point there."""
    target = kernel.mount(gemel.nfs_port, "/demo")
    yield target
    kernel.umount(target)


@pytest.fixture
def fresh_mounted(fresh, kernel):
    """As `mounted`, of `fresh`."""
    target = kernel.mount(fresh.nfs_port, "/demo", target="/mnt/fresh")
    yield target
    kernel.umount(target)


@pytest.fixture
def bucket(gemel):
    """A new, empty bucket of `demo`; its name. What a test leaves in it does not disturb others."""
    return gemel.new_bucket()


@pytest.fixture
def place(gemel, kernel, mounted, request):
    """An empty directory of this test on the mount."""
    name = f"{mounted}/" + "".join(c if c.isalnum() else "_" for c in request.node.name)
    kernel.run(f"mkdir {name}")
    return name


@pytest.fixture(scope="module")
def s3(gemel):
    return gemel.s3(signature_version="s3v4")


@pytest.fixture(scope="module")
def other(gemel):
    """Somebody else's client."""
    return gemel.s3(*gemel.new_user("other", 4001))
