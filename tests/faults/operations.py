"""The operations under test: where each begins, where it leads, and which command has to complete after a failure."""
import dataclasses
import json

import support

LEVELS = {None: (), "a": ("a",), "b": ("a", "b")}


@dataclasses.dataclass(frozen=True)
class Operation:
    name: str
    command: tuple
    start: str  # one of STARTS
    old: str | None  # the levels on /usr: before, and when it is done
    new: str | None
    base_level: str | None = None  # whose files a package manager has put into the base
    shop: str = "next"  # whose repository is asked
    next: tuple = ()  # the command that completes afterwards; the same again unless given
    final: str | None = "="  # the level on /usr then; the new one unless given
    fine: tuple = ()  # errors that say that it is done: now, or already before
    boots_to: tuple = ()  # the levels that a boot leads to from old and new, unless those
    instead: tuple = ()  # the levels that are right as well when an image cannot be read
    is_done: object = None  # more than the level says it: looks at the document of status
    prepare: object = None  # what is done to the state when the layers are on

    @property
    def next_command(self):
        return self.next or self.command

    @property
    def final_level(self):
        return self.new if self.final == "=" else self.final

    def ends_after_boot(self):
        return self.boots_to or (self.old, self.new)


def edit_state(device, **changes):
    path = device.state / "state.json"
    state = json.loads(path.read_text())
    for name, value in changes.items():
        state[name] = {**(state[name] or {}), **value} if isinstance(value, dict) else value
    path.write_text(json.dumps(state))


def say_that_it_failed(device):
    """The verdict of a watch stands in the state, and was not carried out yet."""
    active = json.loads((device.state / "state.json").read_text())["active"]
    edit_state(device, watched={"generation": active, "units": [], "excused": []},
               knowledge={"quarantine": [{"level": "b", "at": 5, "reason": "nginx.service has failed"}]})


def put_fix_into_base(device, trees):
    """What a package manager does meanwhile: (a) is in the base itself."""
    for path in ("lib/libfix.so", "lib/fix.dat", "bin/tool", "lib/private/secret", "share/fix"):
        support.run("cp", "-a", "--remove-destination", trees / "fixed-a/usr" / path, (device.usr / path).parent)


# From which saved disk it starts, and whether the layers are put on it first, as a boot does.
STARTS = {"bare": False, "at-a": True, "at-b": True, "suspended": False, "suspended-fixed": False, "off": False,
          "unmarked": True}

OPERATIONS = [
    Operation("check", ("check",), "bare", None, None, shop="first",
              is_done=lambda status: status["last_check"] is not None),
    Operation("install", ("install",), "bare", None, "a", shop="first"),
    Operation("install the next level", ("install",), "at-a", "a", "b"),
    Operation("install --download-only", ("install", "--download-only"), "bare", None, None, shop="first",
              is_done=lambda status: status["staged"] == "a"),
    Operation("remove", ("remove",), "at-a", "a", None, fine=("NotInstalled",)),
    Operation("suspend", ("suspend",), "at-a", "a", None, next=("resume",), final="a", boots_to=("a", "a")),
    Operation("resume", ("resume",), "suspended", None, "a", boots_to=("a", "a")),
    Operation("resume on a fixed base", ("resume",), "suspended-fixed", None, "b", base_level="a", boots_to=("b", "b"),
              instead=(None,)),
    Operation("activate (boot)", ("activate",), "off", None, "b", boots_to=("b", "b")),
    Operation("mark-healthy", ("mark-healthy",), "unmarked", "b", "b",
              is_done=lambda status: status["boots_without_mark"] == 0),
    Operation("watch: take a level back", ("watch",), "at-b", "b", "a", fine=("TakenBack",), boots_to=(None, "a"),
              instead=(None,), prepare=say_that_it_failed),
    Operation("recall: to the level offered", ("install",), "at-b", "b", "a", shop="recalled"),
    Operation("recall: to the baseline", ("install",), "at-b", "b", None, shop="recalled-all", fine=("NotOffered",)),
]
