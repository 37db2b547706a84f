-- name: assistant.insert
INSERT INTO assistant (id, project, created_at, body) VALUES (:id, :project, :created_at, :body);

-- name: assistant.get
SELECT id, body, created_at, seq FROM assistant WHERE id = :id AND project = :project;

-- name: assistant.save
UPDATE assistant SET body = :body WHERE id = :id AND project = :project;

-- name: assistant.delete
DELETE FROM assistant WHERE id = :id AND project = :project;

-- name: assistant.page_cursor
SELECT created_at, seq FROM assistant WHERE id = :id AND project = :project;

-- name: assistant.page_asc
SELECT id, body FROM assistant
WHERE project = :project AND (created_at, seq) > (:low_at, :low_seq) AND (created_at, seq) < (:high_at, :high_seq)
ORDER BY created_at, seq LIMIT :limit;

-- name: assistant.page_desc
SELECT id, body FROM assistant
WHERE project = :project AND (created_at, seq) > (:low_at, :low_seq) AND (created_at, seq) < (:high_at, :high_seq)
ORDER BY created_at DESC, seq DESC LIMIT :limit;
