-- name: step.insert
INSERT INTO step (id, project, thread, run, created_at, status, type, body)
VALUES (:id, :project, :thread, :run, :created_at, :status, :type, :body);

-- name: step.close
UPDATE step SET status = :status, body = :body, full = :full, chat = NULL, outputs = NULL WHERE id = :id AND status = 'in_progress';

-- name: step.wait
UPDATE step SET body = :body, chat = :chat, message = :message, used = :used WHERE id = :id AND status = 'in_progress';

-- name: step.use
UPDATE step SET body = :body, full = :full, outputs = :outputs WHERE id = :id AND status = 'in_progress';

-- name: step.note
UPDATE step SET body = :body WHERE id = :id AND status = 'in_progress';

-- name: step.open
SELECT id, type, body, full, chat, message, used, outputs FROM step WHERE run = :run AND status = 'in_progress' ORDER BY seq;

-- name: step.had_calls
SELECT 1 AS yes FROM step WHERE run = :run AND type = 'tool_calls' AND status = 'completed' LIMIT 1;

-- name: step.of_run
SELECT id, body FROM step WHERE run = :run ORDER BY seq;

-- name: step.get
SELECT body, full FROM step WHERE id = :id AND run = :run AND thread = :thread AND project = :project;

-- name: step.page_cursor
SELECT created_at, seq FROM step WHERE id = :id AND run = :run AND project = :project;

-- name: step.page_asc
SELECT id, body, full FROM step WHERE run = :run AND seq > :low_seq AND seq < :high_seq ORDER BY seq LIMIT :limit;

-- name: step.page_desc
SELECT id, body, full FROM step WHERE run = :run AND seq > :low_seq AND seq < :high_seq ORDER BY seq DESC LIMIT :limit;

-- name: call.add
INSERT INTO call (run, id) VALUES (:run, :id) ON CONFLICT DO NOTHING;

-- name: call.of_run
SELECT id FROM call WHERE run = :run;

-- name: step.count
SELECT count(*) AS steps FROM step WHERE run = :run;
