"""What the steps share: the companies, how they ask, and what previews promised before each release."""
import csv
import pathlib
import subprocess
import time

from federation import Failure
from measured import REPLAY, SYNTHETIC

HERE = pathlib.Path(__file__).resolve().parent
DATA = HERE / "data"
PURPOSE = "reuse-assessment"
OWNERS = ("cell-maker", "oem", "workshop")
SECTIONS = ("identity", "materials", "condition", "history")


def read_csv(path):
    with open(path, newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


class Scene:
    def __init__(self, federation, folder, measured):
        self.federation, self.folder, self.measured = federation, pathlib.Path(folder), measured
        self.batteries = read_csv(DATA / "batteries.csv")
        self.mounts = read_csv(DATA / "mounts.csv")
        self.history = read_csv(DATA / "history.csv")
        self.condition_csv = self.folder / "condition.csv"
        self.measurements = {}
        self.source = REPLAY if measured else SYNTHETIC  # goes with every value that is told
        self.promises = []  # (step, asker, identifier, owner, preview, what came)
        self.receipts = federation.folder / "receipts"
        for made in (self.folder, self.receipts):
            made.mkdir(parents=True, exist_ok=True)

    def __getitem__(self, label):
        return self.federation.parties[label]

    @property
    def registrar(self):
        return self.federation.registrar.operator

    def operator(self, label):
        return self.federation.parties[label].operator

    def did(self, label):
        for listed in self.registrar.ask("participant", "list")["participants"]:
            if listed["participant"]["label"] == label:
                return listed["participant"]["did"]
        raise Failure(f"no participant {label}")

    def mount(self, key, prefix):
        """A mounted pack that has a history, by the start of its 車台番号 or VIN."""
        with_history = {row["serial"] for row in self.history}
        return next(row for row in self.mounts if row[key].startswith(prefix) and row["serial"] in with_history)

    # --- asking

    def resolve(self, step, asker, identifier, sections=SECTIONS, purpose=PURPOSE, battery=None, ask=(), receipts=None):
        """Resolves as `asker`, after every owner has previewed what that party would get.

        `battery` is the serial that a vehicle identifier is expected to lead to.
        """
        wanted = [part for section in sections for part in ("--section", section)]
        previews = {owner: self.preview(owner, asker, identifier, wanted, purpose, battery) for owner in OWNERS}
        arguments = ["passport", "resolve", identifier, *wanted, "--purpose", purpose]
        arguments += [part for party in ask for part in ("--ask", party)]
        if receipts:
            arguments += ["--receipts", receipts]
        answer = self.operator(asker).ask(*arguments)
        for owner, preview in previews.items():
            self.promises.append((step.number, asker, owner, preview, self.part_of(answer, owner)))
        return answer

    def preview(self, owner, asker, identifier, wanted, purpose, battery):
        by_vehicle = battery is not None and owner == "oem"
        subject = identifier if battery is None or by_vehicle else f"{battery}@cell-maker"
        lookup = ("--section", "lookup") if by_vehicle else ()
        answer = self.operator(owner).ask("policy", "preview", "--as", asker, "--id", subject, *wanted, *lookup,
                                          "--purpose", purpose)
        return answer["previews"][0]

    def part_of(self, answer, owner):
        """What one owner answered and released."""
        did = self.dids[owner]
        answers = [one for one in answer["answers"] if one["participant"] == did]
        return dict(answers=answers,
                    statements=[one for one in answer["statements"] if one["released_by"] == did])

    def releases(self, owner):
        """How many releases the owner's log records."""
        return sum(log["records"].get("release", 0) for log in self.audit(owner).values())

    def learn_dids(self):
        self.dids = {listed["participant"]["label"]: listed["participant"]["did"]
                     for listed in self.registrar.ask("participant", "list")["participants"]}

    # --- reading answers

    def statements(self, answer, kind):
        return [one for one in answer["statements"] if one["kind"] == kind and one["in_passport"]]

    def withheld(self, answer, owner):
        return {one["section"]: one["reason"] for part in self.part_of(answer, owner)["answers"]
                for one in part["withheld"]}

    def outcome(self, answer, owner):
        answers = self.part_of(answer, owner)["answers"]
        return answers[0]["outcome"] if answers else "NOT_ASKED"

    def last_soh(self, serial):
        """State of health of the workshop's file."""
        return self.measurements[serial]["soh_percent"]

    def load_measurements(self):
        """Last row of each battery in the workshop's file."""
        with open(self.condition_csv, newline="", encoding="utf-8") as file:
            for row in csv.DictReader(file):
                self.measurements[row["serial"]] = row

    # --- logs

    def audit(self, party):
        """Verified logs by process name."""
        operator = party.operator if hasattr(party, "operator") else self.operator(party)
        return {log["log"].rsplit("/", 1)[1]: log for log in operator.ask("audit", "verify")["logs"]}

    def verify_everyone(self, step):
        for party in self.federation.everyone():
            if any(server.process.poll() is None for server in party.servers.values()):
                logs = self.audit(party)
                step.check(f"log of {party.label} verifies", "every leaf gives the signed root",
                           ", ".join(f"{name}: {log['leaves']} leaves, {log['cosigned_leaves']} cosigned"
                                     for name, log in logs.items()), bool(logs))


def without_network(argv):
    """Runs a command without network. Returns the process and how the network was taken away."""
    ways = [(["unshare", "-n"], "unshare -n"), (["unshare", "-r", "-n"], "unshare -r -n")]
    for prefix, name in ways:
        if subprocess.run([*prefix, "true"], capture_output=True).returncode == 0:
            return subprocess.run([*prefix, *argv], capture_output=True, text=True), name
    blocked = HERE / "no_network.py"
    return subprocess.run(["python3", str(blocked), *argv], capture_output=True, text=True), "seccomp filter"


def wait_for(seconds, condition):
    """The first true value of the condition, and how long it took."""
    begin = time.monotonic()
    while True:
        value = condition()
        passed = time.monotonic() - begin
        if value or passed > seconds:
            return value, passed
        time.sleep(0.2)
