"""Who signed: thresholds, key ids and key material, key types, and signatures that do not count.

Of the public suite this covers the key area, the rotation of the keys of roles below the root, and the key types that its
stored repositories use."""
import hashlib
import json

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding

import simulator
from simulator import Key

BELOW_ROOT = ("timestamp", "snapshot", "targets")


def damaged(key):
    """Signs, but wrongly."""
    class Damaged(Key):
        def sign(self, data):
            return key.sign(data + b"!")
    return Damaged(key.kind, key.private)


BAD_SIGNERS = {
    "nobody": lambda keys: [],
    "a stranger": lambda keys: [Key()],
    "a damaged signature": lambda keys: [damaged(keys[0])],
    "too few": lambda keys: keys[:1],
    "one of two damaged": lambda keys: [keys[0], damaged(keys[1])],
    "one good and one stranger": lambda keys: [keys[0], Key()],
}


@pytest.mark.parametrize("role", simulator.TOP_LEVEL)
@pytest.mark.parametrize("name", BAD_SIGNERS)
def test_what_too_few_signed_is_not_stored(make_client, role, name):
    repository = simulator.Repository()
    keys = [Key(), Key()] if name in ("too few", "one of two damaged", "one good and one stranger") else [Key()]
    repository.set_keys(role, keys, threshold=len(keys))
    repository.root["version"] = 0
    repository.release_root()
    if role != "root":
        repository.write(role)
    repository.release("targets")
    client = make_client(repository)
    stored = {"root": {"root": 1}, "timestamp": {"root": 1}, "snapshot": {"root": 1, "timestamp": 3},
              "targets": {"root": 1, "timestamp": 3, "snapshot": 3}}[role]
    repository.release_edited(role, lambda text: repository.text(role, keys=BAD_SIGNERS[name](keys)))
    assert client.refresh() == 1
    assert client.trusted() == stored


@pytest.mark.parametrize("role", simulator.TOP_LEVEL)
def test_an_unsigned_update_leaves_the_old_role(client, repository, role):
    client.refresh()
    repository.release_edited(role, lambda text: repository.text(role, keys=[]))
    assert client.refresh() == 1
    assert client.version(role) == 1
    repository.release_any(role)
    if role != "root":  # a root chain with a hole cannot be mended
        assert client.refresh() == 0
        assert client.version(role) == 3


@pytest.mark.parametrize("role", simulator.TOP_LEVEL)
@pytest.mark.parametrize("kind", Key.TYPES)
def test_each_key_type_signs_each_role(make_client, role, kind):
    repository = simulator.Repository()
    repository.set_keys(role, [Key(kind)])
    repository.root["version"] = 0
    repository.release_root()
    repository.write(role)
    repository.release("targets")
    client = make_client(repository)
    assert client.refresh() == 0, client.stderr
    repository.release_edited(role, lambda text: repository.text(role, keys=[damaged(repository.signers[role][0])]))
    assert client.refresh() == 1
    assert client.version(role) == (1 if role == "root" else 2)


@pytest.mark.parametrize("kind", Key.TYPES)
def test_each_key_type_signs_for_a_delegated_role(client, repository, kind):
    repository.delegate("targets", "A", keys=[Key(kind)])
    repository.add_target("file", b"data", role="A")
    repository.release("A", "targets")
    assert client.download("file") == 0, client.stderr
    repository.release_edited("A", lambda text: repository.text("A", keys=[damaged(repository.signers["A"][0])]))
    assert client.download("file") == 1
    assert client.version("A") == 1


def test_all_key_types_together_make_a_threshold(client, repository):
    keys = [Key(kind) for kind in Key.TYPES]
    repository.set_keys("timestamp", keys, threshold=4)
    repository.release_root()
    repository.release_timestamp()
    assert client.refresh() == 0, client.stderr


def test_pss_salts_of_any_length_are_good(client, repository):
    key = Key("rsa")
    repository.set_keys("timestamp", [key])
    repository.release_root()
    for salt in (padding.PSS.MAX_LENGTH, padding.PSS.DIGEST_LENGTH, 0, 20):
        key.salt = salt
        repository.release_timestamp()
        assert client.refresh() == 0, f"{salt}: {client.stderr}"


@pytest.mark.parametrize("bits", [3072, 4096])
def test_larger_rsa_keys(client, repository, bits):
    from cryptography.hazmat.primitives.asymmetric import rsa
    repository.set_keys("timestamp", [Key("rsa", rsa.generate_private_key(65537, bits))])
    repository.release_root()
    repository.release_timestamp()
    assert client.refresh() == 0, client.stderr


def wrong_key(**changes):
    key = Key("ecdsa" if "ecdsa" in str(changes) else "ed25519")
    key.object.update(changes)
    return key


STRANGE_KEYS = {
    "an unknown type": lambda: wrong_key(keytype="ml-dsa-44", scheme="ml-dsa-44"),
    "an unknown scheme": lambda: wrong_key(scheme="ed448"),
    "a scheme of another type": lambda: wrong_key(keytype="rsa"),
    "ecdsa of another curve": lambda: wrong_key(keytype="ecdsa", scheme="ecdsa-sha2-nistp384"),
    "a short key": lambda: wrong_key(keyval={"public": "00" * 31}),
    "an odd key": lambda: wrong_key(keyval={"public": "0" * 63}),
    "no hexadecimal": lambda: wrong_key(keyval={"public": "zz" * 32}),
    "an empty key": lambda: wrong_key(keyval={"public": ""}),
    "no PEM": lambda: wrong_key(keytype="ecdsa", scheme="ecdsa-sha2-nistp256", keyval={"public": "PEM"}),
}


@pytest.mark.parametrize("name", STRANGE_KEYS)
def test_a_key_that_nobody_can_use_never_counts(client, repository, name):
    client.refresh()
    repository.set_keys("timestamp", [Key(), STRANGE_KEYS[name]()], threshold=2)
    repository.release_root()
    repository.release_timestamp()
    assert client.refresh() == 1
    assert client.version("timestamp") in (1, None)  # new keys take away what the old ones signed


@pytest.mark.parametrize("name", ["an unknown type", "an unknown scheme"])
def test_a_key_of_the_future_does_no_harm(client, repository, name):
    repository.set_keys("timestamp", [Key(), STRANGE_KEYS[name]()], threshold=1)
    repository.release_root()
    repository.release_timestamp()
    assert client.refresh() == 0, client.stderr


def test_an_ecdsa_key_of_another_curve_never_counts(client, repository):
    client.refresh()
    key = Key("ecdsa", ec.generate_private_key(ec.SECP384R1()))
    repository.set_keys("timestamp", [key])
    repository.release_root()
    repository.release_timestamp()
    assert client.refresh() == 1


def test_a_threshold_above_the_number_of_keys_is_never_reached(client, repository):
    client.refresh()
    repository.set_keys("snapshot", [Key() for _ in range(5)], threshold=6)
    repository.release_root()
    repository.release_snapshot()
    assert client.refresh() == 1
    assert client.version("snapshot") in (1, None)


@pytest.mark.parametrize("threshold", [0, -1, "1", 1.0, True, None, 2 ** 64], ids=repr)
@pytest.mark.parametrize("role", simulator.TOP_LEVEL)
def test_a_threshold_is_a_positive_integer(client, repository, role, threshold):
    repository.root["roles"][role]["threshold"] = threshold
    repository.root["version"] += 1
    repository.serve("root", json.dumps(repository.sign(repository.root, repository.signers["root"])).encode())
    assert client.refresh() == 1
    assert client.version("root") == 1 or threshold == 2 ** 64


@pytest.mark.parametrize("role", BELOW_ROOT)
@pytest.mark.parametrize("known_key", [True, False], ids=["with its key", "without its key"])
def test_keys_that_the_role_does_not_name_do_not_count(client, repository, role, known_key):
    """Neither a key that the root has for nothing, nor an id that has no key."""
    old, extra = repository.signers[role][0], Key()
    repository.set_keys(role, [old, Key()], threshold=2, signers=[old, extra])
    if known_key:
        repository.root["keys"][extra.id] = extra.object
    else:
        repository.root["roles"][role]["keyids"].append(Key().id)
    repository.release_root()
    repository.release_any(role)
    assert client.refresh() == 1
    assert client.version(role) is None


def test_keys_of_other_roles_do_not_count(client, repository):
    signers = [repository.signers[role][0] for role in ("root", "targets", "timestamp")]
    repository.release_edited("snapshot", lambda text: repository.text("snapshot", keys=signers))
    assert client.refresh() == 1
    assert client.version("snapshot") is None


def test_keyid_hash_algorithms_mean_nothing(client, repository):
    keys = [Key(keyid_hash_algorithms=names) for names in (["md5"], ["sha512", "sha256"], [])]
    repository.set_keys("snapshot", keys, threshold=3)
    repository.release_root()
    repository.release_snapshot()
    assert client.refresh() == 0, client.stderr
    assert client.version("snapshot") == 2


# ---- One key, several ids --------------------------------------------------------------------------------------------


def upper_case(key):
    other = key.alias()
    other.object["keyval"]["public"] = other.object["keyval"]["public"].upper()
    return other


def rewritten_pem(edit):
    def make(key):
        other = key.alias()
        other.object["keyval"]["public"] = edit(other.object["keyval"]["public"])
        return other
    return make


def long_lines(pem):
    lines = pem.strip().split("\n")
    return "\n".join([lines[0], "".join(lines[1:-1]), lines[-1]]) + "\n"


def compressed_point(pem):
    point = serialization.load_pem_public_key(pem.encode()).public_bytes(
        serialization.Encoding.X962, serialization.PublicFormat.CompressedPoint)
    der = bytes.fromhex("3039301306072a8648ce3d020106082a8648ce3d030107032200") + point
    import base64
    return f"-----BEGIN PUBLIC KEY-----\n{base64.b64encode(der).decode()}\n-----END PUBLIC KEY-----\n"


SAME_KEY = {
    "a field more": ("ed25519", lambda key: key.alias(extra=1)),
    "a field more in keyval": ("ed25519", rewritten_pem(lambda public: public)),
    "upper case": ("ed25519", upper_case),
    "the older name of its type": ("ecdsa", lambda key: key.alias("ecdsa-older")),
    "a line less": ("ecdsa", rewritten_pem(str.strip)),
    "longer lines": ("rsa", rewritten_pem(long_lines)),
    "text before": ("rsa", rewritten_pem(lambda pem: "comment\n" + pem)),
    "carriage returns": ("ecdsa", rewritten_pem(lambda pem: pem.replace("\n", "\r\n"))),
    "a compressed point": ("ecdsa", rewritten_pem(compressed_point)),
}


@pytest.mark.parametrize("role", [*simulator.TOP_LEVEL, "A"])
@pytest.mark.parametrize("name", SAME_KEY)
def test_one_key_under_two_ids_counts_once(client, repository, role, name):
    kind, disguise = SAME_KEY[name]
    key = Key(kind)
    other = disguise(key)
    if name == "a field more in keyval":
        other.object["keyval"]["extra"] = 1
    assert key.id != other.id
    client.refresh()
    if role == "A":
        repository.delegate("targets", "A", keys=[key, other], threshold=2)
        repository.release("A", "targets")
        assert client.download("anything") == 1 and client.version("A") is None
        return
    old = repository.signers[role]
    repository.set_keys(role, [key, other], threshold=2, signers=[*(old if role == "root" else []), key, other])
    repository.release_root()
    if role != "root":
        repository.release_any(role)
    assert client.refresh() == 1
    # Rotating the keys of timestamp and snapshot takes away what they signed.
    assert client.version(role) in (1, None)


def test_ten_ids_of_one_key_are_one_key(client, repository):
    client.refresh()
    key = Key()
    keys = [repository.signers["snapshot"][0], *(key.alias(number=number) for number in range(9))]
    repository.set_keys("snapshot", keys, threshold=3)
    repository.release_root()
    repository.release_snapshot()
    assert client.refresh() == 1
    repository.root["roles"]["snapshot"]["threshold"] = 2
    repository.release_root()
    repository.release_snapshot()
    assert client.refresh() == 0, client.stderr


@pytest.mark.parametrize("where", ["root", "delegation"])
@pytest.mark.parametrize("wrong", [
    lambda key: "0" * 64,
    lambda key: hashlib.sha256(key.object["keyval"]["public"].encode()).hexdigest(),
    lambda key: Key().id,
    lambda key: key.id.upper(),
    lambda key: key.id[:32],
    lambda key: "",
], ids=["zeros", "of the public part", "another's", "upper case", "half", "empty"])
def test_an_id_that_is_not_its_key_s_is_refused(client, repository, where, wrong):
    key = Key()
    false = wrong(key)
    if where == "root":
        repository.root["keys"][false] = key.object
        repository.release_root()
        assert client.refresh() == 1
        assert client.version("root") == 1
    else:
        repository.delegate("targets", "A", keys=[key])
        repository.targets["delegations"]["keys"] = {false: key.object}
        repository.targets["delegations"]["roles"][0]["keyids"] = [false]
        repository.release("targets")
        repository.serve("A", json.dumps({
            "signed": repository.signed["A"], "signatures": [
                {"keyid": false, "sig": key.sign(simulator.canonical(repository.signed["A"]))}]}).encode(), 0)
        repository.signed["A"]["version"] = 1
        repository.serve("A", json.dumps({
            "signed": repository.signed["A"], "signatures": [
                {"keyid": false, "sig": key.sign(simulator.canonical(repository.signed["A"]))}]}).encode())
        repository.list_in_snapshot("A")
        repository.release_snapshot()
        assert client.download("anything") == 1
        assert client.version("A") is None


# ---- Signatures that do not count ------------------------------------------------------------------------------------


def with_signatures(repository, role, change):
    def edit(text):
        document = json.loads(text)
        document["signatures"] = change(document["signatures"])
        return json.dumps(document).encode()
    repository.release_edited(role, edit)


@pytest.mark.parametrize("role", simulator.TOP_LEVEL)
@pytest.mark.parametrize("how", ["twice the same", "good and bad", "good and empty"])
def test_an_id_twice_among_the_signatures_makes_the_file_invalid(client, repository, role, how):
    other = {"twice the same": lambda sig: sig, "good and bad": lambda sig: "00" * 64, "good and empty": lambda sig: ""}[how]
    with_signatures(repository, role, lambda signatures: [
        *signatures, {"keyid": signatures[0]["keyid"], "sig": other(signatures[0]["sig"])}])
    assert client.refresh() == 1
    assert client.version(role) == (1 if role == "root" else None)


@pytest.mark.parametrize("threshold", [1, 2])
def test_an_id_twice_in_a_role_counts_once(client, repository, threshold):
    role = repository.root["roles"]["snapshot"]
    role["keyids"] = role["keyids"] * 2
    role["threshold"] = threshold
    repository.release_root()
    repository.release_snapshot()
    assert client.refresh() == (0 if threshold == 1 else 1)
    assert client.version("snapshot") == (2 if threshold == 1 else None)


RUBBISH = {
    "empty": "", "no hexadecimal": "xyz", "odd": "abc", "short": "00", "long": "ab" * 3000, "other text": "-----BEGIN",
    "zeros": "00" * 64,
}


@pytest.mark.parametrize("role", simulator.TOP_LEVEL)
@pytest.mark.parametrize("name", RUBBISH)
def test_rubbish_beside_enough_good_signatures_does_no_harm(client, repository, role, name):
    silent = Key()
    repository.set_keys(role, [*repository.signers[role], silent], signers=repository.signers[role])
    repository.release_root()
    with_signatures(repository, role, lambda signatures: [{"keyid": silent.id, "sig": RUBBISH[name]}, *signatures])
    assert client.refresh() == 0, client.stderr
    assert client.version(role) == (3 if role == "root" else 2)


@pytest.mark.parametrize("name", RUBBISH)
@pytest.mark.parametrize("kind", Key.TYPES)
def test_rubbish_in_place_of_a_signature_is_refused(client, repository, kind, name):
    repository.set_keys("timestamp", [Key(kind)])
    repository.release_root()
    with_signatures(repository, "timestamp", lambda signatures: [{**signatures[0], "sig": RUBBISH[name]}])
    assert client.refresh() == 1
    assert client.version("timestamp") is None


def test_signatures_of_strangers_do_no_harm(client, repository):
    with_signatures(repository, "timestamp", lambda signatures: [
        *({"keyid": Key().id, "sig": "00" * 64} for _ in range(20)), *signatures,
        {"keyid": "no digest", "sig": "00"}])
    assert client.refresh() == 0, client.stderr


@pytest.mark.parametrize("signature", [
    {"keyid": 1, "sig": "00"}, {"sig": "00"}, {"keyid": "00" * 32}, {"keyid": "00" * 32, "sig": 1}, [], None, "sig"], ids=str)
def test_signatures_of_another_shape_never_crash(client, repository, signature):
    with_signatures(repository, "timestamp", lambda signatures: [signature, *signatures])
    status = client.refresh()
    assert client.version("timestamp") == (2 if status == 0 else None)


# ---- New keys for the roles below the root ---------------------------------------------------------------------------

# keys, threshold, who signs, whether that is enough
ROTATIONS = {
    "another key": ([2], 1, [2], True),
    "signed by others too": ([1], 1, [3, 1, 4], True),
    "not signed by the new key": ([2], 1, [1, 3, 4], False),
    "one of three is not in the role": ([0, 1, 3, 4, 5], 3, [0, 2, 4], False),
    "two of three": ([0, 1, 3, 4, 5], 3, [0, 4], False),
    "0 2 4 of five": ([0, 1, 2, 3, 4], 3, [0, 2, 4], True),
    "0 4 1 of five": ([0, 1, 2, 3, 4], 3, [0, 4, 1], True),
    "0 1 3 of five": ([0, 1, 2, 3, 4], 3, [0, 1, 3], True),
    "1 2 3 of five": ([0, 1, 2, 3, 4], 3, [1, 2, 3], True),
    "2 3 4 of five": ([0, 1, 2, 3, 4], 3, [2, 3, 4], True),
    "all of five": ([0, 1, 2, 3, 4], 5, [4, 3, 2, 1, 0], True),
    "four of five": ([0, 1, 2, 3, 4], 5, [4, 3, 2, 1], False),
}


@pytest.mark.parametrize("role", BELOW_ROOT)
@pytest.mark.parametrize("name", ROTATIONS)
@pytest.mark.parametrize("known", [False, True], ids=["first", "later"])
def test_new_keys_for_a_role(client, repository, role, name, known):
    keys, threshold, signers, good = ROTATIONS[name]
    if known:
        client.refresh()
    ring = [Key() for _ in range(6)]
    repository.set_keys(role, [ring[i] for i in keys], threshold, [ring[i] for i in signers])
    repository.release_root()
    repository.release_any(role)
    assert client.refresh() == (0 if good else 1), client.stderr
    assert client.version("root") == 2
    if good:
        assert client.bytes(role) == repository.files[repository.path(role)]
    else:
        assert client.version(role) != 2


def test_a_role_of_the_old_keys_is_fetched_again(client, server, repository):
    """Its version is known, but who signed it has no say any more."""
    client.refresh()
    server.take_requests()
    repository.rotate("targets")
    repository.release_root()
    repository.write("targets")
    assert client.refresh() == 0, client.stderr
    assert server.take_requests() == ["2.root", "3.root", "timestamp", "1.targets"]
    assert client.bytes("targets") == repository.files["metadata/1.targets.json"]
