"""What is configured, where it was said, and what an administrator forbids."""
import support

MANAGED, NOT_OFFERED = 48, 35


def settings(device):
    answer = device("config")
    assert answer.status == 0, answer.message
    return {setting["key"]: setting["values"] for setting in answer["settings"]}


def manage(device, text):
    support.write(device.path / "etc/suture/managed.conf", text)


def test_where_it_was_said(device):
    support.write(device.path / "usr/lib/suture/suture.conf.d/vendor.conf", "[Watch]\nTime=5s\n")
    manage(device, "[Automatic]\nLevel=download\n")
    values = settings(device)
    assert values["Time"] == [{"value": "5s", "origin": "/usr/lib/suture/suture.conf.d/vendor.conf:2", "managed": False}]
    assert values["Level"] == [{"value": "download", "origin": "/etc/suture/managed.conf:2", "managed": True}]
    assert values["Act"] == [{"value": "at-once", "origin": None, "managed": False}] and values["Pin"] == []
    text = support.run(*device.command("config")).stdout.splitlines()
    assert "[Automatic]" in text and "#Pin=" in text
    assert any(line.startswith("Level=download ") and line.endswith("# /etc/suture/managed.conf:2, managed") for line in text)
    assert any(line.startswith("Act=at-once ") and line.endswith("# default") for line in text)


def test_what_is_unknown_is_refused_by_file_and_line(device):
    support.write(device.path / "run/suture/suture.conf.d/typo.conf", "[Watch]\n\nTim=5s\n")
    for verb in ("config", "check", "install"):
        answer = device(verb)
        assert (answer.status, answer.error) == (22, "Config") and \
            "/run/suture/suture.conf.d/typo.conf:3: unknown key 'Tim' in [Watch]" in answer.message


def test_files_that_are_none(device):
    """A directory, too much, half a line, bytes that are no text; and another user may look."""
    place = device.path / "etc/suture/suture.conf.d/x.conf"
    for content, says in ((b"[Watch]\nTime", "x.conf:2: neither"), (b"[Wat", "x.conf:1:"), (b"\xff\xfe\n", "x.conf:1: neither"),
                          (b"#" * 70_000, "larger than")):
        support.write(place, content)
        answer = device("config")
        assert answer.status != 0 and says in answer.message, answer.message
    place.unlink()
    place.mkdir()
    assert device("config").status != 0 and "x.conf" in device("config").message
    place.rmdir()
    support.write(place, b"")
    assert device("config", user=support.NOBODY, group=support.NOBODY).status == 0


def test_installations_and_removals_that_are_not_allowed(device, own_shop):
    device.configure(f"[Source]\nRepository=file://{own_shop.public}\n")
    manage(device, "[Policy]\nAllowInstall=no\n")
    assert device("check")["level"] == "a"
    refused = device("install")
    assert (refused.status, refused.error) == (MANAGED, "Managed") and "AllowInstall=" in refused.message
    manage(device, "[Policy]\nAllowRemoval=no\n")
    assert device("install")["to"] == "a"
    refused = device("remove")
    assert (refused.status, refused.error) == (MANAGED, "Managed") and "AllowRemoval=" in refused.message
    # A recall is no wish of anybody here: it is heeded whatever is allowed.
    manage(device, "[Policy]\nAllowInstall=no\nAllowRemoval=no\n")
    own_shop("recall", "--level", "a", "--reason", "it breaks sound")
    install = device("install", "--unattended")
    assert (install.status, install["to"], install["changed"]) == (0, None, True)


def test_what_is_not_wanted_is_not_offered(device, next_shop):
    device.configure(f"[Source]\nRepository=file://{next_shop.public}\n")
    for policy, why in (("Pin=a", "pinned to (a)"), ("Skip=b", "skips it"), ("Defer=30d", "waits until")):
        manage(device, f"[Policy]\n{policy}\n")
        for verb in ("check", "install"):
            answer = device(verb)
            assert (answer.status, answer.error) == (NOT_OFFERED, "NotOffered") and why in answer.message
    manage(device, "[Policy]\nSkip=a\nPin=b\n")
    assert device("install")["to"] == "b"
