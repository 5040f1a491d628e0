"""The advisories in a browser, as a publisher's server gives them out: on a phone and on a desk, light and dark, by a policy that
forbids all but their style sheet."""
import http.server
import json
import mimetypes
import threading

import pytest

import support

POLICY = "default-src 'none'; style-src 'self'; base-uri 'none'; form-action 'none'"
PHONE, DESK = {"width": 360, "height": 740}, {"width": 1280, "height": 800}
LOOKS = {"phone": {"viewport": PHONE, "colorScheme": "dark"}, "desk": {"viewport": DESK, "colorScheme": "light"}}
HOSTILE = "</h4><script>document.title = 'hit'</script><img src=x onerror=alert(1)>\u202ekcab\x07"
FIXES = """[CVE-2030-0001]
Title=Too long a name in a certificate overflows a buffer
Severity=critical
Impact=Whoever sends a crafted certificate to a service may run code with the rights of that service.
Credit=Zoë Müller of Example & Söhne
[CVE-2030-0002]
Title=Timing of a comparison tells parts of a key
Severity=moderate
Impact=Whoever measures many answers over a local network may learn a private key.
Credit=<b onclick="alert(1)">Nobody</b>
[CVE-2030-0003]
Severity=low
"""


class Handler(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *arguments):
        pass

    def end_headers(self):
        self.send_header("Content-Security-Policy", POLICY)
        self.send_header("X-Content-Type-Options", "nosniff")
        super().end_headers()

    def guess_type(self, path):
        return {"atom": "application/atom+xml"}.get(path.rpartition(".")[2]) or mimetypes.guess_type(path)[0]

    def do_GET(self):
        if self.path == "/favicon.ico":  # nothing of ours asks for it
            self.send_response(204)
            self.end_headers()
            return
        super().do_GET()


@pytest.fixture(scope="module")
def advised(scratch, trees):
    """Three levels: one with all that can be known, a hostile one that was recalled, and a plain one."""
    publisher = support.Publisher(scratch / "advised", trees).start()
    support.write(publisher.path / "advisories.conf",
                  "[Publisher]\nName=Example OS Security Team\nUrl=https://updates.example/os\nContact=security@os.example\n")
    support.write(publisher.path / "fixes", FIXES)
    publisher("build", "--tree", trees / "baseline", "--fixed", trees / "fixed-a", "--component", "openssl", "--old-version",
              "3.0.20-1~deb12u1", "--new-version", "3.0.22-1~deb12u1", "--fixes", publisher.path / "fixes")
    publisher("release")
    publisher("build", "--tree", trees / "baseline", "--fixed", trees / "fixed-b", "--component", "webkitgtk",
              "--old-version", "2.48.1", "--new-version", "2.48.3", "--cve", "CVE-2030-0101:high", "--cve", "CVE-2030-0102")
    draft, = publisher.path.glob("drafts/*/manifest.json")
    manifest = json.loads(draft.read_text())
    manifest["components"][-1]["fixes"][0]["title"] = HOSTILE
    draft.write_text(json.dumps(manifest))
    publisher("release")
    publisher("recall", "--level", "b", "--reason", "Pages with <canvas> stay empty on some graphics cards")
    publisher("build", "--tree", trees / "baseline", "--fixed", trees / "fixed-b", "--component", "webkitgtk",
              "--old-version", "2.48.1", "--new-version", "2.48.5", "--cve", "CVE-2030-0101:high")
    publisher("release", "--rollout=1")
    publisher("rollout", "set", "10% now, 100% 2099-01-01 08:00Z")
    return publisher


@pytest.fixture(scope="module")
def site(advised):
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), lambda *a: Handler(*a, directory=advised.public))
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    baseline, = (path.name for path in (advised.public / "advisories").iterdir() if path.is_dir())
    yield {"index": f"http://127.0.0.1:{server.server_address[1]}/advisories/index.html",
           "page": f"http://127.0.0.1:{server.server_address[1]}/advisories/{baseline}/index.html"}
    server.shutdown()
    server.server_close()


@pytest.fixture
def show(browser, site):
    """Open one of the pages; what the browser complains of fails the test."""
    def go(name, look, anchor=""):
        browser.do("open", url=site[name] + anchor, **LOOKS[look])
        return lambda code: browser.do("evaluate", code=code)
    yield go
    complaints = browser.do("complaints")
    browser.do("close")
    assert not complaints


OVERFLOW = """[document.documentElement.scrollWidth - document.documentElement.clientWidth,
    ...[...document.querySelectorAll("body *")].filter(e => e.getBoundingClientRect().right > innerWidth + 1).map(e => e.outerHTML)]"""


@pytest.mark.parametrize("look", LOOKS)
@pytest.mark.parametrize("name", ["index", "page"])
def test_nothing_has_to_be_scrolled_sideways(show, name, look):
    page = show(name, look)
    page("document.querySelectorAll('details').forEach(details => { details.open = true })")
    assert page(OVERFLOW) == [0], "all digests shown"
    assert page("document.querySelector('style, script, [style]')") is None
    assert page("document.styleSheets.length") == 1 and page("document.styleSheets[0].cssRules.length > 20")


def test_what_a_screen_reader_is_given(show, browser):
    page = show("page", "phone")
    headings = page("[...document.querySelectorAll('h1, h2, h3, h4')].map(e => e.tagName + ' ' + e.innerText)")
    assert headings[:3] == ["H1 About the security content of Test OS 1", "H2 1 (c)", "H3 webkitgtk"]
    assert headings.count("H2 1 (a)") == headings.count("H2 1 (b)") == 1 and sum(h.startswith("H1") for h in headings) == 1
    levels = [int(heading[1]) for heading in headings]
    assert all(b <= a + 1 for a, b in zip(levels, levels[1:])), "no level of headings is left out"
    aria = browser.do("aria", selector="body")
    for part in ('banner:', 'main:', 'contentinfo:', 'region "1 (c)"', 'heading "openssl" [level=3]', 'link "CVE-2030-0001"',
                 'link "OSV"', 'link "CSAF (VEX)"', 'link "Atom feed"'):
        assert part in aria, f"{part}\n{aria}"
    assert page("document.documentElement.lang") == "en"


@pytest.mark.parametrize("look", LOOKS)
def test_what_is_read(show, look):
    page = show("page", look)
    text = page("document.body.innerText.replaceAll('\\u00a0', ' ')")
    for words in ("Severity: critical", "Impact: Whoever sends a crafted certificate", "Credit: Zoë Müller of Example & Söhne",
                  "From 3.0.20-1~deb12u1 to 3.0.22-1~deb12u1", "Recalled on", "Pages with <canvas> stay empty",
                  "to 10 % of the devices from", "to 100 % of the devices from 1 January 2099, 08:00 UTC", "5 files of openssl",
                  "It also has openssl of 1 (a)", "Followed by 1 (c)"):
        assert words in text, f"{words}\n{text}"
    assert "SHA-256" not in text, "files are folded away"
    assert page("getComputedStyle(document.documentElement).backgroundColor") == {
        "phone": "rgb(24, 24, 27)", "desk": "rgb(255, 255, 255)"}[look]


def test_hostile_texts_do_nothing(show):
    page = show("page", "phone")
    assert page("document.title") == "About the security content of Test OS 1"
    assert page("document.querySelectorAll('script, img, b[onclick]').length") == 0
    text = page("document.body.innerText")
    assert "</h4><script>document.title = 'hit'</script><img src=x onerror=alert(1)>\ufffdkcab\ufffd" in text
    assert '<b onclick="alert(1)">Nobody</b>' in text


def test_the_keyboard_opens_the_files(show, browser):
    page = show("page", "phone")
    for _ in range(40):
        browser.do("press", key="Tab")
        if page("document.activeElement.tagName") == "SUMMARY":
            break
    browser.do("press", key="Enter")
    assert page("document.activeElement.parentElement.open") and "SHA-256" in page("document.body.innerText")
    assert page("getComputedStyle(document.activeElement).outlineStyle") == "solid"


def test_a_link_leads_to_a_level(show, browser):
    page = show("page", "phone", "#level-b")
    assert abs(page("document.querySelector('#level-b').getBoundingClientRect().top")) < 2
    page = show("index", "phone")
    browser.do("click", selector="main h2 a", force=False)
    browser.do("wait", code="document.querySelector('h1')?.innerText === 'About the security content of Test OS 1'")


CONTRAST = """(() => {
    const light = text => { const [r, g, b] = text.match(/[\\d.]+/g).map(v => v / 255).map(
        v => v <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4); return 0.2126 * r + 0.7152 * g + 0.0722 * b };
    const ground = e => { const c = getComputedStyle(e).backgroundColor; return c !== "rgba(0, 0, 0, 0)" ? c : ground(e.parentElement) };
    return [...document.querySelectorAll("body *")].filter(e => [...e.childNodes].some(n => n.nodeType === 3 && n.data.trim())).map(
        e => { const [a, b] = [light(getComputedStyle(e).color), light(ground(e))].sort((x, y) => y - x);
               return [(a + 0.05) / (b + 0.05), e.outerHTML] }).filter(([ratio]) => ratio < 4.5) })()"""


@pytest.mark.parametrize("look", LOOKS)
def test_it_can_be_read(show, look):
    """WCAG 2.2, 1.4.3."""
    assert show("page", look)(CONTRAST) == []
