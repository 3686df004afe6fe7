"""Checks that several kinds of resources share."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from mixpanel_access.model import roles
from mixpanel_access.model.address import problem_with, same_key
from mixpanel_access.model.engagements import problems_with_metadata
from mixpanel_access.model.grants import REASON_FIELDS, by_key, twice
from mixpanel_access.model.resource_ids import number_in
from mixpanel_access.model.rights import Permission
from mixpanel_access.model.similarity import with_article
from mixpanel_access.provider.handler import Problems, Properties, known
from mixpanel_access.provider.session import Session

# Without a request


def check_email(inputs: Properties, problems: Problems) -> None:
    """Judge the e-mail address of a resource."""
    email = inputs.get("email")
    if known(email):
        reason = "it is missing" if email is None else problem_with(email)
        if reason:
            problems.add("email", f"{email!r} is not an e-mail address ({reason})" if email is not None else reason)


def check_id(field: str, what: str, inputs: Properties, problems: Problems) -> None:
    """Judge an id of Mixpanel's, and write it as a number: configuration values are texts."""
    value = inputs.get(field)
    if not known(value):
        return
    if isinstance(value, str) and (number := number_in(value.strip())) is not None:
        value = inputs[field] = number
    if isinstance(value, bool) or not isinstance(value, int) or value <= 0:
        problems.add(field, f"{value!r} is not {with_article(what)} id, which is a positive whole number")


def check_project_role(inputs: Properties, problems: Problems) -> None:
    """Judge the word of a project role, and write it as Mixpanel does."""
    role = inputs.get("role")
    if not known(role):
        return
    word = roles.normalized(role) if isinstance(role, str) else ""
    if roles.is_project_role(word):
        inputs["role"] = word
    else:
        words = ", ".join(roles.PROJECT_ROLES)
        problems.add("role", f"{role!r} is not a project role; there are {words}, or a custom role's id (a UUID)")


def check_grants(inputs: Properties, problems: Problems) -> None:
    """Judge project roles by address, and write the roles as Mixpanel does."""
    grants = inputs.get("grants")
    if not known(grants):
        return
    if not isinstance(grants, Mapping):
        problems.add("grants", f"{grants!r} is not a mapping of an address to a project role")
        return
    inputs["grants"] = {
        email: roles.normalized(role) if isinstance(role, str) and known(role) else role
        for email, role in grants.items()
    }
    for email, role in inputs["grants"].items():
        if reason := problem_with(email):
            problems.add("grants", f"{email!r} is not an e-mail address ({reason})")
        if not (isinstance(role, str) and (not known(role) or roles.is_project_role(role))):
            words = ", ".join(roles.PROJECT_ROLES)
            problems.add("grants", f"{email}: {role!r} is not a project role; there are {words}, or a custom role's id")
    for email, first in twice(grants):
        problems.add("grants", f"{email} is there twice, first as {first}")
    check_reasons(inputs.get("reasons"), by_key(grants), problems)


def check_environment(
    own: str | None, label: object, inputs: Properties, problems: Problems, what: str = "the grant to"
) -> None:
    """Refuse a grant to a project of another environment than the stack's, which is the default."""
    environment = inputs.setdefault("environment", own) if own else inputs.get("environment")
    if own and known(environment) and environment != own:
        problems.add(
            "environment",
            f"the project is {environment!r} and this stack is {own!r}; declare {what} "
            f"{label} in project {inputs.get('project_id')} in the stack of its own environment",
        )


def check_reasons(
    reasons: Any, people_there: Collection[str], problems: Problems, missing: str = "has no grant here"
) -> None:
    """Check the reasons of some of the people, whose keys are given; `missing` says of somebody that they are not."""
    if reasons is None or not known(reasons):
        return
    if not isinstance(reasons, list) or not all(isinstance(one, Mapping) for one in reasons):
        problems.add("reasons", "it is not a list of mappings, each with `people` and why they have the access")
        return
    seen: set[str] = set()
    for reason in reasons:
        if strange := sorted(reason.keys() - {"people", *REASON_FIELDS}):
            words = ", ".join(("people", *REASON_FIELDS))
            problems.add("reasons", f"there is no {', '.join(strange)} in a reason; there are {words}")
        for words in problems_with_metadata({name: one for name, one in reason.items() if known(one)}).values():
            problems.add("reasons", words)
        people = reason.get("people")
        if not known(people):
            continue
        if not isinstance(people, list) or not all(isinstance(email, str) for email in people):
            problems.add("reasons", f"people: {people!r} is not a list of addresses")
            continue
        for email in filter(known, people):
            key = same_key(email)
            if key not in people_there:
                problems.add("reasons", f"{email} {missing}")
            elif key in seen:
                problems.add("reasons", f"{email} has two reasons; make them one")
            seen.add(key)


def refuse_other_server(field: str, what: str, problems: Problems) -> None:
    """Refuse a group on the SDK's server, which forgets what a failed update has done for some of its people."""
    problems.add(
        field,
        f"{what} needs the server of mixpanel-access, which keeps what an update has done for some people if it fails "
        f"for others. Add the lines that `mixpanel-access new` writes under `plugins` to Pulumi.yaml, or declare the "
        f"people one by one",
    )


def declared_in_both(project: int, people: str) -> str:
    """The refusal of people whom the program has in a group and by themselves."""
    return (
        f"the program declares the grant to {people} in project {project} with a ProjectGrant and with a "
        f"ProjectAccess; take one of the two for a person"
    )


# Against the organization


def check_project(session: Session, project: int, problems: Problems, purpose: str = "") -> bool:
    """Judge whether the organization has a project that we see; `purpose` says what the id was given for."""
    if project in session.directory.projects():
        return True
    problems.add(
        "project_id",
        f"organization {session.organization} has no project {project} that the service account sees; "
        f"check the id{purpose}",
    )
    return False


def check_project_reach(session: Session, label: str, role: str, problems: Problems) -> None:
    """Judge whether our own organization role is high enough to give this role in a project."""
    own = session.directory.own_role()
    if own in roles.MANAGING_ROLES and not roles.may_assign_in_project(own, role):
        refuse_reach(label, role, own, problems)


def check_right(session: Session, permission: Permission, what: str, problems: Problems, field: str) -> None:
    """Judge whether our own account has a permission; where Mixpanel does not list them, it decides itself."""
    rights = session.directory.own_rights()
    if rights.listed and not rights.may(permission):
        problems.add(
            field,
            f"this service account cannot {what}: Mixpanel lists what it may do, without {permission}; use an "
            f"account that has this permission",
        )


def check_invitation(session: Session, email: str, problems: Problems, field: str = "email") -> None:
    """Judge whether somebody who is not in the organization can join it, and count an invitation to them."""
    provisioning = session.directory.provisioning
    if provisioning.handles(email):
        return
    if provisioning.keeps_out(email):
        problems.add(
            field,
            f"{email} is of a claimed domain, and the identity provider says who is in: nobody there is invited "
            f"by e-mail; have it add them, or set mixpanel:scimToken",
        )
    else:
        check_right(session, Permission.ADD_USER, f"invite {email}", problems, field)
        session.invitations.plan(email)


def refuse_reach(email: str, role: str, own: str, problems: Problems, field: str = "role") -> None:
    """Note that our own organization role is too low to give this role."""
    problems.add(
        field,
        f"{role!r} cannot be given to {email} by this service account, whose own organization role is {own!r}; use an "
        f"account with a role at or above it, or lower the role",
    )


def kept_role(email: str, role: str, ours: str) -> str:
    """The line about somebody who got a higher role from another client while we were about to invite them."""
    return (
        f"{email} has just been invited by somebody else, as {role}, which is more than {ours}: it is kept; the next "
        f"refresh shows it, and `pulumi up` then puts ours back"
    )
