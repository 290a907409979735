"""Steps 18 to 20: a company joins while all others run, every certificate is rotated under load, a mandate."""
import hashlib
import threading

from scene import HERE, PURPOSE, wait_for
from steps_trust import raw_probe

PROVIDERS = ("cell-maker", "oem", "workshop", "dealer", "recycler", "outsider")
NOT_FOUND = 5
ROUNDS = 3


def membership(scene, label):
    """State of a member in the list that everybody sees; None when it is not in it."""
    rows = scene.operator("dealer").ask("participant", "list", "--search", label)["participants"]
    return next((row["participant"]["state"] for row in rows if row["participant"]["label"] == label), None)


def joined_live(step, scene):
    """18"""
    federation = scene.federation
    entered = scene.registrar.ask("participant", "apply", HERE / "participants" / "agency.yaml")
    step.check("application entered: waits, is no member yet", "an id, not listed",
               [entered["pending_id"], membership(scene, "agency")],
               bool(entered["pending_id"]) and membership(scene, "agency") is None)
    approved = scene.registrar.ask("participant", "approve", entered["pending_id"])
    step.equal("approved by the registrar", "approved", approved["participant"]["state"])
    federation.admit("agency")
    step.equal("its node has enrolled", "active", membership(scene, "agency"))
    lines = [f"release battery {scene.dids['cell-maker']} {scene.batteries[0]['serial']}"]

    def codes():
        return {label: raw_probe(scene, "agency", label, lines)[0]["code"] for label in PROVIDERS}

    known, seconds = wait_for(20, lambda: set(codes().values()) == {NOT_FOUND})
    step.check("every company's node answers it, without a restart", "NOT_FOUND (5): no agreement", codes(), known)
    step.say(f"参加申請から承認、参加登録を経て、{seconds:.0f}秒で全社のノードが新しい参加者を認めました。",
             f"Applied, approved, enrolled: every node knew the new company within {seconds:.0f} s.")


class Load:
    """The dealer asks for one battery after the other until the end; counts what does not come."""

    def __init__(self, scene, serials):
        self.scene, self.serials = scene, serials
        self.calls, self.failures = 0, []
        self.over = threading.Event()
        self.threads = [threading.Thread(target=self.ask, args=(number,)) for number in range(2)]

    def __enter__(self):
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(self, *_):
        self.over.set()
        for thread in self.threads:
            thread.join()

    def ask(self, start):
        number = start
        while not self.over.is_set():
            serial = self.serials[number % len(self.serials)]
            number += 2
            done = self.scene.operator("dealer").run("passport", "resolve", f"{serial}@cell-maker", "--section", "condition",
                                                     "--purpose", PURPOSE)
            self.calls += 1
            if done.code != 0:
                self.failures.append(done.error["message"])
            elif not any(one["outcome"] == "RELEASED" for one in done.json["answers"]):
                self.failures.append(str(done.json["answers"])[:300])


def fingerprints(scene, name):
    """SHA-256 of a file of every running process."""
    return {server.folder: hashlib.sha256((server.data / name).read_bytes()).hexdigest()
            for server in scene.federation.running() if (server.data / name).exists()}


def all_changed(scene, name, before):
    now = fingerprints(scene, name)
    return all(now.get(folder) != digest for folder, digest in before.items())


def roll(step, scene, key):
    """Makes the next CA known, waits until every node has the bundle, puts it into use."""
    bundles = fingerprints(scene, "trust-bundle")
    scene.registrar.ask("authority", "rotate", key, "--reason", "demo")
    known, seconds = wait_for(40, lambda: all_changed(scene, "trust-bundle", bundles))
    step.check(f"{key}: the next one is known to every node", f"{len(bundles)} nodes", f"within {seconds:.0f} s", known)
    certificates = fingerprints(scene, "tls.crt")
    scene.registrar.ask("authority", "rotate", key, "--reason", "demo", "--put-into-use")
    renewed, seconds = wait_for(60, lambda: all_changed(scene, "tls.crt", certificates))
    step.check(f"{key}: put into use, every process has a certificate under the new one", f"{len(certificates)} processes",
               f"within {seconds:.0f} s", renewed)


def rotated(step, scene):
    """19"""
    federation = scene.federation
    serials = [row["serial"] for row in scene.mounts[:20]]
    with Load(scene, serials) as load:
        for _ in range(ROUNDS):
            before = fingerprints(scene, "tls.crt")
            for party in federation.everyone():
                if party.label != "leaver":
                    party.operator.ask("certificate", "renew")
            step.check("every process renewed its certificate and token", f"{len(before)} processes",
                       sum(fingerprints(scene, "tls.crt")[folder] != digest for folder, digest in before.items()),
                       all_changed(scene, "tls.crt", before))
        scene.registrar.ask("authority", "rotate", "token", "--reason", "demo")
        roll(step, scene, "issuing")
        roll(step, scene, "root")
    anchors = scene.registrar.ask("authority", "list")["anchors"]
    states = sorted(f"{one['kind']} {one['state']}" for one in anchors)
    step.check("the trust bundle says who counts", "new ones count, old ones retire", states,
               sum(state.endswith("counts") for state in states) == 2 and len(states) == 5)
    step.check("calls of the dealer meanwhile: failed", 0, f"{len(load.failures)} of {load.calls} {load.failures[:2]}",
               load.calls > 20 and not load.failures)
    step.say(f"全社の証明書を{ROUNDS}回更新し、発行CAとルートを入れ替える間、{load.calls}回の呼出しで失敗はありません。",
             f"Every certificate renewed {ROUNDS} times, issuing CA and root rolled: {load.calls} calls, none failed.")


def entry(path, serial):
    path.write_text("serial,level,manufactured,model,source\n"
                    f"{serial},cell,2024-03,mandate test cell,\"synthetic, entered by an agency\"\n", encoding="utf-8")
    return path


def mandate(step, scene):
    """20"""
    agency, maker = scene.operator("agency"), scene.operator("cell-maker")
    acting = ("--for", "cell-maker", "passport", "import")
    refused = agency.run(*acting, entry(scene.folder / "agency-1.csv", "AGENCY-00001"))
    step.equal("without a mandate the agency enters nothing", [1, "PERMISSION_DENIED"], [refused.code, refused.error.get("code")])
    granted = maker.ask("mandate", "grant", "agency", "--scope", "passport-import", "--days", "30")
    done, seconds = wait_for(30, lambda: agency.run(*acting, scene.folder / "agency-1.csv").code == 0)
    step.check("with the mandate (代行) it enters a battery for the cell maker", "created", f"within {seconds:.0f} s", done)
    shown = maker.ask("passport", "show", "AGENCY-00001@cell-maker")
    step.equal("the author is the cell maker", [scene.dids["cell-maker"]], sorted({one["author"] for one in shown["statements"]}))
    out_of_scope = agency.run("--for", "cell-maker", "policy", "list")
    step.equal("what the mandate does not say stays closed", [1, "PERMISSION_DENIED"],
               [out_of_scope.code, out_of_scope.error.get("code")])
    maker.ask("mandate", "revoke", granted["mandate"]["id"])
    revoked = agency.run(*acting, entry(scene.folder / "agency-2.csv", "AGENCY-00002"))
    step.equal("revoked: refused on the next call", [1, "PERMISSION_DENIED"], [revoked.code, revoked.error.get("code")])
    states = [bool(one.get("revoked_at")) for one in maker.ask("mandate", "list")["mandates"]]
    step.equal("the list of mandates says so", [True], states)
    scene.audit("cell-maker")
    step.say("代行の権限は与えた範囲だけで効き、取り消すと次の呼出しから拒否されます。",
             "A mandate opens what it says and nothing else, and is over with the next call once revoked.")
