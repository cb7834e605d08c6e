"""Servers of protocols that no package brings a program for: `answering_servers.py PROTOCOL PORT`.

`websocket` gives every text back; `grpc` says of all methods that all is well, as the standard health check
does. Nothing is generated, and nothing of ours is imported, so that they are up in a moment.
"""

from __future__ import annotations

import asyncio
import contextlib
import sys
from concurrent.futures import ThreadPoolExecutor
from typing import Any

SERVING = b"\x08\x01"  # of grpc.health.v1.HealthCheckResponse


async def answer_websocket(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """One connection: every text goes back."""
    from wsproto import ConnectionType, WSConnection
    from wsproto.events import AcceptConnection, CloseConnection, Message, Request, TextMessage

    connection = WSConnection(ConnectionType.SERVER)
    with contextlib.suppress(ConnectionError), contextlib.closing(writer):
        while data := await reader.read(65536):
            connection.receive_data(data)
            for event in connection.events():
                if isinstance(event, Request):
                    writer.write(connection.send(AcceptConnection()))
                elif isinstance(event, TextMessage):
                    writer.write(connection.send(Message(data=event.data)))
                elif isinstance(event, CloseConnection):
                    writer.write(connection.send(event.response()))
                    return


async def serve_websockets(port: int) -> None:
    """Serve for ever."""
    async with await asyncio.start_server(answer_websocket, "127.0.0.1", port, backlog=512) as server:
        await server.serve_forever()


def serve_grpc(port: int) -> None:
    """Serve for ever: whatever method is called, all is well."""
    import grpc

    class Healthy(grpc.GenericRpcHandler):  # type: ignore[misc]
        def service(self, _: Any) -> Any:
            return grpc.unary_unary_rpc_method_handler(lambda *_: SERVING)

    server = grpc.server(ThreadPoolExecutor(20), handlers=(Healthy(),))
    server.add_insecure_port(f"127.0.0.1:{port}")
    server.start()
    server.wait_for_termination()


if __name__ == "__main__":
    if sys.argv[1] == "grpc":
        serve_grpc(int(sys.argv[2]))
    else:
        asyncio.run(serve_websockets(int(sys.argv[2])))
