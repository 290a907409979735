"""Figures out of rounds: product and baseline take turns, neighbours are compared."""

import dataclasses
import json
import math
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
        "spread": spread(ratios, 3),
        "per_second": median(product, "per_second"),
        "server_cpu_us": median(product, "server_cpu_us"),
        "baseline_server_cpu_us": median(baseline, "server_cpu_us"),
    })


def percentile(name, rounds, percent):
    """Milliseconds: the percentile over the samples of all rounds, by nearest rank; the spread is that of each round."""
    if not rounds or not all(rounds):
        raise ValueError(f"{name}: a round without samples")
    samples = [sample for samples in rounds for sample in samples]
    return Figure(name, round(nearest_rank(samples, percent), 1), "ms", details={
        "spread": spread([nearest_rank(samples, percent) for samples in rounds], 1),
        "median": round(statistics.median(samples), 1),
        "samples": len(samples),
    })


def nearest_rank(samples, percent):
    return sorted(samples)[math.ceil(len(samples) * percent / 100) - 1]


def spread(values, digits=None):
    return [round(min(values), digits), round(max(values), digits)]


def median(rounds, key):
    return round(statistics.median(item[key] for item in rounds), 1)
