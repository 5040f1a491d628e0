"""A repository that is damaged, cut off, old, foreign or away: the true reason is named, and nothing changes."""
import shutil
import time

import pytest

import support
import web

DAMAGE = {"Signature", "Format", "Digest", "Truncated"}
PATHS = {
    "timestamp": "metadata/timestamp.json", "snapshot": "metadata/3.snapshot.json",
    "targets": "metadata/2.targets.json", "baseline": "metadata/2.testos-*.json", "channel": "targets/*/*.channel.json",
    "manifest": "targets/*/a/*.manifest.json",
}
METADATA = list(PATHS)
FILES = METADATA + ["delta"]


def file_of(shop, role):
    """The path of one of the repository's files, as it stands in URLs."""
    if role == "delta":
        return shop.delta()
    path, = shop.public.glob(PATHS[role])
    return str(path.relative_to(shop.public))


def refused(device, names, *mentions, verb="install"):
    """Run `verb`: it must fail with one of `names`, say each of `mentions`, and change nothing."""
    before = device.facts()
    answer = device(verb)
    assert answer.error in names, (answer.status, answer.error, answer.message)
    for text in mentions:
        assert text in answer.message, answer.message
    assert device.facts() == before and before["leftovers"] == []
    return answer


def positions(size, step):
    return sorted({*range(0, size, step), size - 1})


def serve_files(device, shop):
    device.configure(f"[Source]\nRepository=file://{shop.public}\n")


@pytest.mark.parametrize("role", METADATA)
def test_no_flipped_bit_of_the_metadata_is_accepted(role, device, own_shop):
    path = own_shop.public / file_of(own_shop, role)
    serve_files(device, own_shop)
    for at in positions(path.stat().st_size, 37):
        sound = support.flip(path, at)
        answer = refused(device, DAMAGE)
        if role != "timestamp":  # which is the first file, and named as what it is: the timestamp metadata
            assert path.name in answer.message, answer.message
        path.write_bytes(sound)
        device.forget()  # what is trusted once is not fetched again
    assert device("install").status == 0


def test_no_flipped_bit_of_the_delta_is_accepted(device, own_shop):
    path = own_shop.public / own_shop.delta()
    serve_files(device, own_shop)
    for at in positions(path.stat().st_size, 211):
        sound = support.flip(path, at)
        refused(device, {"Digest"}, own_shop.delta())
        path.write_bytes(sound)
    assert device("install").status == 0


@pytest.mark.parametrize("verb", ["check", "install"])
def test_connection_refused(verb, device, server):
    server.shutdown()
    server.server_close()
    assert refused(device, {"Unreachable"}, server.url, verb=verb).status == 23


def test_a_directory_that_is_not_there(device, work):
    device.configure(f"[Source]\nRepository=file://{work}/nowhere\n")
    assert refused(device, {"Unreachable"}, f"file://{work}/nowhere").status == 23


@pytest.mark.parametrize("way", ["http", "file"])
def test_a_place_that_holds_no_repository(way, device, server, work):
    (work / "empty").mkdir()
    server.directory = work / "empty"
    if way == "file":
        device.configure(f"[Source]\nRepository=file://{work}/empty\n")
    assert refused(device, {"NotFound"}, "metadata/timestamp.json").status == 24


@pytest.mark.parametrize("role", FILES)
def test_a_file_that_is_missing(role, device, server, shop):
    path = file_of(shop, role)
    server.fail(path, status=404)
    assert refused(device, {"NotFound"}, path, server.url).status == 24


@pytest.mark.parametrize("role", FILES + ["root"])
@pytest.mark.parametrize("status", [500, 503, 403])
def test_a_server_that_answers_with_an_error(status, role, device, server, shop):
    path = "metadata/2.root.json" if role == "root" else file_of(shop, role)
    server.fail(path, status=status)
    assert refused(device, {"Unreachable"}, path, str(status)).status == 23


@pytest.mark.parametrize("role", FILES)
@pytest.mark.parametrize("part", [0, 0.5, 1])
def test_a_connection_that_breaks(part, role, device, server, shop):
    path = file_of(shop, role)
    size = (shop.public / path).stat().st_size
    server.fail(path, cut=int((size - 1) * part))
    assert refused(device, {"Truncated"}, path).status == 25
    server.faults.clear()
    assert device("install").status == 0


@pytest.mark.parametrize("role", FILES)
@pytest.mark.parametrize("way", ["http", "file"])
def test_a_file_that_is_shorter_than_signed(way, role, device, server, own_shop):
    path = file_of(own_shop, role)
    file = own_shop.public / path
    file.write_bytes(file.read_bytes()[:-20])
    server.directory = own_shop.public
    if way == "file":
        serve_files(device, own_shop)
    # Nobody says how long the timestamp is: it is only seen that it is no JSON.
    name, status = ("Format", 29) if role == "timestamp" else ("Truncated", 25)
    assert refused(device, {name}, path.split("/")[-1] if role != "timestamp" else "timestamp").status == status


@pytest.mark.parametrize("role", FILES)
def test_a_file_that_is_longer_than_signed(role, device, server, shop):
    path = file_of(shop, role)
    server.fail(path, body=lambda sound: sound + b" " * 20_000)
    assert refused(device, {"TooLarge"}, path).status == 41


@pytest.mark.parametrize("role", FILES)
def test_an_answer_that_never_ends(role, device, server, shop):
    path = file_of(shop, role)
    server.fail(path, endless=True)
    assert refused(device, {"TooLarge"}, path).status == 41
    assert server.count("^objects/") == (role == "delta")


@pytest.mark.parametrize("role", FILES)
def test_the_page_of_a_captive_portal(role, device, server, shop):
    path = file_of(shop, role)
    page = b"<!DOCTYPE html><title>Welcome</title>"
    server.fail(path, body=lambda sound: page)
    refused(device, {"Format"} if role == "timestamp" else {"Truncated"}, path if role != "timestamp" else "timestamp")


@pytest.mark.parametrize("role", FILES)
def test_zeros_in_place_of_a_file(role, device, server, shop):
    path = file_of(shop, role)
    server.fail(path, body=lambda sound: bytes(len(sound)))
    refused(device, {"Format"} if role == "timestamp" else {"Digest"}, path if role != "timestamp" else "timestamp")


def test_a_slow_server_is_waited_for(device, server, shop):
    server.fail(".", pause=0.2)
    begin = time.monotonic()
    assert device("install").status == 0
    assert time.monotonic() - begin > 1


def test_a_repository_signed_by_other_keys(device, server, work, trees):
    server.directory = support.Publisher(work / "other", trees).start().release().public
    assert refused(device, {"Signature"}, "timestamp").status == 26


def test_a_new_root_by_other_keys_is_not_followed(device, server, own_shop, work, trees):
    other = support.Publisher(work / "other", trees).start()
    shutil.copy(other.public / "metadata/1.root.json", own_shop.public / "metadata/2.root.json")
    server.directory = own_shop.public
    assert refused(device, {"Signature"}, "root").status == 26


@pytest.mark.parametrize("seen", ["check", "install"])
def test_an_older_repository_is_refused(seen, device, server, shop, next_shop):
    server.directory = next_shop.public
    assert device(seen)["level" if seen == "check" else "to"] == "b"
    server.directory = shop.public
    assert refused(device, {"Rollback"}, "timestamp", "4", "3").status == 28


@pytest.mark.parametrize("role, version", [("snapshot", 4), ("testos-1-*", 3)])
def test_old_metadata_under_a_new_timestamp(role, version, device, server, next_shop):
    server.directory = next_shop.public
    old, = next_shop.public.glob(f"metadata/{version - 1}.{role}.json")
    new, = next_shop.public.glob(f"metadata/{version}.{role}.json")
    sound = old.read_bytes()
    server.fail(f"metadata/{new.name}", body=lambda _: sound)
    # The old targets are shorter; the old snapshot has the same length.
    refused(device, {"Digest", "Truncated"}, f"metadata/{new.name}")
    server.faults.clear()
    assert device("install")["to"] == "b"


def test_a_new_snapshot_under_an_old_timestamp_is_not_even_asked_for(device, server, shop, next_shop):
    server.directory = next_shop.public
    old = (shop.public / "metadata/timestamp.json").read_bytes()
    server.fail("timestamp", body=lambda sound: old)
    assert device("install")["to"] == "a"
    assert server.count("metadata/4") == 0 and server.count("metadata/3") == 1


def test_an_old_channel_in_place_of_the_new(device, server, shop, next_shop):
    server.directory = next_shop.public
    path, = [p for p in next_shop.public.glob(PATHS["channel"]) if not (shop.public / p.relative_to(next_shop.public)).exists()]
    old = (shop.public / file_of(shop, "channel")).read_bytes()
    server.fail(path.name, body=lambda sound: old)
    refused(device, {"Digest", "Truncated"}, path.name)


# A clock that runs ahead, or behind, for the program that is started with it.
CLOCK = """
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdlib.h>
#include <time.h>
static long shift(void) { const char *days = getenv("CLOCK_DAYS"); return days ? atol(days) * 86400 : 0; }
int clock_gettime(clockid_t clock, struct timespec *ret)
{
        int (*real)(clockid_t, struct timespec *) = (int (*)(clockid_t, struct timespec *))dlsym(RTLD_NEXT, "clock_gettime");
        int r = real(clock, ret);
        if (r == 0 && clock == CLOCK_REALTIME)
                ret->tv_sec += shift();
        return r;
}
time_t time(time_t *ret)
{
        struct timespec now;
        clock_gettime(CLOCK_REALTIME, &now);
        if (ret)
                *ret = now.tv_sec;
        return now.tv_sec;
}
"""


@pytest.fixture(scope="session")
def clock(scratch):
    support.compile_c(CLOCK, scratch / "clock.so", "-shared", "-fPIC", "-ldl")
    return lambda days: {"LD_PRELOAD": str(scratch / "clock.so"), "CLOCK_DAYS": str(days)}


@pytest.mark.parametrize("days, role", [(20, "timestamp"), (1500, "root")])
def test_metadata_that_expired(days, role, device, clock):
    before = device.facts()
    answer = device("install", env=clock(days))
    assert (answer.status, answer.error) == (27, "Expired") and answer.message.startswith(f"{role} metadata expired")
    assert device.facts() == before
    assert device("install", env=clock(1)).status == 0


def test_metadata_that_expires_after_it_was_seen(device, clock):
    assert device("install").status == 0
    before = device.facts()
    assert device("check", env=clock(20)).error == "Expired"
    assert device.facts() == before and device("status")["level"] == "a"


def test_a_refresh_ends_the_expiry(device, server, own_shop, clock):
    server.directory = own_shop.public
    assert device("check", env=clock(20)).error == "Expired"
    own_shop("refresh", env=clock(20))
    assert device("install", env=clock(20)).status == 0


def test_a_roll_out_of_nothing(device, server, own_shop):
    own_shop.release("b", "--rollout", "0")
    server.directory = own_shop.public
    answer = refused(device, {"NotOffered"}, "(b)", "it is at 0 %, this machine is at")
    assert answer.status == 35
    position = int(answer.message.split("this machine is at ")[1].split(" ")[0])
    assert 0 <= position < 100


def test_a_repository_that_has_nothing_yet(device, server, work, trees):
    empty = support.Publisher(work / "empty", trees).start()
    server.directory = empty.public
    device.trust(empty)
    assert refused(device, {"NotOffered"}, "testos-1-").status == 35
