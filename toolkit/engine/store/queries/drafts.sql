-- Messages while they are being written.

-- name: draft.add
-- A piece that comes too late, after the message was closed, is dropped.
INSERT INTO draft (message, text)
SELECT id, :text FROM message WHERE id = :message AND status = 'in_progress';

-- name: draft.pieces
SELECT text FROM draft WHERE message = :message ORDER BY seq;

-- name: draft.forget
DELETE FROM draft WHERE message = :message;
