"""Steps 9, 11, 12, 14 and 17: outsiders, corrections, suspension, previews."""
import csv
import json
import subprocess
import time

from make_data import vin
from scene import HERE, OWNERS, wait_for

FEDERATION_SUFFIX = "demo.battery.example.internal"


def raw_probe(scene, asker, provider, lines):
    """Answers of `provider` to raw requests of `asker`'s operator."""
    operator, party = scene.operator(asker), scene[provider]
    operator.ask("participant", "list")  # a fresh token
    connector, catalog = party.process_for("connector"), party.process_for("catalog")
    argv = [str(scene.federation.tools / "demo_raw_probe"), str(operator.profile)]
    for process in (connector, catalog):
        argv += [party.servers[process].address, f"{process}.{provider}.{FEDERATION_SUFFIX}"]
    done = subprocess.run(argv, input="\n".join(lines) + "\n", capture_output=True, text=True, timeout=300)
    if done.returncode != 0:
        raise AssertionError(f"raw probe: {done.stderr}")
    return [json.loads(line) for line in done.stdout.splitlines()]


def without_date(answer):
    kept = dict(answer)
    for name in ("initial_metadata", "trailing_metadata"):
        kept[name] = sorted(pair for pair in answer[name] if pair[0] != "date")
    return json.dumps(kept, sort_keys=True)


def outsider(step, scene):
    """9"""
    maker = scene.dids["cell-maker"]
    existing = [row["serial"] for row in scene.batteries if row["level"] == "pack"][:20]
    missing = [serial[:-4] + f"{9000 + i}" for i, serial in enumerate(existing)]
    cars = [row["chassis_number"] for row in scene.mounts if row["chassis_number"].startswith("ZE1")][:10]
    cars += [row["vin"] for row in scene.mounts if row["vin"]][:10]
    unknown = [f"ZE1-{900000 + i}" for i in range(10)] + [vin("WBY", 900000 + i) for i in range(10)]
    for provider, method, found, absent in (
            ("cell-maker", "release", [f"battery {maker} {s}" for s in existing], [f"battery {maker} {s}" for s in missing]),
            ("cell-maker", "find", [f"battery {maker} {s}" for s in existing], [f"battery {maker} {s}" for s in missing]),
            ("cell-maker", "agree", [f"battery {maker} {s}" for s in existing], [f"battery {maker} {s}" for s in missing]),
            ("workshop", "release", [f"battery {maker} {s}" for s in existing], [f"battery {maker} {s}" for s in missing]),
            ("oem", "release", [f"vehicle {c}" for c in cars], [f"vehicle {c}" for c in unknown]),
            ("oem", "agree", [f"vehicle {c}" for c in cars], [f"vehicle {c}" for c in unknown])):
        mixed = [line for pair in zip(found, absent) for line in pair]
        answers = raw_probe(scene, "outsider", provider, [f"{method} {line}" for line in mixed])
        distinct = {without_date(answer) for answer in answers}
        step.check(f"{provider}, {method}: 20 existing and 20 missing", "one answer, NOT_FOUND",
                   f"{len(answers)} answers, {len(distinct)} distinct: code {answers[0]['code']} "
                   f"`{answers[0]['message']}`, details `{answers[0]['details']}`",
                   len(answers) == 40 and len(distinct) == 1 and answers[0]["code"] == 5)
    step.say("どの方針にも名前のない参加者には、在るものも無いものも1バイト違わず同じ答えです。",
             "To a participant that no policy names, what exists and what does not look alike to the byte.")


def rewritten(step, scene):
    """11"""
    row = dict(next(row for row in scene.batteries if row["level"] == "module"), manufactured="2020-01")
    file = scene.folder / "rewrite.csv"
    with open(file, "w", newline="", encoding="utf-8") as out:
        writer = csv.DictWriter(out, row.keys(), lineterminator="\n")
        writer.writeheader()
        writer.writerow(row)
    before = scene.audit("cell-maker")["passport"]["leaves"]
    done = scene.operator("cell-maker").run("passport", "import", file)
    step.equal("exit code", 1, done.code)
    step.equal("error", "ALREADY_EXISTS", done.error["code"])
    step.equal("field and row", ["identity.manufactured", 1], [done.error.get("field"), done.error.get("row")])
    step.equal("leaves written", 0, scene.audit("cell-maker")["passport"]["leaves"] - before)
    step.say(f"同じ製造番号{row['serial']}の製造年月は書き換えられません：{done.error['message']}",
             f"The month of manufacture of {row['serial']} cannot be rewritten: {done.error['message']}")


def identity_statements(scene, serial):
    shown = scene.operator("cell-maker").ask("passport", "show", f"{serial}@cell-maker")
    return [one for one in shown["statements"] if one["kind"] == "identity"]


def amendment(step, scene):
    """12"""
    row = next(row for row in scene.batteries if row["level"] == "module" and row["serial"].startswith("I120"))
    serial, old = row["serial"], row["manufactured"]
    new = old[:5] + ("02" if old.endswith("01") else "01")
    proposed = scene.operator("cell-maker").ask("passport", "amend", f"{serial}@cell-maker", "--set", f"manufactured={new}")
    listed, _ = wait_for(30, lambda: [one for one in scene.registrar.ask("amendment", "list")["amendments"]
                                      if one["id"] == proposed["id"]])
    step.equal("the registrar sees", [[old, new, "pending"]],
               [[one["old_identity"]["manufactured"], one["new_identity"]["manufactured"], one["state"]] for one in listed])
    current = [one["content"]["manufactured"] for one in identity_statements(scene, serial) if one["current"]]
    step.equal("before the approval", [old], current)
    step.equal("approved", "approved", scene.registrar.ask("amendment", "approve", proposed["id"])["state"])
    applied, seconds = wait_for(30, lambda: [one for one in identity_statements(scene, serial) if one["current"]
                                             and one["content"]["manufactured"] == new])
    step.equal("current value after the approval", [new], [one["content"]["manufactured"] for one in applied or []])
    kept = [one["content"]["manufactured"] for one in identity_statements(scene, serial) if not one["current"]]
    step.check("the old value in history", old, kept, old in kept)
    step.equal("the dealer sees: value, whether in the passport", sorted([[new, True], [old, False]]),
               sorted([one["content"]["manufactured"], one["in_passport"]] for one in
                      scene.resolve(step, "dealer", f"{serial}@cell-maker", ("identity",))["statements"]))
    step.say(f"登録機関の承認により{serial}の製造年月が{old}から{new}に訂正され、旧値は履歴に残ります。",
             f"Approved by the registrar, {serial} is now of {new}; {old} stays in history ({seconds:.0f} s).")


def suspended(step, scene):
    """14"""
    federation = scene.federation
    participant = (HERE / "participants" / "leaver.yaml").read_text(encoding="utf-8")
    federation.join("leaver", participant)
    maker = scene.dids["cell-maker"]
    serial = scene.batteries[0]["serial"]
    providers = ["cell-maker", "oem", "workshop", "dealer", "recycler", "outsider"]
    lines = [f"release battery {maker} {serial}"]

    def codes():
        return {label: raw_probe(scene, "leaver", label, lines)[0]["code"] for label in providers}

    known, _ = wait_for(20, lambda: set(codes().values()) == {5})
    step.check("before: every node answers it", "NOT_FOUND (5): no agreement", codes(), known)
    step.equal("before: the registrar answers it", "OK", registrar_code(scene))
    tokens = scene.operator("leaver").profile / "token"
    token = tokens.read_text()
    scene.registrar.ask("participant", "suspend", "leaver", "--reason", "demo")
    begin = time.monotonic()
    left, refused = {*providers, "registrar"}, {}
    while left and time.monotonic() - begin < 15:
        for label in sorted(left):
            tokens.write_text(token)
            if refuses(scene, label, lines):
                refused[label] = round(time.monotonic() - begin, 1)
        left -= set(refused)
    seconds = max(refused.values(), default=15)
    step.check("refused by all (PERMISSION_DENIED), on the default configuration", "within 10 s",
               f"seconds: {refused}, not by {sorted(left)}", not left and seconds <= 10)
    scene["leaver"].servers["node"].stop()
    step.say(f"利用停止から{seconds:.1f}秒で全社が拒否しました。", f"Suspended, it was refused by all within {seconds:.1f} s.")


def registrar_code(scene):
    done = scene.operator("leaver").run("participant", "list")
    return "OK" if done.code == 0 else done.error["code"]


def refuses(scene, label, lines):
    if label == "registrar":
        return registrar_code(scene) == "PERMISSION_DENIED"
    return probe_code(scene, label, lines) == 7


def probe_code(scene, provider, lines):
    """As raw_probe, with the token that the suspended party still has."""
    party = scene[provider]
    argv = [str(scene.federation.tools / "demo_raw_probe"), str(scene.operator("leaver").profile)]
    for service in ("connector", "catalog"):
        process = party.process_for(service)
        argv += [party.servers[process].address, f"{process}.{provider}.{FEDERATION_SUFFIX}"]
    done = subprocess.run(argv, input=lines[0] + "\n", capture_output=True, text=True, timeout=60)
    return json.loads(done.stdout)["code"]


def canonical(parts):
    return sorted(json.dumps([part["kind"], part["content"]], sort_keys=True, ensure_ascii=False) for part in parts)


def agrees(preview, came):
    """Whether a party got from an owner exactly what the preview said."""
    if not came["answers"] and not came["statements"]:
        return not preview["parts"]  # was not asked: then it must have had nothing to give
    answer = came["answers"][0]
    if answer["outcome"] != "RELEASED":
        return answer["outcome"] == "NOT_FOUND" and not preview["parts"] and not came["statements"]
    promised = {one["section"]: one["reason"] for one in preview["withheld"]}
    got = {one["section"]: one["reason"] for one in answer["withheld"]}
    return (canonical(preview["parts"]) == canonical(came["statements"]) and promised == got
            and sorted(preview["obligations"]) == sorted(answer["obligations"]))


def released(scene, owner):
    """How many of an owner's previews a release followed."""
    return sum(promise[2] == owner and any(one["outcome"] == "RELEASED" for one in promise[4]["answers"])
               for promise in scene.promises)


def previews(step, scene):
    """17"""
    wrong = [promise for promise in scene.promises if not agrees(promise[3], promise[4])]
    asked = [promise for promise in scene.promises if promise[4]["answers"]]
    step.equal("previews recorded before releases, by step", [4, 5, 6, 8, 10, 12, 13, 15, 16],
               sorted({promise[0] for promise in scene.promises}))
    for owner in OWNERS:
        step.equal(f"releases in the log of {owner}, all previewed", released(scene, owner), scene.releases(owner))
    step.equal(f"of {len(scene.promises)} previews ({len(asked)} owners were then asked), differ from what came", 0,
               len(wrong))
    for number, asker, owner, preview, came in wrong[:3]:
        print(f"      step {number}, {asker} asks {owner}: preview {json.dumps(preview, ensure_ascii=False)[:1500]}\n"
              f"      came {json.dumps(came, ensure_ascii=False)[:1500]}")
    step.say("事前確認（policy preview）で見えた内容は、相手が実際に得た内容と一致しました。",
             "What `policy preview` showed each owner beforehand is what that party then got.")
