"""Steps 15 and 16: the registrar is away; the cell maker's processes are killed while rows are acknowledged."""
import csv
import random
import re
import signal
import threading

from scene import OWNERS, wait_for
from steps_release import serving

KILLS = 20
ROWS = 4000
BATCH = 20
ACKNOWLEDGED = re.compile(r"acknowledged rows (\d+) to (\d+)")


def renewals_that_failed(scene, labels):
    """How often each party's node has tried in vain to renew its token."""
    return {label: sum(server.log.read_text(errors="replace").count("renewing certificate or token")
                       for server in scene[label].servers.values()) for label in labels}


def registrar_away(step, scene):
    """15"""
    serial = scene.mount("chassis_number", "ZE1")["serial"]
    federation = scene.federation
    labels = ("dealer", "workshop", "cell-maker")
    for label in ("dealer", *OWNERS):  # their commands below need a token
        (scene.operator(label).profile / "token").unlink(missing_ok=True)
        scene.operator(label).ask("health")
    code = federation.registrar.folder / "late-invitation"
    scene.registrar.ask("participant", "invite", "outsider", "--process", "operator", "--code-file", code)
    before = renewals_that_failed(scene, labels)
    federation.registrar.servers["registrar"].stop()
    step.equal("exit code of the registrar, stopped", 0, federation.registrar.servers["registrar"].process.poll())
    passed, seconds = wait_for(50, lambda: all(count > before[label]
                                               for label, count in renewals_that_failed(scene, labels).items()))
    step.check("token renewals passed without the registrar", labels, f"all within {seconds:.0f} s", passed)
    answer = scene.resolve(step, "dealer", f"{serial}@cell-maker", ("condition", "identity"))
    soh = [one["content"]["latest"]["soh_percent"] for one in scene.statements(answer, "condition")]
    step.equal(f"running agreements go on: SoH ({scene.source})", [scene.last_soh(serial)], soh)
    outsider = scene["outsider"]
    late = outsider.operator.__class__(federation.tools, outsider.folder / "late")
    arguments = ("enrol", "--invitation-file", code, "--config", outsider.folder / "operator.yaml")
    done = late.run(*arguments)
    step.equal("enrolment meanwhile", [1, "UNAVAILABLE"], [done.code, done.error.get("code")])
    federation.registrar.restart()
    step.equal("the registrar serves again", ["registrar"], serving(federation.registrar))
    step.equal("enrolment afterwards", 0, late.run(*arguments).code)
    step.say("登録機関が止まっても、既存の契約による開示は続き、新しい参加登録だけが止まります。",
             "Without the registrar running agreements go on past a token renewal; only joining waits.")


def write_rows(path):
    with open(path, "w", newline="", encoding="utf-8") as out:
        writer = csv.writer(out, lineterminator="\n")
        writer.writerow(["serial", "level", "manufactured", "model", "source"])
        for number in range(1, ROWS + 1):
            writer.writerow([f"KILL-{number:05d}", "cell", "2024-03", "kill test cell", "synthetic, for the kill test"])


class Import:
    """An import under way; knows which rows were acknowledged."""

    def __init__(self, operator, file):
        self.acknowledged = set()
        self.process = operator.popen("passport", "import", file, "--batch-size", BATCH)
        self.news = threading.Event()
        self.reader = threading.Thread(target=self.read, daemon=True)
        self.reader.start()

    def read(self):
        for line in self.process.stderr:
            found = ACKNOWLEDGED.search(line)
            if found:
                self.acknowledged.update(range(int(found[1]), int(found[2]) + 1))
                self.news.set()

    def wait_for_acknowledgements(self, count):
        """Until `count` batches were acknowledged, or the import has ended."""
        while len(self.acknowledged) < count * BATCH and self.process.poll() is None:
            self.news.wait(0.05)
            self.news.clear()

    def end(self):
        self.process.stdout.read()
        self.process.wait(timeout=120)
        self.reader.join()
        return self.process.returncode


def kill_once(scene, file, seed):
    """Imports, kills all processes of the cell maker after a random number of acknowledgements, starts them again.
    Returns the rows that were acknowledged and the exit code of the import."""
    maker = scene["cell-maker"]
    running = Import(maker.operator, file)
    running.wait_for_acknowledgements(random.Random(seed).randint(1, 6))
    for server in maker.servers.values():
        server.process.send_signal(signal.SIGKILL)
    for server in maker.servers.values():
        server.process.wait()
    code = running.end()
    maker.restart()
    return running.acknowledged, code


def rows_there(maker, file):
    return set(maker.operator.ask("passport", "import", file, "--check")["unchanged_rows"])


def whole_batches(rows):
    """Whether the rows are whole requests: none is there in part."""
    batches = {}
    for row in rows:
        batches[(row - 1) // BATCH] = batches.get((row - 1) // BATCH, 0) + 1
    return all(count == BATCH for count in batches.values())


def killed(step, scene):
    """16"""
    file = scene.folder / "kill-test.csv"
    write_rows(file)
    base = scene.audit("cell-maker")["passport"]["events"]
    acknowledged, wrong, idle, seeds = set(), [], [], []
    for number in range(1, KILLS + 1):
        seed = random.SystemRandom().randrange(2**32)
        seeds.append(seed)
        fresh, code = kill_once(scene, file, seed)
        acknowledged |= fresh
        there = rows_there(scene["cell-maker"], file)
        events = scene.audit("cell-maker")["passport"]["events"] - base
        print(f"      kill {number:2d}, seed {seed:10d}: {len(fresh):3d} rows acknowledged before it, "
              f"{len(acknowledged)} in all, {len(there)} there, {events} events in the log", flush=True)
        if not fresh or code == 0:
            idle.append(f"kill {number}: {len(fresh)} rows acknowledged, import ended with {code}")
        if not acknowledged <= there:
            wrong.append(f"kill {number}: lost rows {sorted(acknowledged - there)[:5]}")
        if events != len(there):
            wrong.append(f"kill {number}: {events} events for {len(there)} rows")
        if not whole_batches(there):
            wrong.append(f"kill {number}: a request is there in part")
    step.check("SIGKILL of catalog, passport and connector", f"{KILLS} times, printed seeds", seeds, len(seeds) == KILLS)
    step.equal("kills that broke off no import in the middle of its acknowledgements", [], idle)
    step.equal("acknowledged rows lost, rows twice or in part", [], wrong)
    done = scene.operator("cell-maker").ask("passport", "import", file, "--batch-size", BATCH)
    step.equal("the same file again: created + unchanged", ROWS, done["created"] + done["unchanged"])
    step.equal("rows there", ROWS, len(rows_there(scene["cell-maker"], file)))
    step.equal("events in the log", ROWS, scene.audit("cell-maker")["passport"]["events"] - base)
    scene.verify_everyone(step)
    serial = scene.mount("chassis_number", "ZE1")["serial"]
    answer = scene.resolve(step, "dealer", f"{serial}@cell-maker", ("identity",))
    step.equal("the cell maker releases again", "RELEASED", scene.outcome(answer, "cell-maker"))
    step.say(f"{KILLS}回の強制終了でも、受領済みの行は1行も失われず、重複もありません。",
             f"{KILLS} kills lost no acknowledged row and doubled none; the same file completed it to {ROWS}.")
