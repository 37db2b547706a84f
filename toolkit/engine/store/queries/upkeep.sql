-- What the commands that look after a store read and delete, over all projects.

-- name: upkeep.newest_runs
SELECT * FROM run
WHERE seq < :before AND (:project IS NULL OR project = :project) AND (:status IS NULL OR status = :status)
ORDER BY seq DESC LIMIT :limit;

-- name: upkeep.newest_active
-- The few that are not over have an index of their own; the walk above would pass by all that are.
SELECT * FROM run
WHERE seq IN (
  SELECT seq FROM run
  WHERE status IN ('queued', 'in_progress', 'requires_action', 'cancelling')
    AND status = :status AND (:project IS NULL OR project = :project)
)
ORDER BY seq DESC LIMIT :limit;

-- name: upkeep.newest_on_thread
-- An active one is always the newest: it holds the thread.
SELECT * FROM run WHERE thread = :thread ORDER BY created_at DESC, seq DESC LIMIT 1;

-- name: upkeep.thread
SELECT id, project, active_run FROM thread WHERE id = :id;

-- name: upkeep.next_project
SELECT project FROM thread WHERE project > :after ORDER BY project LIMIT 1;

-- name: upkeep.old_threads
-- A thread whose last activity is old was created before that.
SELECT id, created_at, seq, max(last_at, last_step_at) AS active_at, active_run FROM thread
WHERE project = :project AND (created_at, seq) > (:after_at, :after_seq) AND created_at < :before
ORDER BY created_at, seq LIMIT :limit;

-- name: upkeep.contents
SELECT
  (SELECT count(*) FROM message WHERE thread = :thread) AS messages,
  (SELECT count(*) FROM run WHERE thread = :thread) AS runs,
  (SELECT count(*) FROM run JOIN step ON step.run = run.id WHERE run.thread = :thread) AS steps;

-- name: upkeep.old_answers
SELECT count(*) AS answers FROM kept_answer WHERE created_at < :before;
