"""The far end of a bad line: `python -m tests.hostile.far_end SOCKET COMMAND...`, in a network namespace of its own.

Makes its end of the line, hands it to whoever carries the packets (a Unix socket, by number), and becomes the command.
"""

import fcntl
import os
import socket
import struct
import subprocess
import sys

NEAR, FAR = "192.0.2.1", "192.0.2.2"  # TEST-NET-1: nobody's addresses
_NAME = b"line0"
_TUNSETIFF, _IFF_TUN, _IFF_NO_PI = 0x400454CA, 0x0001, 0x1000  # linux/if_tun.h


def end_of_line(mine: str, theirs: str) -> int:
    """A TUN device of this namespace, up, with loopback: reading gives the packets that are sent to `theirs`."""
    descriptor = os.open("/dev/net/tun", os.O_RDWR | os.O_NONBLOCK)
    fcntl.ioctl(descriptor, _TUNSETIFF, struct.pack("16sH22x", _NAME, _IFF_TUN | _IFF_NO_PI))
    name = _NAME.decode()
    for said in (
        "ip link set lo up",
        f"ip addr add {mine} peer {theirs} dev {name}",
        f"ip link set {name} up",
    ):
        subprocess.run(said.split(), check=True)  # noqa: S603 - ip of the machine
    return descriptor


if __name__ == "__main__":
    with socket.socket(fileno=int(sys.argv[1])) as carrier:
        socket.send_fds(carrier, [b"line"], [end_of_line(FAR, NEAR)])
    os.execv(sys.argv[2], sys.argv[2:])  # noqa: S606 - what the scenario named
