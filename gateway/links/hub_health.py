"""Whether a hub is asked: by how the last visit to it and the last questions went, not by asking whether it is well."""

from dataclasses import dataclass

from gateway.clock import Clock

FIRST_ASIDE_S = 30.0  # for which a hub is not asked that had a question and did not bring it to its end
LONGEST_ASIDE_S = 480.0


@dataclass(slots=True)
class HubHealth:
    """One hub's. A hub that is not up is asked only when no other is left, and visited all the same.

    `silent`: why it could not be reached on the last visit; "" if it answered, or was never visited.
    """

    clock: Clock
    silent: str = ""
    broken_off: int = 0  # questions in a row
    aside_until: float = 0.0

    @property
    def up(self) -> bool:
        """Whether questions are sent to it."""
        return not self.silent and not self.aside

    @property
    def aside(self) -> bool:
        """Whether it is set aside; LONGEST_ASIDE_S also bounds the effect of a clock that was set back."""
        return 0 < self.aside_until - self.clock.now() <= LONGEST_ASIDE_S

    def carried(self) -> None:
        """It brought a question to its end."""
        self.silent, self.broken_off, self.aside_until = "", 0, 0.0

    def broke_off(self) -> None:
        """It had a question, or may have had it, and did not bring it to its end; set aside twice as long each time."""
        self.broken_off += 1
        aside = FIRST_ASIDE_S * 2.0 ** min(self.broken_off - 1, 10)
        self.aside_until = self.clock.now() + min(LONGEST_ASIDE_S, aside)
