"""The far end of a line, in a network namespace of its own: `python -m tests.hostile.far_end SOCKET NEAR FAR COMMAND`.

Makes its end of the line, hands it to whoever carries the packets (a Unix socket, by number), and becomes the command.
"""

import fcntl
import os
import socket
import struct
import subprocess
import sys

_TUNSETIFF, _IFF_TUN, _IFF_NO_PI = 0x400454CA, 0x0001, 0x1000  # linux/if_tun.h


def loopback_up() -> None:
    """Where a namespace is new, not even its own address can be reached."""
    subprocess.run(["ip", "link", "set", "lo", "up"], check=True)  # noqa: S607 - ip of the machine


def end_of_line(name: str, mine: str, theirs: str) -> int:
    """A TUN device of this namespace, up: reading gives the packets that are sent to `theirs`."""
    descriptor = os.open("/dev/net/tun", os.O_RDWR | os.O_NONBLOCK)
    fcntl.ioctl(descriptor, _TUNSETIFF, struct.pack("16sH22x", name.encode(), _IFF_TUN | _IFF_NO_PI))
    for said in (
        f"ip addr add {mine} peer {theirs} dev {name}",
        f"ip link set {name} up",
    ):
        subprocess.run(said.split(), check=True)  # noqa: S603 - ip of the machine
    return descriptor


if __name__ == "__main__":
    loopback_up()
    number, near, far = sys.argv[1:4]
    with socket.socket(fileno=int(number)) as carrier:
        socket.send_fds(carrier, [b"line"], [end_of_line("line", far, near)])
    os.execv(sys.argv[4], sys.argv[4:])  # noqa: S606 - what the scenario named
