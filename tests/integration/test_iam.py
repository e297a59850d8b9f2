# SPDX-License-Identifier: Apache-2.0
"""Groups, roles and tags through the gemel program, while the store is served."""
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
    assert gemel.gemel("user", "tag", "gloria", "--remove", "zone,none") == {"Cost Center": "A/7=x"}
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
