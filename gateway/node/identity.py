"""Who this node is: its member id and its keys, each a file of mode 0600 below one folder."""

from dataclasses import dataclass
from pathlib import Path

from consent_ledger.checkpoint import origin_of
from consent_ledger.note import NoteKey
from gateway.errors import ConfigurationError
from gateway.node.ledger_keys import LEDGER_KEY_FILE, LedgerKeys
from gateway.node.signing_keys import SIGNING_KEY_FILE, SigningKeys
from gateway.wire.keys import LedgerKey, SigningKey
from gateway.wire.sealing_keys import SealingKeyRing

SEALING_KEY_FOLDER = "sealing"


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    """A node's member id, federation and private keys (docs/wire.md, "Keys")."""

    member: str
    federation: str
    signing_keys: SigningKeys
    ledger_keys: LedgerKeys
    ring: SealingKeyRing

    @property
    def signing_key(self) -> SigningKey:
        """The one to sign with now; ask again for each signature, for it changes while the node runs."""
        return self.signing_keys.current

    @property
    def ledger_key(self) -> LedgerKey:
        """The one to sign heads with now; ask again for each signature."""
        return self.ledger_keys.current

    @property
    def log_key(self) -> NoteKey:
        """The public half of that key under this log's name, as others see it in a note."""
        return self.log_keys[0]

    @property
    def log_keys(self) -> tuple[NoteKey, ...]:
        """Of all ledger keys of this node, now and before, that one first: what they have signed is our own."""
        name = origin_of(self.federation, self.member)
        return tuple(NoteKey(name=name, public=public) for public in self.ledger_keys.publics)


def load_identity(folder: Path, *, member: str, federation: str) -> Identity:
    """Read keys that make_keys() wrote; raises ConfigurationError naming the file."""
    return Identity(
        member=member,
        federation=federation,
        signing_keys=SigningKeys(folder),
        ledger_keys=LedgerKeys(folder),
        ring=SealingKeyRing(folder / SEALING_KEY_FOLDER),
    )


def make_keys(folder: Path, now: float) -> tuple[SigningKey, LedgerKey]:
    """Make signing, ledger and first sealing key, keeping what is there: none is ever replaced.

    So a set-up that broke off goes on where it stopped. Raises ConfigurationError.
    """
    signing_file, ledger_file, sealing_folder = (
        folder / SIGNING_KEY_FILE,
        folder / LEDGER_KEY_FILE,
        folder / SEALING_KEY_FOLDER,
    )
    try:
        sealing_folder.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        sealing_folder.mkdir(mode=0o700, exist_ok=True)
    except OSError as error:
        raise ConfigurationError(f"{folder}: cannot be made: {error.strerror}") from error
    if not signing_file.exists():
        SigningKey.generate().save(signing_file)
    if not ledger_file.exists():
        LedgerKey.generate().save(ledger_file)
    SealingKeyRing(sealing_folder).rotate(now)
    return SigningKey.load(signing_file), LedgerKey.load(ledger_file)
