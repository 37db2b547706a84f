-- Who executes runs and processes files, and whether they live.

-- name: worker.beat
INSERT INTO worker (id, beat) VALUES (:id, 1) ON CONFLICT (id) DO UPDATE SET beat = beat + 1;

-- name: worker.others
SELECT id, beat,
  EXISTS (SELECT 1 FROM run WHERE owner = worker.id AND status IN ('queued', 'in_progress'))
    OR EXISTS (SELECT 1 FROM store_file WHERE owner = worker.id) AS busy
FROM worker WHERE id <> :id;

-- name: worker.forget
-- Only while it has shown no life since it was looked at.
DELETE FROM worker WHERE id = :id AND beat = :beat;

-- name: worker.leave
DELETE FROM worker WHERE id = :id;
