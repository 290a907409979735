"""Starts and stops the demo's processes: each with its own folder, keys and certificate, on loopback."""
import json
import os
import pathlib
import re
import shutil
import signal
import subprocess
import time

FEDERATION = "demo.battery.example"
START_SECONDS = 60


class Failure(Exception):
    """Something that must work did not."""


class Command:
    """What a `tsunagi` command gave."""

    def __init__(self, arguments, code, out, err):
        self.arguments, self.code, self.out, self.err = arguments, code, out, err

    @property
    def json(self):
        return json.loads(self.out)

    @property
    def error(self):
        """The error object of a failed command. Progress lines may stand before it."""
        start = self.err.find("{")
        return json.loads(self.err[start:])["error"] if start >= 0 else {"message": self.err}


class Operator:
    """A person with a profile, at the command line."""

    def __init__(self, tools, profile):
        self.tools, self.profile = pathlib.Path(tools), pathlib.Path(profile)

    def argv(self, *arguments):
        return [str(self.tools / "tsunagi"), "--profile", str(self.profile), "--output", "json", *map(str, arguments)]

    def run(self, *arguments):
        done = subprocess.run(self.argv(*arguments), capture_output=True, text=True, timeout=600)
        return Command(arguments, done.returncode, done.stdout, done.stderr)

    def ask(self, *arguments):
        """The JSON of a command that must succeed."""
        done = self.run(*arguments)
        if done.code != 0:
            raise Failure(f"`tsunagi {' '.join(map(str, arguments))}` failed: {done.error['message']}")
        return done.json

    def popen(self, *arguments):
        return subprocess.Popen(self.argv(*arguments), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def write_yaml(path, values, indent=""):
    """Just what our configurations need: maps of strings and numbers, one level deep."""
    lines = []
    for key, value in values.items():
        if isinstance(value, dict):
            lines.append(f"{key}:")
            lines += [f"  {name}: {json.dumps(inner)}" for name, inner in value.items()]
        else:
            lines.append(f"{key}: {json.dumps(value)}")
    pathlib.Path(path).write_text("\n".join(lines) + "\n", encoding="utf-8")


class Server:
    """One process of a participant. Its first port is a free one; a restart keeps it."""

    def __init__(self, binary, folder, config, listen_keys=("listen",)):
        self.binary, self.folder, self.config = binary, pathlib.Path(folder), dict(config)
        self.listen_keys = listen_keys
        self.data = self.folder / "data"
        self.log = self.folder / "log.jsonl"
        self.process = None
        self.config["data_dir"] = str(self.data)
        for key in listen_keys:
            self.config.setdefault(key, "127.0.0.1:0")

    def start(self):
        self.folder.mkdir(parents=True, exist_ok=True)
        for key in self.listen_keys:
            (self.data / key.replace("_", "-")).unlink(missing_ok=True)
        write_yaml(self.folder / "config.yaml", self.config)
        with open(self.log, "ab") as log:
            self.process = subprocess.Popen([str(self.binary), "serve", "--config", str(self.folder / "config.yaml")],
                                            stdout=log, stderr=log, stdin=subprocess.DEVNULL, start_new_session=True)

    def wait(self):
        """Until it serves; afterwards the addresses are fixed."""
        end = time.monotonic() + START_SECONDS
        for key in self.listen_keys:
            file = self.data / key.replace("_", "-")
            while not file.exists() or not file.read_text().strip():
                if self.process.poll() is not None:
                    raise Failure(f"{self.binary.name} ended at its start: {self.last_lines()}")
                if time.monotonic() > end:
                    raise Failure(f"{self.binary.name} does not serve after {START_SECONDS} s: {self.last_lines()}")
                time.sleep(0.02)
            self.config[key] = file.read_text().strip()
        return self

    @property
    def address(self):
        return self.config["listen"]

    def last_lines(self):
        return " / ".join(self.log.read_text(errors="replace").strip().splitlines()[-3:])

    def stop(self, how=signal.SIGTERM):
        if self.process is None or self.process.poll() is not None:
            return
        self.process.send_signal(how)
        try:
            self.process.wait(timeout=30)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


class Party:
    """A company: its servers by process name, and its operator."""

    def __init__(self, label, folder, tools):
        self.label, self.folder = label, pathlib.Path(folder)
        self.servers = {}
        self.operator = Operator(tools, self.folder / "operator")

    def process_for(self, service):
        return "node" if "node" in self.servers else service

    def restart(self, names=None):
        for name in names or self.servers:
            self.servers[name].start()
        for name in names or self.servers:
            self.servers[name].wait()


class Federation:
    """The registrar and everyone who joined."""

    def __init__(self, tools, folder):
        self.tools, self.folder = pathlib.Path(tools), pathlib.Path(folder)
        self.registrar = Party("registrar", self.folder / "registrar", tools)
        self.parties = {}
        self.address = None

    # --- registrar

    def start_registrar(self):
        server = Server(self.tools / "tsunagi-identity", self.registrar.folder,
                        dict(listen="127.0.0.1:0", est_listen="127.0.0.1:0", federation=FEDERATION, token_seconds=60,
                             log_level="info"), ("listen", "est_listen"))
        self.registrar.servers["registrar"] = server
        server.start()
        server.wait()
        root = server.data / "root.crt"
        self.address = dict(address=server.address, est_url="https://" + server.config["est_listen"],
                            root_sha256=sha256_of_certificate(root))
        self.enrol_operator(self.registrar, server.data / "operator-invitation")

    @property
    def root(self):
        return self.registrar.operator.profile / "root.crt"

    # --- joining

    def enrol_operator(self, party, code_file, profile=None):
        config = dict(federation=FEDERATION, participant=party.label, registrar=self.address)
        if party.label != "registrar":
            config.update({name: server.address for name, server in party.servers.items()})
        path = party.folder / "operator.yaml"
        write_yaml(path, config)
        operator = Operator(self.tools, profile or party.operator.profile)
        done = operator.run("enrol", "--invitation-file", code_file, "--config", path)
        if done.code != 0:
            raise Failure(f"enrolling an operator of {party.label} failed: {done.error['message']}")
        return done.json

    def join(self, label, participant, processes=("node",)):
        """Approves a company at once, and admits it."""
        file = self.folder / f"{label}.yaml"
        file.write_text(participant, encoding="utf-8")
        self.registrar.operator.ask("participant", "apply", file, "--approve")
        return self.admit(label, processes)

    def admit(self, label, processes=("node",)):
        """Invites an approved company, starts its processes, enrols its operator."""
        party = Party(label, self.folder / label, self.tools)
        party.folder.mkdir(parents=True)
        code = party.folder / "invitation"
        invited = [part for name in (*processes, "operator") for part in ("--process", name)]
        self.registrar.operator.ask("participant", "invite", label, *invited, "--code-file", code)
        self.start_servers(party, processes, code)
        self.enrol_operator(party, code)
        self.parties[label] = party
        return party

    # All by default but cosigning: with 60 s the steps would wait for dates. Step 14 measures the default refresh.
    def start_servers(self, party, processes, code):
        for name in processes:
            config = dict(listen="127.0.0.1:0", federation=FEDERATION, participant=party.label,
                          registrar=self.address, invitation=dict(code_file=str(code)),
                          shared_dir=str(party.folder / "shared"), cosign_seconds=5)
            if name == "connector":
                config.update(passport_address=party.servers["passport"].address,
                              catalog_address=party.servers["catalog"].address)
            party.servers[name] = Server(self.tools / f"tsunagi-{name}", party.folder / name, config)
            party.servers[name].start()
            party.servers[name].wait()

    # --- ending

    def everyone(self):
        return [self.registrar, *self.parties.values()]

    def running(self):
        return [server for party in self.everyone() for server in party.servers.values()
                if server.process is not None and server.process.poll() is None]

    def pids(self):
        return [server.process.pid for server in self.running()]

    def stop(self):
        servers = self.running()
        for server in servers:
            server.process.terminate()
        for server in servers:
            server.stop()


def sha256_of_certificate(path):
    """SHA-256 of the DER of a PEM certificate, lower-case hex."""
    import base64
    import hashlib
    body = re.search(r"-----BEGIN CERTIFICATE-----(.*?)-----END", path.read_text(), re.S).group(1)
    return hashlib.sha256(base64.b64decode(body)).hexdigest()


def remove(folder):
    if os.path.isdir(folder):
        shutil.rmtree(folder, ignore_errors=True)
