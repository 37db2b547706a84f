-- name: thread.insert
INSERT INTO thread (id, project, created_at, body, last_at) VALUES (:id, :project, :created_at, :body, :last_at);

-- name: thread.get
SELECT id, body, created_at, seq, last_at, active_run, messages FROM thread WHERE id = :id AND project = :project;

-- name: thread.save
UPDATE thread SET body = :body WHERE id = :id AND project = :project;

-- name: thread.advance
UPDATE thread SET last_at = :last_at, messages = messages + :new WHERE id = :id;

-- name: thread.delete
-- Everything in it goes with it.
DELETE FROM thread WHERE id = :id AND project = :project;

-- name: thread.page_cursor
SELECT created_at, seq FROM thread WHERE id = :id AND project = :project;

-- name: thread.page_asc
SELECT id, body FROM thread
WHERE project = :project AND (created_at, seq) > (:low_at, :low_seq) AND (created_at, seq) < (:high_at, :high_seq)
ORDER BY created_at, seq LIMIT :limit;

-- name: thread.page_desc
SELECT id, body FROM thread
WHERE project = :project AND (created_at, seq) > (:low_at, :low_seq) AND (created_at, seq) < (:high_at, :high_seq)
ORDER BY created_at DESC, seq DESC LIMIT :limit;
