#!/usr/bin/env python3
"""Measures tokens, the Guard, suspensions and renewals: `./dev bench identity`; README.md says how."""

import argparse
import dataclasses
import pathlib
import statistics
import sys
import tempfile
import time

import driver
import figures
import parties

START_SECONDS = 30


@dataclasses.dataclass
class Sizes:
    """How much is measured."""

    rounds: int = 7
    seconds: float = 5
    tokens: int = 2_000
    nodes: int = 100
    suspensions_pushed: int = 5
    suspensions_refreshed: int = 3
    rotations: int = 75


QUICK = Sizes(rounds=2, seconds=1, tokens=200, nodes=5, suspensions_pushed=1, suspensions_refreshed=1, rotations=1)


class Bench:
    """One registrar, one measurement after another."""

    def __init__(self, binaries, federation, folder, sizes):
        self.binaries, self.federation, self.folder, self.sizes = binaries, federation, folder, sizes

    def options(self, folder):
        """The registrar's operator, who lets the simulated nodes join."""
        place = self.federation.address
        return [*parties.credentials(self.federation.registrar.operator), *driver.at_federation(self.federation),
                "--est-url", place["est_url"], "--root-sha256", place["root_sha256"], "--folder", folder]

    def measure(self, measurement, *options):
        folder = self.folder / "-".join([measurement, *map(str, options)])
        folder.mkdir()
        return driver.run(self.binaries / "bench_identity", measurement, *self.options(folder), *options)

    def tokens(self):
        """Yields the figures of the three ways to check a token."""
        rounds = self.measure("tokens", "--rounds", self.sizes.rounds, "--tokens", self.sizes.tokens)["rounds"]
        ratios = [line["cold_per_second"] / line["openssl_per_second"] for line in rounds]
        yield figures.Figure("token_verify_cold_vs_openssl", round(statistics.median(ratios), 3), "ratio",
                             figures.median(rounds, "openssl_per_second"),
                             {"spread": figures.spread(ratios, 3), "per_second": figures.median(rounds, "cold_per_second")})
        cached = [line["cached_ns"] for line in rounds]
        yield figures.Figure("token_verify_cached_ns", round(statistics.median(cached)), "ns",
                             details={"spread": figures.spread(cached)})

    def guard(self):
        """An empty call behind the Guard against one behind nothing, with the same token."""
        folder = self.folder / "guarded"
        folder.mkdir()
        listen, data = folder / "guarded/listen", folder / "guarded/data"
        with driver.child([self.binaries / "bench_identity", "guarded", *self.options(folder)]) as guarded:
            wait_for(listen, guarded)
            caller = parties.credentials(self.federation.registrar.operator)
            name = parties.dns_name_of("node", "guarded")
            with parties.echo_server(self.binaries / "bench_echo", data) as (address, pid):
                def empty(target, process):
                    return driver.run(self.binaries / "bench_load", "echo", *caller, *driver.at_federation(self.federation),
                                      "--target", target, "--target-name", name, "--pid", process,
                                      "--request-bytes", 0, "--response-bytes", 0, "--seconds", self.sizes.seconds)
                return driver.turns("guard_overhead_ratio", self.sizes.rounds,
                                    lambda: empty(listen.read_text(encoding="ascii"), guarded.pid),
                                    lambda: empty(address, pid))

    def revocation(self, name, suspensions, *options):
        """The 99th percentile over all nodes and suspensions; the spread is that of each suspension."""
        rounds = self.measure("revocation", "--nodes", self.sizes.nodes, "--suspensions", suspensions, *options)["milliseconds"]
        return figures.percentile(name, rounds, 99)

    def rotation(self):
        line = self.measure("rotation", "--each", self.sizes.rotations)
        return figures.Figure("rotation_failed_calls", line["failed"], "calls",
                              details={"rotations": line["rotations"], "calls": line["calls"]})


def wait_for(file, process):
    end = time.monotonic() + START_SECONDS
    while not file.exists():
        if process.poll() is not None or time.monotonic() > end:
            raise RuntimeError("the guarded server did not start: its message stands above")
        time.sleep(0.05)


def measure(bench):
    """Yields the figures."""
    yield from bench.tokens()
    yield bench.guard()
    yield bench.rotation()
    yield bench.revocation("revocation_p99_ms", bench.sizes.suspensions_pushed)
    yield bench.revocation("revocation_refresh_p99_ms", bench.sizes.suspensions_refreshed, "--refresh-only")


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--bin", type=pathlib.Path, required=True, help="folder of the release build's programs")
    parser.add_argument("--json", type=pathlib.Path, help="write the figures here, one line of JSON each")
    parser.add_argument("--quick", action="store_true", help="few and short rounds: to see that it works, not to measure")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="tsunagi-bench-") as name:
        folder = pathlib.Path(name)
        with parties.Parties(arguments.bin, folder / "federation") as federation:
            bench = Bench(arguments.bin, federation, folder, QUICK if arguments.quick else Sizes())
            driver.write(measure(bench), arguments.json)
    return 0


if __name__ == "__main__":
    sys.exit(main())
