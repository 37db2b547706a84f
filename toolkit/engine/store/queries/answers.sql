-- Messages that runs write.

-- name: answer.insert
INSERT INTO message (id, project, thread, run, created_at, status, body)
VALUES (:id, :project, :thread, :run, :created_at, :status, :body);

-- name: answer.being_written
SELECT body FROM message WHERE id = :id AND status = 'in_progress';

-- name: answer.save
UPDATE message SET status = :status, body = :body WHERE id = :id;

-- name: answer.open
SELECT id, body FROM message WHERE run = :run AND status = 'in_progress' ORDER BY seq;

-- name: answer.of_run
SELECT id, body FROM message WHERE run = :run ORDER BY seq;
