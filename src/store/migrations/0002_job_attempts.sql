-- How often a job was begun: one that was running when the node ended goes on at the next start, but
-- not for ever.
ALTER TABLE jobs ADD COLUMN attempts INTEGER NOT NULL DEFAULT 0;
