"""Whether what the panel shows is said by `suture status --json`. Each text is a fact of that document, or one of the panel's
own labels (its translatable strings) with facts in the places that the label has for them."""
import datetime
import functools
import re

from gi.repository import GLib

import support

# Of GTK and libadwaita themselves: their classes, and what is on a window's bar.
OF_THE_TOOLKIT = re.compile(r"(Gtk|Adw)[A-Za-z]+|Minimize|Maximize|Close|suture-settings")
STRING = r'"((?:[^"\\]|\\.)*)"'


@functools.cache
def labels():
    texts = set()
    for path in (support.SOURCE / "src/settings").glob("*.c"):
        source = re.sub(r'"\s*\n\s*"', "", path.read_text())
        texts |= set(re.findall(rf"\bN?_\(\s*{STRING}", source))
        for pair in re.findall(rf"ngettext\(\s*{STRING},\s*{STRING}", source):
            texts |= set(pair)
    return [pattern_of(text.replace("\\n", "\n")) for text in texts if re.search("[A-Za-z]", text)] + [pattern_of("%s → %s")]


def pattern_of(text):
    escaped = re.escape(re.sub(r"_(?=[A-Z])", "", text)).replace("%s", "(.+)").replace("%zu", r"\d+")
    return re.compile(escaped, re.DOTALL)


def texts_of(value):
    if isinstance(value, dict):
        for part in value.values():
            yield from texts_of(part)
    elif isinstance(value, list):
        for part in value:
            yield from texts_of(part)
    elif isinstance(value, str):
        yield value
        if re.fullmatch(r"[0-9-]{10}T[0-9:]{8}Z", value):
            yield datetime.datetime.fromisoformat(value).strftime("%-d %B %Y, %H:%M")


def facts_of(status):
    facts = {"", *texts_of(status)}
    if status["offer"]:
        facts.add(GLib.format_size(status["offer"]["least_bytes"]))
    return facts


def is_said(text, facts):
    if text in facts or OF_THE_TOOLKIT.fullmatch(text):
        return True
    for pattern in labels():
        match = pattern.fullmatch(text)
        if match and all(is_said(part, facts) for part in match.groups()):
            return True
    for separator in ("\n", " · "):
        if separator in text:
            return all(is_said(part, facts) for part in text.split(separator))
    event = re.fullmatch(r"(.+) \(([a-z]+)\)", text)
    return bool(event) and all(is_said(part, facts) for part in event.groups())


def untrue(texts, status):
    facts = facts_of(status)
    return [text for text in texts if not is_said(text, facts)]
