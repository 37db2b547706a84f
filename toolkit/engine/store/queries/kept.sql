-- name: kept.get
SELECT request, answer FROM kept_answer WHERE project = :project AND key = :key AND created_at >= :since;

-- name: kept.put
INSERT INTO kept_answer (project, key, request, created_at, answer)
VALUES (:project, :key, :request, :created_at, :answer)
ON CONFLICT (project, key) DO UPDATE
SET request = excluded.request, created_at = excluded.created_at, answer = excluded.answer;

-- name: kept.sweep
DELETE FROM kept_answer WHERE created_at < :before;
