"""How the emulator speaks where the contract leaves it open: one switch an alternative.

Each field is one thing that nobody knows of the real server, or that is known to differ. A default is how the emulator
answers when it is not told otherwise. The page docs/dialects.md and the file of `emulator --dialect` follow from this
model alone; the behaviours are where the answers are made.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Final, Literal

from pydantic import Field, ValidationError

from mixpanel_access.emulator.fields import Part
from mixpanel_access.model import roles


@dataclass(frozen=True)
class Known:
    """What a field is about.

    Attributes:
        meaning: what it changes in the answers.
        sections: where the contract speaks of it.
        standing: how well each alternative is known.
    """

    meaning: str
    sections: str
    standing: str


_ROLE_IDS: Final = {role: number for number, role in enumerate(roles.ORGANIZATION_ROLES, 1)}


class Dialect(Part):
    """How one organization's Mixpanel answers."""

    organization_role: Annotated[
        Literal["word", "no role", "capitalized", "object"],
        Known(
            "how organization roles are shown: `member` as it is; `no role` for a Member, in every list; `Member`, "
            "`Billing Admin`; or an object with id and name",
            "2, 6, 9",
            "`no role` in `me` and for service accounts reported; elsewhere each is assumed",
        ),
    ] = "word"
    owner_word: Annotated[
        Literal["owner", "admin"],
        Known("the word under which an owner of the organization is shown", "2", "`admin` reported"),
    ] = "owner"
    me_permissions: Annotated[
        bool, Known("whether `me` lists the codes of what the account may do", "9", "true reported")
    ] = True
    user_projects: Annotated[
        bool, Known("whether the users list says what each person has in which project", "3, 15", "assumed")
    ] = False
    invited_in_granted_users: Annotated[
        bool, Known("whether `granted-users` lists people whose invitation is pending", "3, 15", "assumed")
    ] = True
    no_access: Annotated[
        Literal["forbidden", "redirect"],
        Known(
            "a project that the account has no access to: 403, or 302 to `/request_access/?next=…`",
            "1",
            "both reported with a session; unknown with Basic",
        ),
    ] = "forbidden"
    wrong_body: Annotated[
        Literal[422, 400], Known("the status for a body in a wrong shape", "1", "422 withdrawn; 400 documented")
    ] = 422
    plan_refusal: Annotated[
        Literal[403, 402],
        Known("the status for what the plan does not include", "1, 13", "403 reported, 402 assumed"),
    ] = 403
    escaped_errors: Annotated[
        bool, Known("whether error texts are escaped for HTML", "1", "reported for the audit log")
    ] = False
    refused_update: Annotated[
        Literal["status", "updated_false"],
        Known(
            "how an update verb refuses: by the status, or by 200 with `updated: false` and a `fail_reason`",
            "1, 3",
            "`updated_false` withdrawn",
        ),
    ] = "status"
    audit: Annotated[
        Literal["platform", "old", "both", "none"],
        Known("which routes of the audit log there are", "11, 16", "platform documented; old reported"),
    ] = "both"
    page_size: Annotated[
        Annotated[int, Field(ge=1)] | None,
        Known(
            "rows of a page of a list, with `pagination.next_cursor`, and the most of a page of SCIM; null sends lists "
            "whole",
            "3, 10",
            "assumed",
        ),
    ] = None
    stale_reads: Annotated[
        dict[str, Annotated[int, Field(ge=0)]],
        Known("for each list, how many reads after a write still show what was before it", "1", "assumed"),
    ] = Field(default_factory=dict)
    discoverability: Annotated[
        Literal["capitalized", "lower", "object", "none"],
        Known("how the organization's discoverability is written, or that it is not shown", "8", "assumed"),
    ] = "capitalized"
    invite_existing: Annotated[
        Literal["keep", "raise"],
        Known(
            "what `add-users` does to the organization role of somebody who has joined: keeps it, or sets the sent one",
            "3, 15",
            "assumed",
        ),
    ] = "keep"
    invitation_limit: Annotated[
        Literal["429", "400", "error_200"],
        Known(
            "the answer beyond the hourly limit of invitations: 429 with Retry-After, 400, or 200 with an error",
            "13, 15",
            "assumed",
        ),
    ] = "429"
    scim_errors: Annotated[
        Literal["full", "detail"],
        Known(
            "whether an error of SCIM has `status` and `scimType`, which official clients read, or `schemas` and "
            "`detail` only",
            "10",
            "`detail` withdrawn",
        ),
    ] = "full"
    scim_media_type: Annotated[
        Literal["any", "strict"],
        Known(
            "whether SCIM takes bodies of any media type, or answers 415 to a body and 406 to an Accept that are not "
            "`application/scim+json`",
            "10",
            "`strict` withdrawn",
        ),
    ] = "any"
    missing: Annotated[
        list[Annotated[str, Field(pattern=r"^(GET|POST|PUT|PATCH|DELETE) /\S*$")]],
        Known(
            "verbs that are not there, each as `METHOD template` of docs/contract.md: 404, or 405 where the "
            "path has another method",
            "0, 1",
            "paths that are assumed or withdrawn may not exist",
        ),
    ] = Field(default_factory=list)

    def role(self, role: str | None) -> str | dict[str, Any] | None:
        """An organization role as it is shown; None, for a team that gives none, stays so."""
        if role is None:
            return None
        word = self.owner_word if role == roles.OWNER else role
        if self.organization_role == "no role":
            return "no role" if role == roles.MEMBER else word
        if self.organization_role == "word":
            return word
        title = word.replace("_", " ").title()
        if self.organization_role == "capitalized":
            return title
        return {"id": _ROLE_IDS[word], "name": title, "is_custom_role": False}


def alternatives() -> Mapping[str, Known]:
    """What is known of each field, in the model's order."""
    return {name: _known(field.metadata) for name, field in Dialect.model_fields.items()}


def read(value: Any) -> Dialect:
    """A dialect out of JSON: a bare object, or a report of `doctor --writes`, which has one.

    Raises:
        ValueError: it is none; one line says why.
    """
    if isinstance(value, dict) and {"statements", "dialect"} <= value.keys():
        value = value["dialect"]
    try:
        return Dialect.model_validate(value)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        where = ".".join(map(str, first["loc"])) or "the dialect"
        if first["type"] == "extra_forbidden":
            raise ValueError(f"{where}: there is no such field; there are {', '.join(Dialect.model_fields)}") from None
        if first["type"] == "model_type":
            raise ValueError("it is not a JSON object") from None
        raise ValueError(f"{where}: {first['msg']}") from None


def _known(metadata: list[Any]) -> Known:
    return next(item for item in metadata if isinstance(item, Known))


DEFAULT: Final = Dialect()
"""The default of every field."""
