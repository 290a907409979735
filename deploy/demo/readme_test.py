#!/usr/bin/env python3
"""Executes every `tsunagi` command of README.md and README.ja.md against a running federation, and compares what it
says with what the page promises. For ctest."""
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
BATTERY = "LF40-P0006@cell-maker"
# What the output of each command of the READMEs must hold: the values that the text around it promises.
EXPECTED = {
    "passport resolve LF40-P0006": [BATTERY, "condition", "soh_percent", "history", "RELEASED", ".receipt"],
    "passport resolve vehicle:": [BATTERY, "condition", "soh_percent", "RELEASED"],
    "receipt verify": ["valid receipt", "workshop", "LF40-P0006"],
    "policy preview": ["dealer would get", "dealers-see-condition", "soh_percent", "materials", "NO_PERMISSION"],
    "policy list": ["dealers-see-condition", "delete-after-90-days"],
    "agreement list": ["dealer", "reuse-assessment", "finalized"],
    "passport show": [BATTERY, "identity", "materials", "lithium_kg"],
    "audit verify": ["verified: every leaf", "cell-maker.demo.battery.example/passport"],
    "participant list": ["cell-maker", "oem", "workshop", "dealer", "recycler", "outsider"],
}


def commands(readme):
    """Lines of ```console blocks that run tsunagi, without the prompt."""
    inside = False
    for line in (ROOT / readme).read_text(encoding="utf-8").splitlines():
        if line.startswith("```"):
            inside = line == "```console"
        elif inside and line.startswith("$ tsunagi"):
            yield line[2:]


def missing(command, output):
    """What the output of a command lacks."""
    matching = [texts for part, texts in EXPECTED.items() if part in command]
    if len(matching) != 1:
        return [f"one entry of EXPECTED in {pathlib.Path(__file__).name}"]
    return [text for text in matching[0] if text not in output]


def execute(readme, federation, folder):
    """The commands that failed."""
    folder.mkdir(parents=True)
    environment = dict(os.environ, DEMO=str(federation.folder), PATH=f"{federation.tools}:{os.environ['PATH']}")
    failed = []
    for command in commands(readme):
        done = subprocess.run(["bash", "-c", command], cwd=folder, env=environment, capture_output=True, text=True)
        lacks = missing(command, done.stdout)
        ok = done.returncode == 0 and not lacks
        print(f"{'ok ' if ok else 'NG '} {readme}: {command}", flush=True)
        if not ok:
            failed.append(command)
            print(done.stdout + done.stderr + f"exit {done.returncode}, output lacks {lacks}")
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
