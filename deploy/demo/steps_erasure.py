"""Step 13: the OEM erases one 車台番号."""
import pathlib

from scene import DATA, PURPOSE


def normal_spellings(text):
    """A 車台番号 as raw bytes in every spelling."""
    full = "".join(chr(ord(c) + 0xFEE0) if "!" <= c <= "~" else c for c in text)
    forms = {text, text.lower(), full, f"ZAA-{text}", text.replace("-", "－"), text.replace("-", "ー"),
             text.replace("-", "−"), text.replace("-", "")}
    return [form.encode("utf-8") for form in forms] + [form.encode("utf-16-le") for form in forms]


def files_with(folder, needles):
    """Files under the folder that hold one of the byte strings."""
    found = []
    for path in pathlib.Path(folder).rglob("*"):
        if path.is_file():
            content = path.read_bytes()
            if any(needle in content for needle in needles):
                found.append(str(path.relative_to(folder)))
    return found


def erased(step, scene):
    """13"""
    mount = [row for row in scene.mounts if row["chassis_number"].startswith("ZVW52")][3]
    chassis, serial = mount["chassis_number"], mount["serial"]
    inspect(step, scene, serial, "before-erasure", "2026-05-10")
    receipt = find(step, scene, chassis, serial)
    erase(step, scene, chassis)
    condition_stays(step, scene, f"{serial}-M01")
    inspect(step, scene, serial, "after-erasure", "2026-06-10")
    own_view(step, scene, serial)
    dealers_view(step, scene, serial, chassis)
    checked = scene.operator("dealer").ask("receipt", "verify", receipt, "--root", scene.federation.root)
    step.equal("OEM's receipt of the time before is valid", [True], [one["valid"] for one in checked["receipts"]])
    scene.verify_everyone(step)
    step.say("自動車メーカーは1台の車台番号を消去しました。どのファイルにも残らず、署名も記録もそのまま検証できます。",
             "The OEM erased one 車台番号: no file holds it any more, and every signature and log still verifies.")


def find(step, scene, chassis, serial):
    """What the dealer can do before: the battery by 車台番号. Returns the OEM's receipt."""
    found = scene.resolve(step, "dealer", f"vehicle:{chassis}", ("history",), battery=serial, receipts=scene.receipts)
    step.equal("before: the dealer finds by 車台番号", serial, (found["battery"] or {}).get("serial"))
    return next(file for file in found["receipts"] if pathlib.Path(file).name.startswith("oem-"))


def erase(step, scene, chassis):
    data, needles = scene["oem"].servers["node"].folder, normal_spellings(chassis)
    before = files_with(data, needles)
    step.check("before: files with the 車台番号", "at least one", before, bool(before))
    gone = scene.operator("oem").ask("passport", "erase", f"vehicle:{chassis}", "--reason", "owner asked for erasure")
    step.equal("parts erased", 1, gone["erased"])
    step.equal("after: files with the 車台番号 in any spelling", [], files_with(data, needles))
    refused = scene.operator("oem").run("passport", "import", DATA / "mounts.csv")
    step.check("importing that fact again is refused", "exit 1", f"exit {refused.code}: {refused.error['message']}"
               if refused.code else "exit 0", refused.code == 1 and chassis not in refused.err)


def condition_stays(step, scene, module):
    answer = scene.resolve(step, "dealer", f"{module}@cell-maker")
    soh = [one["content"]["latest"]["soh_percent"] for one in scene.statements(answer, "condition")]
    step.equal(f"condition of module {module} stays ({scene.source})", [scene.last_soh(module)], soh)


def inspect(step, scene, serial, name, day):
    """The OEM states an inspection: an event of its chain beside the one that is erased."""
    file = scene.folder / f"inspection-{name}.csv"
    file.write_text(f"serial,manufacturer,kind,day,description\n{serial},cell-maker,inspection,{day},recall check\n",
                    encoding="utf-8")
    step.equal(f"OEM's inspection, {name}", 1, scene.operator("oem").ask("passport", "import", file)["created"])


def own_view(step, scene, serial):
    """The vehicle part is gone, the OEM's chain goes through its event all the same."""
    shown = scene.operator("oem").ask("passport", "show", f"{serial}@cell-maker")
    step.equal("OEM's own view: kind, erased", [["vehicle", True], ["history", False], ["history", False]],
               [[one["kind"], one["erased"]] for one in shown["statements"]])
    step.equal("OEM's own view: gaps, forks, broken links", [], shown["warnings"])


def dealers_view(step, scene, serial, chassis):
    """The dealer's node verifies every signature and link of what it gets: an answer that fails is INVALID."""
    answer = scene.resolve(step, "dealer", f"{serial}@cell-maker", ("history",), ask=("oem",))
    step.equal("the OEM's answer, verified by the dealer's node", "RELEASED", scene.outcome(answer, "oem"))
    step.equal("days of the OEM's inspections", ["2026-05-10", "2026-06-10"],
               sorted(one["content"]["day"] for one in scene.part_of(answer, "oem")["statements"]))
    step.equal("dealer's warnings of the OEM's chain", [f"{scene.dids['oem']}: withheld are events 1 to 1"],
               [warning for warning in answer["warnings"] if scene.dids["oem"] in warning])
    gone = scene.operator("dealer").run("passport", "resolve", f"vehicle:{chassis}", "--section", "condition", "--purpose",
                                        PURPOSE)
    step.equal("by the erased 車台番号: exit code, battery", [1, None], [gone.code, gone.json["battery"]])
