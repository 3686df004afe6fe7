"""How the emulator answers where the contract leaves something open: a switch for each alternative.

Each field is something that nobody knows about Mixpanel, or that is known to differ. The page docs/dialects.md and the
file of `emulator --dialect` follow from this model; the code that makes an answer reads the switches.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Final, Literal

from pydantic import Field, ValidationError

from mixpanel_access.emulator.document import DocumentPart
from mixpanel_access.model import roles


@dataclass(frozen=True)
class Known:
    """The documentation of a field.

    Attributes:
        meaning: what it changes in the answers.
        sections: the sections of the contract about it.
        standing: how well each alternative is known.
    """

    meaning: str
    sections: str
    standing: str


_ROLE_IDS: Final = {role: number for number, role in enumerate(roles.ORGANIZATION_ROLES, 1)}


class Dialect(DocumentPart):
    """How one organization's Mixpanel answers."""

    organization_role: Annotated[
        Literal["word", "no role", "capitalized", "object"],
        Known(
            "how organization roles are shown: as words (`member`); with `no role` for a Member, in every list; "
            "capitalized (`Member`, `Billing Admin`); or as objects with id and name",
            "2, 6, 9",
            "`no role` in `me` and for service accounts reported; elsewhere each is assumed",
        ),
    ] = "word"
    owner_word: Annotated[
        Literal["owner", "admin"],
        Known("the word under which an owner of the organization is shown", "2", "`admin` reported"),
    ] = "owner"
    me_permissions: Annotated[
        bool, Known("whether `me` lists the codes of the account's permissions", "9", "true reported")
    ] = True
    user_projects: Annotated[
        bool, Known("whether the users list has each person's project roles", "3, 15", "assumed")
    ] = False
    invited_in_granted_users: Annotated[
        bool, Known("whether `granted-users` lists people whose invitation is pending", "3, 15", "assumed")
    ] = True
    no_access: Annotated[
        Literal["forbidden", "redirect"],
        Known(
            "the answer for a project without access: 403, or 302 to `/request_access/?next=…`",
            "1",
            "both reported with a session; unknown with Basic",
        ),
    ] = "forbidden"
    wrong_body: Annotated[
        Literal[422, 400], Known("the status for a body of the wrong shape", "1", "422 withdrawn; 400 documented")
    ] = 422
    plan_refusal: Annotated[
        Literal[403, 402],
        Known("the status for a feature that the plan lacks", "1, 13", "403 reported, 402 assumed"),
    ] = 403
    escaped_errors: Annotated[
        bool, Known("whether error texts are escaped for HTML", "1", "reported for the audit log")
    ] = False
    refused_update: Annotated[
        Literal["status", "updated_false"],
        Known(
            "how an update refuses: by the status, or by 200 with `updated: false` and a `fail_reason`",
            "1, 3",
            "`updated_false` withdrawn",
        ),
    ] = "status"
    audit: Annotated[
        Literal["platform", "old", "both", "none"],
        Known("which routes of the audit log exist", "11, 16", "platform documented; old reported"),
    ] = "both"
    page_size: Annotated[
        Annotated[int, Field(ge=1)] | None,
        Known(
            "rows on a page of a list, with `pagination.next_cursor`, and at most on a page of SCIM; null sends whole "
            "lists",
            "3, 10",
            "assumed",
        ),
    ] = None
    stale_reads: Annotated[
        dict[str, Annotated[int, Field(ge=0)]],
        Known("for each list, how many reads after a write do not show it yet", "1", "assumed"),
    ] = Field(default_factory=dict)
    discoverability: Annotated[
        Literal["capitalized", "lower", "object", "none"],
        Known("how the organization's discoverability is written, or `none` if it is not shown", "8", "assumed"),
    ] = "capitalized"
    invite_existing: Annotated[
        Literal["keep", "raise"],
        Known(
            "whether `add-users` keeps the organization role of a person who has joined, or sets the new one",
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
            "whether an error of SCIM also has `status` and `scimType`, which official clients read, or only `schemas` "
            "and `detail`",
            "10",
            "`detail` withdrawn",
        ),
    ] = "full"
    scim_media_type: Annotated[
        Literal["any", "strict"],
        Known(
            "whether SCIM accepts any media type, or answers 415 to a body and 406 to an Accept that are not "
            "`application/scim+json`",
            "10",
            "`strict` withdrawn",
        ),
    ] = "any"
    missing: Annotated[
        list[Annotated[str, Field(pattern=r"^(GET|POST|PUT|PATCH|DELETE) /\S*$")]],
        Known(
            "missing verbs, each as `METHOD path` of docs/contract.md; they answer 404, or 405 if the "
            "path has another method",
            "0, 1",
            "paths that are assumed or withdrawn may not exist",
        ),
    ] = Field(default_factory=list)

    def role(self, role: str | None) -> str | dict[str, Any] | None:
        """An organization role as it is shown; a team without one has None."""
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
    """The documentation of each field, in the model's order."""
    return {name: _known(field.metadata) for name, field in Dialect.model_fields.items()}


def read(value: Any) -> Dialect:
    """A dialect from JSON: an object of its own, or the report of `doctor --writes` that contains one.

    Raises:
        ValueError: it is not a dialect; the message is one line.
    """
    if isinstance(value, dict) and {"statements", "dialect"} <= value.keys():
        value = value["dialect"]
    try:
        return Dialect.model_validate(value)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        where = ".".join(map(str, first["loc"])) or "the dialect"
        if first["type"] == "extra_forbidden":
            raise ValueError(f"{where}: unknown field; the fields are {', '.join(Dialect.model_fields)}") from None
        if first["type"] == "model_type":
            raise ValueError("it is not a JSON object") from None
        raise ValueError(f"{where}: {first['msg']}") from None


def _known(metadata: list[Any]) -> Known:
    return next(item for item in metadata if isinstance(item, Known))


DEFAULT: Final = Dialect()
"""The dialect without any change."""
