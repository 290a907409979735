"""Figures out of rounds: product and baseline take turns, neighbours are compared."""

import dataclasses
import json
import statistics


@dataclasses.dataclass
class Figure:
    """One line of the result. `details` stand beside the value: rates, spread, processor time."""

    name: str
    value: float
    unit: str
    baseline: float | None = None
    details: dict = dataclasses.field(default_factory=dict)

    def line(self):
        fields = {"name": self.name, "value": self.value, "unit": self.unit, "baseline": self.baseline}
        return json.dumps(fields | self.details, ensure_ascii=False)

    def text(self):
        baseline = "" if self.baseline is None else f"   baseline {self.baseline:g}"
        details = "".join(f"   {key} {shown(value)}" for key, value in self.details.items())
        return f"{self.name:32} {self.value:>9g} {self.unit:6}{baseline}{details}"


def shown(value):
    return "…".join(f"{item:g}" for item in value) if isinstance(value, list) else f"{value:g}"


def ratio(name, product, baseline):
    """The figure of rounds that took turns. Each round is the driver's line: per_second and server_cpu_us."""
    if len(product) != len(baseline) or not product:
        raise ValueError(f"{name}: {len(product)} rounds of the product and {len(baseline)} of the baseline: expected as many")
    ratios = [a["per_second"] / b["per_second"] for a, b in zip(product, baseline)]
    return Figure(name, round(statistics.median(ratios), 3), "ratio", median(baseline, "per_second"), {
        "spread": [round(min(ratios), 3), round(max(ratios), 3)],
        "per_second": median(product, "per_second"),
        "server_cpu_us": median(product, "server_cpu_us"),
        "baseline_server_cpu_us": median(baseline, "server_cpu_us"),
    })


def median(rounds, key):
    return round(statistics.median(item[key] for item in rounds), 1)
