#!/usr/bin/env python3
"""Each line of fixture/ that says `breaks: <rule>` must be reported under that rule, and no other line."""

import pathlib
import re
import unittest

import check
import walks
from rules import CONFINED, FORBIDDEN, RULES, TEST_ONLY

FIXTURE = pathlib.Path(__file__).resolve().parent / "fixture"


def marked_lines():
    """Yields (path, line, rule, text) of each marked line."""
    for path in sorted(item for item in FIXTURE.rglob("*") if item.is_file()):
        for number, text in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
            for rule in re.findall(r"breaks: ([a-z-]+)", text):
                yield path.relative_to(FIXTURE).as_posix(), number, rule, text


class FixtureTest(unittest.TestCase):
    def test_reports_the_marked_lines_and_no_other(self):
        expected = sorted((path, line, rule) for path, line, rule, _ in marked_lines())

        found = [(item.path, item.line, item.rule) for item in check.check(FIXTURE)]

        self.assertEqual(found, expected)

    def test_breaks_every_rule(self):
        self.assertEqual({rule for _, _, rule, _ in marked_lines()}, set(RULES))

    def test_breaks_every_pattern(self):
        text = "\n".join(re.sub(r'.*#include ["<]', "", text) for _, _, _, text in marked_lines())

        for pattern in [*CONFINED, *FORBIDDEN, TEST_ONLY]:
            with self.subTest(pattern=pattern):
                self.assertTrue(re.search(pattern, text, re.MULTILINE), "no line of the fixture breaks this pattern")

    def test_says_what_to_do(self):
        for item in check.check(FIXTURE):
            self.assertRegex(item.message, r": ", f"{item.path}:{item.line} has no advice")

    def test_lets_a_walk_have_six_files_and_no_more(self):
        for files, word in ((6, None), (7, "remove a hop")):
            found = list(walks.check_length("Walk", 1, [(1, f"core/{n}.cc", "F") for n in range(files)]))

            self.assertEqual([word in item.message for item in found], [True] if word else [])

    def test_reads_no_code_in_comments_and_texts(self):
        code = check.strip('// usleep(1)\nauto a = "usleep(2)"; /* usleep(3)\nusleep(4) */ b(R"x(usleep(5))x");\nusleep(6);\n')

        self.assertEqual(re.findall(r"usleep\((\d)", code), ["6"])
        self.assertEqual(code.count("\n"), 4)


if __name__ == "__main__":
    unittest.main()
