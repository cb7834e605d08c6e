"""The audit routes alone, as a process that can be killed: `audit_service.py`, beside its settings.json."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import uvicorn
from starlette.applications import Starlette

from seatrial.testbed.app.__main__ import audit_log
from seatrial.testbed.app.settings import AppSettings, Identity

settings = AppSettings.read(Path("settings.json"))
audit = audit_log(settings, Identity("blue", "east"))


@asynccontextmanager
async def lifespan(_: Starlette) -> AsyncIterator[None]:
    signing = asyncio.ensure_future(audit.signing.run())
    yield
    signing.cancel()
    await asyncio.wait((signing,))


uvicorn.run(
    Starlette(routes=audit.routes(), lifespan=lifespan),
    host=settings.host,
    port=settings.port,
    log_level="warning",
)
