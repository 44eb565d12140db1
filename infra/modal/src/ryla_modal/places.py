"""Which URLs may be asked: pictures go to our buckets, callbacks to a public https address.

Called with every URL of a submit message before anything is claimed. A name may lead elsewhere by the time it is used, so
clients that speak to such addresses connect through `PublicOnly`, which looks once more and connects to what it saw.
"""

from __future__ import annotations

import ipaddress
import re
import socket
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from urllib.parse import urlsplit

import httpx

from ryla_modal.wire import Job, Refused, invalid

Resolve = Callable[[str], Iterable[str]]
Address = ipaddress.IPv4Address | ipaddress.IPv6Address

# S3 alone: other names below amazonaws.com are anybody's load balancer or function.
BUCKETS = ("*.s3.*.amazonaws.com", "*.s3.amazonaws.com")
_NAT64 = ipaddress.IPv6Network("64:ff9b::/96")
# What is given out for the whole internet; everything else has a meaning of its own.
_UNICAST = ipaddress.IPv6Network("2000::/3")


def resolve_host(host: str) -> list[str]:
    """Every address of a host name."""
    return [str(item[4][0]) for item in socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)]


class Unresolved(Exception):
    """The name could not be looked up, now."""


def is_public(host: str, resolve: Resolve = resolve_host) -> bool:
    """Whether every address of a host may be spoken to from inside: no loopback, private or link-local one."""
    try:
        return bool(public_addresses(host, resolve))
    except Unresolved:
        return False


def public_addresses(host: str, resolve: Resolve = resolve_host) -> list[Address]:
    """The addresses of a host; none at all if one of them may not be spoken to. Raises Unresolved."""
    host = host.strip("[]").rstrip(".").lower()
    try:
        addresses: list[Address] = [ipaddress.ip_address(host)]
    except ValueError:
        if host == "localhost" or host.endswith((".localhost", ".local", ".internal")) or "." not in host:
            return []
        try:
            found = resolve(host)
        except OSError:
            raise Unresolved(host) from None
        try:
            addresses = [ipaddress.ip_address(text.split("%")[0]) for text in found]
        except ValueError:
            return []
    return addresses if all(_public(address) for address in addresses) else []


def _public(address: Address) -> bool:
    if isinstance(address, ipaddress.IPv4Address):
        return address.is_global and not address.is_multicast
    # Forms that carry an IPv4 address lead to it: ::ffff:10.0.0.1, 64:ff9b::10.0.0.1, 2002:0a00:0001::.
    inner = address.ipv4_mapped or address.sixtofour
    if address in _NAT64:
        inner = ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
    if inner is not None:
        return _public(inner)
    return address in _UNICAST and address.is_global and address.teredo is None


class PublicOnly(httpx.BaseTransport):
    """Connects to public addresses alone: the name is looked up here, checked, and spoken to by the address that was seen."""

    def __init__(self, inner: httpx.BaseTransport | None = None, resolve: Resolve = resolve_host) -> None:
        # No connection is kept: one to the same address might have been made for another name.
        self._inner = inner or httpx.HTTPTransport(limits=httpx.Limits(max_keepalive_connections=0))
        self._resolve = resolve

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        host = request.url.host
        try:
            addresses = public_addresses(host, self._resolve)
        except Unresolved:
            raise httpx.ConnectError("the name cannot be looked up", request=request) from None
        if not addresses:
            raise httpx.ConnectError("not a public address", request=request)
        # The certificate is still the name's; Host was set when the request was made.
        extensions = {**request.extensions, "sni_hostname": host}
        pinned = httpx.Request(
            request.method,
            request.url.copy_with(host=str(addresses[0])),
            headers=request.headers,
            stream=request.stream,
            extensions=extensions,
        )
        return self._inner.handle_request(pinned)

    def close(self) -> None:
        self._inner.close()


@dataclass(frozen=True)
class Places:
    """`buckets`: hosts that hold our files; `*` stands for one label. `local` allows http and private hosts."""

    buckets: tuple[str, ...] = BUCKETS
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
        if not self.local and (parts[0] != "https" or not self._may_be_public(parts[1])):
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

    def _may_be_public(self, host: str) -> bool:
        """A name that cannot be looked up now is no mistake of the sender's: whoever connects looks again."""
        try:
            return bool(public_addresses(host, self.resolve))
        except Unresolved:
            return True

    def _bucket(self, url: str, where: str) -> None:
        scheme, host = _split(url, where)
        if not self.local and scheme != "https":
            raise invalid(where, "must be https")
        if not any(_fits(pattern, host) for pattern in self.buckets):
            raise invalid(where, "is on a host that is not allowed")


def _fits(pattern: str, host: str) -> bool:
    return re.fullmatch("[^.]+".join(re.escape(part) for part in pattern.lower().split("*")), host) is not None


def _split(url: str, where: str) -> tuple[str, str]:
    try:
        parts = urlsplit(url)
        host = (parts.hostname or "").lower()
    except ValueError:
        raise invalid(where, "must be a URL") from None
    return parts.scheme, host
