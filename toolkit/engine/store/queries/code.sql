-- Sessions of code_interpreter, and their files.

-- name: code.session
SELECT session FROM code_session WHERE thread = :thread;

-- name: code.set_session
INSERT INTO code_session (thread, session) VALUES (:thread, :session)
ON CONFLICT (thread) DO UPDATE SET session = excluded.session;

-- name: code.add_file
INSERT INTO code_file (thread, path, file) VALUES (:thread, :path, :file)
ON CONFLICT (thread, path) DO UPDATE SET file = excluded.file;

-- name: code.files
-- Those that are still there.
SELECT code_file.path, code_file.file FROM code_file JOIN file ON file.id = code_file.file
WHERE code_file.thread = :thread AND file.project = :project AND (file.expires_at IS NULL OR file.expires_at > :now)
ORDER BY code_file.path;

-- name: code.answered
-- The steps in which a run has called tools since its last message, oldest first.
SELECT body FROM step
WHERE run = :run AND type = 'tool_calls' AND status = 'completed' AND seq > (
  SELECT coalesce(max(seq), 0) FROM step WHERE run = :run AND type = 'message_creation' AND status = 'completed'
)
ORDER BY seq;
