"""The workshop's measurements: a replay of real cells, or a synthetic series. Every row says which in `source`."""
import csv
import datetime

# Nominal capacity in Ah of the data sets in cell-capacity.csv (its SOURCES.md).
NOMINAL_AH = {"XJTU": "2.0", "TJU-NCA": "3.5", "TJU-NCM": "3.5", "TJU-NCM-NCA": "2.5"}
MAX_POINTS = 4096
# What cell-capacity.csv holds, by its SOURCES.md.
REAL_CELLS, REAL_CYCLES = 185, 80_762
START = datetime.datetime(2024, 1, 1, tzinfo=datetime.timezone.utc)
COLUMNS = ["serial", "manufacturer", "measured_at", "capacity_ah", "rated_capacity_ah", "soh_percent", "full_cycles",
           "fast_charges", "method", "source"]
REPLAY = "replay of measured laboratory data"
SYNTHETIC = "synthetic series, not measured"


class Series:
    """Points (cycle, capacity in Ah as text) of one cell, with its nominal capacity and where they come from."""

    def __init__(self, name, nominal, points, source, method):
        self.name, self.nominal, self.points, self.source, self.method = name, nominal, points, source, method

    def soh(self, capacity):
        return f"{float(capacity) / float(self.nominal) * 100:.4f}"


def read_cells(path):
    """One Series for each cell of cell-capacity.csv, in its order."""
    cells = {}
    with open(path, newline="", encoding="utf-8") as file:
        for row in csv.DictReader(file):
            cells.setdefault((row["dataset"], row["cell"]), []).append((int(row["cycle"]), row["capacity_ah"]))
    return [Series(f"{dataset}/{cell}", NOMINAL_AH[dataset], points[-MAX_POINTS:],
                   f"{REPLAY}: cell {dataset}/{cell}; times synthetic", "capacity of a full discharge, laboratory")
            for (dataset, cell), points in cells.items()]


def synthetic_cells(count=24, points=60):
    """Plain fading series that differ from cell to cell."""
    cells = []
    for number in range(count):
        fade = 0.0016 + 0.00004 * number
        series = [(20 * i, f"{2.0 * (1.012 - fade * i):.4f}") for i in range(1, points + 1)]
        cells.append(Series(f"synthetic-{number}", "2.0", series, SYNTHETIC, "none: made up for the demo"))
    return cells


def rows_of(serial, series, fast_charges):
    for cycle, capacity in series.points:
        when = START + datetime.timedelta(hours=12 * cycle)
        yield dict(serial=serial, manufacturer="cell-maker", measured_at=when.strftime("%Y-%m-%dT%H:%M:%SZ"),
                   capacity_ah=capacity, rated_capacity_ah=series.nominal, soh_percent=series.soh(capacity),
                   full_cycles=cycle, fast_charges=cycle // 5 if fast_charges else "", method=series.method,
                   source=series.source)


def pack_row(serial, modules):
    """A pack is as good as the weakest module of its string."""
    weakest = min(modules, key=lambda row: float(row["soh_percent"]))
    return dict(weakest, serial=serial, method=f"weakest module, {weakest['serial']}: " + weakest["method"])


def write_condition(batteries_csv, measured, out):
    """Writes the workshop's file for every module and pack. Returns each module's Series, and how many packs."""
    cells = read_cells(measured) if measured else synthetic_cells()
    last = {}  # pack serial → last rows of its modules
    series = {}  # module serial → its Series
    with open(batteries_csv, newline="", encoding="utf-8") as file, open(out, "w", newline="", encoding="utf-8") as csv_out:
        writer = csv.DictWriter(csv_out, COLUMNS, lineterminator="\n")
        writer.writeheader()
        for battery in csv.DictReader(file):
            if battery["level"] != "module":
                continue
            series[battery["serial"]] = cells[len(series) % len(cells)]
            rows = list(rows_of(battery["serial"], series[battery["serial"]], fast_charges=not measured))
            writer.writerows(rows)
            last.setdefault(battery["parent_serial"], []).append(rows[-1])
        writer.writerows(pack_row(serial, rows) for serial, rows in last.items())
    return series, len(last)
