#!/usr/bin/env python3
"""Everything that `./dev lint` checks. Runs all checks, prints what each found, exits 1 when one found something."""

import argparse
import concurrent.futures
import json
import os
import pathlib
import re
import shlex
import subprocess
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parents[1]
FIXTURE = "tests/architecture/fixture/"
# clang-tidy takes seconds a file: a change that touches more is checked for its most recently changed files.
MAX_TIDY_FILES = 40


def run(command):
    """Runs a command; returns what it printed when it failed, and nothing when it did not."""
    done = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
    return (done.stdout.strip() or f"`{shlex.join(command)}` failed") if done.returncode else ""


def run_all(commands):
    """Runs commands side by side; returns what the failed ones printed."""
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        return "\n".join(filter(None, pool.map(run, commands)))


def git_lines(*arguments):
    done = subprocess.run(["git", *arguments], cwd=ROOT, capture_output=True, text=True, check=False)
    return done.stdout.split("\n")[:-1] if done.returncode == 0 else []


def sources():
    """Our tracked C++ files."""
    return [path for path in git_lines("ls-files", "*.h", "*.cc")
            if not path.startswith(FIXTURE) and (ROOT / path).is_file()]


def format_sources(fix):
    mode = ["-i"] if fix else ["--dry-run", "-Werror"]
    files = sources()
    batches = [files[start:start + 20] for start in range(0, len(files), 20)]
    found = run_all([["clang-format", *mode, *batch] for batch in batches])
    return found and f"{found}\n`./dev lint --fix` formats"


def lint_protos():
    return run([".cache/npm/node_modules/.bin/buf", "lint"])


def check_architecture():
    return run_all([[sys.executable, "-B", "tests/architecture/check.py"],
                    [sys.executable, "-B", "tests/architecture/check_test.py"]])


def includes(path, header):
    return path.is_file() and f'#include "{header}"' in path.read_text(encoding="utf-8")


def uses_locks(path):
    """Whether the file or its own header has a mutex."""
    own_header = pathlib.Path(re.sub(r"(_test)?\.cc$", ".h", str(path)))
    return includes(path, "core/base/mutex.h") or includes(own_header, "core/base/mutex.h")


def clang_command(entry):
    """The compile command of an entry as clang reads it: no output, no warnings of its own, no GCC header cache."""
    words = entry.get("arguments") or shlex.split(entry["command"])
    start = next(i for i, word in enumerate(words) if word.startswith("-"))
    kept, skip = [], False
    for word in words[start:]:
        if skip:
            skip = False
        elif word in ("-o", "-include", "-c"):
            skip = word != "-c"
        elif not word.startswith("-W"):
            kept.append(word)
    return ["clang++", "-fsyntax-only", "-Wno-everything", "-Wthread-safety", "-Werror=thread-safety", *kept]


def compile_entries(build):
    entries = json.loads((ROOT / build / "compile_commands.json").read_text(encoding="utf-8"))
    tracked = {ROOT / path for path in sources()}
    return {path: entry for entry in entries if (path := pathlib.Path(entry["file"])) in tracked}


def check_thread_safety(build):
    return run_all([clang_command(entry) for path, entry in compile_entries(build).items() if uses_locks(path)])


def changed_sources():
    """C++ files that differ from the main branch, or on it from the commit before; most recently changed first."""
    head = git_lines("rev-parse", "HEAD")
    base = git_lines("merge-base", "origin/main", "HEAD")
    if not base or base == head:
        base = git_lines("rev-parse", "--verify", "HEAD~1")
    if not base:
        return []
    changed = set(git_lines("diff", "--name-only", base[0], "--", "*.cc"))
    logged = git_lines("log", "--name-only", "--pretty=format:", f"{base[0]}..HEAD", "--", "*.cc")
    return [path for path in dict.fromkeys(sorted(changed - set(logged)) + logged) if path in changed]


def tidy(build):
    entries = compile_entries(build)
    files = [path for path in changed_sources() if ROOT / path in entries]
    if len(files) > MAX_TIDY_FILES:
        print(f"  clang-tidy: {len(files)} files changed, reading the latest {MAX_TIDY_FILES}")
    return run_all([["clang-tidy", "--quiet", "-p", build, path] for path in files[:MAX_TIDY_FILES]])


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--build", default="build/dev", help="folder with compile_commands.json and generated protos")
    parser.add_argument("--fix", action="store_true", help="format the sources first")
    arguments = parser.parse_args()
    checks = {
        "format": lambda: format_sources(arguments.fix),
        "protos": lint_protos,
        "architecture": check_architecture,
        "thread safety": lambda: check_thread_safety(arguments.build),
        "clang-tidy": lambda: tidy(arguments.build),
    }
    failed = []
    for name, check in checks.items():
        start = time.monotonic()
        found = check()
        print(f"lint: {name}: {'FAILED' if found else 'ok'} ({time.monotonic() - start:.0f} s)", flush=True)
        if found:
            print(found, flush=True)
            failed.append(name)
    if failed:
        print(f"lint: failed: {', '.join(failed)}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
