-- The thread as the model reads it.

-- name: item.insert
INSERT INTO item (thread, run, message, turn, size, chat) VALUES (:thread, :run, :message, :turn, :size, :chat);

-- name: item.into_turn
-- The text that came along with tool calls becomes one chat message with them.
UPDATE item SET turn = :turn, size = :size, chat = :chat WHERE message = :message;

-- name: item.forget
DELETE FROM item WHERE message = :message;

-- name: item.newest
SELECT seq, run, turn, size, chat FROM item WHERE thread = :thread AND seq < :before ORDER BY seq DESC LIMIT :limit;

-- name: item.first
SELECT seq, run, turn, size, chat FROM item WHERE thread = :thread ORDER BY seq LIMIT 1;
