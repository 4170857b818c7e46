"""Software, packages and machines as entities of an RO-Crate: each distinct one once, whatever used it.

Sources: https://www.researchobject.org/ro-crate/specification/1.2/provenance.html for equipment and software, Process
Run Crate (https://w3id.org/ro/wfrun/process) for the software's requirements.
"""

import hashlib
import json
from collections.abc import Iterable, Mapping
from typing import Any
from urllib.parse import quote

Entity = dict[str, Any]
# ``software`` and ``machine``, as ``jobs.software`` tells them
Surroundings = Mapping[str, Mapping[str, Any]]


def entities(surroundings: Iterable[Surroundings]) -> list[Entity]:
    """All software, packages and machines of these surroundings."""
    found: dict[str, Entity] = {}
    for used in surroundings:
        of_packages = [_package(name, version) for name, version in used["software"]["packages"].items()]
        for entity in (_software(used["software"], of_packages), *of_packages, _machine(used["machine"])):
            found[entity["@id"]] = entity
    return list(found.values())


def references(surroundings: Surroundings) -> list[Entity]:
    """The two entities that something with these surroundings used."""
    return [{"@id": _id(kind, surroundings[kind])} for kind in ("software", "machine")]


def _id(kind: str, told: Mapping[str, Any]) -> str:
    return f"#{kind}/{hashlib.sha256(json.dumps(told, sort_keys=True).encode()).hexdigest()[:16]}"


def _software(software: Mapping[str, Any], packages: list[Entity]) -> Entity:
    commit = software["commit"] or "not a git checkout"
    changed = ", changed since" if software["dirty"] else ""
    return {
        "@id": _id("software", software),
        # no SoftwareApplication, which needs an address: a checkout need not be a published one
        "@type": "CreativeWork",
        "name": f"instructmining {software['version'] or 'of no known version'}",
        "version": f"{commit}{changed}",
        "identifier": f"sha256 of the sources: {software['sources']}",
        "description": "The workflow, with its package. What a job depended on, and the versions of its methods, are "
        "among the job's parameters.",
        "runtimePlatform": f"Python {software['python']}",
        **({"softwareRequirements": [{"@id": package["@id"]} for package in packages]} if packages else {}),
    }


def _package(name: str, version: str) -> Entity:
    return {
        "@id": f"#package/{name}@{quote(version)}",
        "@type": "SoftwareApplication",
        "name": name,
        "version": version,
        "url": f"https://pypi.org/project/{name}/{version}/",
    }


def _machine(machine: Mapping[str, Any]) -> Entity:
    gpus = ", ".join(f"{count} {model}" for model, count in machine["gpus"].items())
    told = {**machine, "gpus": gpus or "none"}
    return {
        "@id": _id("machine", machine),
        "@type": "IndividualProduct",
        "name": f"{machine['cores']} cores, {machine['memory_gib']} GiB{f', {gpus}' if gpus else ''}",
        "description": f"{', '.join(f'{name} {value}' for name, value in told.items() if value is not None)}. "
        "No name of it is kept: machines alike in all this are one.",
    }
