-- Version 1. Names and meanings are fixed: what comes later is a migration.

-- One row: who this store is, and where its counters stand.
CREATE TABLE store (
  id            INTEGER PRIMARY KEY CHECK (id = 1),
  incarnation   BLOB    NOT NULL,  -- 16 random bytes, new for every copy
  home          TEXT    NOT NULL,  -- tells the file from a copy of it
  boot          TEXT    NOT NULL,  -- the boot that deadlines are counted in
  revision      INTEGER NOT NULL,  -- of the last commit
  sequence      INTEGER NOT NULL,  -- the last number of a unique name
  floor         INTEGER NOT NULL,  -- changes above this revision are kept
  history_bytes INTEGER NOT NULL   -- how much they take
) STRICT;

-- What is there now.
CREATE TABLE entry (
  key      TEXT PRIMARY KEY NOT NULL,
  created  INTEGER NOT NULL,
  revision INTEGER NOT NULL,
  lease    INTEGER,
  holder   INTEGER,                -- the process behind the lease
  ttl      INTEGER,                -- milliseconds
  deadline INTEGER,                -- milliseconds since boot
  value    INTEGER NOT NULL,
  bytes    INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX entry_holder ON entry (holder, lease) WHERE holder IS NOT NULL;
CREATE INDEX entry_deadline ON entry (deadline) WHERE deadline IS NOT NULL;

-- What happened lately. A change without a value is a deletion.
CREATE TABLE change (
  revision INTEGER NOT NULL,
  step     INTEGER NOT NULL,
  key      TEXT    NOT NULL,
  created  INTEGER NOT NULL,
  lease    INTEGER,
  value    INTEGER,
  bytes    INTEGER NOT NULL,
  PRIMARY KEY (revision, step)
) STRICT, WITHOUT ROWID;

-- The values, each written once and named by an entry, a change, or both.
CREATE TABLE value (
  id    INTEGER PRIMARY KEY,
  bytes BLOB NOT NULL
) STRICT;

-- The processes that hold leases. Each holds a lock on the file of its number.
CREATE TABLE holder (
  id INTEGER PRIMARY KEY
) STRICT;
