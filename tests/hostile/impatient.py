"""`patchwork` with less patience, as `python -m tests.hostile.impatient`: a dead link is noticed within seconds."""

from gateway.cli import main
from gateway.links import websocket

SILENCE_S = 3.0  # until a ping; half of it for the pong

if __name__ == "__main__":
    websocket.HEARTBEAT_S = SILENCE_S  # before the command loads what dials
    main()
