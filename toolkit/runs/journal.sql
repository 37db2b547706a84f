-- name: find_table
SELECT count(*) FROM sqlite_master;

-- name: create
CREATE TABLE IF NOT EXISTS entry (
  run_id TEXT NOT NULL,
  key TEXT NOT NULL,
  data TEXT NOT NULL,  -- JSON; empty when the run was forgotten
  written_at REAL NOT NULL,
  PRIMARY KEY (run_id, key)
);

-- name: add
-- The first one stays: two processes that begin the same call are told apart by this.
INSERT INTO entry (run_id, key, data, written_at) VALUES (:run_id, :key, :data, :now)
ON CONFLICT (run_id, key) DO NOTHING;

-- name: read
SELECT key, data FROM entry WHERE run_id = :run_id AND data <> '' ORDER BY rowid;

-- name: runs
SELECT run_id FROM entry WHERE key = 'run' AND data <> '' ORDER BY rowid;

-- name: forget
-- The keys stay for a while: a process that wakes up and goes on with the run must not begin its calls again.
UPDATE entry SET data = '', written_at = :now WHERE run_id = :run_id;

-- name: sweep
DELETE FROM entry WHERE data = '' AND written_at < :before;
