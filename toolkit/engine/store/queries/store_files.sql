-- The files of vector stores, and their batches.

-- name: store_file.insert
INSERT INTO store_file (store, id, project, created_at, status, attributes, chunking)
VALUES (:store, :id, :project, :created_at, 'in_progress', :attributes, :chunking);

-- name: store_file.get
SELECT * FROM store_file WHERE store = :store AND id = :id AND project = :project;

-- name: store_file.set_attributes
UPDATE store_file SET attributes = :attributes WHERE seq = :seq;

-- name: store_file.move
-- Only while it is as it was read: a worker says that it is the owner still, everybody else takes it away from one.
UPDATE store_file
SET status = :status, owner = NULL, usage_bytes = :usage_bytes, last_error = :last_error
WHERE seq = :seq AND status = 'in_progress' AND (:owner IS NULL OR owner = :owner);

-- name: store_file.cut
UPDATE store_file SET chunks = chunks + :chunks WHERE seq = :seq;

-- name: store_file.chunks
SELECT chunks FROM store_file WHERE seq = :seq;

-- name: store_file.delete
DELETE FROM store_file WHERE seq = :seq;

-- name: store_file.in_stores
-- The stores that have a file.
SELECT * FROM store_file WHERE id = :id AND project = :project;

-- name: store_file.give_up_chunks
-- Of all files of a store.
INSERT INTO chunk_gone (store_file) SELECT seq FROM store_file WHERE store = :store ON CONFLICT DO NOTHING;

-- name: store_file.under_way
-- Those of a store.
SELECT * FROM store_file WHERE store = :store AND status = 'in_progress';

-- name: store_file.next
-- The one that waits longest in the next vector store, after another one.
SELECT seq FROM store_file
WHERE status = 'in_progress' AND owner IS NULL AND store > :after ORDER BY store, seq LIMIT 1;

-- name: store_file.claim
UPDATE store_file SET owner = :owner WHERE seq = :seq RETURNING *;

-- name: store_file.held
SELECT 1 AS yes FROM store_file WHERE seq = :seq AND status = 'in_progress' AND owner = :owner;

-- name: store_file.there
SELECT 1 AS yes FROM store_file WHERE seq = :seq;

-- name: store_file.twin
-- One that is completed, with the same bytes under the same name, cut in the same way.
SELECT other.* FROM file AS mine
JOIN file AS same ON same.sha256 = mine.sha256 AND same.filename = mine.filename AND same.project = mine.project
JOIN store_file AS other ON other.id = same.id AND other.status = 'completed' AND other.chunking = :chunking
WHERE mine.id = :id AND mine.project = :project
  AND NOT EXISTS (SELECT 1 FROM chunk_gone WHERE chunk_gone.store_file = other.seq)
LIMIT 1;

-- name: store_file.intact
-- Whether it has all its chunks still, and the vectors that it had.
SELECT 1 AS yes FROM store_file WHERE seq = :seq AND status = 'completed' AND embedder = :embedder
  AND NOT EXISTS (SELECT 1 FROM chunk_gone WHERE chunk_gone.store_file = :seq);

-- name: store_file.let_go
-- The files of a worker that works no more are anybody's to take.
UPDATE store_file SET owner = NULL WHERE owner = :owner;

-- name: store_file.attributed
-- What filters look at.
SELECT seq, attributes FROM store_file WHERE store = :store AND status = 'completed';

-- name: store_file.page_cursor
SELECT created_at, seq FROM store_file WHERE id = :id AND store = :store AND project = :project;

-- name: store_file.page_asc
SELECT * FROM store_file
WHERE store = :store AND (created_at, seq) > (:low_at, :low_seq) AND (created_at, seq) < (:high_at, :high_seq)
ORDER BY created_at, seq LIMIT :limit;

-- name: store_file.page_desc
SELECT * FROM store_file
WHERE store = :store AND (created_at, seq) > (:low_at, :low_seq) AND (created_at, seq) < (:high_at, :high_seq)
ORDER BY created_at DESC, seq DESC LIMIT :limit;

-- name: store_file.of_status_cursor
SELECT created_at, seq FROM store_file WHERE id = :id AND store = :store AND project = :project;

-- name: store_file.of_status_asc
SELECT * FROM store_file
WHERE store = :store AND status = :status
  AND (created_at, seq) > (:low_at, :low_seq) AND (created_at, seq) < (:high_at, :high_seq)
ORDER BY created_at, seq LIMIT :limit;

-- name: store_file.of_status_desc
SELECT * FROM store_file
WHERE store = :store AND status = :status
  AND (created_at, seq) > (:low_at, :low_seq) AND (created_at, seq) < (:high_at, :high_seq)
ORDER BY created_at DESC, seq DESC LIMIT :limit;

-- name: file_batch.insert
INSERT INTO file_batch (id, store, project, created_at) VALUES (:id, :store, :project, :created_at);

-- name: file_batch.add
INSERT INTO batch_file (batch, store_file) VALUES (:batch, :store_file);

-- name: file_batch.get
SELECT * FROM file_batch WHERE id = :id AND store = :store AND project = :project;

-- name: file_batch.start
UPDATE file_batch
SET in_progress = :in_progress, completed = :completed, failed = :failed, cancelled = :cancelled
WHERE id = :id;

-- name: file_batch.count
-- A file has moved on: in every batch that it came in.
UPDATE file_batch
SET in_progress = in_progress - 1, completed = completed + :completed, failed = failed + :failed,
    cancelled = cancelled + :cancelled
WHERE id IN (SELECT batch FROM batch_file WHERE store_file = :store_file);

-- name: file_batch.stop
UPDATE file_batch SET stopped = 1 WHERE id = :id;

-- name: file_batch.under_way
SELECT store_file.* FROM batch_file JOIN store_file ON store_file.seq = batch_file.store_file
WHERE batch_file.batch = :batch AND store_file.status = 'in_progress';

-- name: file_batch.page_cursor
SELECT created_at, seq FROM store_file WHERE id = :id AND store = :store AND project = :project;

-- name: file_batch.page_asc
-- The files of a batch come in one moment, so their numbers are their order.
SELECT store_file.* FROM batch_file JOIN store_file ON store_file.seq = batch_file.store_file
WHERE batch_file.batch = :batch AND batch_file.store_file > :low_seq AND batch_file.store_file < :high_seq
ORDER BY batch_file.store_file LIMIT :limit;

-- name: file_batch.page_desc
SELECT store_file.* FROM batch_file JOIN store_file ON store_file.seq = batch_file.store_file
WHERE batch_file.batch = :batch AND batch_file.store_file > :low_seq AND batch_file.store_file < :high_seq
ORDER BY batch_file.store_file DESC LIMIT :limit;

-- name: file_batch.of_status_cursor
SELECT created_at, seq FROM store_file WHERE id = :id AND store = :store AND project = :project;

-- name: file_batch.of_status_asc
SELECT store_file.* FROM batch_file JOIN store_file ON store_file.seq = batch_file.store_file
WHERE batch_file.batch = :batch AND batch_file.store_file > :low_seq AND batch_file.store_file < :high_seq
  AND store_file.status = :status
ORDER BY batch_file.store_file LIMIT :limit;

-- name: file_batch.of_status_desc
SELECT store_file.* FROM batch_file JOIN store_file ON store_file.seq = batch_file.store_file
WHERE batch_file.batch = :batch AND batch_file.store_file > :low_seq AND batch_file.store_file < :high_seq
  AND store_file.status = :status
ORDER BY batch_file.store_file DESC LIMIT :limit;
