-- Files: what is known of them. Their bytes are beside the database, by their sha256.

-- name: file.insert
INSERT INTO file (id, project, created_at, expires_at, purpose, filename, bytes, sha256, body)
VALUES (:id, :project, :created_at, :expires_at, :purpose, :filename, :bytes, :sha256, :body);

-- name: file.get
SELECT id, created_at, seq, purpose, filename, bytes, sha256, body FROM file
WHERE id = :id AND project = :project AND (expires_at IS NULL OR expires_at > :now);

-- name: file.delete
DELETE FROM file WHERE id = :id AND project = :project;

-- name: file.page_cursor
SELECT created_at, seq FROM file WHERE id = :id AND project = :project;

-- name: file.page_asc
SELECT id, body FROM file
WHERE project = :project AND (created_at, seq) > (:low_at, :low_seq) AND (created_at, seq) < (:high_at, :high_seq)
  AND (expires_at IS NULL OR expires_at > :now)
ORDER BY created_at, seq LIMIT :limit;

-- name: file.page_desc
SELECT id, body FROM file
WHERE project = :project AND (created_at, seq) > (:low_at, :low_seq) AND (created_at, seq) < (:high_at, :high_seq)
  AND (expires_at IS NULL OR expires_at > :now)
ORDER BY created_at DESC, seq DESC LIMIT :limit;

-- name: file.of_purpose_cursor
SELECT created_at, seq FROM file WHERE id = :id AND project = :project;

-- name: file.of_purpose_asc
SELECT id, body FROM file
WHERE project = :project AND purpose = :purpose
  AND (created_at, seq) > (:low_at, :low_seq) AND (created_at, seq) < (:high_at, :high_seq)
  AND (expires_at IS NULL OR expires_at > :now)
ORDER BY created_at, seq LIMIT :limit;

-- name: file.of_purpose_desc
SELECT id, body FROM file
WHERE project = :project AND purpose = :purpose
  AND (created_at, seq) > (:low_at, :low_seq) AND (created_at, seq) < (:high_at, :high_seq)
  AND (expires_at IS NULL OR expires_at > :now)
ORDER BY created_at DESC, seq DESC LIMIT :limit;

-- name: file.expired
SELECT id, project, created_at, seq, sha256 FROM file WHERE expires_at <= :now ORDER BY expires_at LIMIT :limit;

-- name: file.bytes_used
-- Whether bytes belong to a file, or to a part of an upload that is under way.
SELECT EXISTS (SELECT 1 FROM file WHERE sha256 = :sha256)
    OR EXISTS (SELECT 1 FROM upload_part WHERE sha256 = :sha256) AS used;

-- name: file.all_bytes
-- The bytes that are needed, from one digest to another.
SELECT sha256 FROM file WHERE sha256 >= :low AND sha256 < :high
UNION
SELECT sha256 FROM upload_part WHERE sha256 >= :low AND sha256 < :high
ORDER BY sha256;

-- name: file.use
INSERT INTO file_use (file, holder) VALUES (:file, :holder) ON CONFLICT DO NOTHING;

-- name: file.users
SELECT holder FROM file_use WHERE file = :file;

-- name: file.no_user
DELETE FROM file_use WHERE file = :file;

-- name: file.uses_nothing
DELETE FROM file_use WHERE holder = :holder;
