#!/usr/bin/env python3
"""Writes the demo's CSV files (deploy/demo/data/). Same input, same bytes: run it again after a change here.

Figures of packs are public ones (data/README.md says whose); serial numbers, VINs and chassis numbers are made up.
A source has at most 512 bytes.
"""
import csv
import pathlib

DATA = pathlib.Path(__file__).resolve().parent / "data"

# Mass % of lithium, nickel, cobalt in the cathode compound, from molar masses.
CATHODES = {
    "NMC111": (7.19474, 20.2825, 20.3654),
    "NMC532": (7.18780, 30.3943, 12.2075),
    "NMC622": (7.15995, 36.3319, 12.1602),
}

# Reversible capacity in Ah a kg of cathode, all of one public source.
CATHODE_AH_PER_KG = {"NMC111": 160, "NMC532": 170, "NMC622": 180}
CATHODE_SOURCE = "github.com/changbatterygroup/CriticalMinerals core/constants.py"

# One row a public pack. in_series: cells (or pairs of cells) in series in a module. chemistry: what the source says;
# cathode: what the materials are computed with. source: of every row; pack_source, module_source: what only those have.
PACKS = [
    dict(code="LF40", name="Nissan LEAF ZE1 40 kWh", packs=16, mounted=14, modules=24, cells=8, in_series=4,
         capacity_ah="112.6", pack_v="350", module_v="14.6", pack_kwh="40.0", module_kwh="1.67", pack_kg="303",
         chemistry="NMC532", cathode="NMC532", chassis="ZE1", warranty=96,
         source="2 x 56.3 Ah, 3.65 V, 8 cells a module, NCM 523 (another copy: 622): 2018 Nissan Leaf battery real "
                "specs, pushevs.com/2018/01/29/2018-nissan-leaf-battery-real-specs",
         pack_source="40 kWh, 350 V: goo-net.com/magazine/newmodel/testdrive/37551; 24 modules: Nikkei xTECH, "
                     "techon.nikkeibp.co.jp/atcl/car/15/090600079/090600001; 303 kg (others: to 340): Nissan LEAF page "
                     "of github.com/dalathegreat/Battery-Emulator/wiki; 96 months: Nissan, "
                     "history.nissan.co.jp/LEAF/ZE1/1709/benefits.html",
         module_source="computed: 4 x 3.65 V, 40 kWh / 24"),
    dict(code="I120", name="BMW i3 120 Ah", packs=32, mounted=24, modules=8, cells=12, in_series=12,
         capacity_ah="120", pack_v="352", module_v="44", pack_kwh="42.2", module_kwh="5.28", pack_kg="278",
         chemistry="NMC622", cathode="NMC622", wmi="WBY", warranty=96,
         source="120 Ah, 42.2 kWh, 8 modules of 12 cells: Green Car Congress, "
                "greencarcongress.com/2018/09/20180928-bmw.html; NCM 622: BMW i3, batterydesign.net/bmw-i3",
         pack_source="278 kg: batterydesign.net/bmw-i3; 352 V: Samsung SDI 120 Ah cell, "
                     "gosavetime.com/specifications-of-the-samsung-sdi-120-ah-battery-cell-for-electric-vehicles; "
                     "96 months: electrive.com/2020/01/05/bmw-extends-european-i3-battery-guarantee-to-160000-km",
         module_source="computed: 352 V / 8, 42.2 kWh / 8"),
    dict(code="PP88", name="Toyota Prius PHV ZVW52 8.8 kWh", packs=72, mounted=62, modules=5, cells=19, in_series=19,
         capacity_ah="25", pack_v="351.5", module_v="70.3", pack_kwh="8.8", module_kwh="1.76", pack_kg="120",
         chemistry="NMC", cathode="NMC111", cathode_note=" (estimate: the source tells NMC, not the ratio)",
         chassis="ZVW52", warranty=60,
         source="25 Ah: Disassembly of the 2017 Toyota Prius Li-ion battery, insideevs.com/news/336063/"
                "disassembly-and-breakdown-of-the-2017-toyota-prius-li-ion-battery-video; 5 stacks of 19 cells, NMC: "
                "Nikkei xTECH, techon.nikkeibp.co.jp/atcl/car/15/061600027/021500013",
         pack_source="8.8 kWh, 351.5 V, 120 kg: the same Nikkei page; 60 months: estimate: Toyota's term for hybrids, "
                     "carpicks.jp/678.html",
         module_source="computed: 19 x 3.7 V, 8.8 kWh / 5"),
]

BATTERY_COLUMNS = ["serial", "level", "model", "manufactured", "manufacturer_name", "plant", "chemistry",
                   "rated_capacity_ah", "nominal_voltage_v", "mass_kg", "rated_energy_kwh", "lithium_kg", "nickel_kg",
                   "cobalt_kg", "materials_source", "parent_serial", "category", "warranty_months", "source"]
VIN_VALUES = {**{str(d): d for d in range(10)},
              **dict(zip("ABCDEFGH", range(1, 9))), **dict(zip("JKLMN", range(1, 6))), "P": 7, "R": 9,
              **dict(zip("STUVWXYZ", range(2, 10)))}
VIN_WEIGHTS = [8, 7, 6, 5, 4, 3, 2, 10, 0, 9, 8, 7, 6, 5, 4, 3, 2]


def vin(wmi, number):
    """A made-up VIN with a right check digit (49 CFR 565.15)."""
    text = f"{wmi}8P2C00KV{number:06d}"  # position 9 is the check digit, weight 0
    total = sum(VIN_VALUES[c] * w for c, w in zip(text, VIN_WEIGHTS))
    check = "0123456789X"[total % 11]
    return text[:8] + check + text[9:]


def materials(spec, modules):
    """Lithium, nickel, cobalt in kg of so many modules, and how they were computed."""
    cathode, in_series = spec["cathode"], spec["in_series"] * modules
    cathode_kg = float(spec["capacity_ah"]) * in_series / CATHODE_AH_PER_KG[cathode]
    how = (f"estimate: cathode mass = {spec['capacity_ah']} Ah x {in_series} in series / "
           f"{CATHODE_AH_PER_KG[cathode]} Ah/kg ({CATHODE_SOURCE}), times molar-mass shares of {cathode}"
           f"{spec.get('cathode_note', '')}")
    return [f"{cathode_kg * share / 100:.3f}" for share in CATHODES[cathode]], how


def battery_row(spec, serial, level, parent, month):
    pack = level == "pack"
    kwh = spec["pack_kwh"] if pack else spec["module_kwh"]
    (lithium, nickel, cobalt), how = materials(spec, spec["modules"] if pack else 1)
    what = f"{spec['name']} pack" if pack else f"{spec['name']} module of {spec['cells']} cells"
    return dict(serial=serial, level=level, model=what, manufactured=month,
                manufacturer_name="東海セル製造株式会社（架空）", plant="豊橋工場", chemistry=spec["chemistry"],
                rated_capacity_ah=spec["capacity_ah"], nominal_voltage_v=spec["pack_v" if pack else "module_v"],
                mass_kg=spec["pack_kg"] if pack else "", rated_energy_kwh=kwh, lithium_kg=lithium, nickel_kg=nickel,
                cobalt_kg=cobalt, parent_serial=parent, category="EV" if pack else "",
                materials_source=how, warranty_months=spec["warranty"] if pack else "",
                source=f"{spec['source']}; {spec['pack_source' if pack else 'module_source']}; serial synthetic")


def packs():
    """Every pack with its spec and whether it is mounted."""
    for spec in PACKS:
        for number in range(1, spec["packs"] + 1):
            yield spec, number, number <= spec["mounted"]


def pack_serial(spec, number):
    return f"{spec['code']}-P{number:04d}"


def batteries():
    for spec, number, _ in packs():
        month = f"{2018 + number % 5}-{number % 12 + 1:02d}"
        serial = pack_serial(spec, number)
        yield battery_row(spec, serial, "pack", "", month)
        for module in range(1, spec["modules"] + 1):
            yield battery_row(spec, f"{serial}-M{module:02d}", "module", serial, month)


def mounts():
    for spec, number, mounted in packs():
        if not mounted:
            continue
        chassis = f"{spec['chassis']}-{100000 + 37 * number:06d}" if "chassis" in spec else ""
        yield dict(serial=pack_serial(spec, number), manufacturer="cell-maker", chassis_number=chassis,
                   vin=vin(spec["wmi"], 500000 + 41 * number) if "wmi" in spec else "",
                   vehicle_model=spec["name"], mounted_on=f"{2019 + number % 5}-{number % 12 + 1:02d}-15")


def history():
    for spec, number, mounted in packs():
        if not mounted or number % 3:
            continue
        serial = pack_serial(spec, number)
        yield dict(serial=serial, manufacturer="cell-maker", kind="inspection", day=f"2026-{number % 9 + 1:02d}-10",
                   description="12か月点検 / 12-month inspection: insulation and connectors in order",
                   odometer_km=str(8000 + 950 * number), removed="", added="")
        if number % 9 == 0:
            yield dict(serial=serial, manufacturer="cell-maker", kind="repair", day=f"2026-{number % 9 + 1:02d}-18",
                       description="冷却ファン清掃、端子締付 / cooling fan cleaned, terminals tightened",
                       odometer_km=str(8040 + 950 * number), removed="", added="")


def write(name, columns, rows):
    with open(DATA / name, "w", newline="", encoding="utf-8") as out:
        writer = csv.DictWriter(out, columns, lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)


def main():
    DATA.mkdir(exist_ok=True)
    write("batteries.csv", BATTERY_COLUMNS, batteries())
    write("mounts.csv", ["serial", "manufacturer", "chassis_number", "vin", "vehicle_model", "mounted_on"], mounts())
    write("history.csv", ["serial", "manufacturer", "kind", "day", "description", "odometer_km", "removed", "added"],
          history())


if __name__ == "__main__":
    main()
