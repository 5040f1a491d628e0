"""What a check asks for, and that an answer which says "nothing new" is believed only as far as it goes."""
import json
import shutil

import support
import web


def requests_of(server, device, status=0):
    server.requests_seen.clear()
    answer = device("check")
    assert answer.status == status, answer.message
    return answer, list(server.requests_seen)


def test_nothing_new_is_one_request(device, server):
    first, seen = requests_of(server, device)
    assert seen[0] == "metadata/timestamp.json" and seen[1] == "metadata/2.root.json" and len(seen) == 7
    for _ in range(2):
        again, seen = requests_of(server, device)
        assert seen == ["metadata/timestamp.json"]
        assert (again["level"], again["requests"], again["bytes"]) == (first["level"], 1, 0)
    assert device("install").status == 0
    again, seen = requests_of(server, device)
    assert again["up_to_date"] and seen == ["metadata/timestamp.json"]


def test_something_new_is_seen(device, server, next_shop):
    assert requests_of(server, device)[0]["level"] == "a"
    server.directory = next_shop.public
    answer, seen = requests_of(server, device)
    assert answer["level"] == "b" and seen.count("metadata/timestamp.json") == 1


def test_not_modified_without_a_question(device, server):
    server.fail("timestamp", not_modified=True)
    answer, _ = requests_of(server, device, 23)
    assert answer.error == "Unreachable"


def test_not_modified_does_not_outlive_the_signature(device, server):
    assert device("check").status == 0
    server.fail("timestamp", not_modified=True)
    assert requests_of(server, device)[1] == ["metadata/timestamp.json"]
    etag = device.state / "trust/timestamp.etag"
    etag.write_text('"whatever"')
    assert requests_of(server, device)[1] == ["metadata/timestamp.json"]
    for name in ("timestamp", "snapshot", "targets"):  # what is missing or damaged is fetched again
        server.faults.clear()
        assert device("check").status == 0
        path = device.state / f"trust/{name}.json"
        path.write_bytes(path.read_bytes().replace(b"expires", b"expired"))
        answer, seen = requests_of(server, device)
        assert "metadata/2.root.json" in seen and answer["level"] == "a"
        path.unlink()
        assert "metadata/2.root.json" in requests_of(server, device)[1]


def test_a_server_that_says_not_modified_after_loss(device, server):
    assert device("check").status == 0
    (device.state / "trust/timestamp.json").unlink()
    server.fail("timestamp", not_modified=True)
    assert requests_of(server, device, 23)[0].error == "Unreachable"


def test_documents_that_were_kept_are_verified(device, server):
    assert device("check").status == 0
    for name in ("channel", "manifest"):
        path = device.state / f"documents/{name}.json"
        path.write_bytes(path.read_bytes()[:-1] + b" ")
        answer, seen = requests_of(server, device)
        assert answer["level"] == "a" and [name in request for request in seen] == [False, True]
        path.unlink()
        assert len(requests_of(server, device)[1]) == 2


def test_a_server_without_etags(device, shop, work):
    """Plain files: then the timestamp comes again each time, and the next root is asked for."""
    device.configure(f"[Source]\nRepository=file://{shop.public}\n")
    assert [device("check").status, device("check").status] == [0, 0]
    assert not (device.state / "trust/timestamp.etag").exists()


def test_a_hostile_etag(device, server):
    class Hostile(web.Handler):
        def send_header(self, name, value):
            super().send_header(name, "x\tInjected: 1" if name == "ETag" else value)

    server.RequestHandlerClass = Hostile
    assert device("check").status == 0
    assert device("check").status == 0


def test_once_a_week_all_is_asked_for(device, server):
    """A name for a timestamp that somebody gave who is gone by now does not hold for ever."""
    assert device("check").status == 0
    floor = device.state / "trust/time-floor"
    now = int(floor.read_text())
    floor.write_text(f"{now - 6 * 86400}\n")
    assert requests_of(server, device)[1] == ["metadata/timestamp.json"]
    floor.write_text(f"{now - 8 * 86400}\n")
    assert requests_of(server, device)[1] == ["metadata/timestamp.json", "metadata/2.root.json"]
    assert int(floor.read_text()) >= now
    assert requests_of(server, device)[1] == ["metadata/timestamp.json"]
