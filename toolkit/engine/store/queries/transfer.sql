-- Everything that is in a store, on its way out and in.

-- name: transfer.assistants
SELECT seq, id, project, body FROM assistant
WHERE seq > :after_seq AND (:project IS NULL OR project = :project) ORDER BY seq LIMIT :limit;

-- name: transfer.files
SELECT seq, id, project, bytes, sha256, body FROM file
WHERE seq > :after_seq AND (:project IS NULL OR project = :project) AND (expires_at IS NULL OR expires_at > :now)
ORDER BY seq LIMIT :limit;

-- name: transfer.vector_stores
SELECT * FROM vector_store
WHERE seq > :after_seq AND (:project IS NULL OR project = :project) ORDER BY seq LIMIT :limit;

-- name: transfer.store_files
SELECT * FROM store_file WHERE store = :store AND (created_at, seq) > (:after_at, :after_seq)
ORDER BY created_at, seq LIMIT :limit;

-- name: transfer.threads
SELECT seq, id, project, last_at, last_step_at, body FROM thread
WHERE seq > :after_seq AND (:project IS NULL OR project = :project) ORDER BY seq LIMIT :limit;

-- name: transfer.messages
SELECT seq, id, status, body FROM message WHERE thread = :thread AND seq > :after_seq ORDER BY seq LIMIT :limit;

-- name: transfer.runs
-- In the order in which they are listed.
SELECT * FROM run WHERE thread = :thread AND (created_at, seq) > (:after_at, :after_seq) ORDER BY created_at, seq LIMIT :limit;

-- name: transfer.steps
SELECT seq, status, used, body, full FROM step WHERE run = :run AND seq > :after_seq ORDER BY seq LIMIT :limit;

-- name: transfer.items
SELECT seq, run, message, turn, chat FROM item WHERE thread = :thread AND seq > :after_seq ORDER BY seq LIMIT :limit;

-- name: transfer.passages
SELECT search, place, file, quote FROM passage
WHERE thread = :thread AND (search, place) > (:search, :place) ORDER BY search, place LIMIT :limit;

-- name: transfer.pending_upload
SELECT id FROM upload WHERE status = 'pending' AND expires_at > :now LIMIT 1;

-- name: transfer.assistant
SELECT project, body FROM assistant WHERE id = :id;

-- name: transfer.file
SELECT project, sha256, body FROM file WHERE id = :id;

-- name: transfer.vector_store
SELECT *, NULL AS thread FROM vector_store WHERE id = :id;

-- name: transfer.store_file
SELECT * FROM store_file WHERE store = :store AND id = :id;

-- name: transfer.thread
SELECT project, active_run, body FROM thread WHERE id = :id;

-- name: transfer.message
SELECT project, thread, body FROM message WHERE id = :id;

-- name: transfer.step
SELECT project, thread, body FROM step WHERE id = :id;

-- name: transfer.item_of_message
SELECT seq, turn FROM item WHERE message = :message LIMIT 1;

-- name: transfer.item_of_turn
SELECT seq FROM item WHERE turn = :turn LIMIT 1;

-- name: transfer.began
-- When the oldest thing in a thread was created.
SELECT min(at) AS at FROM (
  SELECT (SELECT created_at FROM message WHERE thread = :thread ORDER BY seq LIMIT 1) AS at
  UNION ALL
  SELECT (SELECT created_at FROM run WHERE thread = :thread ORDER BY created_at, seq LIMIT 1)
);

-- name: transfer.add_run
INSERT INTO run (id, project, thread, assistant, created_at, status, attempt, expires_at, fixed, state, metadata, used,
                 turns, entered_at)
VALUES (:id, :project, :thread, :assistant, :created_at, :status, :attempt, :expires_at, :fixed, :state, :metadata, :used,
        :turns, :entered_at);

-- name: transfer.add_message
INSERT INTO message (id, project, thread, run, created_at, status, body)
VALUES (:id, :project, :thread, :run, :created_at, :status, :body);

-- name: transfer.count_message
UPDATE thread SET messages = messages + 1 WHERE id = :thread;

-- name: transfer.add_step
INSERT INTO step (id, project, thread, run, created_at, status, type, body, full)
VALUES (:id, :project, :thread, :run, :created_at, :status, :type, :body, :full);

-- name: transfer.add_vector_store
-- One that expires by itself and has not yet begins its days anew.
INSERT INTO vector_store (id, project, created_at, last_active_at, expires_days, expires_at, emptied, about, chunking)
VALUES (
  :id, :project, :created_at,
  CASE WHEN :expires_days IS NULL OR :expired THEN :last_active_at ELSE CAST(strftime('%s', 'now') AS INTEGER) END,
  :expires_days,
  CASE WHEN :expired THEN :expires_at ELSE CAST(strftime('%s', 'now') AS INTEGER) + :expires_days * 86400 END,
  :expired, :about, :chunking
);

-- name: transfer.add_store_file
INSERT INTO store_file (store, id, project, created_at, status, attributes, chunking, usage_bytes, last_error)
VALUES (:store, :id, :project, :created_at, :status, :attributes, :chunking, :usage_bytes, :last_error);

-- name: transfer.process_again
UPDATE store_file SET status = 'in_progress', last_error = NULL WHERE seq = :seq;

-- name: transfer.save_assistant
UPDATE assistant SET created_at = :created_at, body = :body WHERE id = :id;

-- name: transfer.save_file
UPDATE file
SET created_at = :created_at, expires_at = :expires_at, purpose = :purpose, filename = :filename, bytes = :bytes,
    sha256 = :sha256, body = :body
WHERE id = :id;

-- name: transfer.save_vector_store
UPDATE vector_store
SET created_at = :created_at, expires_days = :expires_days, about = :about, chunking = :chunking,
    expires_at = CASE WHEN :expires_days IS NOT NULL THEN last_active_at + :expires_days * 86400 END
WHERE id = :id;

-- name: transfer.save_thread
UPDATE thread SET created_at = :created_at, body = :body WHERE id = :id;

-- name: transfer.save_message
UPDATE message SET run = :run, created_at = :created_at, status = :status, body = :body WHERE id = :id;

-- name: transfer.save_item
UPDATE item SET size = :size, chat = :chat WHERE seq = :seq;

-- name: transfer.save_run
UPDATE run
SET created_at = :created_at, status = :status, fixed = :fixed, state = :state, metadata = :metadata, used = :used,
    turns = :turns
WHERE id = :id;

-- name: transfer.save_step
UPDATE step SET created_at = :created_at, status = :status, type = :type, body = :body, full = :full WHERE id = :id;

-- name: transfer.clock
-- Times in a thread go on from its newest.
UPDATE thread SET last_at = max(last_at, :last_at), last_step_at = max(last_step_at, :last_step_at) WHERE id = :id;

-- name: transfer.order_of_messages
SELECT seq, id, created_at FROM message WHERE thread = :thread ORDER BY seq;

-- name: transfer.order_of_steps
-- By run, each in order, with the message that a step has created.
SELECT step.run, step.id, json_extract(step.body, '$.step_details.message_creation.message_id') AS message
FROM run JOIN step ON step.run = run.id WHERE run.thread = :thread ORDER BY run.created_at, run.seq, step.seq;

-- name: transfer.order_of_items
SELECT seq, message, turn FROM item WHERE thread = :thread ORDER BY seq;

-- name: transfer.newest_message
SELECT max(seq) AS seq FROM message;

-- name: transfer.newest_item
SELECT max(seq) AS seq FROM item;

-- name: transfer.place_message
UPDATE message SET seq = :seq WHERE seq = :was;

-- name: transfer.place_item
UPDATE item SET seq = :seq WHERE seq = :was;

-- name: transfer.others
-- Whether anybody else works on the store.
SELECT EXISTS (SELECT 1 FROM worker) AS others;
