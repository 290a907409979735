"""The parties of the benchmark, on the demo's federation: cell makers, a dealer that only asks, the echo server."""

import contextlib
import pathlib
import re
import socket
import subprocess
import sys

DEMO = pathlib.Path(__file__).resolve().parents[1] / "deploy/demo"
sys.path.insert(0, str(DEMO))

import federation  # noqa: E402  (lies beside the demo)

PURPOSE = "reuse-assessment"
POLICIES = """rules:
  - id: dealers
    action: permit
    roles: [dealer]
    purposes: [reuse-assessment]
    sections: [identity, condition, history]
"""


class Parties(federation.Federation):
    """As a context: whatever was started ends with it."""

    def __enter__(self):
        try:
            self.start_registrar()
            # The demo renews its tokens each minute; the driver uses one for a whole run.
            registrar = self.registrar.servers["registrar"]
            registrar.stop()
            registrar.config["token_seconds"] = 0
            registrar.start()
            registrar.wait()
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(self, *_):
        self.stop()

    def join_cell_maker(self, label, processes):
        maker = self.join(label, participant_yaml(label, "cell-maker", 'namespaces:\n  - serial_prefix: ""\n'), processes)
        policies = maker.folder / "policies.yaml"
        policies.write_text(POLICIES, encoding="utf-8")
        maker.operator.ask("policy", "set", policies)
        return maker

    def join_dealer(self):
        return self.join("dealer", participant_yaml("dealer", "dealer", ""), ())

    def did_of(self, party):
        listed = self.registrar.operator.ask("participant", "list")["participants"]
        return next(item["participant"]["did"] for item in listed if item["participant"]["label"] == party.label)


def participant_yaml(label, role, namespaces):
    return f"label: {label}\nname_latin: {label}\nroles: [{role}]\n{namespaces}"


def dns_name(party, process):
    """The name in the certificate of a participant's process."""
    return dns_name_of(process, party.label)


def dns_name_of(process, label):
    return f"{process}.{label}.{federation.FEDERATION}.internal"


def credentials(operator):
    """The load driver's options for an operator's certificate."""
    profile = operator.profile
    return ["--key", profile / "operator.key", "--certificate", profile / "operator.crt", "--root", profile / "root.crt"]


@contextlib.contextmanager
def echo_server(binary, files):
    """The baseline with a node's own key and certificates; gives (address, pid)."""
    with contextlib.closing(socket.socket()) as probe:
        probe.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{probe.getsockname()[1]}"
    child = subprocess.Popen([binary, address, files / "tls.key", files / "tls.crt", files / "root.crt"])
    try:
        yield address, child.pid
    finally:
        child.terminate()
        child.wait()


def resident_mib(pid):
    text = pathlib.Path(f"/proc/{pid}/status").read_text(encoding="ascii")
    return round(int(re.search(r"VmRSS:\s+(\d+) kB", text).group(1)) / 1024, 1)
