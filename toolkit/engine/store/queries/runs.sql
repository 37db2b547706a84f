-- name: run.assistant
SELECT body FROM assistant WHERE id = :id AND project = :project;

-- name: run.thread
SELECT id, last_at, last_step_at, active_run, messages FROM thread WHERE id = :id AND project = :project;

-- name: run.lock_thread
UPDATE thread SET active_run = :run, last_at = :last_at WHERE id = :thread AND active_run IS NULL;

-- name: run.unlock_thread
UPDATE thread SET active_run = NULL WHERE id = :thread AND active_run = :run;

-- name: run.new_message
UPDATE thread SET last_at = :at, messages = messages + 1 WHERE id = :thread;

-- name: run.step_time
UPDATE thread SET last_step_at = :at WHERE id = :thread;

-- name: run.insert
INSERT INTO run (id, project, thread, assistant, created_at, status, owner, expires_at, fixed, state, metadata, entered_at,
                 stores, files)
VALUES (:id, :project, :thread, :assistant, :created_at, :status, :owner, :expires_at, :fixed, :state, :metadata,
        :entered_at, :stores, :files);

-- name: run.get
SELECT * FROM run WHERE id = :id AND thread = :thread AND project = :project;

-- name: run.by_id
SELECT * FROM run WHERE id = :id;

-- name: run.active_of
SELECT run.* FROM run JOIN thread ON run.id = thread.active_run WHERE thread.id = :thread AND thread.project = :project;

-- name: run.save
-- Every move of a run ends here: the row changes only while nobody else has claimed or ended the run in between.
UPDATE run
SET status = :status, state = :state, attempt = :attempt, owner = :owner, used = :used, turns = :turns
WHERE id = :id AND attempt = :read_attempt AND status = :read_status
RETURNING metadata;

-- name: run.fence
SELECT 1 AS held FROM run WHERE id = :id AND attempt = :attempt AND status = :status;

-- name: run.set_metadata
UPDATE run SET metadata = :metadata WHERE id = :id;

-- name: run.overdue
-- Those that are late for longest come first: four pieces of the index run_active, merged. (It is used only where its own condition stands.)
SELECT id, expires_at FROM run
WHERE status = 'queued' AND status IN ('queued', 'in_progress', 'requires_action', 'cancelling') AND expires_at <= :now
UNION ALL
SELECT id, expires_at FROM run
WHERE status = 'in_progress' AND status IN ('queued', 'in_progress', 'requires_action', 'cancelling') AND expires_at <= :now
UNION ALL
SELECT id, expires_at FROM run
WHERE status = 'requires_action' AND status IN ('queued', 'in_progress', 'requires_action', 'cancelling') AND expires_at <= :now
UNION ALL
SELECT id, expires_at FROM run
WHERE status = 'cancelling' AND status IN ('queued', 'in_progress', 'requires_action', 'cancelling') AND expires_at <= :now
ORDER BY expires_at LIMIT 100;

-- name: run.unattended
-- Runs that should be going on and that nobody has.
SELECT id, status, turns FROM run
WHERE owner IS NULL AND status IN ('queued', 'in_progress') AND expires_at > :now
ORDER BY seq LIMIT :limit;

-- name: run.held
SELECT id, status, turns FROM run WHERE owner = :owner AND status IN ('queued', 'in_progress');

-- name: run.attempt
SELECT attempt, owner FROM run WHERE id = :id;

-- name: run.let_go
-- The runs of a worker that works no more are anybody's to take.
UPDATE run SET owner = NULL WHERE owner = :owner AND status IN ('queued', 'in_progress');

-- name: run.let_wait
-- Those that it has not begun.
UPDATE run SET owner = NULL WHERE owner = :owner AND status = 'queued';

-- name: run.page_cursor
SELECT created_at, seq FROM run WHERE id = :id AND thread = :thread AND project = :project;

-- name: run.page_asc
SELECT * FROM run
WHERE thread = :thread AND (created_at, seq) > (:low_at, :low_seq) AND (created_at, seq) < (:high_at, :high_seq)
ORDER BY created_at, seq LIMIT :limit;

-- name: run.page_desc
SELECT * FROM run
WHERE thread = :thread AND (created_at, seq) > (:low_at, :low_seq) AND (created_at, seq) < (:high_at, :high_seq)
ORDER BY created_at DESC, seq DESC LIMIT :limit;
