-- Vector stores: what is in them, and how far its processing has come. Counts and bytes are kept where they are read, by
-- the transaction that moves a file, so that they are true at every read.

CREATE TABLE vector_store (
  seq            INTEGER PRIMARY KEY AUTOINCREMENT,
  id             TEXT NOT NULL UNIQUE,
  project        TEXT NOT NULL,
  created_at     INTEGER NOT NULL,
  last_active_at INTEGER NOT NULL,
  expires_days   INTEGER,                -- after last_active_at
  expires_at     INTEGER,                -- from then on it is expired
  emptied        INTEGER NOT NULL DEFAULT 0,  -- whether it has expired and its chunks are gone
  about          TEXT NOT NULL,          -- name, description, metadata
  chunking       TEXT,                   -- what files get that come without a strategy of their own
  in_progress    INTEGER NOT NULL DEFAULT 0,
  completed      INTEGER NOT NULL DEFAULT 0,
  failed         INTEGER NOT NULL DEFAULT 0,
  cancelled      INTEGER NOT NULL DEFAULT 0,
  usage_bytes    INTEGER NOT NULL DEFAULT 0
);
CREATE INDEX vector_store_page ON vector_store (project, created_at, seq);
CREATE INDEX vector_store_expiry ON vector_store (expires_at) WHERE expires_at IS NOT NULL AND emptied = 0;

-- The assistants and threads that have a vector store: it leaves them when it is deleted.
CREATE TABLE store_use (
  store  TEXT NOT NULL,
  holder TEXT NOT NULL,
  PRIMARY KEY (store, holder)
) WITHOUT ROWID;
CREATE INDEX store_use_holder ON store_use (holder);

CREATE TABLE store_file (
  seq         INTEGER PRIMARY KEY AUTOINCREMENT,
  store       TEXT NOT NULL REFERENCES vector_store (id) ON DELETE CASCADE,
  id          TEXT NOT NULL,             -- of the file, which is this one's too
  project     TEXT NOT NULL,
  created_at  INTEGER NOT NULL,
  status      TEXT NOT NULL,
  owner       TEXT,                      -- the worker that processes it; nobody's is anybody's to take
  attributes  TEXT,
  chunking    TEXT NOT NULL,
  usage_bytes INTEGER NOT NULL DEFAULT 0,
  last_error  TEXT,
  UNIQUE (store, id)
);
CREATE INDEX store_file_page ON store_file (store, created_at, seq);
CREATE INDEX store_file_status ON store_file (store, status, created_at, seq);
CREATE INDEX store_file_file ON store_file (id);
CREATE INDEX store_file_waiting ON store_file (seq) WHERE status = 'in_progress' AND owner IS NULL;
CREATE INDEX store_file_owner ON store_file (owner) WHERE owner IS NOT NULL;

CREATE TABLE file_batch (
  seq         INTEGER PRIMARY KEY AUTOINCREMENT,
  id          TEXT NOT NULL UNIQUE,
  store       TEXT NOT NULL REFERENCES vector_store (id) ON DELETE CASCADE,
  project     TEXT NOT NULL,
  created_at  INTEGER NOT NULL,
  stopped     INTEGER NOT NULL DEFAULT 0,  -- whether it was cancelled before it was done
  in_progress INTEGER NOT NULL DEFAULT 0,
  completed   INTEGER NOT NULL DEFAULT 0,
  failed      INTEGER NOT NULL DEFAULT 0,
  cancelled   INTEGER NOT NULL DEFAULT 0
);
CREATE INDEX file_batch_store ON file_batch (store);

CREATE TABLE batch_file (
  batch      TEXT NOT NULL REFERENCES file_batch (id) ON DELETE CASCADE,
  store_file INTEGER NOT NULL REFERENCES store_file (seq) ON DELETE CASCADE,
  PRIMARY KEY (batch, store_file)
) WITHOUT ROWID;
CREATE INDEX batch_file_file ON batch_file (store_file);

-- The text of a file, cut. A chunk is only looked at while the row of its file says `completed`; those of files that are
-- gone are removed afterwards, a few at a time (`chunk_gone`), since a large file has thousands.
CREATE TABLE chunk (
  seq        INTEGER PRIMARY KEY AUTOINCREMENT,
  store_file INTEGER NOT NULL,
  start      INTEGER NOT NULL,           -- where it begins in the file's text, in characters
  text       TEXT NOT NULL
);
CREATE INDEX chunk_file ON chunk (store_file, start);

CREATE TABLE chunk_gone (
  store_file INTEGER PRIMARY KEY
);

-- By words: `store` is one word that names the vector store, so that the index itself keeps stores apart.
CREATE VIRTUAL TABLE chunk_words USING fts5 (store, words, tokenize = 'porter unicode61 remove_diacritics 2');
