"""Kubeconfig files as kubectl reads them."""

from __future__ import annotations

import base64
import os
from collections.abc import Mapping
from pathlib import Path

import pytest
import yaml

from certwright.kube.client.connection import Connection, Impersonation, in_cluster
from certwright.kube.client.credentials import (
    Anonymous,
    BearerToken,
    ExecCommand,
    KeyPair,
    Password,
    TokenFile,
)
from certwright.kube.client.errors import BadConnection
from certwright.kube.client.kubeconfig import find_connection
from certwright.rest import SecretText

V1 = "client.authentication.k8s.io/v1"


def write(path: Path, content: object) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(content if isinstance(content, str) else yaml.safe_dump(content))
    return path


def one(cluster: Mapping[str, object], user: Mapping[str, object] | None = None, **context: str) -> dict[str, object]:
    return {
        "apiVersion": "v1",
        "kind": "Config",
        "preferences": {},
        "current-context": "x",
        "clusters": [{"name": "c", "cluster": {"server": "https://h:1", **cluster}}],
        "users": [{"name": "u", "user": user or {}}],
        "contexts": [{"name": "x", "context": {"cluster": "c", "user": "u", **context}}],
    }


def load(tmp_path: Path, content: object) -> Connection:
    return find_connection({}, str(write(tmp_path / "config", content)))


def b64(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


def test_inline_data_wins_over_files_which_are_relative_to_the_kubeconfig(tmp_path: Path) -> None:
    for name in ("ca", "crt", "key"):
        write(tmp_path / "sub" / "pki" / name, f"{name} of a file")
    files = {"client-certificate": "pki/crt", "client-key": str(tmp_path / "sub" / "pki" / "key")}
    config = write(tmp_path / "sub" / "config", one({"certificate-authority": "pki/ca"}, files, namespace="team"))

    found = find_connection({}, str(config))
    inline = {**files, "client-certificate-data": b64("inline crt"), "client-key-data": b64("inline key")}
    write(config, one({"certificate-authority": "pki/ca", "certificate-authority-data": b64("inline ca")}, inline))
    again = find_connection({}, str(config))

    assert (found.server, found.namespace, found.trust.ca) == ("https://h:1", "team", b"ca of a file")
    assert found.certificate == KeyPair(b"crt of a file", b"key of a file")
    assert (again.trust.ca, again.certificate) == (b"inline ca", KeyPair(b"inline crt", b"inline key"))


def test_everything_that_a_cluster_and_a_user_can_say(tmp_path: Path) -> None:
    cluster = {
        "server": "https://h:1/prefix/",
        "insecure-skip-tls-verify": True,
        "tls-server-name": "name",
        "proxy-url": "http://proxy:3128",
        "certificate-authority": None,
    }
    user = {"as": "jane", "as-uid": "7", "as-groups": ["g"], "as-user-extra": {"k": ["v"]}, "token": "t"}

    found = load(tmp_path, one(cluster, user))

    assert found.server == "https://h:1/prefix"
    assert found.trust.skip_verify
    assert found.trust.name == "name"
    assert found.proxy == "http://proxy:3128"
    assert found.impersonation == Impersonation(user="jane", uid="7", groups=("g",), extra={"k": ("v",)})
    assert found.identification == BearerToken(SecretText("t"))


@pytest.mark.parametrize(
    ("user", "expected"),
    [
        ({}, Anonymous()),
        ({"token": "t", "tokenFile": "/f"}, TokenFile(Path("/f"))),
        ({"username": "u", "password": "p"}, Password("u", SecretText("p"))),
    ],
)
def test_ways_to_say_who_we_are(user: dict[str, object], expected: object, tmp_path: Path) -> None:
    assert load(tmp_path, one({}, user)).identification == expected


def test_an_exec_plugin(tmp_path: Path) -> None:
    plugin = {
        "apiVersion": V1,
        "command": "./bin/plugin",
        "args": ["get", "token"],
        "env": [{"name": "A", "value": "B"}],
        "provideClusterInfo": True,
        "interactiveMode": "IfAvailable",
        "installHint": None,
    }
    extension = {"name": "client.authentication.k8s.io/exec", "extension": {"audience": "a"}}

    found = load(tmp_path, one({"extensions": [extension]}, {"exec": plugin}))

    assert found.identification == ExecCommand(
        api_version=V1,
        command=str(tmp_path / "bin" / "plugin"),
        arguments=("get", "token"),
        environment={"A": "B"},
        cluster={"server": "https://h:1", "config": {"audience": "a"}},
    )


def test_several_files_are_merged_and_the_first_word_counts(tmp_path: Path) -> None:
    first = write(tmp_path / "1", {"contexts": [{"name": "x", "context": {"cluster": "c", "user": "u"}}]})
    second = write(tmp_path / "2" / "config", one({"server": "https://two"}, {"tokenFile": "t"}))
    third = write(tmp_path / "3", one({"server": "https://three"}))
    environ = {"KUBECONFIG": os.pathsep.join([str(first), str(tmp_path / "absent"), str(second), str(third)])}

    found = find_connection(environ)

    assert found.server == "https://two"
    assert found.identification == TokenFile(tmp_path / "2" / "t")


def test_a_context_by_name(tmp_path: Path) -> None:
    content = one({})
    content["contexts"] = [{"name": "other", "context": {"cluster": "c", "user": "u", "namespace": "n"}}]
    path = write(tmp_path / "config", content)

    assert find_connection({}, str(path), context="other").namespace == "n"
    with pytest.raises(BadConnection, match="no context 'x'; it has 'other'"):
        find_connection({}, str(path))


def test_where_it_is_looked_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(tmp_path / ".kube" / "config", one({"server": "https://home"}))
    explicit = write(tmp_path / "explicit", one({"server": "https://explicit"}))
    home = {"HOME": str(tmp_path)}

    assert find_connection(home).server == "https://home"
    assert find_connection({**home, "KUBECONFIG": str(explicit)}).server == "https://explicit"
    assert find_connection(home, str(explicit)).server == "https://explicit"
    assert find_connection(home, server="https://flag:2/").server == "https://flag:2"
    assert find_connection({}, server="localhost:8080").server == "http://localhost:8080"
    assert find_connection({}, server="unix:/run/api.sock").socket == Path("/run/api.sock")
    with pytest.raises(BadConnection, match="give --kubeconfig"):
        find_connection({"HOME": str(tmp_path / "empty")})


def test_in_a_pod(tmp_path: Path) -> None:
    for name, text in (("token", "t"), ("ca.crt", "ca"), ("namespace", "team\n")):
        write(tmp_path / name, text)

    found = in_cluster({"KUBERNETES_SERVICE_HOST": "fd00::1", "KUBERNETES_SERVICE_PORT": "443"}, tmp_path)

    assert found is not None
    assert (found.server, found.namespace, found.trust.ca) == ("https://[fd00::1]:443", "team", b"ca")
    assert found.identification == TokenFile(tmp_path / "token")
    assert in_cluster({}, tmp_path) is None


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("{", "is not YAML near line 1"),
        ("- a", "is not understood"),
        ({"users": [{"name": "u", "user": {"token": 7}}]}, r"users\[0\].user.token"),
        ({"contexts": []}, "no current-context"),
        ({"current-context": "x", "contexts": [{"name": "x", "context": {"cluster": "c"}}]}, "names the cluster 'c'"),
        (one({"server": ""}), "has no server"),
        (one({}, user=None, user_="v") | {"users": []}, "names the user 'u'"),
        (one({"certificate-authority": "absent"}), "absent, named by the kubeconfig, cannot be read"),
        (one({}, {"client-key-data": b64("k")}), "but not both"),
        (one({}, {"auth-provider": {"name": "gcp"}}), "'gcp' is no longer part"),
        (one({}, {"exec": {"command": "p", "apiVersion": "v1alpha1"}}), "known are"),
        (one({}, {"exec": {"command": "p", "apiVersion": V1, "interactiveMode": "Always"}}), "asks its user"),
    ],
)
def test_what_is_wrong_is_said_in_a_sentence(content: object, words: str, tmp_path: Path) -> None:
    with pytest.raises(BadConnection, match=words):
        load(tmp_path, content)


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(BadConnection, match="cannot be read: No such file"):
        find_connection({}, str(tmp_path / "absent"))
    with pytest.raises(BadConnection, match="None of the files in KUBECONFIG"):
        find_connection({"KUBECONFIG": str(tmp_path / "absent")})


def test_no_secret_is_quoted(tmp_path: Path) -> None:
    user = {"token": "s3cret", "client-certificate-data": b64("s3cret"), "client-key-data": b64("s3cret")}
    found = load(tmp_path, one({}, user))
    with pytest.raises(BadConnection) as caught:
        load(tmp_path, "users: [{name: u, user: {token: s3cret")

    assert "s3cret" not in f"{found!r} {found.identification!r} {found.certificate!r} {caught.value}"
