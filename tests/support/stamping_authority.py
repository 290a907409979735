"""A time-stamping authority on loopback, for tests: `openssl ts -reply` behind HTTP.

    stamping_authority.py FOLDER

Makes a root and a signer in FOLDER, writes `root.pem`, listens, and then writes `port`. What the path says it does:
/stamp is an honest one; the others misbehave. Ends with its standard input.
"""

import http.server
import os
import pathlib
import subprocess
import sys
import threading

OPENSSL = "/usr/bin/openssl"
CONFIG = """
[req]
distinguished_name = name
[name]
[root]
basicConstraints = critical, CA:true
keyUsage = critical, keyCertSign, cRLSign
[signer]
keyUsage = critical, digitalSignature
extendedKeyUsage = critical, timeStamping
[authority]
serial = {folder}/serial
signer_digest = sha256
default_policy = 1.2.392.7
other_policies = 1.2.392.8
digests = sha256
ess_cert_id_alg = sha256
"""
REPLY = "application/timestamp-reply"


def run(*arguments):
    subprocess.run([OPENSSL, *map(str, arguments)], check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def make(folder):
    config = folder / "openssl.cnf"
    config.write_text(CONFIG.format(folder=folder))
    (folder / "serial").write_text("01\n")
    for name, key in (("root", ["rsa:2048"]), ("signer", ["ec", "-pkeyopt", "ec_paramgen_curve:P-256"])):
        run("req", "-new", "-newkey", *key, "-nodes", "-keyout", folder / f"{name}.key", "-out", folder / f"{name}.csr",
            "-subj", f"/CN=stamping {name}", "-config", config)
    run("x509", "-req", "-in", folder / "root.csr", "-signkey", folder / "root.key", "-days", 30, "-extfile", config,
        "-extensions", "root", "-out", folder / "root.pem")
    run("x509", "-req", "-in", folder / "signer.csr", "-CA", folder / "root.pem", "-CAkey", folder / "root.key",
        "-CAcreateserial", "-days", 20, "-extfile", config, "-extensions", "signer", "-out", folder / "signer.pem")


class Authority(http.server.BaseHTTPRequestHandler):
    lock = threading.Lock()  # one serial number after the other
    folder = None
    replayed = None

    def do_POST(self):
        request = self.rfile.read(int(self.headers["Content-Length"]))
        if self.headers["Content-Type"] != "application/timestamp-query":
            return self.answer(415, "text/plain", b"")
        with open(self.folder / "requests", "a", encoding="ascii") as asked:
            asked.write(self.path + "\n")
        if self.path == "/garbage":
            return self.answer(200, REPLY, b"<html>busy</html>")
        if self.path == "/oversized":
            return self.answer(200, REPLY, self.stamp(request) + b"x" * (32 << 10))
        if self.path == "/moved":
            return self.answer(302, "text/plain", b"", ("Location", "/stamp"))
        if self.path == "/busy":
            return self.answer(503, "text/plain", b"")
        if self.path == "/replayed":
            Authority.replayed = Authority.replayed or self.stamp(request)
            return self.answer(200, REPLY, Authority.replayed)
        if self.path == "/html":
            return self.answer(200, "text/html", self.stamp(request))
        if self.path == "/down" and not (self.folder / "up").exists():
            return self.answer(503, "text/plain", b"")
        return self.answer(200, REPLY, self.stamp(request))

    def stamp(self, request):
        with self.lock:
            (self.folder / "request").write_bytes(request)
            run("ts", "-reply", "-queryfile", self.folder / "request", "-out", self.folder / "reply", "-config",
                self.folder / "openssl.cnf", "-section", "authority", "-signer", self.folder / "signer.pem", "-inkey",
                self.folder / "signer.key")
            return (self.folder / "reply").read_bytes()

    def answer(self, status, content_type, body, *headers):
        self.send_response(status)
        for name, value in (("Content-Type", content_type), ("Content-Length", str(len(body))), *headers):
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


def main():
    Authority.folder = folder = pathlib.Path(sys.argv[1])
    make(folder)
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Authority)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, daemon=True).start()
    (folder / "port.new").write_text(str(server.server_address[1]))
    os.rename(folder / "port.new", folder / "port")
    sys.stdin.read()


if __name__ == "__main__":
    main()
