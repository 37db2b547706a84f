-- Vectors of chunks, and the models that made them.

-- name: embedder.newest
SELECT * FROM embedder ORDER BY seq DESC LIMIT 1;

-- name: embedder.insert
INSERT INTO embedder (name, dimensions, floor) VALUES (:model, :dimensions, :floor) RETURNING *;

-- name: embedder.of_store
-- Those of which a vector store has vectors; there are few models.
SELECT * FROM embedder
WHERE EXISTS (SELECT 1 FROM vector_block WHERE vector_block.store = :store AND vector_block.embedder = embedder.seq)
ORDER BY seq DESC;

-- name: vector_block.insert
INSERT INTO vector_block (store, embedder, store_file, last_start, chunks, vectors)
VALUES (:store, :embedder, :store_file, :last_start, :chunks, :vectors);

-- name: vector_block.version
-- What changes whenever vectors come or go: rows are never changed, and their numbers never used again. `known` is the
-- newest that was there before.
SELECT count(*) AS blocks, max(seq) AS newest, count(*) FILTER (WHERE seq <= :known) AS known
FROM vector_block WHERE store = :store AND embedder = :embedder;

-- name: vector_block.chunks
-- How many chunks have vectors.
SELECT coalesce(sum(length(chunks)), 0) / 8 AS chunks FROM vector_block WHERE store = :store AND embedder = :embedder;

-- name: vector_block.after
SELECT seq, store_file, chunks, vectors FROM vector_block
WHERE store = :store AND embedder = :embedder AND seq > :after ORDER BY seq LIMIT :limit;

-- name: chunk.without_vectors
-- The first chunks of a file that lack vectors of a model: they get them in their order.
SELECT seq, start, place, text FROM chunk
WHERE store_file = :store_file AND start > coalesce(
  (SELECT max(last_start) FROM vector_block WHERE store_file = :store_file AND embedder = :embedder), -1
)
ORDER BY start LIMIT :limit;

-- name: vector_block.next
-- The first of a file's that goes beyond a place in it.
SELECT last_start, vectors FROM vector_block
WHERE store_file = :store_file AND embedder = :embedder AND last_start > :after ORDER BY last_start LIMIT 1;

-- name: vector_block.remove_of_file
DELETE FROM vector_block WHERE seq IN (SELECT seq FROM vector_block WHERE store_file = :store_file LIMIT :limit);

-- name: vector_block.remove_older
-- Once a file has all its vectors of a newer model.
DELETE FROM vector_block WHERE store_file = :store_file AND embedder < :embedder;

-- name: store_file.unembedded
-- A file that lacks vectors of a model, or has those of an older one.
SELECT seq FROM store_file
WHERE status = 'completed' AND owner IS NULL AND embedder < :embedder ORDER BY embedder, seq LIMIT 1;

-- name: store_file.embedded
UPDATE store_file SET embedder = :embedder WHERE seq = :seq;

-- name: store_file.release
-- Of one that is completed, and was somebody's for its vectors.
UPDATE store_file SET owner = NULL WHERE seq = :seq AND status = 'completed' AND owner = :owner;

-- name: vector_store.embedded
UPDATE vector_store SET
  embedder = :embedder,
  embedding = (SELECT json_object('model', name, 'dimensions', dimensions) FROM embedder WHERE seq = :embedder)
WHERE id = :id AND embedder < :embedder;
