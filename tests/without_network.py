"""The test suite where no network can be reached, with a count of what was tried (Linux).

    python tests/without_network.py [what pytest takes]

A network namespace of its own has a loopback device and no route to anywhere. Its kernel counts
what found no route, whichever process tried and whether or not it took the error well: a host name
that was looked up, a connection to any address. One such attempt fails the run.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

INSIDE = "--inside-the-namespace"
ATTEMPTS = ("Ip.OutNoRoutes", "Ip6.OutNoRoutes", "Udp.OutDatagrams", "Udp6.OutDatagrams")
"""Without a route, and names asked of a resolver that listens on loopback."""


def counters() -> dict[str, int]:
    """The kernel's counts of this namespace, `Protocol.Name` (RFC 1213)."""
    return {**dict(_of_ipv4(Path("/proc/net/snmp"))), **dict(_of_ipv6(Path("/proc/net/snmp6")))}


def _of_ipv4(path: Path) -> Iterator[tuple[str, int]]:
    lines = path.read_text().splitlines()
    for names, values in zip(lines[::2], lines[1::2], strict=True):
        protocol, _, titles = names.partition(":")
        numbers = values.partition(":")[2].split()
        yield from (
            (f"{protocol}.{title}", int(number))
            for title, number in zip(titles.split(), numbers, strict=True)
        )


def _of_ipv6(path: Path) -> Iterator[tuple[str, int]]:
    for name, value in (line.split() for line in path.read_text().splitlines()):
        protocol, six, title = name.partition("6")
        yield f"{protocol}{six}.{title}", int(value)


def main(arguments: list[str]) -> int:
    if arguments[:1] != [INSIDE]:
        command = [sys.executable, __file__, INSIDE, *arguments]
        return subprocess.call(["unshare", "--net", "--map-root-user", *command])
    subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
    before = counters()
    failed = subprocess.call([sys.executable, "-m", "pytest", "-m", "not network", *arguments[1:]])
    tried = {name: counters()[name] - before[name] for name in ATTEMPTS}
    sys.stdout.write(f"attempts to reach a network: {tried}\n")
    return failed or int(any(tried.values()))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
