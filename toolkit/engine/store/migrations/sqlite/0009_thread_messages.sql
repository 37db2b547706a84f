-- How many messages a thread has. There is a most, and to count them for each new one would take ever longer.

ALTER TABLE thread ADD COLUMN messages INTEGER NOT NULL DEFAULT 0;
UPDATE thread SET messages = (SELECT COUNT(*) FROM message WHERE message.thread = thread.id);
