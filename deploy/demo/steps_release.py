"""Steps 1 to 8 and 10: joining, loading, and who gets what."""
import pathlib
import random
import tempfile

from measured import REAL_CELLS, REAL_CYCLES, write_condition
from scene import DATA, HERE, SECTIONS, wait_for, without_network

COMPANIES = [("cell-maker", ("catalog", "passport", "connector")), ("oem", ("node",)), ("workshop", ("node",)),
             ("dealer", ("node",)), ("recycler", ("node",)), ("outsider", ("node",))]
RECYCLING = "recycling"


def join_all(step, scene):
    """1"""
    federation = scene.federation
    federation.start_registrar()
    step.equal("registrar serves", ["registrar"], serving(federation.registrar))
    for label, processes in COMPANIES:
        participant = (HERE / "participants" / f"{label}.yaml").read_text(encoding="utf-8")
        party = federation.join(label, participant, processes)
        step.equal(f"{label} enrolled and serves", sorted(processes), serving(party))
    scene.learn_dids()
    used = federation.parties["oem"]
    again = used.operator.__class__(federation.tools, used.folder / "intruder")
    done = again.run("enrol", "--invitation-file", used.folder / "invitation", "--config", used.folder / "operator.yaml")
    step.check("a used invitation is refused", "exit 1", f"exit {done.code}: {done.error['message']}", done.code == 1)
    # Nodes fetch the directory by themselves, every 8 s at the latest.
    newest = COMPANIES[-1][0]
    known, seconds = wait_for(30, lambda: all(knows(scene.operator(label), newest) for label, _ in COMPANIES))
    step.check("every node knows every company", "within 30 s", f"{seconds:.1f} s", known)
    step.say(f"{len(COMPANIES)}社が招待コードで参加しました。各社の鍵は各社のフォルダにしかありません。",
             f"{len(COMPANIES)} companies joined with an invitation; each one's keys lie in its own folder only.")


def knows(operator, label):
    """Whether the operator's own node has the company in its directory."""
    done = operator.run("policy", "preview", "--as", label, "--battery", "NONE@cell-maker", "--purpose", "reuse-assessment")
    return done.code == 0 or "is not in the directory" not in done.error["message"]


def serving(party):
    """Names of the party's processes that say that they serve."""
    health = party.operator.ask("health")["processes"]
    return sorted(one["process"] for one in health if one["state"] == "serving")


def load(step, scene):
    """2"""
    for label in ("cell-maker", "oem", "workshop"):
        version = scene.operator(label).ask("policy", "set", HERE / "policies" / f"{label}.yaml")["version"]
        step.check(f"policies of {label} are in force", "a version", f"version {version}", version >= 1)
    packs = sum(row["level"] == "pack" for row in scene.batteries)
    modules = sum(row["level"] == "module" for row in scene.batteries)
    step.equal("packs and modules in the file", [120, 1000], [packs, modules])
    loaded = scene.operator("cell-maker").ask("passport", "import", DATA / "batteries.csv")
    step.equal("cell maker: created, unchanged", [1120, 0], [loaded["created"], loaded["unchanged"]])
    loaded = scene.operator("oem").ask("passport", "import", DATA / "mounts.csv")
    step.equal("OEM: vehicles created, unchanged", [100, 0], [loaded["created"], loaded["unchanged"]])
    again = scene.operator("oem").ask("passport", "import", DATA / "mounts.csv")
    step.equal("OEM: the same file again", [0, 100], [again["created"], again["unchanged"]])
    vins = sum(bool(row["vin"]) for row in scene.mounts)
    step.say(f"パック{packs}個、モジュール{modules}個、車両{len(scene.mounts)}台（VIN {vins}台、車台番号{100 - vins}台）。数値は公開値、番号は架空です。",
             f"{packs} packs, {modules} modules, {len(scene.mounts)} vehicles ({vins} by VIN, {100 - vins} by 車台番号): public "
             "figures, made-up numbers.")


def measure(step, scene):
    """3"""
    series, packs = write_condition(DATA / "batteries.csv", scene.measured, scene.condition_csv)
    scene.load_measurements()
    workshop = scene.operator("workshop")
    loaded = workshop.ask("passport", "import", scene.condition_csv)
    step.equal("measurements created", len(series) + packs, loaded["created"])
    loaded = workshop.ask("passport", "import", DATA / "history.csv")
    step.equal("inspections and repairs created", len(scene.history), loaded["created"])
    notices = workshop.ask("notice", "file", "--from", scene.condition_csv, "--section", "condition", "--section",
                           "history", "--visible-to-role", "dealer")
    step.equal("holder notices filed", 1120, notices["filed"])
    if scene.measured:
        cells = {one.name: one for one in series.values()}
        step.equal("real cells replayed, and their cycles", [REAL_CELLS, REAL_CYCLES],
                   [len(cells), sum(len(one.points) for one in cells.values())])
    read_back(step, scene, series)
    step.say(f"整備工場が測定値を登録し、保有通知を電池メーカーのカタログに出しました。測定値の出所：{scene.source}",
             f"The workshop filed its measurements and told the cell maker's catalog. Source: {scene.source}.")


def read_back(step, scene, series):
    """The longest series that the node holds, point by point against its source."""
    serial = max(series, key=lambda one: len(series[one].points))
    shown = scene.operator("workshop").ask("passport", "show", f"{serial}@cell-maker")
    kept = [one["content"]["points"] for one in shown["statements"] if one["kind"] == "condition_series"]
    points = [[(int(point["full_cycles"]), point["capacity_ah"]) for point in one] for one in kept]
    step.check(f"series of {serial} in the node ({scene.source})", f"one, as cell {series[serial].name} has it",
               f"{len(kept)} of {', '.join(str(len(one)) for one in kept)} points, "
               f"{'equal' if points == [series[serial].points] else 'DIFFERENT'}", points == [series[serial].points])


def check_release(step, scene, answer, serial, what):
    """Condition and history, not materials, with reasons."""
    conditions = scene.statements(answer, "condition")
    soh = [one["content"]["latest"]["soh_percent"] for one in conditions]
    step.equal(f"{what}: state of health of {serial} ({scene.source})", [scene.last_soh(serial)], soh)
    step.check(f"{what}: source of the value", "says whether measured", conditions[0]["content"]["source"],
               any(word in conditions[0]["content"]["source"] for word in ("replay", "synthetic")))
    days = sorted(one["content"]["day"] for one in scene.statements(answer, "history"))
    step.equal(f"{what}: history", sorted(row["day"] for row in scene.history if row["serial"] == serial), days)
    step.equal(f"{what}: no materials", 0, len([one for one in answer["statements"] if one["section"] == "materials"]))
    reason = scene.withheld(answer, "cell-maker").get("materials")
    step.check(f"{what}: reason for materials", "a stable word", str(reason), reason in ("NO_PERMISSION", "NOT_IN_AGREEMENT",
                                                                                          "PURPOSE_NOT_PERMITTED"))
    return soh[0]


def by_serial(step, scene):
    """4"""
    serial = scene.mount("chassis_number", "ZE1")["serial"]
    answer = scene.resolve(step, "dealer", f"{serial}@cell-maker", receipts=scene.receipts)
    soh = check_release(step, scene, answer, serial, "by serial")
    authors = {one["author"] for one in scene.statements(answer, "condition")}
    step.equal("condition is stated by", {scene.dids["workshop"]} == authors, True)
    step.check("receipts", "one of each holder that released", f"{len(answer['receipts'])} receipts",
               len(answer["receipts"]) >= 2)
    scene.receipt_files = answer["receipts"]
    step.say(f"販売店は製造番号{serial}でSoH {soh}％（{scene.source}）を得ました。測定者は整備工場、資源量は開示されません。",
             f"By serial {serial} the dealer learns SoH {soh} % ({scene.source}), who measured it, and why materials are withheld.")


def by_vin(step, scene):
    """5"""
    mount = scene.mount("vin", "WBY")
    answer = scene.resolve(step, "dealer", f"vehicle:{mount['vin']}", battery=mount["serial"])
    step.equal("the vehicle's battery", mount["serial"], (answer["battery"] or {}).get("serial"))
    soh = check_release(step, scene, answer, mount["serial"], "by VIN")
    step.equal("no vehicle part was released", 0, len([s for s in answer["statements"] if s["section"] == "vehicle"]))
    step.say(f"VINからパック{mount['serial']}が分かり、SoHは{soh}％（{scene.source}）です。自動車メーカーは車両情報を一切渡しません。",
             f"The VIN leads to pack {mount['serial']}, SoH {soh} % ({scene.source}); the OEM hands over no vehicle data.")


def spellings(chassis):
    full = "".join(chr(ord(c) + 0xFEE0) if "!" <= c <= "~" else c for c in chassis)
    return {"as stamped": chassis, "full width": full, "with type designation": f"ZAA-{chassis.lower()}"}


def by_chassis_number(step, scene):
    """6"""
    mount = scene.mount("chassis_number", "ZE1")
    sohs = set()
    for name, text in spellings(mount["chassis_number"]).items():
        answer = scene.resolve(step, "dealer", f"vehicle:{text}", battery=mount["serial"])
        step.equal(f"{name}: battery", mount["serial"], (answer["battery"] or {}).get("serial"))
        sohs.add(check_release(step, scene, answer, mount["serial"], name))
    step.equal("three spellings, one answer", 1, len(sohs))
    step.say("車台番号は全角でも、型式の接頭辞があっても同じ車です。",
             "A 車台番号 in full-width characters or with a type designation names the same car.")


def receipts(step, scene):
    """7"""
    root = scene.federation.root
    tool = str(scene.federation.tools / "tsunagi")
    for file in scene.receipt_files:
        done, way = without_network([tool, "--output", "json", "receipt", "verify", file, "--root", str(root)])
        valid = done.returncode == 0 and '"valid": true' in done.stdout
        step.check(f"{pathlib.Path(file).name} without network ({way})", "exit 0, valid",
                   f"exit {done.returncode}, {'valid' if valid else done.stdout + done.stderr}", valid)
    smallest = min(scene.receipt_files, key=lambda file: pathlib.Path(file).stat().st_size)
    flipped, accepted = flip_every_byte(tool, smallest, root)
    step.equal(f"of {flipped} receipts with one byte flipped, accepted", 0, accepted)
    step.say(f"提供証明はネットワークなしで検証でき、{flipped}通りのどの1バイト改ざんも見破られます。",
             f"The receipt verifies without network, and every one of {flipped} single-byte changes is found.")


def flip_every_byte(tool, file, root):
    """Verifies a copy for every byte, that byte changed by a random value. Returns how many, and how many passed."""
    import json
    content = pathlib.Path(file).read_bytes()
    rng = random.Random(7)
    accepted = 0
    with tempfile.TemporaryDirectory() as folder:
        for begin in range(0, len(content), 500):
            paths = []
            for at in range(begin, min(begin + 500, len(content))):
                changed = bytearray(content)
                changed[at] ^= rng.randrange(1, 256)
                path = pathlib.Path(folder) / f"{at}"
                path.write_bytes(changed)
                paths.append(str(path))
            done, _ = without_network([tool, "--output", "json", "receipt", "verify", *paths, "--root", str(root)])
            results = json.loads(done.stdout)["receipts"]
            if len(results) != len(paths):
                raise AssertionError("the verifier skipped files")
            accepted += sum(one["valid"] for one in results)
            for path in paths:
                pathlib.Path(path).unlink()
    return len(content), accepted


def recycler(step, scene):
    """8"""
    mount = scene.mount("chassis_number", "ZVW52")
    sections = ("identity", "structure", "materials", "vehicle")
    answer = scene.resolve(step, "recycler", f"{mount['serial']}@cell-maker", sections, RECYCLING, ask=("oem",))
    row = next(row for row in scene.batteries if row["serial"] == mount["serial"])
    materials = scene.statements(answer, "materials")
    step.equal("lithium, nickel, cobalt in kg", [[row["lithium_kg"], row["nickel_kg"], row["cobalt_kg"]]],
               [[one["content"][f"{m}_kg"] for m in ("lithium", "nickel", "cobalt")] for one in materials])
    step.equal("no vehicle", 0, len([one for one in answer["statements"] if one["section"] == "vehicle"]))
    step.equal("the OEM, asked for the vehicle, answers", "NOT_FOUND", scene.outcome(answer, "oem"))
    step.say(f"リサイクル業者は{mount['serial']}の資源量を得ますが、車両は分かりません。資源量の値は計算値です。",
             f"The recycler gets the materials of {mount['serial']} (computed figures) and does not learn the vehicle.")


def narrowed(step, scene):
    """10"""
    serial = scene.mount("chassis_number", "ZE1")["serial"]
    before = scene.resolve(step, "dealer", f"{serial}@cell-maker", SECTIONS)
    scene.operator("workshop").ask("policy", "set", HERE / "policies" / "workshop-narrow.yaml")
    after = scene.resolve(step, "dealer", f"{serial}@cell-maker", SECTIONS)
    kinds = [sorted({one["kind"] for one in answer["statements"] if one["released_by"] == scene.dids["workshop"]})
             for answer in (before, after)]
    expected = ["condition", "history"]
    step.check("workshop before", "condition and history", kinds[0], set(expected) <= set(kinds[0]))
    step.equal("workshop after, in the next call", ["condition"], kinds[1])
    step.equal("reason for history", "NO_PERMISSION", scene.withheld(after, "workshop").get("history"))
    scene.operator("workshop").ask("policy", "set", HERE / "policies" / "workshop.yaml")
    step.say("方針を狭めると、契約があっても次の呼び出しから効きます。",
             "A narrowed policy takes effect on the next call, although the agreement runs on.")
