#!/usr/bin/env python3
"""The demo: one battery, seven parties, data released only under policy. Called by `./dev demo` after building.

Starts a registrar, a cell maker (separate catalog, passport and connector), an OEM, a workshop, a reuse dealer, a
recycler and an outsider, each with its own folder, keys and certificate on loopback, and checks 20 steps. Exit code 0
only when every step is as expected.
"""
import argparse
import pathlib
import sys
import tempfile

import steps_erasure
import steps_identity
import steps_outage
import steps_release
import steps_trust
from federation import Federation, remove
from readme_test import commands as readme_commands
from report import Report
from scene import Scene

STEPS = [
    (1, "registrar and all", "招待による参加登録（EST）", "every company enrols from an invitation", steps_release.join_all),
    (2, "cell maker, OEM", "電池メーカーと自動車メーカーがファイルを取り込む", "the cell maker and the OEM load their files",
     steps_release.load),
    (3, "workshop", "整備工場が測定値と保有通知を登録する", "the workshop files its measurements and its holder notices",
     steps_release.measure),
    (4, "dealer", "製造番号で残性能と履歴を得る（資源量は不可）", "the dealer asks by serial", steps_release.by_serial),
    (5, "dealer", "VINで得る", "the dealer asks by VIN", steps_release.by_vin),
    (6, "dealer", "車台番号で得る（3通りの表記）", "the dealer asks by 車台番号 in three spellings",
     steps_release.by_chassis_number),
    (7, "dealer", "提供証明をネットワークなしで検証する", "the dealer verifies receipts without network",
     steps_release.receipts),
    (8, "recycler", "資源量は得られ、車両は得られない", "the recycler gets materials and not the vehicle",
     steps_release.recycler),
    (9, "outsider", "部外者には有無が分からない", "the outsider learns nothing, not even existence", steps_trust.outsider),
    (10, "workshop", "方針の縮小は次の呼び出しから効く", "a narrowed policy takes effect on the next call",
     steps_release.narrowed),
    (11, "cell maker", "個体識別情報は書き換えられない", "rewriting an identity fact is refused", steps_trust.rewritten),
    (12, "cell maker, registrar", "承認された訂正が反映され、旧値は履歴に残る",
     "an approved amendment is applied, the old value stays in history", steps_trust.amendment),
    (13, "OEM", "車台番号を消去する", "the OEM erases one 車台番号", steps_erasure.erased),
    (14, "registrar", "利用停止は10秒以内に全社で効く", "a suspended company is refused by all within 10 s",
     steps_trust.suspended),
    (15, "registrar", "登録機関が止まっても契約は続く", "the registrar is away: agreements go on, enrolment does not",
     steps_outage.registrar_away),
    (16, "cell maker", "20回の強制終了でも受領済みの行は失われない", "20 kills lose no acknowledged row", steps_outage.killed),
    (17, "owners", "事前確認は実際の開示と一致した", "policy preview equals what each party then got", steps_trust.previews),
    (18, "agency, registrar", "稼働中の連携基盤に新しい会社が参加する", "a new company joins while all others run",
     steps_identity.joined_live),
    (19, "all", "負荷をかけたまま全証明書と認証局を入れ替える", "every certificate and authority is rotated under load",
     steps_identity.rotated),
    (20, "cell maker, agency", "代行の権限を与え、取り消す", "a mandate is used and revoked", steps_identity.mandate),
]


def parse(arguments):
    parser = argparse.ArgumentParser(prog="./dev demo", description=__doc__.splitlines()[0])
    parser.add_argument("--bin", required=True, help="folder of the programs (./dev gives it)")
    parser.add_argument("--measured", help="cell-capacity.csv of real cells; without it, and where the file is absent, "
                                           "a synthetic series is used, and every output says so")
    parser.add_argument("--json", help="write the steps to this file")
    parser.add_argument("--keep", action="store_true", help="leave the federation running and print commands to try")
    return parser.parse_args(arguments)


def measured_file(path):
    if path and pathlib.Path(path).is_file():
        print(f"測定データ / measurements: replay of real cells, {path}")
        return path
    print("測定データ / measurements: SYNTHETIC series" + (f"; {path} is not there" if path else ""))
    return None


def run(report, scene):
    for number, party, ja, en, function in STEPS:
        ok = report.run(number, party, ja, en, function, scene)
        if number <= 2 and not ok:
            print("     the other steps need this one: stopping here", flush=True)
            return


def commands_to_try(scene):
    folder = scene.federation.folder
    print(f"""
The federation goes on running. Commands to try (README.md has more); measurements are a {scene.source}:
  export DEMO={folder} PATH={scene.federation.tools}:$PATH""")
    for command in readme_commands("README.md"):
        print(f"  {command}")
    print(f"""End it with:
  kill {" ".join(map(str, scene.federation.pids()))}; rm -r {folder.parent}""", flush=True)


def main(arguments):
    options = parse(arguments)
    folder = pathlib.Path(tempfile.mkdtemp(prefix="tsunagi-demo-"))
    federation = Federation(pathlib.Path(options.bin).resolve(), folder / "federation")
    report = Report()
    try:
        scene = Scene(federation, folder / "files", measured_file(options.measured))
        run(report, scene)
        report.summary(scene.source)
        if options.json:
            report.write(options.json)
        if options.keep:
            commands_to_try(scene)
    except KeyboardInterrupt:
        options.keep = False
    finally:
        if not options.keep:
            end(federation, folder, report)
    return 0 if report.ok and len(report.steps) == len(STEPS) else 1


def end(federation, folder, report):
    federation.stop()
    if report.ok:
        remove(folder)
    else:
        print(f"folders and logs of the failed run stay in {folder}", file=sys.stderr)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
