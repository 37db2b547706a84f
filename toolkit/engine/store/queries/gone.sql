-- Where deleted objects stood.

-- name: gone.insert
-- A file can leave the same vector store more than once.
INSERT OR REPLACE INTO gone (id, project, created_at, seq) VALUES (:id, :project, :created_at, :seq)
RETURNING number;

-- name: gone.forget
DELETE FROM gone WHERE number <= :up_to;

-- name: gone.get
SELECT created_at, seq FROM gone WHERE id = :id AND project = :project;
