-- Files and uploads. The bytes lie beside the database, in files named by their sha256; rows with that sha256 keep them.

CREATE TABLE file (
  seq        INTEGER PRIMARY KEY AUTOINCREMENT,
  id         TEXT NOT NULL UNIQUE,
  project    TEXT NOT NULL,
  created_at INTEGER NOT NULL,
  expires_at INTEGER,                    -- from then on it is as if it were deleted
  purpose    TEXT NOT NULL,
  filename   TEXT NOT NULL,
  bytes      INTEGER NOT NULL,
  sha256     TEXT NOT NULL,
  body       TEXT NOT NULL
);
CREATE INDEX file_page ON file (project, created_at, seq);
CREATE INDEX file_purpose ON file (project, purpose, created_at, seq);
CREATE INDEX file_bytes ON file (sha256);
CREATE INDEX file_expiry ON file (expires_at) WHERE expires_at IS NOT NULL;

-- The assistants and threads that have a file in their code_interpreter list: it leaves them when it is deleted.
CREATE TABLE file_use (
  file   TEXT NOT NULL,
  holder TEXT NOT NULL,
  PRIMARY KEY (file, holder)
) WITHOUT ROWID;
CREATE INDEX file_use_holder ON file_use (holder);

CREATE TABLE upload (
  seq        INTEGER PRIMARY KEY AUTOINCREMENT,
  id         TEXT NOT NULL UNIQUE,
  project    TEXT NOT NULL,
  created_at INTEGER NOT NULL,
  expires_at INTEGER NOT NULL,
  status     TEXT NOT NULL,
  bytes      INTEGER NOT NULL,           -- what its file will have
  request    TEXT NOT NULL,              -- what else its file will be, as it was asked for
  file       TEXT,                       -- the file as it was made, JSON
  parts      INTEGER NOT NULL DEFAULT 0,
  received   INTEGER NOT NULL DEFAULT 0  -- bytes of its parts
);
CREATE INDEX upload_pending ON upload (expires_at) WHERE status = 'pending';
CREATE INDEX upload_ended ON upload (expires_at) WHERE status <> 'pending';

CREATE TABLE upload_part (
  id     TEXT PRIMARY KEY,
  upload TEXT NOT NULL REFERENCES upload (id) ON DELETE CASCADE,
  bytes  INTEGER NOT NULL,
  sha256 TEXT NOT NULL
) WITHOUT ROWID;
CREATE INDEX upload_part_upload ON upload_part (upload);
CREATE INDEX upload_part_bytes ON upload_part (sha256);
