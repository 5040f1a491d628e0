"""Downloads that break off go on where they did, whatever the server and the disk make of it; and how fast, and by whom."""
import hashlib

import pytest

import support
import web

BREAKS_OFF = 5000


@pytest.fixture
def delta(shop):
    return (shop.public / shop.delta()).read_bytes()


@pytest.fixture
def part(device, delta):
    return device.state / f"downloads/{hashlib.sha256(delta).hexdigest()}.part"


@pytest.fixture
def broken(device, server, part):
    """A device whose download broke off; the server is whole again, and counts anew."""
    server.fail("^objects/", cut=BREAKS_OFF)
    install = device("install")
    assert install.error == "Truncated" and f"broke off after {BREAKS_OFF} bytes" in install.message
    assert part.stat().st_size == BREAKS_OFF
    server.faults.clear()
    server.requests_seen.clear()
    server.bytes_sent = 0
    return device


def completes(device, requests, server):
    before = server.bytes_sent
    install = device("install")
    assert install.status == 0, install.message
    assert device.answer() == "new" and server.count("^objects/") == requests
    assert list((device.state / "downloads").iterdir()) == []
    return server.bytes_sent - before


def metadata_bytes(device, server):
    """What an install asks for besides, when all documents are there already: nothing that counts."""
    before = server.bytes_sent
    assert device("check").status == 0
    return server.bytes_sent - before


def test_only_the_rest_is_asked_for(broken, server, delta):
    besides = metadata_bytes(broken, server)
    assert completes(broken, 1, server) == len(delta) - BREAKS_OFF + besides
    assert server.offsets == [BREAKS_OFF]


def test_it_may_break_off_again(broken, server, delta, part):
    server.fail("^objects/", cut=1000)
    install = broken("install")
    assert install.error == "Truncated" and f"broke off after {BREAKS_OFF + 1000} bytes" in install.message
    assert part.stat().st_size == BREAKS_OFF + 1000
    server.faults.clear()
    completes(broken, 2, server)
    assert server.offsets == [BREAKS_OFF, BREAKS_OFF + 1000]


def test_a_server_that_knows_no_parts(broken, server, delta):
    besides = metadata_bytes(broken, server)
    server.fail("^objects/", whole=True)
    assert completes(broken, 1, server) == len(delta) + besides


def test_a_server_that_sends_another_part(broken, server):
    server.fail("^objects/", another_part=True)
    completes(broken, 2, server)


def test_what_is_here_is_wrong(broken, server, delta, part):
    support.flip(part, 100)
    besides = metadata_bytes(broken, server)
    assert completes(broken, 2, server) == 2 * len(delta) - BREAKS_OFF + besides


def test_there_is_more_of_it_than_there_should_be(broken, server, part, delta):
    part.write_bytes(bytes(len(delta) + 1))
    completes(broken, 1, server)


def test_it_was_complete_but_for_its_name(broken, server, part, delta):
    part.write_bytes(delta)
    completes(broken, 0, server)


def test_it_was_complete_and_wrong(broken, server, part, delta):
    part.write_bytes(bytes(len(delta)))
    completes(broken, 1, server)


def test_the_object_is_shorter_on_the_server(broken, server, delta):
    """It is another one then, and said to be so."""
    server.fail("^objects/", body=lambda body: body[:BREAKS_OFF])
    install = broken("install")
    assert install.error == "Truncated", install.message
    server.faults.clear()
    assert broken("install").status == 0


def test_a_damaged_object_leaves_nothing(device, server, part):
    server.fail("^objects/", body=lambda body: bytes(len(body)))
    assert device("install").error == "Digest"
    assert not part.exists()


def test_a_part_of_what_nobody_wants_any_more_goes(device, server):
    assert device("install").status == 0
    stale = device.state / f"downloads/{'0' * 64}.part"
    stale.write_bytes(b"x")
    assert device("remove").status == 0
    assert not stale.exists()


def test_from_files(device, own_shop, part, delta):
    device.configure(f"[Source]\nRepository=file://{own_shop.public}\n")
    device.trust(own_shop)
    support.write(part, delta[:BREAKS_OFF])
    assert device("install").status == 0 and device.answer() == "new"


# By whom, and how fast


def test_the_proxy_of_the_configuration(device, shop):
    proxy = web.Proxy(shop.public)
    url = f"http://127.0.0.1:{proxy.server_address[1]}"
    device.configure(f"[Source]\nRepository=http://repository.invalid\n[Network]\nProxy={url}\nMaxRate=1M\n")
    try:
        install = device("install", env={"http_proxy": "http://127.0.0.1:9"})
        assert install.status == 0, install.message
        assert set(proxy.hosts) == {"repository.invalid"} and device.answer() == "new"
        direct = device("check", env={"no_proxy": "repository.invalid"})
        assert direct.error == "Unreachable"
    finally:
        proxy.shutdown()
        proxy.server_close()
