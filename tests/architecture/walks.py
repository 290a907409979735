"""Checks the walks of docs/architecture.md: each step must be called from an earlier one, as far as text can tell.

A step is a function and what its file lets it run: the functions of the same file that it names, and so on. It reaches a
later step when one of them calls that step's name, and when its file sees, through its includes, the header of that step or
of an interface that the step's class implements.
"""

import re

from rules import MAX_WALK_FILES, Violation

PAGE = "docs/architecture.md"


def read_walks(text):
    """Yields (heading, heading's line, [(line, file, function)]) of each `## Walk` table."""
    for section in re.split(r"^(?=## )", text, flags=re.MULTILINE):
        if section.startswith("## Walk"):
            first = text[:text.index(section)].count("\n") + 1
            steps = [(first + offset, match.group(1), match.group(2)) for offset, line in enumerate(section.splitlines())
                     if (match := re.match(r"\|\s*\d+\s*\|\s*`([^`]+)`\s*\|\s*`([^`]+)`\s*\|", line))]
            yield section.splitlines()[0].removeprefix("## "), first, steps


def check_walks(sources, text):
    code = Code(sources)
    for heading, line, steps in read_walks(text):
        yield from check_length(heading, line, steps)
        reached = []
        for number, file, function in steps:
            if file not in code.by_path:
                yield Violation(PAGE, number, "walks", f"{heading}: `{file}` does not exist: name the file that does this step")
                continue
            if not code.defines(file, function):
                yield Violation(PAGE, number, "walks", f"{heading}: `{file}` has no `{function}`: name the function that does this step")
            elif reached and not any(code.reaches(before, (file, function)) for before in reached):
                yield Violation(PAGE, number, "walks", f"{heading}: no earlier step calls `{function}` of `{file}`: name the "
                                "missing step or remove this one")
            reached.append((file, function))


def check_length(heading, line, steps):
    files = len({stem(file) for _, file, _ in steps})
    if files > MAX_WALK_FILES:
        yield Violation(PAGE, line, "walks", f"{heading}: {files} files, more than {MAX_WALK_FILES}: remove a hop")


def stem(file):
    return re.sub(r"\.(h|cc)$", "", file)


class Code:
    """The sources, and what calls and sees what."""

    def __init__(self, sources):
        self.by_path = {source.path: source for source in sources}

    def pair(self, file):
        """A file and its header or implementation."""
        return [self.by_path[path] for path in (stem(file) + ".cc", stem(file) + ".h") if path in self.by_path]

    def defines(self, file, function):
        """`Class::Function(`, or `Function(` in a class called `Class` or that implements `Class`."""
        owner, _, name = function.rpartition("::")
        text = self.by_path[file].code
        in_class = owner and re.search(rf"\b(class|public)\s+(\w+::)*{owner}\b", text)
        return re.search(rf"\b{function}\s*\(", text) or (in_class and re.search(rf"\b{name}\s*\(", text))

    def reaches(self, before, step):
        file, function = step
        name = function.rpartition("::")[2]
        return any(re.search(rf"\b{name}\s*\(", body) for body in self.run(before)) and self.sees(before[0], file)

    def run(self, step):
        """Bodies of the step's function and of those in the same file that they name."""
        blocks = [block for source in self.pair(step[0]) for block in top_level(source.code)]
        names = {step[1].rpartition("::")[2]}
        done = []
        while more := [block for block in blocks if block not in done and block[0] in names]:
            done += more
            names = {name for _, body in more for name in re.findall(r"\b(\w+)\s*\(", body)}
        return [body for _, body in done]

    def sees(self, file, other):
        """Whether the file includes the other's header, or that of an interface of the other, in however many hops."""
        bases = {base for source in self.pair(other) for base in re.findall(r"\bpublic\s+(?:\w+::)*(\w+)", source.code)}
        seen, queue = set(), [source.path for source in self.pair(file)]
        while queue:
            path = queue.pop()
            if stem(path) == stem(other):
                return True
            if path in seen or path not in self.by_path:
                continue
            seen.add(path)
            if any(re.search(rf"\bclass\s+{base}\b", self.by_path[path].code) for base in bases):
                return True
            queue += [header for _, header, _ in self.by_path[path].includes]
        return False


BLOCK = r"^{0}[A-Za-z~][^\n]*(?:\n(?!{0}[A-Za-z~}}#])[^\n]*)*(?:\n{0}\}})?"


def top_level(code):
    """Yields (name, body) of each function that a file defines, in classes too, as clang-format lays them out."""
    for block in re.findall(BLOCK.format(""), code, flags=re.MULTILINE):
        is_class = re.match(r"(class|struct)\b", block)
        for function in re.findall(BLOCK.format("  "), block, flags=re.MULTILINE) if is_class else [block]:
            head, _, body = function.partition("{")
            if name := re.search(r"\b(\w+)\s*\(", head):
                yield name.group(1), body
