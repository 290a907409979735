"""What the measurements share: running a program of this folder, and turns of product and baseline."""

import contextlib
import json
import subprocess

import figures
import parties


def run(binary, measurement, *options):
    """Runs one measurement of a program; returns its line."""
    command = [binary, measurement, *options]
    done = subprocess.run([str(word) for word in command], stdout=subprocess.PIPE, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"{measurement} failed: its message stands above")
    return json.loads(done.stdout)


def at_federation(federation):
    """Options that say whose federation it is and where its registrar."""
    return ["--registrar", federation.registrar.servers["registrar"].address, "--federation", parties.federation.FEDERATION]


def turns(name, rounds, product, baseline):
    """Product and baseline take turns; the figure compares neighbours."""
    lines = []
    for number in range(1, rounds + 1):
        lines.append((product(), baseline()))
        print(f"  {name} round {number}: {lines[-1][0]['per_second']:g} and {lines[-1][1]['per_second']:g} a second",
              flush=True)
    return figures.ratio(name, *map(list, zip(*lines)))


def write(measured, path):
    """Prints figures as they come; writes them as JSON lines when a path is given."""
    lines = []
    for figure in measured:
        print(figure.text(), flush=True)
        lines.append(figure.line())
    if path:
        path.write_text("\n".join(lines) + "\n", encoding="utf-8")


@contextlib.contextmanager
def child(command):
    """A server that ends with the context; gives its process."""
    process = subprocess.Popen([str(word) for word in command], stdout=subprocess.DEVNULL)
    try:
        yield process
    finally:
        process.terminate()
        process.wait()
