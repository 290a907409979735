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
