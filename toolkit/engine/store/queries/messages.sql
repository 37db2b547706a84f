-- Messages that clients write, and all that they read. (Those that runs write: answers.sql.)

-- name: message.insert
INSERT INTO message (id, project, thread, created_at, status, body)
VALUES (:id, :project, :thread, :created_at, 'completed', :body);

-- name: message.add_item
INSERT INTO item (thread, message, size, chat) VALUES (:thread, :message, :size, :chat);

-- name: message.thread
SELECT id FROM thread WHERE id = :id AND project = :project;

-- name: message.get
SELECT id, body, created_at, seq FROM message WHERE id = :id AND thread = :thread AND project = :project;

-- name: message.save
UPDATE message SET body = :body WHERE id = :id;

-- name: message.delete
DELETE FROM message WHERE id = :id;

-- name: message.one_less
UPDATE thread SET messages = messages - 1 WHERE id = :thread;

-- name: message.items
SELECT seq, turn, chat FROM item WHERE message = :id;

-- name: message.delete_item
DELETE FROM item WHERE seq = :seq;

-- name: message.save_item
UPDATE item SET message = NULL, size = :size, chat = :chat WHERE seq = :seq;

-- name: message.page_cursor
SELECT created_at, seq FROM message WHERE id = :id AND thread = :thread AND project = :project;

-- name: message.page_asc
SELECT id, body FROM message WHERE thread = :thread AND seq > :low_seq AND seq < :high_seq
ORDER BY seq LIMIT :limit;

-- name: message.page_desc
SELECT id, body FROM message WHERE thread = :thread AND seq > :low_seq AND seq < :high_seq
ORDER BY seq DESC LIMIT :limit;

-- name: message.of_run_cursor
SELECT created_at, seq FROM message WHERE id = :id AND thread = :thread AND project = :project;

-- name: message.of_run_asc
SELECT id, body FROM message WHERE run = :run AND thread = :thread AND seq > :low_seq AND seq < :high_seq
ORDER BY seq LIMIT :limit;

-- name: message.of_run_desc
SELECT id, body FROM message WHERE run = :run AND thread = :thread AND seq > :low_seq AND seq < :high_seq
ORDER BY seq DESC LIMIT :limit;
