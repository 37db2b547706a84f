-- The chunks of files in vector stores, and the words in them.

-- name: chunk.insert
INSERT INTO chunk (store_file, start, text, place) VALUES (:store_file, :start, :text, :place) RETURNING seq;

-- name: chunk.insert_words
INSERT INTO chunk_words (rowid, store, words) VALUES (:seq, :store, :words);

-- name: chunk.of_file
SELECT start, text FROM chunk WHERE store_file = :store_file ORDER BY start;

-- name: chunk.whole
-- Those of a file after a place in it, with their words.
SELECT chunk.start, chunk.text, chunk.place, chunk_words.words
FROM chunk JOIN chunk_words ON chunk_words.rowid = chunk.seq
WHERE chunk.store_file = :store_file AND chunk.start > :after ORDER BY chunk.start LIMIT :limit;

-- name: chunk.between
-- Those of a file that begin after one place and up to another.
SELECT seq FROM chunk WHERE store_file = :store_file AND start > :after AND start <= :to ORDER BY start;

-- name: chunk.count
SELECT count(*) AS count FROM chunk_words WHERE chunk_words MATCH :words;

-- name: chunk.first
SELECT rowid AS seq FROM chunk_words WHERE chunk_words MATCH :words ORDER BY rowid LIMIT 1;

-- name: chunk.last
SELECT rowid AS seq FROM chunk_words WHERE chunk_words MATCH :words ORDER BY rowid DESC LIMIT 1;

-- name: chunk.with_words
-- The first of them, in their order, as a JSON list: there may be many.
SELECT json_group_array(seq) AS seqs
FROM (SELECT rowid AS seq FROM chunk_words WHERE chunk_words MATCH :words ORDER BY rowid LIMIT :limit);

-- name: chunk.counting
-- Those of some chunks that count; `files` is a JSON list of the files to look in, null all of them.
SELECT chunk.seq, chunk.store_file, chunk.start, chunk.text, chunk.place, chunk_words.words,
  store_file.id AS file, store_file.attributes, file.filename
FROM json_each(:seqs) AS wanted
JOIN chunk ON chunk.seq = wanted.value
JOIN chunk_words ON chunk_words.rowid = chunk.seq
JOIN store_file ON store_file.seq = chunk.store_file AND store_file.status = 'completed'
JOIN file ON file.id = store_file.id
WHERE :files IS NULL OR chunk.store_file IN (SELECT value FROM json_each(:files))
ORDER BY wanted.key;

-- name: chunk.give_up
INSERT INTO chunk_gone (store_file) VALUES (:store_file) ON CONFLICT DO NOTHING;

-- name: chunk.given_up
SELECT store_file FROM chunk_gone LIMIT 1;

-- name: chunk.some
SELECT seq FROM chunk WHERE store_file = :store_file LIMIT :limit;

-- name: chunk.delete
DELETE FROM chunk WHERE seq = :seq;

-- name: chunk.delete_words
DELETE FROM chunk_words WHERE rowid = :seq;

-- name: chunk.all_gone
DELETE FROM chunk_gone WHERE store_file = :store_file;
