"""Joining a Ray cluster, and dividing its machines among networks."""

from __future__ import annotations

import logging
import os
import socket
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from annotations.errors import InputError

_SECONDS = 5.0
"""Within which a cluster's address answers."""
_FOUND_BY_RAY = (None, "auto", "local")
_MOST_CPUS = {"cpu": 4, "cuda": 8}
"""Processors of one network at most: several small networks do more than one that has them all, and
beside a GPU they only read images."""


@dataclass(frozen=True)
class Cluster:
    """A cluster that this process has joined.

    Attributes:
        address: as errors name it.
        nodes: machines that embed.
        networks: how many networks there is place for.
        device: what each of them computes on, ``cpu`` or ``cuda``.
        cpus: processors of each.
    """

    address: str
    nodes: int
    networks: int
    device: str
    cpus: int

    @property
    def gpus(self) -> int:
        """GPUs of each network."""
        return int(self.device == "cuda")


def divide(address: str, resources: Sequence[Mapping[str, float]], device: str) -> Cluster:
    """Give every GPU a network, or where there is none, every few processors.

    Args:
        address: of the cluster.
        resources: what each machine has, as Ray names it: ``CPU``, ``GPU``.
        device: ``auto``, ``cpu`` or ``cuda``.

    Raises:
        InputError: the machines have no such device.
    """
    if device not in ("auto", "cpu", "cuda"):
        raise InputError(
            f"--device {device}: on a cluster each network has the GPU that Ray gives it; give "
            "auto, cpu or cuda"
        )
    on = [each for each in resources if each.get("GPU", 0) >= 1]
    if device == "cuda" and not on:
        raise InputError(f"--device cuda: no machine of the cluster {address} has a GPU")
    if device != "cpu" and on:
        share = min(int(each.get("CPU", 0) // each["GPU"]) for each in on)
        networks = sum(int(each["GPU"]) for each in on)
        return Cluster(address, len(on), networks, "cuda", min(share, _MOST_CPUS["cuda"]))
    on = [each for each in resources if each.get("CPU", 0) >= 1]
    if not on:
        raise InputError(f"no machine of the cluster {address} has a processor to give")
    share = min(_MOST_CPUS["cpu"], *(int(each["CPU"]) for each in on))
    networks = sum(int(each["CPU"]) // share for each in on)
    return Cluster(address, len(on), networks, "cpu", share)


@contextmanager
def joined_cluster(address: str | None, device: str) -> Iterator[Cluster]:
    """Join a cluster, and leave it in the end.

    Args:
        address: HOST:PORT of its head; None for the one that ``RAY_ADDRESS`` names or that runs on
            this machine, else one is started here.
        device: ``auto``, ``cpu`` or ``cuda``.

    Raises:
        InputError: Ray is not installed, there is no cluster, or it has no such device.
    """
    # Read when Ray is imported: it would try a silent address for a quarter of an hour.
    os.environ.setdefault("RAY_NUM_REDIS_GET_RETRIES", "1")
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    os.environ.setdefault("RAY_BACKEND_LOG_LEVEL", "fatal")
    try:
        import ray
        import ray.data
    except ImportError:
        raise InputError(
            "--engine ray: Ray is not installed; install 'partreid[ray]', here and on every "
            "machine of the cluster"
        ) from None
    address = address or os.environ.get("RAY_ADDRESS")
    named = address or "on this machine"
    mine = not ray.is_initialized()
    try:
        if mine:
            if address not in _FOUND_BY_RAY:
                own = ray.util.get_node_ip_address()  # type: ignore[no-untyped-call]
                _require_answer(str(address), own)
            _join(address, named)
        nodes = ray.nodes()  # type: ignore[no-untyped-call]
        yield divide(named, [node["Resources"] for node in nodes if node["Alive"]], device)
    finally:
        if mine:
            ray.shutdown()


def _join(address: str | None, named: str) -> None:
    import ray

    try:
        ray.init(
            address=address, include_dashboard=False, log_to_driver=False,
            logging_level=logging.ERROR,
        )  # fmt: skip
    except (OSError, RuntimeError, ValueError, AssertionError, ray.exceptions.RayError) as error:
        said = (str(error).strip().splitlines() or [type(error).__name__])[0]
        raise InputError(
            f"cannot join the Ray cluster {named} ({said}); run this on one of its machines, "
            "after 'ray start' on it"
        ) from None
    # The job has a bar of its own.
    ray.data.DataContext.get_current().enable_progress_bars = False
    logging.getLogger("ray.data").setLevel(logging.ERROR)


def _require_answer(address: str, own: str) -> None:
    """Demand that something listens at an address, which Ray itself waits for much longer.

    Args:
        address: HOST:PORT.
        own: this machine's address in the network, by which Ray replaces its local names.
    """
    host, _, port = address.rpartition(":")
    if "/" in host or not host or not port.isdigit():
        raise InputError(
            f"--ray-address {address}: give HOST:PORT, as 'ray start --head' prints it, on a "
            "machine of the cluster"
        )
    if host in ("localhost", "127.0.0.1", "::1"):
        host = own
    try:
        socket.create_connection((host.strip("[]"), int(port)), _SECONDS).close()
    except (OSError, OverflowError) as error:
        raise InputError(
            f"--ray-address {address}: no Ray cluster answers at {host}:{port} ({error}); see "
            "'ray status' on its head, or start one with 'ray start --head'"
        ) from None
