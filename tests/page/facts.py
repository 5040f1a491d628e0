"""What the page shows, text by text, held against what the agent says and against the page's own words."""
import gettext
import io
import re
import subprocess
import time

import support

COCKPIT = support.SOURCE / "src/cockpit"
# Each text that can be seen or heard, the fact that it stands for, the element's kind, and the contrast to what is behind it.
COLLECT = r"""(() => {
    const rgb = text => (text.match(/[\d.]+/g) || [0, 0, 0, 0]).map(Number);
    const light = colour => colour.slice(0, 3).map(c => c / 255).map(c => c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4)
        .reduce((sum, c, i) => sum + c * [0.2126, 0.7152, 0.0722][i], 0);
    const behind = element => {
        for (; element; element = element.parentElement) {
            const colour = rgb(getComputedStyle(element).backgroundColor);
            if (colour.length < 4 || colour[3] > 0)
                return colour;
        }
        return [255, 255, 255];
    };
    const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
    const found = [];
    while (walker.nextNode()) {
        const element = walker.currentNode.parentElement;
        const text = walker.currentNode.textContent.trim();
        if (!text || !element.checkVisibility())
            continue;
        const fact = element.closest("[data-fact]");
        const [a, b] = [light(rgb(getComputedStyle(element).color)), light(behind(element))];
        found.push({ text, fact: fact && fact.dataset.fact, kind: element.localName,
                     contrast: (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05) });
    }
    return found;
})()"""


def words_in_code():
    """What the code gives to gettext."""
    html = (COCKPIT / "index.html").read_text()
    found = re.findall(r'translate="yes"[^>]*>([^<]+)<', html) + re.findall(r'translate="aria-label" aria-label="([^"]*)"', html)
    for module in COCKPIT.glob("*.js"):
        found += re.findall(r'\b_\("([^"]*)"\)', module.read_text())
        found += re.findall(r'ngettext\("([^"]*)", "[^"]*"', module.read_text())
    found += re.findall(r'"label": "([^"]*)"', (COCKPIT / "manifest.json").read_text())
    return set(found)


def translations(language="de"):
    done = subprocess.run(["msgfmt", "--output-file=-", COCKPIT / f"po/{language}.po"], stdout=subprocess.PIPE, check=True)
    catalog = gettext.GNUTranslations(io.BytesIO(done.stdout))._catalog
    return {key[0] if isinstance(key, tuple) else key: text for key, text in catalog.items() if key}


def scalars(document):
    if isinstance(document, dict):
        return {found for value in document.values() for found in scalars(value)}
    if isinstance(document, list):
        return {found for value in document for found in scalars(value)}
    return {str(document)}


def is_own(text, words):
    return text in words or text == "→" or re.fullmatch(r"\d+ fix(es)?", text)


def check(page, status, words=None):
    """All that is shown of facts is in the document, as it is or by a name of the page's own; returns these facts."""
    words = words or words_in_code()
    known = scalars(status)
    texts = page.evaluate(COLLECT)
    for text in texts:
        if text["fact"] is None:
            assert is_own(text["text"], words), f"neither a fact nor a word of the page: {text}"
        else:
            assert text["fact"] in known, f"no fact of the status: {text}"
            is_formatted = text["kind"] == "time" or text["fact"] == str((status["offer"] or {}).get("least_bytes"))
            assert text["text"] == text["fact"] or is_formatted or text["text"] in words, f"another text than the fact: {text}"
    return [text["fact"] for text in texts if text["fact"] is not None]


def check_contrast(page):
    """WCAG AA, of texts below 24 pixels."""
    poor = [text for text in page.evaluate(COLLECT) if text["contrast"] < 4.5]
    assert not poor, poor


def status_of(agent):
    return agent.ask("GetStatus")


def must_show(shown, *values):
    missing = [value for value in values if value is not None and str(value) not in shown]
    assert not missing, f"not shown: {missing}"


def must_show_components(shown, components):
    for component in components:
        must_show(shown, component["name"], component["old_version"], component["new_version"])
        for fix in component["fixes"]:
            must_show(shown, fix["id"], fix["title"], fix["severity"], fix["impact"])


def must_show_plan(shown, plan):
    for action in plan or []:
        must_show(shown, action["advice"], action["reason"])


def must_show_all(page, status):
    """As soon as it has heard of it."""
    end = time.monotonic() + 5
    while True:
        try:
            return must_show_all_now(page, status)
        except AssertionError:
            if time.monotonic() > end:
                raise
            time.sleep(0.1)


def must_show_all_now(page, status):
    shown = check(page, status)
    must_show(shown, status["version"], status["verdict"]["sentence"], status["baseline"]["os"], status["state"],
              *(item["message"] for item in status["attention"]), *status["waits"])
    must_show_components(shown, status["components"])
    must_show_plan(shown, status["plan"])
    if status["offer"]:
        must_show(shown, status["offer"]["version"], status["offer"]["created"], status["offer"]["least_bytes"])
        must_show_components(shown, status["offer"]["components"])
    if status["last_check"]:
        must_show(shown, status["last_check"]["at"], status["last_check"]["message"])
    for event in status["history"]:
        must_show(shown, event["at"], event["event"], event["message"])
    for entry in status["recalls"] + status["quarantine"]:
        must_show(shown, entry["level"], entry["reason"], entry["at"])
    return shown
