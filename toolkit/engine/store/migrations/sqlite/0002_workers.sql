-- Who executes runs. One that is `queued` or `in_progress` names the worker that has it, in `owner`, or nobody, and is
-- then anybody's to take. A worker that died loses its runs; whether it lives is told by a lock that ends with its
-- process, and by a beat that goes up, so no clock is compared with another.

CREATE TABLE worker (
  id   TEXT PRIMARY KEY,
  beat INTEGER NOT NULL
) WITHOUT ROWID;

DROP INDEX run_lease;
ALTER TABLE run DROP COLUMN lease_until;
UPDATE run SET owner = NULL;
CREATE INDEX run_unattended ON run (seq) WHERE owner IS NULL AND status IN ('queued', 'in_progress');

ALTER TABLE run ADD COLUMN turns INTEGER NOT NULL DEFAULT 0;     -- how often the model has asked for tools
ALTER TABLE run ADD COLUMN entered_at REAL NOT NULL DEFAULT 0;   -- created_at to the microsecond, to measure by

-- The ids of the calls a run has had: none comes twice, so an output always says which call it answers.
CREATE TABLE call (
  run TEXT NOT NULL REFERENCES run (id) ON DELETE CASCADE,
  id  TEXT NOT NULL,
  PRIMARY KEY (run, id)
) WITHOUT ROWID;

-- What listeners have heard of a message that is being written, in pieces: all that is left of it when its worker dies.
CREATE TABLE draft (
  seq     INTEGER PRIMARY KEY,
  message TEXT NOT NULL REFERENCES message (id) ON DELETE CASCADE,
  text    TEXT NOT NULL
);
CREATE INDEX draft_message ON draft (message, seq);
