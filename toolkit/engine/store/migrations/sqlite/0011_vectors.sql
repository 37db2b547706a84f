-- Vectors of chunks. Those of a few chunks of one file lie in one row, since they come, are read and go together.

-- A model that makes vectors, as it was chosen: chosen anew, after another one, it is a new row, and a higher number.
CREATE TABLE embedder (
  seq        INTEGER PRIMARY KEY AUTOINCREMENT,
  name       TEXT NOT NULL,
  dimensions INTEGER NOT NULL,
  floor      REAL NOT NULL                 -- the cosine that it gives to texts which have nothing in common
);

CREATE TABLE vector_block (
  seq        INTEGER PRIMARY KEY AUTOINCREMENT,
  store      INTEGER NOT NULL,             -- its number
  embedder   INTEGER NOT NULL,
  store_file INTEGER NOT NULL,
  last_start INTEGER NOT NULL,             -- where the last of its chunks begins
  chunks     BLOB NOT NULL,                -- numbers of chunks, 8 bytes each, little endian
  vectors    BLOB NOT NULL                 -- of length 1, 4 bytes a number, little endian, one after the other
);
CREATE INDEX vector_block_store ON vector_block (store, embedder, seq);
CREATE INDEX vector_block_file ON vector_block (store_file, embedder, last_start);

-- The newest of the models that all of a file's chunks have vectors of; 0 while there is none.
ALTER TABLE store_file ADD COLUMN embedder INTEGER NOT NULL DEFAULT 0;
CREATE INDEX store_file_embedder ON store_file (embedder, seq) WHERE status = 'completed' AND owner IS NULL;

-- The newest of the models that one of its files has vectors of, and how it is shown: {model, dimensions}, JSON.
ALTER TABLE vector_store ADD COLUMN embedder INTEGER NOT NULL DEFAULT 0;
ALTER TABLE vector_store ADD COLUMN embedding TEXT;
