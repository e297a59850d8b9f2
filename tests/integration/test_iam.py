# SPDX-License-Identifier: Apache-2.0
"""Groups, roles, tags and policies through the gemel program, while the store is served."""
import json
import re

import pytest


@pytest.fixture()
def refused(gemel):
    """Run `gemel WORDS…`, which must fail with this exit status; what it said."""
    def run(*words, status=1):
        done = gemel.gemel(*words, json_out=False, check=False)
        assert done.returncode == status and not done.stdout and done.stderr.startswith("gemel: "), done
        return done.stderr
    return run


def test_groups(gemel, refused):
    for number, name in enumerate(("gudrun", "gustav"), 3100):
        gemel.gemel("user", "create", name, "--uid", number)
    made = gemel.gemel("group", "create", "Geologists")
    assert made["name"] == "Geologists" and re.fullmatch("AGPA[A-Z2-7]{17}", made["id"])
    assert "there is a group of this name already" in refused("group", "create", "geologists")
    assert "'a/b' cannot be a group's name: it has 1 to 128 letters" in refused("group", "create", "a/b", status=2)
    assert gemel.gemel("group", "show", "GEOLOGISTS") == {**made, "members": []}
    for name in ("gudrun", "gustav", "gudrun"):
        gemel.gemel("group", "add", "geologists", name)
    assert gemel.gemel("group", "show", "Geologists")["members"] == ["gudrun", "gustav"]
    assert made in gemel.gemel("group", "list")
    assert gemel.gemel("user", "show", "gudrun")["member_of"] == ["Geologists"]
    assert "members" in gemel.gemel("group", "show", "Geologists", json_out=False).stdout
    said = refused("group", "delete", "Geologists")
    assert "Geologists has members: gudrun and gustav; 'gemel group remove' ends a membership" in said
    gemel.gemel("user", "delete", "gudrun")
    gemel.gemel("group", "remove", "Geologists", "gustav")
    assert "gustav is no member of Geologists" in refused("group", "remove", "Geologists", "gustav")
    assert "nobody-there: no such user" in refused("group", "add", "Geologists", "nobody-there")
    gemel.gemel("group", "delete", "geologists")
    for words in (("show", "Geologists"), ("delete", "Geologists"), ("add", "Geologists", "gustav"), ("remove", "Geologists", "gustav")):
        assert "Geologists: no such group; 'gemel group list' shows the groups" in refused("group", *words)
    gemel.check_store()


def test_a_group_with_long_names(gemel, refused):
    """The message that names its members is cut between two of them, not inside a character."""
    names = [f"{n}" * 60 for n in range(9)]
    gemel.gemel("group", "create", "long")
    for number, name in enumerate(names, 3130):
        gemel.gemel("user", "create", name, "--uid", number)
        gemel.gemel("group", "add", "long", name)
    assert f"long has members: {', '.join(names[:8])} …; 'gemel" in refused("group", "delete", "long")


def test_a_user_in_ten_groups(gemel, refused):
    gemel.gemel("user", "create", "gerda", "--uid", 3110)
    names = [f"gerdas-{number}" for number in range(11)]
    for name in names:
        gemel.gemel("group", "create", name)
    for name in names[:10]:
        gemel.gemel("group", "add", name, "gerda")
    assert "gerda is in 10 groups already, and no user is in more" in refused("group", "add", names[10], "gerda")
    gemel.gemel("user", "delete", "gerda")
    for name in names:
        gemel.gemel("group", "delete", name)


def test_roles(gemel, refused):
    made = gemel.gemel("role", "create", "Reader", "--description", "liest alles für alle")
    assert re.fullmatch("AROA[A-Z2-7]{17}", made["id"]) and made["max_session"] == 3600 and made["description"] == "liest alles für alle"
    assert "there is a role of this name already" in refused("role", "create", "READER")
    assert "cannot be a role's name" in refused("role", "create", "r" * 65, status=2)
    for seconds in (3599, 43201, "x"):
        assert "--max-session" in refused("role", "update", "Reader", "--max-session", seconds, status=2)
    assert "UTF-8 without control characters" in refused("role", "update", "Reader", "--description", "a\nb", status=2)
    assert "more than 1000 bytes" in refused("role", "update", "Reader", "--description", "d" * 1001, status=2)
    changed = gemel.gemel("role", "update", "reader", "--max-session", 43200)
    assert changed == {**made, "max_session": 43200}
    assert gemel.gemel("role", "tag", "Reader", "--set", "Team=a b,stage=") == {"stage": "", "Team": "a b"}
    assert gemel.gemel("role", "show", "Reader") == {**changed, "tags": {"stage": "", "Team": "a b"}}
    assert changed in gemel.gemel("role", "list")
    gemel.gemel("role", "delete", "Reader")
    for words in (("show", "Reader"), ("delete", "Reader"), ("update", "Reader", "--max-session", 3600), ("tag", "Reader", "--set", "a=b")):
        assert "Reader: no such role; 'gemel role list' shows the roles" in refused("role", *words)


def test_tags(gemel, refused):
    gemel.gemel("user", "create", "gloria", "--uid", 3120)
    assert gemel.gemel("user", "tag", "gloria", "--set", "zone=1,Cost Center=A/7=x") == {"Cost Center": "A/7=x", "zone": "1"}
    assert gemel.gemel("user", "tag", "gloria", "--set", "ZONE=2") == {"Cost Center": "A/7=x", "ZONE": "2"}
    assert "gloria has no tag 'none'; 'gemel user show gloria' shows its tags" in refused("user", "tag", "gloria", "--remove", "zone,none")
    assert gemel.gemel("user", "tag", "gloria", "--remove", "ZONE") == {"Cost Center": "A/7=x"}
    assert gemel.gemel("user", "show", "gloria")["tags"] == {"Cost Center": "A/7=x"}
    assert re.search("^tags +Cost Center=A/7=x$", gemel.gemel("user", "show", "gloria", json_out=False).stdout, re.M)
    for text in ("key", "=v", "a=b,", ""):
        assert "not KEY=VALUE" in refused("user", "tag", "gloria", "--set", text, status=2), text
    for text in ("aws:a=b", "a=b,A=c", "ä*=b", "k=" + "v" * 257, "k" * 129 + "=v"):
        assert "a key has 1 to 128" in refused("user", "tag", "gloria", "--set", text), text
    assert "not the key of a tag" in refused("user", "tag", "gloria", "--remove", "a=b", status=2)
    assert "more than 50 tags" in refused("user", "tag", "gloria", "--set", ",".join(f"k{n}=v" for n in range(51)), status=2)
    assert "it would have more than 50 tags" in refused("user", "tag", "gloria", "--set", ",".join(f"k{n}=v" for n in range(50)))
    assert "exclude each other" in refused("user", "tag", "gloria", "--set", "a=b", "--remove", "a", status=2)
    gemel.gemel("user", "delete", "gloria")
    assert "gloria: no such user" in refused("user", "tag", "gloria", "--set", "a=b")
    gemel.check_store()


# ---- policies

def policy(*statements):
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})


READ = policy({"Effect": "Allow", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::*/*"})
TRUST = policy({"Effect": "Allow", "Principal": {"AWS": "arn:aws:iam::000000000000:user/hanna"}, "Action": "sts:AssumeRole"})


@pytest.fixture()
def written(tmp_path):
    """A file with this text."""
    def write(text):
        path = tmp_path / "document.json"
        path.write_text(text)
        return path
    return write


def test_policies_to_attach(gemel, refused, written):
    gemel.gemel("user", "create", "hanna", "--uid", 3200)
    gemel.gemel("group", "create", "Historians")
    gemel.gemel("role", "create", "Helper")
    made = gemel.gemel("policy", "put", "ReadAll", "--file", written(READ), "--description", "reads all")
    assert re.fullmatch("ANPA[A-Z2-7]{17}", made["id"]) and made["description"] == "reads all"
    assert gemel.gemel("policy", "get", "readall", json_out=False).stdout == READ + "\n"
    assert gemel.gemel("policy", "get", "ReadAll") == json.loads(READ)
    assert gemel.gemel("policy", "put", "READALL", "--file", "-", stdin=READ.replace("s3:GetObject", "s3:Get*"))["id"] == made["id"]
    assert gemel.gemel("policy", "get", "ReadAll")["Statement"][0]["Action"] == "s3:Get*"
    assert [p["name"] for p in gemel.gemel("policy", "list")].count("ReadAll") == 1
    for option, name in (("--user", "hanna"), ("--group", "historians"), ("--role", "HELPER")):
        gemel.gemel("policy", "attach", "readall", option, name)
        assert gemel.gemel("policy", "list", option, name) == [{"name": "ReadAll", "how": "attached"}]
    gemel.gemel("policy", "boundary", "ReadAll", "--user", "hanna")
    shown = gemel.gemel("policy", "show", "ReadAll")
    assert (shown["attached_to"], shown["boundary_of"]) == (["user/hanna", "group/Historians", "role/Helper"], ["user/hanna"])
    assert "ReadAll is attached to: user/hanna, group/Historians and role/Helper; 'gemel policy detach'" in refused("policy", "delete", "ReadAll")
    assert "Historians has policies: ReadAll; 'gemel policy list'" in refused("group", "delete", "Historians")
    assert "Helper has policies: ReadAll; 'gemel policy list'" in refused("role", "delete", "Helper")
    for option, name in (("--user", "hanna"), ("--group", "Historians"), ("--role", "Helper")):
        gemel.gemel("policy", "detach", "ReadAll", option, name)
        assert f"ReadAll is not attached to {name}" in refused("policy", "detach", "ReadAll", option, name)
    assert "ReadAll is the boundary of: user/hanna; 'gemel policy boundary'" in refused("policy", "delete", "ReadAll")
    gemel.gemel("policy", "boundary", "--remove", "--user", "hanna")
    gemel.gemel("policy", "delete", "ReadAll")
    for words in (("get", "ReadAll"), ("show", "ReadAll"), ("delete", "ReadAll"), ("attach", "ReadAll", "--user", "hanna"), ("boundary", "ReadAll", "--user", "hanna")):
        assert "ReadAll: no such policy; 'gemel policy list' shows the policies" in refused("policy", *words)
    gemel.gemel("user", "delete", "hanna")
    gemel.gemel("group", "delete", "Historians")
    gemel.gemel("role", "delete", "Helper")
    gemel.check_store()


def test_own_policies(gemel, refused, written):
    gemel.gemel("user", "create", "heidi", "--uid", 3210)
    gemel.gemel("group", "create", "Heirs")
    for option, name in (("--user", "heidi"), ("--group", "Heirs")):
        gemel.gemel("policy", "put", "own", "--file", written(READ), option, name)
        assert gemel.gemel("policy", "get", "OWN", option, name, json_out=False).stdout == READ + "\n"
        assert gemel.gemel("policy", "list", option, name) == [{"name": "own", "how": "inline"}]
    assert "heidi has 1 policy of its own, which would be deleted with the user; --yes confirms it" in refused("user", "delete", "heidi", status=2)
    assert "Heirs has policies: own" in refused("group", "delete", "Heirs")
    long = policy({"Effect": "Allow", "Action": "s3:" + "A" * 2000, "Resource": "*"})
    assert "all policies of one user together may have 2048" in refused("policy", "put", "more", "--file", written(long), "--user", "heidi")
    assert "more: no such policy" in refused("policy", "get", "more", "--user", "heidi")
    gemel.gemel("policy", "delete", "own", "--group", "Heirs")
    assert "own: no such policy" in refused("policy", "delete", "own", "--group", "Heirs")
    assert "nobody-there: no such user" in refused("policy", "put", "own", "--file", written(READ), "--user", "nobody-there")
    gemel.gemel("group", "delete", "Heirs")
    gemel.gemel("user", "delete", "heidi", "--yes")
    gemel.check_store()


def test_documents_that_are_not_valid(gemel, refused, written):
    """The place and what would be right; nothing is kept."""
    gemel.gemel("user", "create", "hugo", "--uid", 3220)
    path = written(policy({"Effect": "Maybe", "Action": "s3:GetObject", "Resource": "*"}))
    for words in ((), ("--user", "hugo")):
        assert f'{path}:1:42: Statement[0].Effect: "Maybe" is not allowed: it is "Allow" or "Deny"' in refused("policy", "put", "bad", "--file", path, *words)
        assert "bad: no such policy" in refused("policy", "get", "bad", *words)
    assert "line 1 column" in refused("policy", "put", "bad", "--file", written("{,}"))
    assert "it is empty" in refused("policy", "put", "bad", "--file", written(""))
    assert "more than 65536 bytes" in refused("policy", "put", "bad", "--file", written(" " * 70000), "--user", "hugo")
    assert "a policy may have 6144" in refused("policy", "put", "bad", "--file", written(policy({"Effect": "Allow", "Action": "s3:" + "A" * 6144, "Resource": "*"})))
    assert "No such file" in refused("policy", "put", "bad", "--file", "/nowhere")
    assert "Resource: a trust policy speaks of its role only" in refused("role", "create", "bad", "--trust", written(READ.replace("s3:GetObject", "sts:AssumeRole").replace('"Action"', '"Principal": "*", "Action"')))
    for words, said in (
        (("put", "--file", path), "the NAME of the policy is missing"), (("put", "x"), "--file FILE is missing"), (("put", "a b", "--file", path), "cannot be a policy's name"),
        (("put", "x", "--file", path, "--bucket", "demo"), "the policy of a bucket has no name"), (("put", "x", "--file", path, "--user", "a", "--group", "b"), "of one of --user, --group, --role and --bucket"),
        (("put", "x", "--file", path, "--user", "hugo", "--description", "d"), "only policies of their own have one"), (("attach", "x"), "--user, --group or --role is missing"),
        (("boundary", "--user", "hugo"), "either the NAME of a policy or --remove"), (("boundary", "x", "--remove", "--user", "hugo"), "either the NAME of a policy or --remove"), (("boundary", "x", "--group", "g"), "no option --group"),
    ):
        assert said in refused("policy", *words, status=2), words
    gemel.gemel("user", "delete", "hugo")


def test_who_may_take_a_role_on(gemel, refused, written):
    gemel.gemel("role", "create", "Historian", "--trust", written(TRUST))
    assert gemel.gemel("role", "trust", "historian") == json.loads(TRUST)
    gemel.gemel("role", "update", "Historian", "--trust", written(TRUST.replace("hanna", "heidi")), "--max-session", 7200)
    assert "heidi" in gemel.gemel("role", "trust", "Historian", json_out=False).stdout and gemel.gemel("role", "show", "Historian")["max_session"] == 7200
    gemel.gemel("role", "create", "Nobodys")
    assert "Nobodys: nobody may take the role on" in refused("role", "trust", "Nobodys")
    for name in ("Historian", "Nobodys"):
        gemel.gemel("role", "delete", name)


def test_policies_of_buckets(gemel, refused, written):
    bucket = gemel.new_bucket()
    shown = gemel.gemel("bucket", "show", bucket)
    assert (shown["policy"], shown["public_access_block"], shown["ownership"]) == ("none", "none", "BucketOwnerEnforced")

    def document(principal):
        return policy({"Effect": "Allow", "Principal": principal, "Action": "s3:GetObject", "Resource": f"arn:aws:s3:::{bucket}/*"})

    assert f"{bucket}: the bucket has no policy" in refused("policy", "get", "--bucket", bucket)
    private = document({"AWS": "arn:aws:iam::000000000000:user/demo"})
    gemel.gemel("policy", "put", "--bucket", bucket, "--file", written(private))
    assert gemel.gemel("bucket", "show", bucket)["policy"] == "not public"
    assert gemel.gemel("policy", "get", "--bucket", bucket, json_out=False).stdout == private + "\n"
    gemel.gemel("policy", "put", "--bucket", bucket, "--file", written(document("*")))
    assert gemel.gemel("bucket", "show", bucket)["policy"] == "public"
    assert "this bucket" in refused("policy", "put", "--bucket", bucket, "--file", written(document("*").replace(bucket, "other")))
    assert "nowhere: no such bucket" in refused("policy", "put", "--bucket", "nowhere", "--file", written(document("*").replace(bucket, "nowhere")))
    # Public access blocks, of the bucket and of all.
    for off in ((("bucket", "public-access", bucket), "all"), (("account", "public-access"), "BlockPublicPolicy")):
        words, settings = off
        gemel.gemel(*words, settings)
        assert "a public access block forbids that" in refused("policy", "put", "--bucket", bucket, "--file", written(document("*")))
        gemel.gemel("policy", "put", "--bucket", bucket, "--file", written(private))
        gemel.gemel(*words, "none")
    assert gemel.gemel("account", "show") == {"public_access_block": "none"}
    assert gemel.gemel("bucket", "public-access", bucket, "IgnorePublicAcls,BlockPublicAcls")["public_access_block"] == "BlockPublicAcls,IgnorePublicAcls"
    assert "'some': not all, none, or some of BlockPublicAcls" in refused("account", "public-access", "some", status=2)
    assert gemel.gemel("bucket", "ownership", bucket, "ObjectWriter")["ownership"] == "ObjectWriter"
    assert "'mine': not BucketOwnerEnforced" in refused("bucket", "ownership", bucket, "mine", status=2)
    gemel.gemel("policy", "delete", "--bucket", bucket)
    assert gemel.gemel("bucket", "show", bucket)["policy"] == "none"
    gemel.gemel("bucket", "delete", bucket)
    gemel.check_store()
