-- Files wait by vector store, since stores take turns. Words may have marks in them: many scripts write vowels so.

DROP INDEX store_file_waiting;
CREATE INDEX store_file_waiting ON store_file (store, seq) WHERE status = 'in_progress' AND owner IS NULL;

CREATE VIRTUAL TABLE marked_words USING fts5 (
  store, words, tokenize = "porter unicode61 remove_diacritics 2 categories 'L* N* Co M*'"
);
INSERT INTO marked_words (rowid, store, words) SELECT rowid, store, words FROM chunk_words;
DROP TABLE chunk_words;
ALTER TABLE marked_words RENAME TO chunk_words;
