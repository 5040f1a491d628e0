"""The simulator itself: tests that stand on it are worth what it is worth. Needs no client."""
import http.client
import json
import urllib.parse

import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding

import simulator


@pytest.mark.parametrize("value, expected", [
    ({"b": 1, "a": [True, False, None]}, b'{"a":[true,false,null],"b":1}'),
    ({}, b"{}"), ([], b"[]"), (-12, b"-12"), (10 ** 30, b"1" + 30 * b"0"),
    ('a "quote" and a \\', b'"a \\"quote\\" and a \\\\"'),
    ("line\nend\t\x7f\x01", b'"line\nend\t\x7f\x01"'),
    ("ä/€", '"ä/€"'.encode()),
    ({"\uffff": 1, "\U0001f600": 2, "a": 3}, '{"a":3,"\uffff":1,"\U0001f600":2}'.encode()),
])
def test_canonical_form(value, expected):
    assert simulator.canonical(value) == expected


@pytest.mark.parametrize("kind", simulator.Key.TYPES)
def test_keys_sign_what_their_public_part_verifies(kind):
    key = simulator.Key(kind)
    public, signature = key.object["keyval"]["public"], bytes.fromhex(key.sign(b"data"))

    def verify(data):
        if kind == "ed25519":
            key.private.public_key().verify(signature, data)
        elif kind == "rsa":
            serialization.load_pem_public_key(public.encode()).verify(
                signature, data, padding.PSS(padding.MGF1(hashes.SHA256()), padding.PSS.AUTO), hashes.SHA256())
        else:
            serialization.load_pem_public_key(public.encode()).verify(signature, data, ec.ECDSA(hashes.SHA256()))

    verify(b"data")
    with pytest.raises(InvalidSignature):
        verify(b"date")


def test_an_alias_is_the_same_key_under_another_id():
    key = simulator.Key()
    other = key.alias(extra=1)
    assert other.id != key.id and other.sign(b"x") == key.sign(b"x")


def test_each_role_lists_the_next():
    repository = simulator.Repository()
    assert sorted(repository.files) == ["metadata/1.root.json", "metadata/1.snapshot.json", "metadata/1.targets.json",
                                        "metadata/timestamp.json"]
    repository.hash_names, repository.tell_length = ("sha256", "sha512"), True
    repository.release("targets")
    text = repository.files["metadata/2.targets.json"]
    assert repository.snapshot["meta"]["targets.json"] == {
        "version": 2, "length": len(text),
        "hashes": {"sha256": simulator.digest(text), "sha512": simulator.digest(text, "sha512")}}
    assert json.loads(repository.files["metadata/timestamp.json"])["signed"]["meta"]["snapshot.json"]["version"] == 2


def test_bins_are_named_by_the_first_bits_of_the_hash():
    # SHA-256 of "a" begins with ca978112, of "b" with 3e23e816.
    assert simulator.bin_name("bin", 1, "a") == "bin-1" and simulator.bin_name("bin", 1, "b") == "bin-0"
    assert simulator.bin_name("bin", 8, "a") == "bin-ca"
    assert simulator.bin_name("bin", 14, "b") == "bin-0f88"


def ask(server, url):
    parts = urllib.parse.urlsplit(url)
    connection = http.client.HTTPConnection(parts.hostname, parts.port, timeout=5)
    connection.request("GET", parts.path)
    return connection.getresponse()


def test_the_server_serves_counts_and_fails(repository):
    server = simulator.Server(repository)
    timestamp = f"{server.metadata_url}timestamp.json"
    assert ask(server, timestamp).read() == repository.files["metadata/timestamp.json"]
    assert ask(server, f"{server.metadata_url}nothing.json").status == 404
    server.fail("metadata/timestamp.json", status=503)
    assert ask(server, timestamp).status == 503
    server.heal()
    server.fail("metadata/timestamp.json", cut=10)
    with pytest.raises(http.client.IncompleteRead):
        ask(server, timestamp).read()
    server.heal()
    server.fail("metadata/timestamp.json", endless=True)
    assert len(ask(server, timestamp).read(1_000_000)) == 1_000_000
    assert server.take_requests() == ["timestamp", "nothing", "timestamp", "timestamp", "timestamp"]
    server.shutdown()
    server.server_close()
