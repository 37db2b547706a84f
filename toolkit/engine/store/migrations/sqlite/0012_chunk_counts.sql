-- How many chunks a file of a vector store has been cut into so far, and the files of a store together. Counted as they
-- are written: to count them anew whenever somebody looks would take the longer, the more there are.
ALTER TABLE store_file ADD COLUMN chunks INTEGER NOT NULL DEFAULT 0;
ALTER TABLE vector_store ADD COLUMN chunks INTEGER NOT NULL DEFAULT 0;
UPDATE store_file SET chunks = (SELECT count(*) FROM chunk WHERE store_file = store_file.seq)
WHERE seq NOT IN (SELECT store_file FROM chunk_gone);
UPDATE vector_store
SET chunks = (SELECT coalesce(sum(chunks), 0) FROM store_file WHERE store_file.store = vector_store.id);
