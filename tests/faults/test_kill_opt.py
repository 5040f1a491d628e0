"""The same for a component in /opt, which has an overlay of its own: a kill may come between the two swaps."""
import pytest

import striking
import support
from test_opt import app, overlays, runs  # noqa: F401

POINTS = 12


def prepare(app, verb):  # noqa: F811
    support.unmount_below(app.path)
    app.forget()
    if verb == "remove":
        assert app("install").status == 0


@pytest.mark.parametrize("verb", ["install", "remove"])
def test_killed_between_the_swaps(verb, app, work):  # noqa: F811
    done, log = ("active" if verb == "install" else "baseline"), work / "log"
    prepare(app, verb)
    points = [point for point in striking.trace(app, log, "list", [verb])[1] if point.kind != "nothing"]
    tally = striking.Tally(f"{verb} in /opt", "kill -9", possible=len(points))

    def strike(point):
        prepare(app, verb)
        _, struck = striking.trace(app, log, "kill", [verb], point.number)
        tally.struck += len(struck)
        status = app("status")
        assert status["state"] in ("active", "baseline", "incomplete"), status.text
        if status["state"] != "incomplete":
            assert (runs(app) == "new") == (status["state"] == "active"), status.text
        again = app(verb)
        assert again.status == 0 or (verb, again.error) == ("remove", "NotInstalled"), again.message
        assert runs(app) == ("new" if verb == "install" else "old")
        assert len(overlays(app)) == (2 if verb == "install" else 0), overlays(app)
        assert app("status")["state"] == done
        return "new" if status["state"] == done else "old"

    striking.try_each(tally, striking.sample(points, POINTS), strike)
    striking.conclude(tally)
