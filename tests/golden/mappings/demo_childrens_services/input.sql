-- The tables that the demonstration's children's services system lets a reporting login read.
CREATE TABLE team (
  team_id INTEGER PRIMARY KEY,
  team_name TEXT NOT NULL,
  service_type TEXT NOT NULL,
  duty_phone TEXT,
  duty_email TEXT,
  last_updated TEXT NOT NULL
);
CREATE TABLE worker (
  worker_id INTEGER PRIMARY KEY,
  surname TEXT NOT NULL,
  forename TEXT NOT NULL,
  job_title_code TEXT NOT NULL,
  work_phone TEXT,
  mobile TEXT,
  email TEXT,
  prefers TEXT,
  working_days TEXT,
  away_until TEXT,
  covered_by INTEGER REFERENCES worker,
  last_updated TEXT NOT NULL
);
CREATE TABLE client (
  client_id INTEGER PRIMARY KEY,
  nhs_number TEXT,
  surname TEXT NOT NULL,
  forenames TEXT NOT NULL,
  known_as TEXT,
  previous_surname TEXT,
  date_of_birth TEXT,
  address_1 TEXT,
  address_2 TEXT,
  town TEXT,
  postcode TEXT,
  address_protected TEXT NOT NULL DEFAULT 'N',
  record_restricted TEXT NOT NULL DEFAULT 'N',
  deleted INTEGER NOT NULL DEFAULT 0,
  last_updated TEXT NOT NULL
);
CREATE TABLE allocation (
  allocation_id INTEGER PRIMARY KEY,
  client_id INTEGER NOT NULL REFERENCES client,
  worker_id INTEGER REFERENCES worker,
  team_id INTEGER NOT NULL REFERENCES team,
  role_code TEXT NOT NULL,
  start_date TEXT NOT NULL,
  end_date TEXT,
  is_lead INTEGER NOT NULL DEFAULT 0,
  sensitivity TEXT,
  confirmed_on TEXT,
  deleted INTEGER NOT NULL DEFAULT 0,
  last_updated TEXT NOT NULL
);
CREATE TABLE visit (
  visit_id INTEGER PRIMARY KEY,
  client_id INTEGER NOT NULL REFERENCES client,
  worker_id INTEGER REFERENCES worker,
  visit_type TEXT NOT NULL,
  visit_date TEXT NOT NULL,
  status TEXT NOT NULL, -- DONE, PLANNED or CANCELLED
  last_updated TEXT NOT NULL
);
CREATE TABLE relationship (
  client_id INTEGER NOT NULL REFERENCES client,
  other_client_id INTEGER NOT NULL REFERENCES client,
  relation TEXT NOT NULL,
  last_updated TEXT NOT NULL,
  PRIMARY KEY (client_id, other_client_id)
);
CREATE TABLE sharing_decision (
  decision_id INTEGER PRIMARY KEY,
  client_id INTEGER NOT NULL REFERENCES client,
  decision TEXT NOT NULL, -- AGREED or REFUSED
  decided_on TEXT NOT NULL,
  valid_until TEXT,
  agencies TEXT, -- codes divided by semicolons; empty: all
  last_updated TEXT NOT NULL
);

INSERT INTO team VALUES
  (1, 'Family Support North', 'FS', '01632 960101', 'familysupport.north@example.org', '2026-01-05 09:00:00'),
  (2, 'Young People''s Substance Misuse', 'SM', '01632 960102', NULL, '2026-01-05 09:00:00');
INSERT INTO worker VALUES
  (11, 'Okafor', 'Ngozi', 'SW', '01632 960111', '07700 900111', 'ngozi.okafor@example.org', 'mobile', 'Mon-Thu', NULL, NULL, '2026-01-06 10:00:00'),
  (12, 'Hartley', 'Sam', 'FSW', '(01632) 960-112', NULL, 'sam.hartley@EXAMPLE.org', NULL, NULL, '2026-03-06', 11, '2026-01-06 10:05:00');
INSERT INTO client VALUES
  (1001, '999 291 4173', 'Whitlock', 'Jonathan Paul', 'Jonty', NULL, '2014-03-09', '12 Orchard Row', NULL, 'Anytown', 'zz99 3az', 'N', 'N', 0, '2026-02-01 08:00:00'),
  (1002, '9991234567', 'Whitlock', 'Maisie', NULL, 'Brandreth', '2016-11-30', '12 Orchard Row', NULL, 'Anytown', 'ZZ99 3AZ', 'Y', 'N', 0, '2026-02-01 08:00:00'),
  (1003, NULL, 'Adeyemi-Jones', 'Tobi', NULL, NULL, '2011', NULL, NULL, NULL, NULL, 'N', 'Y', 0, '2026-02-02 08:00:00');
INSERT INTO allocation VALUES
  (501, 1001, 11, 1, 'ALLOC', '2025-09-01', NULL, 1, NULL, '2026-01-20', 0, '2026-02-03 08:00:00'),
  (502, 1002, 12, 1, 'COWORK', '2025-10-14', NULL, 0, 'STD', NULL, 0, '2026-02-03 08:00:00'),
  (503, 1003, NULL, 2, 'ALLOC', '2026-01-12', '2026-06-30', 0, 'RESTR', NULL, 0, '2026-02-03 08:00:00'),
  (504, 1001, 12, 1, 'XX9', '2026-01-12', NULL, 0, NULL, NULL, 0, '2026-02-03 08:00:00'),
  (505, 1002, 11, 1, 'ALLOC', 'last autumn', NULL, 0, 'UNSURE', NULL, 0, '2026-02-03 08:00:00');
INSERT INTO visit VALUES
  (9001, 1001, 11, 'HV', '2026-02-10 14:30:00', 'DONE', '2026-02-10 16:00:00'),
  (9002, 1001, 11, 'SCH', '2026-03-12', 'PLANNED', '2026-02-10 16:00:00'),
  (9003, 1002, 12, 'HV', '2026-02-11', 'CANCELLED', '2026-02-11 09:00:00');
INSERT INTO relationship VALUES (1001, 1002, 'SIBLING', '2026-02-01 08:00:00');
INSERT INTO sharing_decision VALUES
  (71, 1001, 'AGREED', '2025-09-08', '2027-09-08', NULL, '2026-02-04 08:00:00'),
  (72, 1003, 'REFUSED', '2026-01-12', NULL, 'POL;HSG', '2026-02-04 08:00:00');
