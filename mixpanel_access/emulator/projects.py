"""Projects: list, create, delete, rename, keys and region (contract, section 5).

The update takes a form. It answers 200 without the envelope, also for a wrong value.
"""

from __future__ import annotations

import re
from typing import Any, Final
from urllib.parse import parse_qsl

from starlette.responses import JSONResponse, Response

from mixpanel_access.emulator.answer import Refusal, ok
from mixpanel_access.emulator.routing import Body, Call, Endpoint
from mixpanel_access.emulator.rules import (
    known_project,
    managed_project,
    must_be_in_organization,
    must_manage_organization,
)
from mixpanel_access.model import roles

CLUSTERS: Final = {1: "mixpanel.com", 5: "eu.mixpanel.com"}
"""Number of a region -> its host; the number of India is not known."""

TIMEZONES: Final = {1: "UTC", 2: "US/Eastern", 3: "US/Central", 4: "US/Mountain", 5: "US/Pacific", 6: "Europe/London",
                    7: "Europe/Berlin", 8: "Asia/Kolkata"}  # fmt: skip
"""Time zones by number. Mixpanel has numbers for them, but these are made up."""

_TIMEZONE: Final = re.compile(r"UTC|[A-Z][A-Za-z]+(/[A-Za-z0-9_+-]+){1,2}")


class _InRegion(Body):
    project_name: str
    cluster_id: int
    timezone_id: int


def _list(call: Call) -> Response:
    must_be_in_organization(call)
    return ok([_row(row) for row in call.store.projects()])


def _create(call: Call) -> Response:
    must_manage_organization(call)
    names = call.read_key("projectNames", list[str])
    for name in names:
        _must_be_name(name)
    ids = [call.store.add_project(name, TIMEZONES[5], CLUSTERS[1]) for name in names]
    return ok([_row(known_project(call, id_)) for id_ in ids])


def _create_in_region(call: Call) -> Response:
    must_manage_organization(call)
    wanted = call.read(_InRegion)
    _must_be_name(wanted.project_name)
    if wanted.cluster_id not in CLUSTERS or wanted.timezone_id not in TIMEZONES:
        raise Refusal(400, f"no cluster {wanted.cluster_id}, or no time zone {wanted.timezone_id}")
    id_ = call.store.add_project(wanted.project_name, TIMEZONES[wanted.timezone_id], CLUSTERS[wanted.cluster_id])
    return ok(_row(known_project(call, id_)))


def _delete(call: Call) -> Response:
    """Only owners delete; for the official provider, the calling account counts as an owner."""
    must_manage_organization(call)
    ids = call.read_key("projectIds", list[int])
    if call.account.role != roles.OWNER and not call.provider_compat:
        raise Refusal(403, f"the role {call.account.role} may not delete projects (delete_project)")
    for id_ in ids:
        known_project(call, id_)
    for id_ in ids:
        call.store.remove_project(id_)
    return ok({})


def _update(call: Call) -> Response:
    row = managed_project(call)
    try:
        form = parse_qsl(call.body.decode(), keep_blank_values=True, strict_parsing=True)
    except ValueError:
        form = []
    if len(form) != 1:
        return JSONResponse({"error": "give one thing to change, as a form"})
    ((field, value),) = form
    if field == "name" and value.strip():
        call.store.change_project(row["id"], name=value)
    elif field == "timezone_name" and _TIMEZONE.fullmatch(value):
        call.store.change_project(row["id"], timezone_name=value)
    else:
        return JSONResponse({"error": f"{field} cannot be {value!r}"})
    return JSONResponse({"updated": True})


def _metadata(call: Call) -> Response:
    row = managed_project(call)
    shown = _row(row)
    fields = {name: shown[name] for name in ("id", "name", "timezone_name", "api_key", "token")}
    return ok({**fields, "domain": row["domain"]})


def _row(row: dict[str, Any]) -> dict[str, Any]:
    id_ = row["id"]
    secrets = {"token": f"token-{id_}", "api_key": f"key-{id_}", "api_secret": f"secret-{id_}"}
    return {"id": id_, "name": row["name"], **secrets, "url": "", "timezone_name": row["timezone_name"]}


def _must_be_name(name: str) -> None:
    if not name.strip():
        raise Refusal(400, "the name of a project is empty")


_O: Final = "/organizations/{o}"
ENDPOINTS: tuple[Endpoint, ...] = (
    Endpoint("GET", f"{_O}/projects/", _list),
    Endpoint("POST", f"{_O}/create-projects/", _create),
    Endpoint("POST", f"{_O}/delete-projects/", _delete),
    Endpoint("POST", "/projects/update/{p}/", _update),
    Endpoint("POST", f"/api/app{_O}/create-project", _create_in_region),
    Endpoint("GET", "/settings/project/{p}/metadata", _metadata),
)
