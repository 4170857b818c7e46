"""`validate_crate.py FOLDER`: what the validator has against an RO-Crate (1.2), and exit code 1 if anything.

Runs in the environment of envs/crate_validator.lock. JSON-LD's terms are read from a package, not from the network:
those of RO-Crate 1.3, which has all of 1.2's.
"""

import sys
import tempfile
from importlib.resources import files
from io import BytesIO
from pathlib import Path

from requests import Request, Response
from requests_cache import CachedSession
from rocrate_validator import models, services
from urllib3 import HTTPResponse

CONTEXT = "https://w3id.org/ro/crate/1.2/context"


def keep_context(cache: str) -> None:
    """Put the terms where the validator looks for what it has fetched before."""
    body = (files("rocrate") / "data/ro-crate.jsonld").read_bytes()
    headers = {"Content-Type": "application/ld+json"}
    response = Response()
    response.status_code, response.url, response.headers = 200, CONTEXT, headers
    response.request = Request("GET", CONTEXT).prepare()
    response.raw = HTTPResponse(BytesIO(body), headers=headers, status=200, preload_content=False)
    with CachedSession(cache, backend="sqlite", expire_after=-1) as session:
        session.cache.save_response(response)


def main(crate: str) -> int:
    with tempfile.TemporaryDirectory() as folder:
        cache = str(Path(folder) / "cache")
        keep_context(cache)
        settings = models.ValidationSettings(
            rocrate_uri=crate,
            profile_identifier="ro-crate-1.2",
            requirement_severity=models.Severity.REQUIRED,
            offline=True,
            cache_path=cache,
        )
        issues = services.validate(settings).get_issues()
    for issue in issues:
        print(f"{issue.check.identifier}: {issue.message}")
    print(f"{len(issues)} issues")
    return bool(issues)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
