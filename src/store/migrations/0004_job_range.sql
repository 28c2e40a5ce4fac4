-- Between which time stamps the events of a job lie: what people open to see them.
ALTER TABLE jobs ADD COLUMN first_ns INTEGER;
ALTER TABLE jobs ADD COLUMN last_ns INTEGER;
