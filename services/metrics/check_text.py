"""Checks what processes show against Prometheus's own parser, the operators' pages and the example alerts.

usage: check_text.py ROOT TEXT...   (ROOT: the repository; TEXT: one scrape each; together they have every metric)
"""

import pathlib
import re
import shutil
import subprocess
import sys

from prometheus_client.parser import text_string_to_metric_families

# Whatever is not here is no label of ours: docs/adr/0018-metrics.md says what may be one.
LABELS = {"method", "code", "reason", "act", "kind", "grant", "state", "key", "pool", "process", "version", "le"}
VALUE = re.compile(r"[a-z_.0-9+eInfA-Z/-]{1,120}$")
UNITS = ("_seconds", "_total", "_leaves", "_rows", "_jobs", "_version", "_info", "_sessions", "_writable",
         "_participants", "_approvals")


def families_of(text):
    """The families that are ours: civetweb's endpoint counts its own scrapes beside them."""
    names = re.findall(r"^# TYPE (\S+) ", text, re.MULTILINE)
    assert len(names) == len(set(names)), "a family stands twice: its series must follow each other"
    for family in text_string_to_metric_families(text):
        if family.name.startswith("exposer_"):
            continue
        name = family.name + ("_total" if family.type == "counter" else "")
        assert name.startswith("tsunagi_") and name.endswith(UNITS), f"{name}: expected tsunagi_… with its unit"
        assert family.documentation.endswith("."), f"{name}: has no help"
        assert family.type in ("counter", "gauge", "histogram"), f"{name}: is {family.type}"
        seen = set()
        for sample in family.samples:
            key = (sample.name, tuple(sorted(sample.labels.items())))
            assert key not in seen, f"{key}: stands twice"
            seen.add(key)
            assert set(sample.labels) <= LABELS, f"{key}: a label that is not closed"
            assert all(VALUE.match(value) for value in sample.labels.values()), f"{key}: is no value of an enum"
        yield name


def check_promtool(root, texts):
    promtool = shutil.which("promtool")
    if promtool is None:
        return
    for text in texts:
        ours = "\n".join(line for line in text.splitlines() if "exposer_" not in line) + "\n"
        subprocess.run([promtool, "check", "metrics"], input=ours, text=True, check=True)
    subprocess.run([promtool, "check", "rules", root / "deploy/prometheus/alerts.yaml"], check=True)


def main():
    root = pathlib.Path(sys.argv[1])
    texts = [pathlib.Path(name).read_text(encoding="utf-8") for name in sys.argv[2:]]
    shown = {name for text in texts for name in families_of(text)}
    for page in ("docs/operations.md", "docs/operations.ja.md"):
        listed = set(re.findall(r"^\| `(tsunagi_\w+)`", (root / page).read_text(encoding="utf-8"), re.MULTILINE))
        assert listed == shown, f"{page}: lacks {sorted(shown - listed)}, has beside {sorted(listed - shown)}"
    alerts = (root / "deploy/prometheus/alerts.yaml").read_text(encoding="utf-8")
    used = {re.sub(r"_seconds_(sum|count|bucket)$", "_seconds", name) for name in re.findall(r"tsunagi_\w+", alerts)}
    assert used and used <= shown, f"alerts: nothing shows {sorted(used - shown)}"
    check_promtool(root, texts)


main()
