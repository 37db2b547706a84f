-- Vector stores.

-- name: vector_store.insert
INSERT INTO vector_store (id, project, created_at, last_active_at, expires_days, expires_at, about, chunking)
VALUES (:id, :project, :created_at, :created_at, :expires_days, :expires_at, :about, :chunking);

-- name: vector_store.get
SELECT * FROM vector_store WHERE id = :id AND project = :project;

-- name: vector_store.number
-- What it is called in the index of words.
SELECT seq FROM vector_store WHERE id = :id;

-- name: vector_store.save
UPDATE vector_store
SET about = :about, last_active_at = :last_active_at, expires_days = :expires_days, expires_at = :expires_at
WHERE id = :id;

-- name: vector_store.count
-- Files have come, gone, moved on, or been cut into chunks.
UPDATE vector_store
SET in_progress = in_progress + :in_progress, completed = completed + :completed, failed = failed + :failed,
    cancelled = cancelled + :cancelled, usage_bytes = usage_bytes + :usage_bytes, chunks = chunks + :chunks
WHERE id = :id;

-- name: vector_store.touch
UPDATE vector_store SET last_active_at = :now, expires_at = :now + expires_days * 86400 WHERE id = :id AND emptied = 0;

-- name: vector_store.delete
-- Its files and batches go with it; their chunks have been given up before.
DELETE FROM vector_store WHERE id = :id AND project = :project;

-- name: vector_store.expired
SELECT id FROM vector_store
WHERE expires_at <= :now AND expires_at IS NOT NULL AND emptied = 0 ORDER BY expires_at LIMIT :limit;

-- name: vector_store.emptied
UPDATE vector_store SET emptied = 1 WHERE id = :id;

-- name: vector_store.page_cursor
SELECT created_at, seq FROM vector_store WHERE id = :id AND project = :project;

-- name: vector_store.page_asc
SELECT * FROM vector_store
WHERE project = :project AND (created_at, seq) > (:low_at, :low_seq) AND (created_at, seq) < (:high_at, :high_seq)
ORDER BY created_at, seq LIMIT :limit;

-- name: vector_store.page_desc
SELECT * FROM vector_store
WHERE project = :project AND (created_at, seq) > (:low_at, :low_seq) AND (created_at, seq) < (:high_at, :high_seq)
ORDER BY created_at DESC, seq DESC LIMIT :limit;

-- name: vector_store.use
INSERT INTO store_use (store, holder) VALUES (:store, :holder) ON CONFLICT DO NOTHING;

-- name: vector_store.users
SELECT holder FROM store_use WHERE store = :store;

-- name: vector_store.no_user
DELETE FROM store_use WHERE store = :store;

-- name: vector_store.uses_nothing
DELETE FROM store_use WHERE holder = :holder;
