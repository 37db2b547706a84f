-- name: kept.get
SELECT request, answer FROM kept_answer WHERE project = :project AND key = :key AND created_at >= :since;

-- name: kept.put
INSERT INTO kept_answer (project, key, request, created_at, answer)
VALUES (:project, :key, :request, :created_at, :answer)
ON CONFLICT (project, key) DO UPDATE
SET request = excluded.request, created_at = excluded.created_at, answer = excluded.answer;

-- name: kept.forget
-- The oldest, a few at a time: a day's answers of a busy server are many.
DELETE FROM kept_answer
WHERE (project, key) IN (SELECT project, key FROM kept_answer WHERE created_at < :before LIMIT :limit);
