"""Checks that pages of docs/ name what is in the code."""

import re

from rules import Violation


def check_threat_tests(root, sources):
    """Each test that the threat model names, as `SuiteTest.Name`, must be there."""
    page = root / "docs/threat-model.md"
    names = {f"{suite}.{name}" for source in sources if source.is_test
             for suite, name in re.findall(r"\b(?:TYPED_)?TEST(?:_F|_P)?\(\s*(\w+),\s*(\w+)\)", source.code)}
    for number, line in enumerate(page.read_text(encoding="utf-8").splitlines() if page.is_file() else [], 1):
        for name in re.findall(r"`(\w+Test\.\w+)`", line):
            if name not in names:
                yield Violation("docs/threat-model.md", number, "threat-tests", f"no test `{name}`: name the one that "
                                "fails when the check is taken out")


def check_disk_keys(root, sources):
    """The first element of each store key must be on the page of the formats on disk."""
    page = root / "docs/formats/keys.md"
    listed = set()
    for line in page.read_text(encoding="utf-8").splitlines() if page.is_file() else []:
        if row := re.match(r"\|[^|]+\| [A-Z]+ \|([^|]+)\|", line):
            listed.update(re.findall(r"`([a-z-]+)`", row.group(1)))
    for source in sources:
        if source.is_test or not any(header == "core/store/key.h" for _, header, _ in source.includes):
            continue
        constants = dict(re.findall(r'constexpr\s+[\w:]+\s+(\w+)(?:\[\])?\s*=\s*"([^"]*)"', source.text))
        for match in re.finditer(r'(?<!\w)Key\((?:"([^"]*)"|(k[A-Z]\w*))\)', source.text):
            kind = match.group(1) or constants.get(match.group(2), match.group(2))
            if kind not in listed:
                yield Violation(source.path, source.text[:match.start()].count("\n") + 1, "disk-keys",
                                f"keys of kind `{kind}` are not in docs/formats/keys.md: add their row")
