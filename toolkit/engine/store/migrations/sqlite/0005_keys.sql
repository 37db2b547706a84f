-- API keys. Of a key its sha256 is kept, and nothing it could be made from; one that is revoked stays, so that a store
-- which had keys is never open again by itself.

CREATE TABLE api_key (
  seq          INTEGER PRIMARY KEY AUTOINCREMENT,
  id           TEXT NOT NULL UNIQUE,
  project      TEXT NOT NULL,
  name         TEXT NOT NULL,
  digest       BLOB NOT NULL UNIQUE,
  ending       TEXT NOT NULL,            -- its last characters, to tell it by
  created_at   INTEGER NOT NULL,
  last_used_at INTEGER NOT NULL DEFAULT 0,  -- the midnight (UTC) before it
  revoked_at   INTEGER
);
CREATE INDEX api_key_revoked ON api_key (revoked_at);
