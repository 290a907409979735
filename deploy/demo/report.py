"""The demo's steps: told in Japanese and English, collected as results."""
import json
import sys
import time


class Step:
    """One step: what was expected, what came, whether they agree."""

    def __init__(self, number, name, party):
        self.number, self.name, self.party = number, name, party
        self.expected, self.got, self.ok = [], [], True

    def equal(self, what, expected, got):
        return self.check(what, expected, got, expected == got)

    def check(self, what, expected, got, ok):
        """A check whose values speak for themselves."""
        self.expected.append(f"{what}: {short(expected)}")
        self.got.append(f"{what}: {short(got)}")
        self.ok = self.ok and bool(ok)
        mark = "ok " if ok else "NG "
        print(f"    {mark} {what}: {short(got)}" + ("" if ok else f"   EXPECTED {short(expected)}"), flush=True)
        return bool(ok)

    def say(self, ja, en):
        print(f"    {ja}\n    {en}", flush=True)

    def json(self):
        return dict(name=f"{self.number:02d} {self.name}", party=self.party, expected="; ".join(self.expected),
                    got="; ".join(self.got), ok=self.ok and bool(self.expected))


class Report:
    def __init__(self):
        self.steps = []
        self.started = time.monotonic()

    def run(self, number, party, name_ja, name_en, function, *arguments):
        """Runs a step; what it raises is its failure."""
        step = Step(number, name_en, party)
        self.steps.append(step)
        print(f"\n[{number:2d}] {name_ja}\n     {name_en}  ({party})", flush=True)
        begin = time.monotonic()
        try:
            function(step, *arguments)
        except Exception as error:  # a step that breaks off has failed; the others still tell something
            step.check("no error", "none", f"{type(error).__name__}: {error}", False)
        print(f"     {time.monotonic() - begin:.1f} s", flush=True)
        return step.ok

    @property
    def ok(self):
        return all(step.json()["ok"] for step in self.steps)

    def write(self, path):
        with open(path, "w", encoding="utf-8") as out:
            json.dump([step.json() for step in self.steps], out, ensure_ascii=False, indent=1)
            out.write("\n")

    def summary(self, source):
        wrong = [step.json()["name"] for step in self.steps if not step.json()["ok"]]
        seconds = time.monotonic() - self.started
        print(f"\n{len(self.steps)} steps, {len(wrong)} not ok, {seconds:.0f} s; measurements: {source}")
        for name in wrong:
            print(f"  NOT OK: {name}", file=sys.stderr)


def short(value, limit=300):
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return text if len(text) <= limit else text[:limit] + f"… ({len(text)} characters)"
