-- What runs have found in vector stores.

-- name: passage.next
-- The number of the next search in a thread.
SELECT coalesce(max(search) + 1, 0) AS search FROM passage WHERE thread = :thread;

-- name: passage.add
INSERT INTO passage (thread, search, place, file, quote) VALUES (:thread, :search, :place, :file, :quote);

-- name: passage.get
SELECT file, quote FROM passage WHERE thread = :thread AND search = :search AND place = :place;
