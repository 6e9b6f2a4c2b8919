"""Ports of Ray: on a machine of its own nothing of it may be reached by others, who could run code here.

Ray keeps its processes to loopback where its node is there (see ``ray.ALONE``), but for a port that each replica of Ray
Serve opens to other deployments: it listens at every address and unpickles what comes, without asking who sends it.
"""

from __future__ import annotations

from typing import Any

from lighten.serve.hosts import is_loopback

EVERYWHERE, HERE = "[::]:0", "127.0.0.1:0"
OPENER = "add_port_to_grpc_server"
"""The function by which a replica of Ray 2.60 opens that port, as its module knows it."""


def keep_to_loopback(replica: Any) -> None:
    """Have the port of this process's replica opened at loopback alone; to be called before Ray opens it.

    Args:
        replica: Ray's module of replicas.

    Raises:
        RuntimeError: this version of Ray opens it in another way.
    """
    opener = getattr(replica, OPENER, None)
    if opener is None:
        raise RuntimeError(
            "This version of Ray opens ports in a way that is not known, and they may be open to others."
        )
    setattr(replica, OPENER, lambda server, address: opener(server, HERE if address == EVERYWHERE else address))


def open_to_others(allowed: int) -> list[str]:
    """Where processes that this one started, and itself, listen beyond loopback.

    Args:
        allowed: port that is meant to be reached.
    """
    import psutil  # which Ray brings

    here = psutil.Process()
    found = []
    for process in (here, *here.children(recursive=True)):
        try:
            connections = process.net_connections(kind="tcp")
        except (psutil.NoSuchProcess, psutil.AccessDenied):
            continue
        for one in connections:
            host = one.laddr.ip.removeprefix("::ffff:") if one.laddr else ""
            if one.status == psutil.CONN_LISTEN and one.laddr.port != allowed and not is_loopback(host):
                found.append(f"{host}:{one.laddr.port} ({process.name()})")
    return found
