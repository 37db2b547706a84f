-- Assistants, threads, messages, runs and steps.
--
-- Every object belongs to a project. `seq` is the order of things (created_at has whole seconds only). What an object
-- looks like on the wire is kept as JSON text that was written once (`body`; of a run: `fixed`, `state` and `metadata`,
-- which joined make the object), so that a read hands it on as it is; a value has a column of its own only where a query
-- needs it.

CREATE TABLE assistant (
  seq        INTEGER PRIMARY KEY AUTOINCREMENT,
  id         TEXT NOT NULL UNIQUE,
  project    TEXT NOT NULL,
  created_at INTEGER NOT NULL,
  body       TEXT NOT NULL
);
CREATE INDEX assistant_page ON assistant (project, created_at, seq);

CREATE TABLE thread (
  seq        INTEGER PRIMARY KEY AUTOINCREMENT,
  id         TEXT NOT NULL UNIQUE,
  project    TEXT NOT NULL,
  created_at INTEGER NOT NULL,
  body       TEXT NOT NULL,
  last_at    INTEGER NOT NULL,          -- created_at of the newest message or run: times in a thread increase
  last_step_at INTEGER NOT NULL DEFAULT 0,  -- completed_at of the newest step, likewise
  active_run TEXT                       -- the thread's lock
);
CREATE INDEX thread_page ON thread (project, created_at, seq);

CREATE TABLE message (
  seq        INTEGER PRIMARY KEY AUTOINCREMENT,
  id         TEXT NOT NULL UNIQUE,
  project    TEXT NOT NULL,
  thread     TEXT NOT NULL REFERENCES thread (id) ON DELETE CASCADE,
  run        TEXT,
  created_at INTEGER NOT NULL,
  status     TEXT NOT NULL,
  body       TEXT NOT NULL
);
CREATE INDEX message_page ON message (thread, seq);
CREATE INDEX message_run ON message (run, seq);

CREATE TABLE run (
  seq         INTEGER PRIMARY KEY AUTOINCREMENT,
  id          TEXT NOT NULL UNIQUE,
  project     TEXT NOT NULL,
  thread      TEXT NOT NULL REFERENCES thread (id) ON DELETE CASCADE,
  assistant   TEXT NOT NULL,
  created_at  INTEGER NOT NULL,
  status      TEXT NOT NULL,
  attempt     INTEGER NOT NULL DEFAULT 0,   -- every claim adds one; every write of a worker names its own
  owner       TEXT,                         -- the engine that executes it, or is about to, while its lease lasts
  lease_until REAL NOT NULL DEFAULT 0,
  expires_at  INTEGER NOT NULL,
  fixed       TEXT NOT NULL,                -- members that never change
  state       TEXT NOT NULL,                -- members that the run's own moves change
  metadata    TEXT NOT NULL,                -- changed by anyone at any time, so no move writes it
  used        TEXT NOT NULL DEFAULT '[0,0,0,0]'  -- tokens so far: prompt, completion, cached, reasoning
);
CREATE INDEX run_page ON run (thread, created_at, seq);
CREATE INDEX run_active ON run (status, expires_at)
  WHERE status IN ('queued', 'in_progress', 'requires_action', 'cancelling');
CREATE INDEX run_lease ON run (lease_until) WHERE status IN ('queued', 'in_progress');
CREATE INDEX run_owner ON run (owner) WHERE owner IS NOT NULL;

CREATE TABLE step (
  seq        INTEGER PRIMARY KEY AUTOINCREMENT,
  id         TEXT NOT NULL UNIQUE,
  project    TEXT NOT NULL,
  thread     TEXT NOT NULL REFERENCES thread (id) ON DELETE CASCADE,
  run        TEXT NOT NULL REFERENCES run (id) ON DELETE CASCADE,
  created_at INTEGER NOT NULL,
  status     TEXT NOT NULL,
  type       TEXT NOT NULL,
  body       TEXT NOT NULL,
  chat       TEXT,                       -- of waiting tool calls: the chat message that asked for them,
  message    TEXT,                       -- the message with the text that came along in the same turn,
  used       TEXT                        -- and the tokens of that turn, shown when the step is completed
);
CREATE INDEX step_page ON step (run, seq);
CREATE INDEX step_open ON step (run) WHERE status = 'in_progress';

-- The thread as the model reads it: one chat message a row, as JSON text. Rows of one turn (a message that calls tools,
-- and the tools' outputs) bear the same turn and are never sent apart.
CREATE TABLE item (
  seq     INTEGER PRIMARY KEY AUTOINCREMENT,
  thread  TEXT NOT NULL REFERENCES thread (id) ON DELETE CASCADE,
  run     TEXT,
  message TEXT,
  turn    TEXT,
  size    INTEGER NOT NULL,              -- bytes of `chat`
  chat    TEXT NOT NULL
);
CREATE INDEX item_thread ON item (thread, seq);
CREATE INDEX item_message ON item (message) WHERE message IS NOT NULL;
CREATE INDEX item_turn ON item (turn) WHERE turn IS NOT NULL;

-- Answers already given, by Idempotency-Key, for a day.
CREATE TABLE kept_answer (
  project    TEXT NOT NULL,
  key        TEXT NOT NULL,
  request    TEXT NOT NULL,              -- sha256 of method, path and body
  created_at INTEGER NOT NULL,
  answer     TEXT NOT NULL,
  PRIMARY KEY (project, key)
) WITHOUT ROWID;
CREATE INDEX kept_answer_age ON kept_answer (created_at);

-- Where deleted objects stood in their lists, for the lists that are being paged through meanwhile; the newest are kept.
CREATE TABLE gone (
  number     INTEGER PRIMARY KEY AUTOINCREMENT,
  id         TEXT NOT NULL UNIQUE,
  project    TEXT NOT NULL,
  created_at INTEGER NOT NULL,
  seq        INTEGER NOT NULL
);
