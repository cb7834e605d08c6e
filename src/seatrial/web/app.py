"""The application: addresses, who may do what, and how errors look."""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any
from urllib.parse import parse_qsl, quote

from pydantic import BaseModel, ValidationError
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import (
    FileResponse,
    HTMLResponse,
    JSONResponse,
    RedirectResponse,
    Response,
    StreamingResponse,
)
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

from seatrial.model.problems import BadInput, SeatrialError, Unavailable
from seatrial.model.result import plain
from seatrial.model.secrets import shown, shown_in
from seatrial.web.acts import Actor, Acts, Changed
from seatrial.web.asked import AskedRun
from seatrial.web.entrance import COOKIE, SESSION_S, Entrance
from seatrial.web.guard import Guard
from seatrial.web.openapi import openapi
from seatrial.web.pages import asset, render
from seatrial.web.runs import Missing, recorded, report_of
from seatrial.web.sources import Sources
from seatrial.web.underway import watched
from seatrial.web.views import VIEWS, View

MOST_STREAMS = 64
_LONGEST_STREAM_S = 3600.0  # a browser opens it again
# The report brings scripts of its own, which its own policy allows by digest. Should somebody have altered
# it, the sandbox takes from them what they could do here: it is of no origin, and no cookie goes with it.
_REPORT_POLICY = (
    "sandbox allow-scripts; default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline';"
    " base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
_log = logging.getLogger(__name__)


@dataclass(slots=True)
class Dashboard:
    """The dashboard over `sources`. `private`: nothing is shown either without the token."""

    sources: Sources
    entrance: Entrance = field(default_factory=Entrance)
    private: bool = False
    names: tuple[str, ...] = ()
    every_s: float = 1.0  # between the figures of a run under way
    _acts: Acts = field(init=False)
    _streams: int = 0

    def __post_init__(self) -> None:
        self._acts = Acts(self.sources)

    def app(self) -> ASGIApp:
        """As an ASGI application."""
        routes = [
            Route("/assets/{name}", self._asset),
            Route("/session", self._session, methods=["GET", "POST"]),
            Route("/session/end", self._leave, methods=["POST"]),
            Route("/api/openapi.json", self._described),
            Route("/runs/{run}/report", self._report),
            Route("/underway/{run}/events", self._events),
        ]
        for path, act in _ACTS.items():
            routes += [Route(prefix + path, self._acting(act), methods=["POST"]) for prefix in ("", "/api")]
        for view in VIEWS:
            path = view.path.replace("{experiment}", "{experiment:path}")  # its name may have a slash
            routes.append(Route(f"/api{path.rstrip('/')}", self._as_json(view)))
            routes.append(Route(path, self._as_page(view)))
        starlette = Starlette(
            routes=routes,
            exception_handlers={
                HTTPException: self._troubled,
                SeatrialError: self._troubled,
                Exception: self._broken,
            },
        )
        return Guard(starlette, self.names)

    # reading

    def _as_page(self, view: View) -> Callable[[Request], Response]:
        def page(request: Request) -> Response:
            if refusal := self._unknown(request):
                return refusal
            document = _shown(view, view.document(self.sources, _asked(view, request)))
            context = {"document": document, **view.present(document)}
            return self._page(request, view.template, view.title, section=view.section, **context)

        return page

    def _as_json(self, view: View) -> Callable[[Request], Response]:
        def answer(request: Request) -> Response:
            if refusal := self._unknown(request):
                return refusal
            return JSONResponse(_plain(view.document(self.sources, _asked(view, request))))

        return answer

    def _page(
        self, request: Request, template: str, title: str, *, status: int = 200, **context: Any
    ) -> Response:
        context = {"section": "", "told": "", **context}
        who = self.entrance.who(request)
        asked = dict(request.query_params)
        page = render(
            template, title=title, acting=bool(who), can_act=self.entrance.is_open, path=request.url.path,
            query=asked, **context,
        )  # fmt: skip
        return HTMLResponse(page, status)

    def _asset(self, request: Request) -> Response:
        found = asset(request.path_params["name"])
        if found is None:
            raise HTTPException(404)
        text, kind, tag = found
        headers = {"ETag": tag, "Cache-Control": "no-cache"}
        if request.headers.get("if-none-match") == tag:
            return Response(status_code=304, headers=headers)
        return Response(text, media_type=kind, headers=headers)

    def _described(self, request: Request) -> Response:
        return self._unknown(request) or JSONResponse(openapi())

    def _report(self, request: Request) -> Response:
        if refusal := self._unknown(request):
            return refusal
        path = report_of(recorded(self.sources, request.path_params["run"]))
        if path is None:
            raise Missing("the report of this run is not here")
        return FileResponse(path, media_type="text/html", headers={"Content-Security-Policy": _REPORT_POLICY})

    async def _events(self, request: Request) -> Response:
        if refusal := self._unknown(request):
            return refusal
        run = AskedRun(run=request.path_params["run"]).run
        await run_in_threadpool(watched, self.sources, run)
        if self._streams >= MOST_STREAMS:
            why = "too many watch already; look at the page, which is as new"
            raise HTTPException(503, why, {"Retry-After": "10", "Connection": "close"})
        self._streams += 1  # here, before anybody else is asked about
        headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
        return _Stream(self._told(run), self._left, headers)

    def _left(self) -> None:
        self._streams -= 1

    async def _told(self, run: str) -> AsyncIterator[str]:
        ends = asyncio.get_running_loop().time() + _LONGEST_STREAM_S
        while asyncio.get_running_loop().time() < ends:
            try:
                document = await run_in_threadpool(watched, self.sources, run)
            except SeatrialError as error:
                over = isinstance(error, Missing)
                yield f"event: {'over' if over else 'trouble'}\ndata: {json.dumps(str(error))}\n\n"
                if over:
                    return
            else:
                yield f"event: figures\ndata: {json.dumps(_plain(document))}\n\n"
            await asyncio.sleep(self.every_s)

    # acting

    def _acting(
        self, act: Callable[[Acts, Actor, Request, Mapping[str, str]], str]
    ) -> Callable[[Request], Any]:
        async def acted(request: Request) -> Response:
            who = self.entrance.who(request)
            if not who:
                return self._sign_in(request)
            form = await _form(request)
            actor = Actor(who, request.client.host if request.client else "")
            told = await run_in_threadpool(act, self._acts, actor, request, form)
            if _is_api(request):
                return JSONResponse({"told": shown(told)})
            return self._page(
                request, "told.html", "Done", told=shown(told), back=_back(form.get("back", "/"))
            )

        return acted

    async def _session(self, request: Request) -> Response:
        if not self.entrance.is_open:
            raise Missing("this dashboard is only read: it was started without --token-file")
        if request.method != "POST":
            back = _back(request.query_params.get("back", "/"))
            return self._page(request, "signin.html", "Sign in", back=back, wrong=False)
        form = await _form(request)
        back = _back(form.get("back", "/"))
        if not self.entrance.opens(form.get("token", "")):
            return self._page(request, "signin.html", "Sign in", status=403, back=back, wrong=True)
        answer = RedirectResponse(back, 303)
        answer.set_cookie(
            COOKIE, self.entrance.admit(), max_age=SESSION_S, httponly=True, samesite="strict",
            secure=request.headers.get("origin", "").startswith("https://"),
        )  # fmt: skip
        return answer

    async def _leave(self, request: Request) -> Response:
        self.entrance.dismiss(request)
        answer = RedirectResponse("/", 303)
        answer.delete_cookie(COOKIE, httponly=True, samesite="strict")
        return answer

    def _unknown(self, request: Request) -> Response | None:
        """A refusal for whoever may not even read."""
        return self._sign_in(request) if self.private and not self.entrance.who(request) else None

    def _sign_in(self, request: Request) -> Response:
        if not self.entrance.is_open:
            raise HTTPException(403, "this dashboard is only read: it was started without --token-file")
        if _is_api(request):
            headers = {"WWW-Authenticate": "Bearer"}
            return JSONResponse({"error": "the token was not shown"}, 401, headers)
        back = request.url.path if request.method == "GET" else "/"
        return RedirectResponse(f"/session?back={quote(back, safe='')}", 303)

    # troubles

    def _troubled(self, request: Request, error: Exception) -> Response:
        status, headers = _status(error)
        told = _told(request, error)
        if _is_api(request):
            return JSONResponse({"error": shown(told)}, status, headers)
        title = HTTPStatus(status).phrase.capitalize()
        page = self._page(request, "trouble.html", title, status=status, told=shown(told))
        page.headers.update(headers or {})
        return page

    def _broken(self, request: Request, error: Exception) -> Response:
        _log.error("%s %s", request.method, request.url.path, exc_info=error)
        told = "This is a defect of seatrial; its log tells more."
        if _is_api(request):
            return JSONResponse({"error": told}, 500)
        return self._page(request, "trouble.html", "Defect", status=500, told=told)


class _Stream(StreamingResponse):
    """Server-sent events; `left` is called when nobody hears them any more, whether or not any was sent."""

    def __init__(
        self, events: AsyncIterator[str], left: Callable[[], None], headers: Mapping[str, str]
    ) -> None:
        super().__init__(events, media_type="text/event-stream", headers=headers)
        self._left = left

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await super().__call__(scope, receive, send)
        finally:
            self._left()


def _stop(acts: Acts, actor: Actor, request: Request, _form: Mapping[str, str]) -> str:
    return acts.stop(actor, request.path_params["run"])


def _retry(acts: Acts, actor: Actor, _request: Request, form: Mapping[str, str]) -> str:
    number = form.get("number", "")
    if number and not (number.isdecimal() and len(number) < 19):
        raise BadInput("number: is not that of a message")
    return acts.retry(actor, int(number) if number else None)


def _sign(acts: Acts, actor: Actor, _request: Request, form: Mapping[str, str]) -> str:
    if "signed" in form:
        return acts.sign_carried(actor, form["signed"])
    return acts.sign(actor, form.get("role", ""), form.get("name", "")[:200], form.get("statement", ""))


def _renew(acts: Acts, actor: Actor, _request: Request, form: Mapping[str, str]) -> str:
    return acts.renew(actor, form.get("row", ""), form.get("confirm", "")[:200])


_ACTS = {
    "/underway/{run}/stop": _stop,
    "/incidents/retry": _retry,
    "/matrix/sign": _sign,
    "/matrix/renew": _renew,
}


def _asked(view: View, request: Request) -> Any:
    """What is asked of a page. Raises BadInput."""
    try:
        return view.asked.model_validate({**request.query_params, **request.path_params})
    except ValidationError as error:
        wrong = error.errors(include_url=False, include_input=False, include_context=False)
        raise BadInput(
            "; ".join(f"{'.'.join(map(str, each['loc']))}: {each['msg']}" for each in wrong)
        ) from error


def _plain(document: BaseModel | Mapping[str, Any]) -> Any:
    """A document as JSON-ready data, without secrets."""
    return shown_in(document.model_dump(mode="json") if isinstance(document, BaseModel) else plain(document))


def _shown(view: View, document: Any) -> Any:
    """A document without secrets."""
    return _plain(document) if view.gives is None else view.gives.model_validate(_plain(document))


async def _form(request: Request) -> dict[str, str]:
    """The fields of a form. Raises BadInput for anything else; the guard holds its size."""
    kind = request.headers.get("content-type", "application/x-www-form-urlencoded").partition(";")[0].strip()
    if kind != "application/x-www-form-urlencoded":
        raise BadInput("a form is sent as application/x-www-form-urlencoded")
    try:
        return dict(parse_qsl((await request.body()).decode(), max_num_fields=20))
    except ValueError as error:
        raise BadInput(f"this is no form: {error}") from error


def _back(path: str) -> str:
    """A page of ours to go back to, whatever was asked for."""
    ours = path.startswith("/") and not path.startswith("//") and "\\" not in path and path.isprintable()
    return quote(path, safe="/%") if ours else "/"


def _is_api(request: Request) -> bool:
    return request.url.path.startswith("/api")


def _told(request: Request, error: Exception) -> str:
    """What was wrong; of an address that is none, the router says no more than that."""
    if not isinstance(error, HTTPException):
        return str(error)
    nothing_more = error.detail == HTTPStatus.NOT_FOUND.phrase
    return f"there is no page {request.url.path}" if nothing_more else error.detail


def _status(error: Exception) -> tuple[int, Mapping[str, str] | None]:
    if isinstance(error, HTTPException):
        return error.status_code, error.headers
    for kind, status in ((Missing, 404), (Changed, 409), (BadInput, 400), (Unavailable, 503)):
        if isinstance(error, kind):
            return status, None
    return 500, None
