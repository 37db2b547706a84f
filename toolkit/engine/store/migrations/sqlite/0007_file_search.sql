-- What runs find in vector stores. `full` is a step as it is told of to who asks for the contents of results.

ALTER TABLE run ADD COLUMN stores TEXT NOT NULL DEFAULT '[]';  -- the vector stores that file_search looks in, JSON
ALTER TABLE step ADD COLUMN full TEXT;
ALTER TABLE step ADD COLUMN outputs TEXT;  -- of waiting tool calls: what the engine's own tools gave, {call id: text}

-- The passages that a model has been shown in a thread, by the two numbers of the mark that stands for one in a text.
CREATE TABLE passage (
  thread TEXT NOT NULL REFERENCES thread (id) ON DELETE CASCADE,
  search INTEGER NOT NULL,
  place  INTEGER NOT NULL,
  file   TEXT NOT NULL,
  quote  TEXT NOT NULL,
  PRIMARY KEY (thread, search, place)
) WITHOUT ROWID;
