"""One HTTP exchange with Mixpanel: Basic auth, redirects, the envelope, errors, and the retry of reads.

The only file that imports httpx. Facts: contract, section 1.
"""

from __future__ import annotations

import os
import ssl
import sys
import threading
from collections.abc import Callable, Generator, Mapping
from contextlib import AbstractContextManager, nullcontext, suppress
from datetime import UTC, datetime
from functools import cache
from http import HTTPStatus
from typing import Final, NamedTuple
from urllib.parse import quote, urlencode, urlsplit

import stamina

from mixpanel_access.api.answers import Json, Page, must_be_whole, page_of, unintelligible
from mixpanel_access.api.network import AUTHORITIES, bad_authorities, bad_exclusions, check_network, proxies_set
from mixpanel_access.api.pauses import pause_of, seconds_until
from mixpanel_access.api.redaction import Redactor
from mixpanel_access.api.redirects import next_path
from mixpanel_access.api.stopping import STOP
from mixpanel_access.model import errors
from mixpanel_access.model.rights import what_is_needed
from mixpanel_access.model.setting_values import Secret

# httpx brings its command line along wherever click is installed, and with it rich and pygments: a quarter of its time.
sys.modules.setdefault("httpx._main", None)  # type: ignore[arg-type]  # None: not to be imported
import httpx  # noqa: E402

MAX_REDIRECTS: Final = 10
MAX_PARALLEL: Final = 3
"""Requests under way at once; the community's Terraform provider found 3 to be well borne."""
READ_ATTEMPTS: Final = 5
MOST_PAGES: Final = 500
"""Pages of a list that are read at most: cursors that never end must not keep a command for ever."""

PLATFORM_ROOT: Final = "/v1/"
"""Under which the Platform API is, at a host of its own (contract, section 16)."""
PLATFORM_VERSION: Final = "2026-08-13"
"""The date that pins the shapes of its answers."""

_LOCATION: Final = "location"
_UNSENT: Final = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout)
"""Ends of a request before there was a connection: nothing of it has gone out."""
_PASSING: Final = {408, 429, 500, 502, 503, 504}
Answered = Callable[[str, str, bytes, int, str, bytes], None]
"""Is given an answer: method and address of the request, its body, the status, the location, the content."""
_Around = AbstractContextManager[None]
_NOTHING: Final[_Around] = nullcontext()


class _Question(NamedTuple):
    """A request for the pages of a list: what `_pages` repeats with another cursor in the query."""

    method: str
    path: str
    parameters: Mapping[str, str]
    body: Json


class Transport:
    """Sends requests to one Mixpanel host as one service account, or with a token of its own.

    Each request has a path below the host, quoted, and says what is being done, as a clause that follows "cannot".

    Args:
        base_url: scheme and host, no path.
        username: the service account's login name; "" where the secret is a bearer token (SCIM).
        secret: its secret, or the token.
        timeout_seconds: how long one request may take.
        transport: the httpx transport, for tests.
        now: the clock against which an HTTP date in Retry-After is read.

    Attributes:
        answered: is given each answer as it came, a redirect too; by default, nobody is.
        ahead: by how many seconds the host's clock was ahead of this machine's in the last answer; None if unknown.

    Raises:
        ConfigurationError: a variable for proxies or authorities cannot be used.
    """

    def __init__(
        self,
        base_url: str,
        username: str,
        secret: Secret,
        *,
        timeout_seconds: float = 60.0,
        transport: httpx.BaseTransport | None = None,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self.base_url = base_url
        self.answered: Answered | None = None
        self.ahead: float | None = None
        self._by_token = not username
        self._media = "application/json" if username else "application/scim+json"
        self._timeout = timeout_seconds
        self._now = now
        self._redact = Redactor((secret.reveal(), username))
        self._slots = threading.BoundedSemaphore(MAX_PARALLEL)
        check_network()
        tls = _tls(*map(os.environ.get, AUTHORITIES))
        try:
            self._client = httpx.Client(
                base_url=base_url,
                auth=httpx.BasicAuth(username.encode(), secret.reveal().encode()) if username else _Bearer(secret),
                headers={"Accept": self._media},
                timeout=timeout_seconds,
                transport=transport,
                verify=tls,
                follow_redirects=False,
                event_hooks={"response": [self._receive]},
            )
        except (httpx.InvalidURL, ValueError, ImportError) as error:
            raise bad_exclusions(error) from None

    @property
    def host(self) -> str:
        """The host's name, without scheme and port."""
        return urlsplit(self.base_url).hostname or ""

    def close(self) -> None:
        """Close the connections to the host."""
        self._client.close()

    def read(self, path: str, what: str) -> Json:
        """GET `path`, which is not a list, and return `results`; repeated on a passing fault.

        Raises:
            Unintelligible: it is a page of several: a part is not taken for the whole.
            MixpanelError: what went wrong, in the last attempt.
        """
        page = self._repeated("GET", path, None, what)
        if page.cursor is not None:
            raise unintelligible(what, "it is the first of several pages, where one answer was expected")
        return page.results

    def pages(self, path: str, what: str, *, unique: bool = True) -> list[Json]:
        """GET a list and return the `results` of each of its pages, mostly one; repeated on a passing fault.

        How a further page is asked for is assumed, as for the audit log (contract, sections 3 and 11).

        A list is `unique` if it has one row for each id. The path has no query.

        Raises:
            Unintelligible: the pages do not come to an end, repeat rows, are cut or have another number of rows than
                they say: a person whose page was not read is not absent.
            MixpanelError: what went wrong, in the last attempt.
        """
        return self._pages(_Question("GET", path, {}, None), what, unique=unique)

    def query(
        self, path: str, parameters: Mapping[str, str], body: Json, what: str, most: int = MOST_PAGES
    ) -> list[Json]:
        """POST a question that changes nothing and return the `results` of each page of the answer, as `pages` does.

        If the parameters have a `page_size`, a full page must say whether another follows. It reads at most so
        many pages.

        Raises:
            Unintelligible: as for `pages`.
            MixpanelError: what went wrong, in the last attempt.
        """
        return self._pages(_Question("POST", path, parameters, body), what, unique=False, most=most)

    def _pages(self, question: _Question, what: str, *, unique: bool, most: int = MOST_PAGES) -> list[Json]:
        method, path, parameters, body = question
        found: list[Page] = []
        seen: set[str] = set()
        query = dict(parameters)
        while len(found) < MOST_PAGES:
            url = f"{path}?{urlencode(query, quote_via=quote)}" if query else path
            page = self._repeated(method, url, body, what)
            if not page.told:
                raise unintelligible(what, f"page {len(found) + 1} says nothing, not even that it is empty")
            if page.results and any(page.results == before.results for before in found):
                raise unintelligible(what, f"page {len(found) + 1} is the same as a page before it")
            found.append(page)
            cursor = page.cursor
            if cursor is None:
                rows = len(page.results) if isinstance(page.results, list) else 0
                if not page.ends and rows >= int(query.get("page_size", sys.maxsize)):
                    raise unintelligible(what, f"page {len(found)} is full, and does not say whether another follows")
                must_be_whole(found, what, unique=unique)
                return [page.results for page in found]
            if cursor in seen:
                raise unintelligible(what, f"page {len(found)} names a page read before as the next one")
            if len(found) == most < MOST_PAGES:
                return [page.results for page in found]
            seen.add(cursor)
            query["cursor"] = cursor
        raise unintelligible(what, f"it has more than {MOST_PAGES} pages")

    def _repeated(self, method: str, path: str, body: Json, what: str) -> Page:
        def passing(error: Exception) -> bool | float:
            if isinstance(error, errors.Unreachable):
                return not STOP.asked
            if STOP.asked or not isinstance(error, errors.MixpanelError) or error.status not in _PASSING:
                return False
            wait = error.retry_after
            return True if wait is None else (wait if wait <= errors.LONGEST_WAIT else False)

        for attempt in stamina.retry_context(
            on=passing, attempts=READ_ATTEMPTS, timeout=None, wait_initial=0.2, wait_max=10.0, wait_jitter=0.2
        ):
            with attempt:
                return self._exchange(method, path, body, what)
        raise AssertionError("stamina ends in a return or a raise")  # pragma: no cover

    def write(self, path: str, body: Json, what: str, method: str = "POST") -> Json:
        """Send a write, once, and return `results`. The caller reads back before it repeats one.

        Raises:
            Cancelled: the run is to write nothing more.
            MixpanelError: what went wrong; after `Unreachable` and `ServerFault` the write may have been applied.
        """
        return self._exchange(method, path, body, what, STOP.writing(what)).results

    def _exchange(self, method: str, path: str, body: Json, what: str, under_way: _Around = _NOTHING) -> Page:
        with self._slots, under_way:  # in this order: the wait for a slot may be long
            response = self._send(method, path, body, what)
        if response.status_code >= HTTPStatus.BAD_REQUEST:
            raise self._error(response, what)
        if response.status_code == HTTPStatus.NO_CONTENT:
            return Page(None)
        return page_of(response.content, what, self._redact)

    def _send(self, method: str, path: str, body: Json, what: str) -> httpx.Response:
        asked = path
        headers = {"Mixpanel-Version": PLATFORM_VERSION} if path.startswith(PLATFORM_ROOT) else {}
        for _ in range(MAX_REDIRECTS + 1):
            try:
                if body is None:
                    response = self._client.request(method, asked, headers=headers)
                else:
                    media = {"Content-Type": self._media}
                    response = self._client.request(method, asked, headers=headers | media, json=body)
            except httpx.TimeoutException as error:
                why = f"no answer within {self._timeout:g} seconds"
                raise self._unreachable(what, why, unsent=isinstance(error, _UNSENT)) from None
            except httpx.DecodingError:
                why = f"the answer of {self.base_url} is not packed as it says"
                raise errors.Unintelligible(f"cannot {what}", why=why, next_step="Run again later.") from None
            except (httpx.TransportError, httpx.InvalidURL) as error:
                why = self._redact(str(error)) or type(error).__name__
                raise self._unreachable(what, why, unsent=isinstance(error, _UNSENT)) from None
            if not HTTPStatus.MULTIPLE_CHOICES <= response.status_code < HTTPStatus.BAD_REQUEST:
                return response
            asked = self._next(response, asked, what)
        raise errors.Unintelligible(
            f"cannot {what}",
            why=f"{self.base_url} redirects in a circle ({MAX_REDIRECTS} times)",
            next_step="Check mixpanel:apiUrl and mixpanel:region.",
        )

    def _next(self, response: httpx.Response, asked: str, what: str) -> str:
        """The path at which to ask again; another host or path gets neither our credentials nor people's addresses."""
        status, location = response.status_code, response.extensions[_LOCATION]
        if status == HTTPStatus.NOT_MODIFIED or not location:
            raise unintelligible(what, f"status {status} without an address to go on at")
        try:
            following = next_path(self.base_url, asked, location, what, self._redact)
        except errors.MixpanelError as error:
            error.status = status
            raise
        if status == HTTPStatus.SEE_OTHER and response.request.method != "GET":
            raise unintelligible(what, f"status {status}, which says where to read, and not whether it was done")
        return following

    def _receive(self, response: httpx.Response) -> None:
        """Keep httpx from reading a redirect's address, which it does also where it follows none; we are stricter."""
        location = response.extensions[_LOCATION] = response.headers.pop("location", None)
        self.ahead = seconds_until(response.headers.get("date", ""), self._now())
        if self.answered is not None:
            sent, content = response.request, response.read()
            self.answered(sent.method, str(sent.url), sent.content, response.status_code, location or "", content)

    def _unreachable(self, what: str, why: str, *, unsent: bool) -> errors.Unreachable:
        proxies = "".join(f"{name}, " for name in proxies_set())
        error = errors.Unreachable(
            f"cannot {what}",
            why=f"{self.base_url} cannot be reached ({why})",
            next_step="If a proxy opens TLS, name its certificate authority in SSL_CERT_FILE (docs/proxy.md)."
            if "CERTIFICATE_VERIFY_FAILED" in why
            else f"Check the network, {proxies}mixpanel:apiUrl (MIXPANEL_BASE_URL) and mixpanel:region.",
        )
        error.unsent = unsent
        return error

    def _error(self, response: httpx.Response, what: str) -> errors.MixpanelError:
        status = response.status_code
        error_class, next_step = _ERROR_CLASSES.get(status, (errors.ServerFault, "Run again later."))
        if self._by_token:
            next_step = _SCIM_STEPS.get(status, next_step)
        words = self._redact.words_of(response.content, response.headers.get("content-type", ""))
        if status == 403 and not self._by_token:
            next_step = what_is_needed(words)
        error = error_class(f"cannot {what}", why=f"Mixpanel answered {status} ({words})", next_step=next_step)
        error.status = status
        error.retry_after = pause_of(status, response.headers, self._now())
        if isinstance(error, errors.RateLimited) and error.retry_after:
            error.next_step = f"Run again in {error.retry_after:.0f} seconds."
        return error


class _Bearer(httpx.Auth):
    """A bearer token, which only the request that needs it has."""

    def __init__(self, token: Secret) -> None:
        self._token = token

    def auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        request.headers["Authorization"] = f"Bearer {self._token.reveal()}"
        yield request


class CallFamily:
    """A family of calls for one organization."""

    def __init__(self, transport: Transport, organization: int) -> None:
        self._transport, self._organization = transport, organization

    def _path(self, rest: str = "") -> str:
        return f"/organizations/{self._organization}/{rest}"


@cache
def _tls(*_authorities: str | None) -> ssl.SSLContext:
    """How certificates are checked; one a process, since to read the authorities takes longer than some requests."""
    try:
        return httpx.create_ssl_context()
    except OSError as error:  # which ssl's errors are
        raise bad_authorities(error) from None


def get_ready() -> None:
    """Load what a client brings, and the certificate authorities; the first client reports what is wrong with them."""
    with suppress(errors.ConfigurationError):
        httpx.Client(verify=_tls(*map(os.environ.get, AUTHORITIES)), trust_env=False).close()


_ERROR_CLASSES: Final[dict[int, tuple[type[errors.MixpanelError], str]]] = {
    400: (errors.Invalid, "Check the values against what Mixpanel says."),
    401: (
        errors.Unauthorized,
        (
            "Check mixpanel:serviceAccountUsername (MIXPANEL_SERVICE_ACCOUNT) and mixpanel:serviceAccountSecret "
            "(MIXPANEL_SERVICE_ACCOUNT_SECRET), and that the account is not expired."
        ),
    ),
    402: (
        errors.PlanRefusal,
        "The plan of the organization does not allow this: change the plan in Mixpanel, or do without it here.",
    ),
    403: (errors.Forbidden, ""),  # its next step follows from Mixpanel's words
    404: (errors.NotFound, "Check mixpanel:organizationId, mixpanel:region and the project's id."),
    405: (errors.NotFound, "This Mixpanel does not offer the call; do it by hand in the product."),
    408: (errors.ServerFault, "Run again later."),
    409: (errors.Invalid, "Check the values against what Mixpanel says."),
    422: (errors.Invalid, "Check the values against what Mixpanel says."),
    429: (errors.RateLimited, "Run again in some minutes."),
}
"""HTTP status -> error and next step (contract, section 1); anything else is a fault of the server."""

_SCIM_STEPS: Final = {
    401: "Check mixpanel:scimToken (MIXPANEL_SCIM_TOKEN): a new token ends the old one in Mixpanel.",
    403: "SCIM changes only people of claimed domains; check mixpanel:claimedDomains, and that the plan has SCIM.",
    404: "Check that SCIM is set up in the organization, and mixpanel:region. Then run again: it is read afresh.",
}
"""HTTP status -> next step, where it is another with a token for SCIM (contract, section 10)."""
