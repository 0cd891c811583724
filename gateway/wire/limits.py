"""Sizes and times of docs/wire.md, in bytes and seconds unless the name says otherwise."""

KIB = 1024

# Times
SKEW_S = 30  # how far two honest clocks may differ
MAX_CLOCK_DIFFERENCE_S = 60  # how far a node may be off the time that a hub signed
QUERY_LIFETIME_S = 120
ANSWER_LIFETIME_S = 120
REQUEST_LIFETIME_S = 60
FRESHNESS_LIFETIME_S = 4 * 3600
DOCUMENT_LIFETIME_S = 7 * 86_400
JOIN_LIFETIME_S = 30 * 86_400  # an operator compares fingerprints by telephone, on working days
INVITATION_LIFETIME_S = 30 * 86_400
SEALING_KEY_LIFETIME_S = 7 * 86_400
SEALING_KEY_RENEWAL_S = 2 * 86_400  # the next key is made this long before the end
SEALING_KEY_RETENTION_S = 86_400  # a private half is destroyed this long after the key's end
COUNTS_LIFETIME_S = 3_600
DISPLAY_S = 24 * 3600  # the longest that an asker may show an answer

# Counts
MAX_RECIPIENTS = 1_024
MAX_MEMBERS = 4_096
MAX_KEYS_PER_MEMBER = 8
MAX_AGREEMENTS = 64
MAX_COUNTS_HOURS = 31 * 24  # of one statement
MAX_HUB_KEYS = 16
MAX_SIGNATURES = MAX_MEMBERS
MAX_INVITATION_HUBS = 4  # as many as a node may have
MAX_WAITING_JOINS = 128  # at a hub, each by an invitation of the operator's
MAX_HAND_OVERS = 16  # of an operator's key, one after the other
MAX_PROOF_HASHES = 128  # twice what the largest ledger needs
MAX_NAMES = 8
MAX_GIVEN = 8
MAX_IDENTIFIERS = 8
MAX_TELECOM = 8
MAX_AGE_YEARS = 130
MAX_LINKS_PER_MEMBER = 8  # one for each process of a node
MAX_IN_FLIGHT_PER_LINK = 64  # questions to which the node has not said anything yet

# Characters
MAX_ID_CHARS = 48
MAX_TEXT_CHARS = 200
MAX_URI_CHARS = 255
MAX_VERSION_CHARS = 32
MAX_RULE_CHARS = 64
MAX_POSTCODE_CHARS = 12

# Bytes
HPKE_ENC_BYTES = 1_088 + 32  # ML-KEM-768 ciphertext and X25519 share
AEAD_TAG_BYTES = 16
HPKE_OVERHEAD_BYTES = HPKE_ENC_BYTES + AEAD_TAG_BYTES
SEALING_PUBLIC_BYTES = 1_184 + 32  # ML-KEM-768 and X25519 public keys, in that order
CONTENT_KEY_BYTES = 32
SEALED_COPY_BYTES = CONTENT_KEY_BYTES + HPKE_OVERHEAD_BYTES  # 1,168
QUESTION_BASE_BYTES = 8 * KIB
QUESTION_BYTES_PER_RECIPIENT = 64
ANSWER_BYTES = 8 * KIB
SEALED_ANSWER_BYTES = ANSWER_BYTES + HPKE_OVERHEAD_BYTES  # 9,328
MAX_INFLATED_BYTES = 256 * KIB
MAX_BODY_BYTES = QUESTION_BASE_BYTES + QUESTION_BYTES_PER_RECIPIENT * MAX_RECIPIENTS + AEAD_TAG_BYTES
MAX_TOKEN_BYTES = MAX_BODY_BYTES  # of a question's JWS: what its padded body can hold
ANSWER_TOKEN_BYTES = 1_664  # an answer's JWS at most; the rest of ANSWER_BYTES is for the bundle
MAX_REQUEST_TOKEN_BYTES = 2 * KIB
MAX_STATEMENT_BYTES = 4 * KIB  # freshness, sealing key, rotation, hand-over, an agreement's signature
MAX_JOIN_BYTES = 16 * KIB
MAX_INVITATION_BYTES = 16 * KIB  # with four certificates; one without has less than 1 KiB
MAX_AUTHORITY_BYTES = 2 * KIB
MAX_JOINING_BYTES = 33 * KIB  # an invitation, a request to join, and what holds them together
MAX_JOINS_BYTES = MAX_WAITING_JOINS * (MAX_JOINING_BYTES + 64)  # all that wait, as a hub tells the operator
MAX_COVERAGE_BYTES = 2 * MAX_RECIPIENTS * (MAX_ID_CHARS + 32)  # ids, outcomes and base64
MAX_COUNTS_BYTES = 256 * KIB  # 744 hours with the longest numbers, in base64
MAX_DOCUMENT_BYTES = 16 * 1024 * KIB
MAX_AGREEMENT_BYTES = 64 * KIB  # a long agreement of a county has some 40 kB
MAX_ENVELOPE_BYTES = 2 * 1024 * KIB
MAX_MEMBER_ENVELOPE_BYTES = 128 * KIB
MAX_QUESTION_FRAME_BYTES = 176 * KIB  # on a link: a member's envelope in base64url, a request token, an id
MAX_ANSWER_FRAME_BYTES = 13 * KIB  # on a link: a sealed answer in base64url, an id
MAX_NOTE_BYTES = 16 * KIB  # of a checkpoint with its signatures; the log's own part has some 300 bytes
MAX_CHECKPOINT_BYTES = 32 * KIB  # a submission: the note and its proof
MAX_DEADLINE_MS = 60_000
