#!/usr/bin/env python3
"""Make of a .po file what Cockpit's pages load: po-to-js.py MSGFMT PO JS. msgfmt checks it, and says what it holds."""
import gettext
import io
import json
import re
import subprocess
import sys

msgfmt, source, output = sys.argv[1:]
done = subprocess.run([msgfmt, "--check-format", "--check-domain", "--output-file=-", source], stdout=subprocess.PIPE, check=True)
translations = gettext.GNUTranslations(io.BytesIO(done.stdout))
about = translations.info()

plural = re.search(r"plural=([n0-9 ()?:!=<>&|%+-]+)", about["plural-forms"])[1].strip()
catalog = {"": {"language": about["language"], "language-direction": about.get("x-text-direction", "ltr")}}
for message, text in translations._catalog.items():
    # Each form of a plural has an entry of its own; Cockpit keeps them by the singular, after an empty place.
    name, form = message if isinstance(message, tuple) else (message, 0)
    if name:
        catalog.setdefault(name, [None])
        catalog[name][form + 1:form + 2] = [text]

text = json.dumps(catalog, ensure_ascii=False, indent=0, sort_keys=True)
text = text.replace('"": {', f'"": {{\n"plural-forms": n => Number({plural}),', 1)
with open(output, "w", encoding="utf-8") as file:
    file.write(f"cockpit.locale({text});\n")
