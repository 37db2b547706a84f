-- Deleting a thread deletes its steps: without this, every deletion reads all steps of the store.
CREATE INDEX step_thread ON step (thread);
