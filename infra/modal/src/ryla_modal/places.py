"""Which URLs may be asked: pictures go to our buckets, callbacks to a public https address.

Called with every URL of a submit message before anything is claimed, and by whoever follows a URL that a caller typed.
"""

from __future__ import annotations

import fnmatch
import ipaddress
import socket
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from urllib.parse import urlsplit

from ryla_modal.wire import Job, Refused, invalid

Resolve = Callable[[str], Iterable[str]]


def resolve_host(host: str) -> list[str]:
    """Every address of a host name."""
    return [str(item[4][0]) for item in socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)]


def is_public(host: str, resolve: Resolve = resolve_host) -> bool:
    """Whether every address of a host may be spoken to from inside: no loopback, private or link-local one."""
    host = host.strip("[]").rstrip(".").lower()
    try:
        addresses = [ipaddress.ip_address(host)]
    except ValueError:
        if host == "localhost" or host.endswith((".localhost", ".local", ".internal")) or "." not in host:
            return False
        try:
            addresses = [ipaddress.ip_address(text.split("%")[0]) for text in resolve(host)]
        except (OSError, ValueError):
            return False
    return bool(addresses) and all(_public(address) for address in addresses)


def _public(address: ipaddress.IPv4Address | ipaddress.IPv6Address) -> bool:
    mapped = getattr(address, "ipv4_mapped", None)
    return _public(mapped) if mapped else address.is_global and not address.is_multicast


@dataclass(frozen=True)
class Places:
    """`buckets`: patterns of hosts that hold our files, as `*.amazonaws.com`. `local` allows http and private hosts."""

    buckets: tuple[str, ...]
    local: bool = False
    resolve: Resolve = resolve_host

    def check(self, job: Job) -> None:
        """Refuses a job whose files or callback lie where they must not."""
        if job.input_url is not None:
            self._bucket(job.input_url, "input_url")
        for place, item in enumerate(job.inputs):
            self._bucket(item.get_url, f"inputs.{place}.get_url")
        for place, target in enumerate(job.outputs):
            self._bucket(target.put_url, f"outputs.{place}.put_url")
        parts = _split(job.callback_url, "callback.url")
        if not self.local and (parts[0] != "https" or not is_public(parts[1], self.resolve)):
            raise invalid("callback.url", "must be https at a public address")

    def check_put(self, url: str) -> None:
        """Refuses a renewed URL that leaves our buckets."""
        self._bucket(url, "put_urls")

    def is_users(self, url: object) -> bool:
        """Whether a URL that a user typed may be followed: https, without user name, at a public address."""
        if not isinstance(url, str) or not url.lower().startswith("https://") or "@" in url.split("/")[2]:
            return False
        try:
            _, host = _split(url, "url")
        except Refused:
            return False
        return is_public(host, self.resolve)

    def _bucket(self, url: str, where: str) -> None:
        scheme, host = _split(url, where)
        if not self.local and scheme != "https":
            raise invalid(where, "must be https")
        if not any(fnmatch.fnmatchcase(host, pattern) for pattern in self.buckets):
            raise invalid(where, "is on a host that is not allowed")


def _split(url: str, where: str) -> tuple[str, str]:
    try:
        parts = urlsplit(url)
        host = (parts.hostname or "").lower()
    except ValueError:
        raise invalid(where, "must be a URL") from None
    return parts.scheme, host
