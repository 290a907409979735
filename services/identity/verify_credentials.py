"""Verifies what the registrar publishes with public packages (PyJWT, cryptography), as a stranger would.

verify_credentials.py FOLDER FEDERATION: the folder has did.json, jwks.json, token, membership.jwt, roles.jwt,
status1.jwt and status2.jwt. Prints `active`, `suspended` or `revoked`: what the status lists say.
"""

import base64
import gzip
import json
import pathlib
import sys

import jwt

MIN_BITS = 131072


def open_credential(token, document):
    """The claims of a credential whose key is a verification method that may assert."""
    header = jwt.get_unverified_header(token)
    assert header["typ"] == "vc+jwt" and header["alg"] == "ES256", header
    assert header["kid"] in document["assertionMethod"], header["kid"]
    method = next(m for m in document["verificationMethod"] if m["id"] == header["kid"])
    assert method["controller"] == document["id"]
    key = jwt.algorithms.ECAlgorithm.from_jwk(json.dumps(method["publicKeyJwk"]))
    claims = jwt.decode(token, key, algorithms=["ES256"])
    assert claims["issuer"] == document["id"], claims["issuer"]
    return claims


def is_set(entry, status_list):
    subject = status_list["credentialSubject"]
    assert entry["type"] == "BitstringStatusListEntry" and subject["type"] == "BitstringStatusList"
    assert entry["statusPurpose"] == subject["statusPurpose"]
    assert entry["statusListCredential"] == status_list["id"]
    text = subject["encodedList"]
    assert text[0] == "u"
    bits = gzip.decompress(base64.urlsafe_b64decode(text[1:] + "=" * (-len(text[1:]) % 4)))
    assert len(bits) * 8 >= MIN_BITS
    index = int(entry["statusListIndex"])
    return bool(bits[index // 8] & (0x80 >> index % 8))


def main():
    folder, federation = pathlib.Path(sys.argv[1]), sys.argv[2]
    read = lambda name: (folder / name).read_text()
    document = json.loads(read("did.json"))

    token = read("token")
    keys = jwt.PyJWKSet.from_dict(json.loads(read("jwks.json"))).keys
    kid = jwt.get_unverified_header(token)["kid"]
    key = next(k for k in keys if k.key_id == kid)
    claims = jwt.decode(token, key.key, algorithms=["ES256"], audience=federation, issuer=federation)

    lists = {}
    for name in ("status1.jwt", "status2.jwt"):
        opened = open_credential(read(name), document)
        lists[opened["id"]] = opened
    found = set()
    for name in ("membership.jwt", "roles.jwt"):
        credential = open_credential(read(name), document)
        assert credential["credentialSubject"]["id"] == claims["sub"]
        for entry in credential["credentialStatus"]:
            if is_set(entry, lists[entry["statusListCredential"]]):
                found.add(entry["statusPurpose"])
    print("revoked" if "revocation" in found else "suspended" if "suspension" in found else "active")


main()
