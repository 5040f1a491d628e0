"""Keys in a token: SoftHSM, through OpenSSL's provider for PKCS #11, as Debian 13 has them. Nothing is booted."""
import json
import os
import shutil

import pytest

from world import BUILD, HERE, World, run

PIN = "482916"
MODULE = "/usr/lib/softhsm/libsofthsm2.so"
KINDS = {"ecdsa": "EC:prime256v1", "ed25519": "EC:edwards25519", "rsa": "RSA:3072"}

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="a root file system needs root")


class Office(World):
    """A machine with a token, and the publisher's programs."""

    def __init__(self):
        super().__init__()
        self.root = self.path / "office"
        self.script("machine.sh", "rootfs", self.root, "--suite", "trixie", "--include",
                    "softhsm2,pkcs11-provider,opensc,libdivsufsort3")
        for program in ("suture-publish", "suture-tuf"):
            shutil.copy(BUILD / "src" / program, self.root / "usr/local/bin")
        self.here = self.root / "home"
        (self.here / "softhsm.conf").write_text("directories.tokendir = /home/tokens\n")
        (self.here / "tokens").mkdir()
        (self.here / "pin").write_text(PIN + "\n")
        (self.here / "wrong").write_text("111111\n")
        self("softhsm2-util", "--init-token", "--free", "--label", "office", "--pin", PIN, "--so-pin", "00000000")
        for name, kind in KINDS.items():
            self("pkcs11-tool", "--module", MODULE, "--token-label", "office", "--login", "--pin", PIN,
                 "--keypairgen", "--key-type", kind, "--label", name)

    def __call__(self, *argv, check=True, **environment):
        return run("chroot", self.root, "env", "-C", "/home", "SOFTHSM2_CONF=/home/softhsm.conf",
                   f"PKCS11_PROVIDER_MODULE={MODULE}", *(f"{k}={v}" for k, v in environment.items()),
                   "timeout", "--signal=KILL", "60", *argv, check=check, stdin=-3)

    def publish(self, *arguments, **options):
        return self("suture-publish", *arguments, **options)


@pytest.fixture(scope="module")
def office():
    try:
        world = Office()
    except AssertionError as error:
        pytest.skip(f"NOT TESTED: no machine with SoftHSM can be had: {error}")
    yield world
    shutil.rmtree(world.path)


def uri(name):
    return f"pkcs11:token=office;object={name}"


def new(office, name, *more, **options):
    return office.publish("key", "new", name, "--token", uri(name), "--passphrase-file", "pin", *more, **options)


@pytest.mark.parametrize("kind", KINDS)
def test_a_root_key_in_a_token(kind, office):
    """From the public key to a repository that devices accept; the workspace has no private root key."""
    said = new(office, kind).stdout
    public = json.loads((office.here / f"{kind}.pub").read_text())
    assert public["key"]["keytype"] == kind and public["keyid"] in said
    assert (office.here / f"{kind}.uri").read_text() == uri(kind) + "\n" and not (office.here / f"{kind}.pem").exists()
    shop = f"shop-{kind}"
    assert f"sign with {kind}" in office.publish("-C", shop, "init", "--root-key", f"{kind}.pub").stdout
    office.publish("sign", f"{shop}/staged/1.root.json", "--token", uri(kind), "--passphrase-file", "pin")
    said = office.publish("-C", shop, "sign", "--add", f"{shop}/staged/1.root.json.{public['keyid']}.signature").stdout
    assert said == "Published: root, targets.\n"
    office.publish("-C", shop, "check")
    (office.here / f"device-{kind}").mkdir()
    office("suture-tuf", "--metadata-dir", f"device-{kind}", "init", f"{shop}/public/metadata/1.root.json")
    office("suture-tuf", "--metadata-dir", f"device-{kind}", "--metadata-url", f"file:///home/{shop}/public/metadata", "refresh")


def test_a_workspace_that_signs_with_a_token(office):
    """keys/NAME.uri is used like keys/NAME.pem, whenever the role signs."""
    office.publish("-C", "shop", "init")
    office.publish("-C", "shop", "key", "new", "safe", "--token", uri("ecdsa"), "--passphrase-file", "pin")
    office.publish("-C", "shop", "key", "rotate", "targets", "shop/keys/safe.pub", "--passphrase-file", "pin")
    targets = json.loads((office.here / "shop/public/metadata/2.targets.json").read_text())
    assert len(targets["signatures"]) == 2  # of the former key, too
    listed = json.loads(office.publish("-C", "shop", "key", "list", "--json").stdout)
    key, = next(role for role in listed["roles"] if role["role"] == "targets")["keys"]
    assert (key["name"], key["private"]) == ("safe", "token")
    office.publish("-C", "shop", "refresh", "targets", "--passphrase-file", "pin")
    office.publish("-C", "shop", "check")
    assert not [p for p in (office.here / "shop").rglob("*") if p.is_file() and PIN in p.read_text(errors="replace")]


@pytest.mark.parametrize("arguments, status, says", [
    (["--token", uri("ecdsa")], 22, "is needed"),
    (["--token", uri("ecdsa"), "--passphrase-file", "wrong"], 22, "its PIN is wrong, or the token has none"),
    (["--token", uri("nothing"), "--passphrase-file", "pin"], 22, "or the token has none"),
    (["--token", "pkcs11:token=nowhere", "--passphrase-file", "pin"], 24, "no token has the private key"),
    (["--token", f"{uri('ecdsa')}?pin-value={PIN}"], 2, "the URI holds the PIN"),
    (["--token", "file:/etc/passwd"], 2, "no PKCS #11 URI"),
])
def test_a_token_that_cannot_be_used(arguments, status, says, office):
    done = office.publish("key", "new", "bad", *arguments, check=False)
    assert done.returncode == status and says in done.stderr, (done.returncode, done.stderr)
    assert PIN not in done.stderr or status == 2
    assert not list(office.here.glob("bad*"))


def test_a_machine_without_the_provider(office):
    """As on Debian 12, which has none."""
    module, = office.root.glob("usr/lib/*/ossl-modules/pkcs11.so")
    away = module.rename(office.path / "pkcs11.so")
    try:
        done = new(office, "ecdsa", check=False) if not (office.here / "ecdsa.pub").exists() else \
            office.publish("key", "new", "other", "--token", uri("ecdsa"), "--passphrase-file", "pin", check=False)
    finally:
        shutil.move(away, module)
    assert done.returncode == 38 and "needs OpenSSL's provider for PKCS #11, which is not installed" in done.stderr
    assert HERE.is_dir() and not (office.here / "other.pub").exists()
