#!/usr/bin/env python3
"""Measures releases, imports and what a node needs: `./dev bench release`; README.md says how."""

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

IDLE_SECONDS = 10
DEMO_PACKS = 120


@dataclasses.dataclass
class Sizes:
    """How much is measured."""

    rounds: int = 5
    seconds: float = 5
    starts: int = 5
    released: int = 2_000
    streamed: int = 100_000
    ingested: int = 20_000


QUICK = Sizes(rounds=2, seconds=1, starts=2, released=100, streamed=2_000, ingested=999)


class Bench:
    """One federation, one measurement after another."""

    def __init__(self, binaries, federation, sizes):
        self.binaries, self.federation, self.sizes = binaries, federation, sizes
        self.dealer = federation.join_dealer()

    def drive(self, measurement, *options):
        """Runs the load driver; returns its line."""
        return driver.run(self.binaries / "bench_load", measurement, "--purpose", parties.PURPOSE,
                          *driver.at_federation(self.federation), *options)

    def at(self, party, process, operator=None):
        """Options that call a process, as the dealer unless another operator is given."""
        server = party.servers[process]
        return [*parties.credentials(operator or self.dealer.operator), "--target", server.address,
                "--target-name", parties.dns_name(party, process), "--pid", server.process.pid]

    def at_echo(self, party, process, echo):
        address, pid = echo
        return [*parties.credentials(self.dealer.operator), "--target", address,
                "--target-name", parties.dns_name(party, process), "--pid", pid]

    def batteries(self, party, prefix, count):
        return ["--manufacturer", self.federation.did_of(party), "--prefix", prefix, "--count", count]

    def load(self, party, prefix, count):
        process = party.process_for("passport")
        return self.drive("import", *self.at(party, process, party.operator), *self.batteries(party, prefix, count))

    def prepare(self, party, process, batteries):
        """Agrees and releases once; says under which agreement and how long request and response are."""
        return self.drive("prepare", *self.at(party, process), *batteries)

    def echo(self, party, process):
        return parties.echo_server(self.binaries / "bench_echo", party.servers[process].data)

    def turns(self, name, product, baseline):
        return driver.turns(name, self.sizes.rounds, product, baseline)

    def unary(self, name, party):
        """Releases against echoes. The log must grow by one leaf a reply."""
        process = party.process_for("connector")
        batteries = self.batteries(party, "REL", self.sizes.released)
        self.load(party, "REL", self.sizes.released)
        prepared = self.prepare(party, process, batteries)
        seconds = ["--seconds", self.sizes.seconds]
        replies = []

        def release():
            before = self.drive("leaves", *self.at(party, process))["leaves"]
            line = self.drive("release", *self.at(party, process), *batteries, "--agreement", prepared["agreement"], *seconds)
            grown = self.drive("leaves", *self.at(party, process))["leaves"] - before
            if grown != line["replies"]:
                raise RuntimeError(f"{name}: {line['replies']} replies and {grown} new leaves: expected as many")
            replies.append(line["replies"])
            return line

        # Proofs grow with the log, and more when the batches are dated: a round's echo is as long as its releases.
        def echo_as_long():
            prepared.update(self.prepare(party, process, batteries))
            lengths = ["--request-bytes", prepared["request_bytes"], "--response-bytes", prepared["response_bytes"]]
            return self.drive("echo", *self.at_echo(party, process, echo), *lengths, *seconds)

        with self.echo(party, process) as echo:
            figure = self.turns(name, release, echo_as_long)
        figure.details |= {"response_bytes": prepared["response_bytes"], "leaves_equal_replies": sum(replies)}
        return figure

    def stream(self, party):
        process = party.process_for("connector")
        batteries = self.batteries(party, "STR", self.sizes.streamed)
        self.load(party, "STR", self.sizes.streamed)
        prepared = self.prepare(party, process, batteries)
        shape = []

        def release():
            line = self.drive("stream", *self.at(party, process), *batteries, "--agreement", prepared["agreement"])
            shape[:] = ["--records", line["records"], "--request-bytes", line["request_bytes"],
                        "--frame-bytes", ",".join(map(str, line["frame_bytes"]))]
            return line

        with self.echo(party, process) as echo:
            return self.turns("stream_release_vs_raw", release, lambda: self.drive("raw", *self.at_echo(party, process, echo), *shape))

    def ingest(self, party, folder):
        prefixes = (f"ING{number}-" for number in range(self.sizes.rounds))
        folders = (folder / f"rocksdb-{number}" for number in range(self.sizes.rounds))
        count = self.sizes.ingested
        return self.turns("durable_ingest_vs_rocksdb", lambda: self.load(party, next(prefixes), count),
                          lambda: self.drive("rocksdb", "--folder", next(folders), *self.batteries(party, "ING", count)))

    def start(self, name, party):
        """Stops the node; starts it as often as asked; leaves it running."""
        server = party.servers["node"]
        server.stop()
        server.config["log_level"] = "error"
        parties.federation.write_yaml(server.folder / "config.yaml", server.config)
        options = [*parties.credentials(self.dealer.operator), "--target", server.address,
                   "--target-name", parties.dns_name(party, "node"), "--program", self.binaries / "tsunagi-node",
                   "--config", server.folder / "config.yaml"]
        times = [self.drive("start", *options)["milliseconds"] for _ in range(self.sizes.starts)]
        server.start()
        server.wait()
        return figures.Figure(name, round(statistics.median(times), 1), "ms", details={"spread": [min(times), max(times)]})

    def idle(self, name, party):
        """Waits until the node has been idle long enough."""
        time.sleep(IDLE_SECONDS)
        return figures.Figure(name, parties.resident_mib(party.servers["node"].process.pid), "MiB")

    def serve_demo(self, party):
        """Loads the demo's file and as many batteries of the driver as the demo has packs; serves them for a second."""
        party.operator.ask("passport", "import", parties.DEMO / "data/batteries.csv")
        self.load(party, "REL", DEMO_PACKS)
        batteries = self.batteries(party, "REL", DEMO_PACKS)
        prepared = self.prepare(party, "node", batteries)
        self.drive("release", *self.at(party, "node"), *batteries, "--agreement", prepared["agreement"], "--seconds", 1)


def measure(bench, folder):
    """Yields the figures. The size of a node comes first, before large loads."""
    empty = bench.federation.join_cell_maker("empty-maker", ("node",))
    yield bench.start("node_start_empty_ms", empty)
    yield bench.idle("node_idle_rss_empty_mib", empty)
    small = bench.federation.join_cell_maker("small-maker", ("node",))
    bench.serve_demo(small)
    yield bench.idle("node_idle_rss_mib", small)
    yield bench.start("node_start_ms", small)
    maker = bench.federation.join_cell_maker("cell-maker", ("node",))
    yield bench.unary("unary_release_vs_echo", maker)
    split = bench.federation.join_cell_maker("split-maker", ("catalog", "passport", "connector"))
    yield bench.unary("unary_release_split_vs_echo", split)
    yield bench.ingest(maker, folder)
    yield bench.stream(maker)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--bin", type=pathlib.Path, required=True, help="folder of the release build's programs")
    parser.add_argument("--json", type=pathlib.Path, help="write the figures here, one line of JSON each")
    parser.add_argument("--quick", action="store_true", help="two short rounds: to see that it works, not to measure")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="tsunagi-bench-") as name:
        folder = pathlib.Path(name)
        with parties.Parties(arguments.bin, folder / "federation") as federation:
            bench = Bench(arguments.bin, federation, QUICK if arguments.quick else Sizes())
            driver.write(measure(bench, folder), arguments.json)
    return 0


if __name__ == "__main__":
    sys.exit(main())
