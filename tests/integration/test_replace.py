# SPDX-License-Identifier: Apache-2.0
"""What a PUT over a file that NFS made keeps of it, seen by a kernel client."""
import pytest

ALICE, BOB, STAFF = 1001, 1002, 500


@pytest.fixture(scope="module")
def people(gemel):
    return {name: gemel.s3(*gemel.new_user(name, uid, groups=[STAFF])) for name, uid in (("alice", ALICE), ("bob", BOB))}


@pytest.fixture
def shared(gemel, kernel, people):
    """A bucket where everybody may make files, mounted."""
    bucket = gemel.new_bucket(owner="alice", mode="0777")
    target = kernel.mount(gemel.nfs_port, f"/{bucket}", target="/mnt/replace", options="actimeo=0")
    yield bucket, target
    kernel.umount(target)


def put(s3, bucket, key):
    s3.put_object(Bucket=bucket, Key=key, Body=b"new", Metadata={"by": "s3"}, Tagging="t=1")


def copy(s3, bucket, key):
    s3.put_object(Bucket=bucket, Key=key + ".source", Body=b"new", Metadata={"by": "s3"}, Tagging="t=1")
    s3.copy_object(Bucket=bucket, Key=key, CopySource=f"{bucket}/{key}.source")


def upload(s3, bucket, key):
    ident = s3.create_multipart_upload(Bucket=bucket, Key=key, Metadata={"by": "s3"}, Tagging="t=1")["UploadId"]
    tag = s3.upload_part(Bucket=bucket, Key=key, UploadId=ident, PartNumber=1, Body=b"new")["ETag"]
    s3.complete_multipart_upload(Bucket=bucket, Key=key, UploadId=ident, MultipartUpload={"Parts": [{"PartNumber": 1, "ETag": tag}]})


@pytest.mark.parametrize("replace", [put, copy, upload])
def test_owner_mode_and_xattrs_stay(kernel, people, shared, replace):
    bucket, target = shared
    kernel.run(f"""cd {target}
for f in own group other; do
	echo old > $f; setfattr -n user.colour -v red $f; setfattr -n user.s3.meta.from -v nfs $f
	chown {ALICE}:{STAFF} $f
done
chmod 4750 own; chmod 0664 group; chmod 0644 other""")
    replace(people["alice"], bucket, "own")
    replace(people["bob"], bucket, "group")
    replace(people["bob"], bucket, "other")
    look = lambda name: kernel.run(f"cd {target} && cat {name} && stat -c ' %u %g %a' {name} && getfattr -d {name} | grep = | sort | tr '\\n' ' '").text
    kept = 'user.colour="red" user.s3.meta.by="s3" user.s3.tag.t="1" '
    assert look("own") == f"new {ALICE} {STAFF} 750\n{kept}"  # setuid goes, as when it is written
    assert look("group") == f"new {ALICE} {STAFF} 664\n{kept}"
    assert look("other") == f"new {BOB} {BOB} 644\n" + kept.replace('user.colour="red" ', "")
    assert people["alice"].head_object(Bucket=bucket, Key="own")["Metadata"] == {"by": "s3"}


def test_new_metadata_for_a_file(kernel, people, shared):
    """A copy onto itself, as `aws s3 cp --metadata-directive REPLACE` makes it."""
    bucket, target = shared
    kernel.run(f"echo old > {target}/f && setfattr -n user.colour -v red {target}/f && chown {ALICE}:{STAFF} {target}/f && chmod 600 {target}/f")
    people["alice"].copy_object(Bucket=bucket, Key="f", CopySource=f"{bucket}/f", MetadataDirective="REPLACE", Metadata={"a": "b"}, ContentType="text/x")
    assert kernel.run(f"cat {target}/f; stat -c '%u %g %a' {target}/f; getfattr --only-values -n user.colour {target}/f").text == f"old\n{ALICE} {STAFF} 600\nred"
    head = people["alice"].head_object(Bucket=bucket, Key="f")
    assert (head["Metadata"], head["ContentType"]) == ({"a": "b"}, "text/x")


def test_other_names_keep_the_old_content(kernel, people, shared):
    bucket, target = shared
    kernel.run(f"cd {target} && echo old > f && ln f g && chown {ALICE} f && chmod 600 f")
    put(people["alice"], bucket, "f")
    assert kernel.run(f"cd {target} && cat f g && stat -c '%u %a %h' f g").text == f"newold\n{ALICE} 600 1\n{ALICE} 600 1\n"
