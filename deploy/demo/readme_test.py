#!/usr/bin/env python3
"""Executes every `tsunagi` command of README.md and README.ja.md against a running federation. For ctest."""
import argparse
import os
import pathlib
import subprocess
import sys
import tempfile

import steps_release
from federation import Federation, remove
from report import Report
from scene import HERE, Scene

ROOT = HERE.parents[1]


def commands(readme):
    """Lines of ```console blocks that run tsunagi, without the prompt."""
    inside = False
    for line in (ROOT / readme).read_text(encoding="utf-8").splitlines():
        if line.startswith("```"):
            inside = line == "```console"
        elif inside and line.startswith("$ tsunagi"):
            yield line[2:]


def execute(readme, federation, folder):
    """The commands that failed."""
    folder.mkdir(parents=True)
    environment = dict(os.environ, DEMO=str(federation.folder), PATH=f"{federation.tools}:{os.environ['PATH']}")
    failed = []
    for command in commands(readme):
        done = subprocess.run(["bash", "-c", command], cwd=folder, env=environment, capture_output=True, text=True)
        print(f"{'ok ' if done.returncode == 0 else 'NG '} {readme}: {command}", flush=True)
        if done.returncode != 0:
            failed.append(command)
            print(done.stdout + done.stderr)
    return failed


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--bin", required=True)
    options = parser.parse_args()
    folder = pathlib.Path(tempfile.mkdtemp(prefix="tsunagi-readme-"))
    federation = Federation(pathlib.Path(options.bin).resolve(), folder / "federation")
    report = Report()
    failed = ["nothing was executed"]
    try:
        scene = Scene(federation, folder / "files", None)
        for number, function in enumerate((steps_release.join_all, steps_release.load, steps_release.measure), 1):
            report.run(number, "all", "準備", "prepare", function, scene)
        failed = [command for readme in ("README.md", "README.ja.md")
                  for command in execute(readme, federation, folder / readme)]
        if not all(any(True for _ in commands(readme)) for readme in ("README.md", "README.ja.md")):
            failed.append("a README has no commands")
    finally:
        federation.stop()
        remove(folder)
    return 0 if report.ok and not failed else 1


if __name__ == "__main__":
    sys.exit(main())
