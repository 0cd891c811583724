-- Blocking keys of people (gateway/matching/keys.py): stable signed 64-bit hashes, so that nothing typed is stored here
-- as text. Clustered by key: a search reads neighbouring rows.
CREATE TABLE match_key (
    key INTEGER NOT NULL,
    person_id INTEGER NOT NULL,
    PRIMARY KEY (key, person_id)
) WITHOUT ROWID;

-- What questions are compared with: one normalised card per person (a `same_person` id), without anything protected. `keys` are the person's
-- own rows of match_key, packed, so that they can be removed exactly even after the keys are made differently.
CREATE TABLE person_card (
    person_id INTEGER PRIMARY KEY,
    card BLOB NOT NULL,
    keys BLOB NOT NULL,
    classes BLOB NOT NULL
);

-- How many people have a name, a sound, a postcode or a birth year (gateway/matching/frequency.py), as hashes; class 0
-- counts everybody. `person_card.classes` says in which a person counts, so that they are taken out exactly.
CREATE TABLE name_frequency (
    class INTEGER PRIMARY KEY,
    people INTEGER NOT NULL
);
