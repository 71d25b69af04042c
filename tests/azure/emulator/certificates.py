"""A certificate authority of our own, and one certificate for all of Azure's host names."""

from dataclasses import dataclass
from pathlib import Path

import trustme

from . import hosts


@dataclass(frozen=True)
class Certificates:
    """The files: what a client trusts, and what a server shows."""

    authority: Path
    certificate: Path
    key: Path


def issue(folder: Path, region: str) -> Certificates:
    """Write an authority and a certificate into a folder."""
    folder.mkdir(parents=True, exist_ok=True)
    authority = trustme.CA()
    issued = authority.issue_cert(*hosts.certified(region))
    files = Certificates(folder / "ca.pem", folder / "azure.pem", folder / "azure.key")
    authority.cert_pem.write_to_path(files.authority)
    files.certificate.write_bytes(b"".join(pem.bytes() for pem in issued.cert_chain_pems))
    issued.private_key_pem.write_to_path(files.key)
    return files
