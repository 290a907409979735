#!/usr/bin/env python3
"""Checks that the sources keep the boundaries of docs/architecture.md.

Reads the include table and the walks from that page, so the page cannot drift from the code. Prints one line per
violation, `path:line: [rule] what to do`, and exits 1 when there is one.
"""

import argparse
import collections
import pathlib
import re
import sys

from pages import check_disk_keys, check_threat_tests
from rules import CONFINED, EXEMPT, FORBIDDEN, RULES, TEST_ONLY, WORDS, Violation
from walks import check_walks

SOURCE_FOLDERS = ("core", "passport", "footprint", "diligence", "identity", "catalog", "connector", "services", "cli")
OTHER_FOLDERS = ("tests", "bench")
# Headers of the language, the C library and the kernel, and those that every folder may include.
FREE = re.compile(r"(absl/|google/protobuf/|[a-z0-9_]+(\.h)?$|(sys|arpa|netinet|linux)/)")

class Source:
    """One file of the repository: its text, its includes and its code without comments and texts."""

    def __init__(self, root, path):
        self.path = path.relative_to(root).as_posix()
        self.text = text = path.read_text(encoding="utf-8")
        self.includes = [(number, match.group(2), match.group(1) == '"') for number, line in enumerate(text.splitlines(), 1)
                         if (match := re.match(r'\s*#\s*include\s*([<"])([^>"]+)[>"]', line))]
        self.code = strip(text)
        self.is_test = re.search(r"_test\.(cc|h)$|^tests/", self.path) is not None


def strip(text):
    """Blanks comments and the content of texts, keeping line numbers and the paths of includes."""
    pattern = (r'^[ \t]*#[ \t]*include[^\n]*|//[^\n]*|/\*.*?\*/|R"(\w*)\(.*?\)\1"|"(?:\\.|[^"\\\n])*"'
               r"|'(?:\\.|[^'\\\n])+'")

    def blank(match):
        found = match.group(0)
        return found.split("//")[0] if found.lstrip().startswith("#") else re.sub(r"[^\n]", " ", found)

    return re.sub(pattern, blank, text, flags=re.DOTALL | re.MULTILINE)


class Table:
    """The include table of docs/architecture.md."""

    def __init__(self, text):
        self.allowed = {}
        self.violations = []
        for number, line in enumerate(text.splitlines(), 1):
            cells = [cell.strip() for cell in line.strip().strip("|").split("|")]
            if len(cells) == 3 and cells[0].startswith("`"):
                for folder in re.findall(r"`([^`]+)`", cells[0]):
                    self.allowed[folder] = self.patterns(number, cells[2].replace("`", ""))

    def patterns(self, number, cell):
        patterns = []
        for word in (word.strip() for word in cell.split(",")):
            if word == "everything above":
                patterns += [rf"{re.escape(folder)}/" for folder in self.allowed] + ["tsunagi/.*\\.pb\\.h$"]
                patterns += [item for values in self.allowed.values() for item in values]
            elif word in WORDS:
                patterns += WORDS[word]
            elif re.fullmatch(r"[a-z_]+(/[a-z_*]+)*(\.h)?", word) and word.split("/")[0] in SOURCE_FOLDERS:
                patterns.append(word if word.endswith(".h") else rf"{word.removesuffix('/*')}/")
            else:
                self.violations.append(Violation("docs/architecture.md", number, "table-words", f"the include table uses "
                                                 f"`{word}`, which means nothing here: add it to WORDS in rules.py"))
        return patterns

    def row_of(self, path):
        """The longest row that holds the path; None when no row does."""
        rows = [folder for folder in self.allowed if path.startswith(folder + "/")]
        return max(rows, key=len, default=None)


def check_include_table(sources, table):
    for source in sources:
        if source.path.split("/")[0] not in SOURCE_FOLDERS:
            continue
        row = table.row_of(source.path)
        if row is None:
            yield Violation(source.path, 1, "include-table", "its folder has no row in the include table of "
                            "docs/architecture.md: add one or move the file")
            continue
        for number, header, _ in source.includes:
            if source.is_test or FREE.match(header) or header.startswith(row + "/") or has_own_rule(header):
                continue
            if not any(re.match(pattern, header) for pattern in table.allowed[row]):
                yield Violation(source.path, number, "include-table", f"`{row}` may not include `{header}`: turn the "
                                "dependency round with an interface that this folder declares, or move the code")


def has_own_rule(header):
    return any(re.match(pattern, header) for pattern in [*CONFINED, TEST_ONLY])


def check_confined_headers(sources, _):
    for source in sources:
        for number, header, _ in source.includes:
            for pattern, (places, advice) in CONFINED.items():
                if re.match(pattern, header) and not any(source.path.startswith(place) for place in places):
                    yield Violation(source.path, number, "confined-headers", f"`{header}` is only for {', '.join(places)}: {advice}")


def check_forbidden_calls(sources, _):
    for source in sources:
        for number, line in enumerate(source.code.splitlines(), 1):
            for pattern, advice in FORBIDDEN.items():
                if source.path in EXEMPT.get(pattern, ()):
                    continue
                if match := re.search(pattern, line):
                    yield Violation(source.path, number, "forbidden-calls", f"`{match.group(0).strip()}`: {advice}")


def check_test_only_headers(sources, _):
    for source in sources:
        for number, header, _ in source.includes:
            if re.match(TEST_ONLY, header) and not source.is_test:
                yield Violation(source.path, number, "test-only-headers", f"`{header}` is for tests: product code gets a "
                                "Caller from the Guard and everything else by its constructor")


def check_include_paths(sources, _):
    for source in sources:
        for number, header, quoted in source.includes:
            if quoted and "/" not in header:
                yield Violation(source.path, number, "include-paths", f"`{header}`: write the path from the repository's root")


def check_folder_cycles(sources, table):
    edges = collections.defaultdict(dict)
    for source in sources:
        start = folder_of(source.path, table)
        for number, header, _ in source.includes:
            end = folder_of(header, table)
            if start and end and start != end and not source.is_test:
                edges[start].setdefault(end, (source.path, number))
    for start in sorted(edges):
        for end in sorted(edges[start]):
            if way := path_between(edges, end, start):
                if start == min(way):
                    yield Violation(*edges[start][end], "folder-cycles", "include cycle between folders: "
                                    f"{' -> '.join([start] + way)}: move what both need below them")


def folder_of(path, table):
    """The node of the cycle check: a row of the table, and under services each folder."""
    row = table.row_of(path)
    return "/".join(path.split("/")[:2]) if row == "services" else row


def path_between(edges, start, goal):
    """The shortest way from start to goal along the edges; None when there is none."""
    queue, seen = collections.deque([[start]]), {start}
    while queue:
        way = queue.popleft()
        if way[-1] == goal:
            return way
        for following in sorted(edges.get(way[-1], {})):
            if following not in seen:
                seen.add(following)
                queue.append(way + [following])
    return None


def read_sources(root):
    for folder in SOURCE_FOLDERS + OTHER_FOLDERS:
        for path in sorted((root / folder).rglob("*")):
            inside = path.relative_to(root).as_posix()
            if path.suffix in (".h", ".cc") and not inside.startswith("tests/architecture/fixture/"):
                yield Source(root, path)


def check(root):
    """All violations in the tree, in order."""
    text = (root / "docs/architecture.md").read_text(encoding="utf-8")
    table, sources = Table(text), list(read_sources(root))
    violations = list(table.violations) + list(check_walks(sources, text))
    violations += [*check_threat_tests(root, sources), *check_disk_keys(root, sources)]
    for rule in (check_include_table, check_confined_headers, check_forbidden_calls, check_test_only_headers,
                 check_include_paths, check_folder_cycles):
        violations += rule(sources, table)
    return sorted(violations)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--root", type=pathlib.Path, default=pathlib.Path(__file__).resolve().parents[2])
    parser.add_argument("--rule", choices=RULES, help="report this rule only")
    parser.add_argument("--rules", action="store_true", help="list the rules")
    arguments = parser.parse_args()
    if arguments.rules:
        print("\n".join(RULES))
        return 0
    found = [item for item in check(arguments.root) if arguments.rule in (None, item.rule)]
    for item in found:
        print(f"{item.path}:{item.line}: [{item.rule}] {item.message}")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
