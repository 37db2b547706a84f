-- name: key.insert
INSERT INTO api_key (id, project, name, digest, ending, created_at)
VALUES (:id, :project, :label, :digest, :ending, :created_at);

-- name: key.counts
-- Both only ever grow, and no change leaves them as they are.
SELECT count(*) AS made, count(revoked_at) AS revoked FROM api_key;

-- name: key.live
SELECT id, project, digest, last_used_at FROM api_key WHERE revoked_at IS NULL;

-- name: key.all
SELECT * FROM api_key ORDER BY seq;

-- name: key.get
SELECT * FROM api_key WHERE id = :id;

-- name: key.revoke
UPDATE api_key SET revoked_at = :now WHERE id = :id AND revoked_at IS NULL;

-- name: key.used
UPDATE api_key SET last_used_at = :day WHERE id = :id AND last_used_at < :day;
