#!/usr/bin/env python3
"""Writes the demo's CSV files (deploy/demo/data/). Same input, same bytes: run it again after a change here.

Figures of packs are public ones (see SOURCES in data/README.md); serial numbers, VINs and chassis numbers are made up.
"""
import csv
import pathlib

DATA = pathlib.Path(__file__).resolve().parent / "data"

# Mass % of the element in the cathode compound, from molar masses.
CATHODES = {
    "NMC111": (7.19474, 20.2825, 20.3654),
    "NMC532": (7.18780, 30.3943, 12.2075),
    "NMC622": (7.15995, 36.3319, 12.1602),
}

# One row a public pack. cathode_ah_per_kg: reversible capacity that the cathode mass is computed with.
PACKS = [
    dict(code="LF40", name="Nissan LEAF ZE1 40 kWh", packs=16, mounted=14, modules=24, cells=8, chemistry="NMC532",
         capacity_ah="112.6", pack_v="350", module_v="14.6", pack_kwh="40.0", module_kwh="1.67", pack_kg="303",
         cathode_ah_per_kg=160, chassis="ZE1", warranty=96,
         source="public figures (not checked): Nissan press material 2017 (40 kWh, 350 V) and teardown reports "
                "(24 modules of 8 cells, 112.6 Ah, 303 kg)"),
    dict(code="I120", name="BMW i3 120 Ah", packs=32, mounted=24, modules=8, cells=12, chemistry="NMC622",
         capacity_ah="120", pack_v="352", module_v="44", pack_kwh="42.2", module_kwh="5.28", pack_kg="278",
         cathode_ah_per_kg=175, wmi="WBY", warranty=96,
         source="public figures (not checked): BMW press material 2018 (120 Ah, 42.2 kWh, 352 V, 8 modules of 12 cells, 278 kg)"),
    dict(code="PP88", name="Toyota Prius PHV ZVW52 8.8 kWh", packs=72, mounted=62, modules=5, cells=19,
         chemistry="NMC111", capacity_ah="25", pack_v="351.5", module_v="70.3", pack_kwh="8.8", module_kwh="1.76",
         pack_kg="120", cathode_ah_per_kg=150, chassis="ZVW52", warranty=96,
         source="public figures (mass not checked): Toyota press material 2017 (8.8 kWh, 351.5 V, 25 Ah, 120 kg) and teardown reports "
                "(5 stacks of 19 cells)"),
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


def materials(spec, share_of_pack):
    """Lithium, nickel, cobalt in kg: cathode mass from energy at 3.65 V, times the mass share of each element."""
    cathode_kg = float(spec["pack_kwh"]) * share_of_pack * 1000 / 3.65 / spec["cathode_ah_per_kg"]
    return [f"{cathode_kg * share / 100:.3f}" for share in CATHODES[spec["chemistry"]]]


def battery_row(spec, serial, level, parent, month):
    pack = level == "pack"
    kwh = spec["pack_kwh"] if pack else spec["module_kwh"]
    lithium, nickel, cobalt = materials(spec, 1 if pack else 1 / spec["modules"])
    what = f"{spec['name']} pack" if pack else f"{spec['name']} module of {spec['cells']} cells"
    return dict(serial=serial, level=level, model=what, manufactured=month,
                manufacturer_name="東海セル製造株式会社（架空）", plant="豊橋工場", chemistry=spec["chemistry"],
                rated_capacity_ah=spec["capacity_ah"], nominal_voltage_v=spec["pack_v" if pack else "module_v"],
                mass_kg=spec["pack_kg"] if pack else "", rated_energy_kwh=kwh, lithium_kg=lithium, nickel_kg=nickel,
                cobalt_kg=cobalt, parent_serial=parent, category="EV" if pack else "",
                materials_source=f"computed: cathode mass at {spec['cathode_ah_per_kg']} Ah/kg and 3.65 V, "
                                 f"times molar-mass shares of {spec['chemistry']}",
                warranty_months=spec["warranty"] if pack else "", source=spec["source"] + "; serial synthetic")


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
