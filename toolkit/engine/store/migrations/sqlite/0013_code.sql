-- What code_interpreter works on, and what it has made.

ALTER TABLE run ADD COLUMN files TEXT NOT NULL DEFAULT '[]';  -- the files that its code finds, JSON

-- The session that a thread's variables are in. When it is not there any more the model is told, and gets another one.
CREATE TABLE code_session (
  thread  TEXT PRIMARY KEY REFERENCES thread (id) ON DELETE CASCADE,
  session TEXT NOT NULL
) WITHOUT ROWID;

-- The files that a thread's sessions have had, by path: those that an answer can link. The newest of a path counts.
CREATE TABLE code_file (
  thread TEXT NOT NULL REFERENCES thread (id) ON DELETE CASCADE,
  path   TEXT NOT NULL,
  file   TEXT NOT NULL,
  PRIMARY KEY (thread, path)
) WITHOUT ROWID;
