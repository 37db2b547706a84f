-- Uploads: files that come in parts.

-- name: upload.insert
INSERT INTO upload (id, project, created_at, expires_at, status, bytes, request)
VALUES (:id, :project, :created_at, :expires_at, 'pending', :bytes, :request);

-- name: upload.get
SELECT id, project, created_at, expires_at, status, bytes, request, file, parts, received FROM upload
WHERE id = :id AND project = :project;

-- name: upload.save
UPDATE upload SET status = :status, file = :file WHERE id = :id AND status = :read_status;

-- name: upload.overdue
SELECT id, project, created_at, expires_at, status, bytes, request, file, parts, received FROM upload
WHERE status = 'pending' AND expires_at <= :now ORDER BY expires_at LIMIT :limit;

-- name: upload.forget
-- Those that ended long ago; a few at a time.
DELETE FROM upload
WHERE id IN (SELECT id FROM upload WHERE status <> 'pending' AND expires_at < :before ORDER BY expires_at LIMIT :limit);

-- name: upload.receive
UPDATE upload SET parts = parts + 1, received = received + :bytes WHERE id = :id;

-- name: upload.add_part
INSERT INTO upload_part (id, upload, bytes, sha256) VALUES (:id, :upload, :bytes, :sha256);

-- name: upload.parts
SELECT id, bytes, sha256 FROM upload_part WHERE upload = :upload;

-- name: upload.drop_parts
DELETE FROM upload_part WHERE upload = :upload;
