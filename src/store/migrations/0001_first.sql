-- Organisations; every event and person belongs to one.
CREATE TABLE units (
  id TEXT PRIMARY KEY,              -- as it stands in the event's unit column
  name TEXT NOT NULL,
  parent TEXT REFERENCES units(id)
) STRICT;
INSERT INTO units (id, name) VALUES ('default', 'default');

CREATE TABLE users (
  name TEXT PRIMARY KEY COLLATE NOCASE,
  hash TEXT NOT NULL,               -- encoded with its method and parameters
  role TEXT NOT NULL CHECK (role IN ('admin', 'analyst', 'viewer')),
  language TEXT NOT NULL DEFAULT '',
  unit TEXT NOT NULL DEFAULT 'default' REFERENCES units(id),
  must_change INTEGER NOT NULL DEFAULT 0,
  disabled INTEGER NOT NULL DEFAULT 0,
  created_ns INTEGER NOT NULL,
  changed_ns INTEGER NOT NULL,
  last_login_ns INTEGER
) STRICT;

CREATE TABLE sessions (
  token_hash BLOB PRIMARY KEY,      -- the cookie itself is never stored
  user TEXT NOT NULL REFERENCES users(name) ON DELETE CASCADE ON UPDATE CASCADE,
  csrf TEXT NOT NULL,
  address TEXT NOT NULL DEFAULT '',
  agent TEXT NOT NULL DEFAULT '',
  created_ns INTEGER NOT NULL,
  seen_ns INTEGER NOT NULL,
  expires_ns INTEGER NOT NULL
) STRICT;
CREATE INDEX sessions_user ON sessions (user);
CREATE INDEX sessions_expires ON sessions (expires_ns);

CREATE TABLE tokens (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  name TEXT NOT NULL,
  user TEXT NOT NULL REFERENCES users(name) ON DELETE CASCADE ON UPDATE CASCADE,
  kind TEXT NOT NULL DEFAULT 'api' CHECK (kind IN ('api', 'sensor')),
  token_hash BLOB NOT NULL UNIQUE,
  hint TEXT NOT NULL DEFAULT '',    -- first characters, to tell tokens apart
  role TEXT NOT NULL,
  created_ns INTEGER NOT NULL,
  used_ns INTEGER,
  expires_ns INTEGER
) STRICT;

-- Throttling of logins: one row for a name, one for an address.
CREATE TABLE login_failures (
  key TEXT PRIMARY KEY,             -- 'user:NAME' or 'addr:ADDRESS'
  count INTEGER NOT NULL,
  last_ns INTEGER NOT NULL,
  blocked_until_ns INTEGER NOT NULL DEFAULT 0
) STRICT;

-- What people decided about groups of alerts. A group without a row is new.
CREATE TABLE triage (
  id TEXT PRIMARY KEY,              -- the group's id in the API
  unit TEXT NOT NULL DEFAULT 'default',
  signature_id INTEGER NOT NULL,
  src_ip TEXT NOT NULL,
  dest_ip TEXT NOT NULL,
  status TEXT NOT NULL CHECK (status IN ('new', 'archived', 'escalated')),
  note TEXT NOT NULL DEFAULT '',
  decided_by TEXT NOT NULL,
  decided_ns INTEGER NOT NULL,
  until_ns INTEGER                  -- alerts later than this make the group new again; NULL: none do
) STRICT;
CREATE INDEX triage_status ON triage (unit, status);
CREATE INDEX triage_key ON triage (signature_id, src_ip, dest_ip);

CREATE TABLE triage_history (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  group_id TEXT NOT NULL,
  at_ns INTEGER NOT NULL,
  by TEXT NOT NULL,
  action TEXT NOT NULL,             -- archive, escalate, reopen, undo
  note TEXT NOT NULL DEFAULT '',
  old_status TEXT NOT NULL,         -- what undo returns to
  old_note TEXT NOT NULL DEFAULT '',
  old_by TEXT NOT NULL DEFAULT '',
  old_ns INTEGER NOT NULL DEFAULT 0,
  new_status TEXT NOT NULL,
  undo TEXT,                        -- one token for all rows of one decision
  undone INTEGER NOT NULL DEFAULT 0
) STRICT;
CREATE INDEX triage_history_group ON triage_history (group_id, at_ns);
CREATE INDEX triage_history_undo ON triage_history (undo) WHERE undo IS NOT NULL;

CREATE TABLE settings (
  key TEXT PRIMARY KEY,
  value TEXT NOT NULL,              -- JSON
  changed_by TEXT NOT NULL DEFAULT '',
  changed_ns INTEGER NOT NULL
) STRICT;

CREATE TABLE jobs (
  id TEXT PRIMARY KEY,
  kind TEXT NOT NULL,               -- replay, demo, ...
  name TEXT NOT NULL,
  state TEXT NOT NULL CHECK (state IN ('queued', 'running', 'done', 'failed')),
  progress REAL NOT NULL DEFAULT 0,
  detail TEXT NOT NULL DEFAULT '',
  path TEXT NOT NULL DEFAULT '',
  events INTEGER NOT NULL DEFAULT 0,
  alerts INTEGER NOT NULL DEFAULT 0,
  error TEXT,
  created_by TEXT NOT NULL DEFAULT '',
  created_ns INTEGER NOT NULL,
  updated_ns INTEGER NOT NULL
) STRICT;
CREATE INDEX jobs_created ON jobs (created_ns);

CREATE TABLE sensors (
  id TEXT PRIMARY KEY,              -- name in its hello, unique
  unit TEXT NOT NULL DEFAULT 'default' REFERENCES units(id),
  version TEXT NOT NULL DEFAULT '',
  source TEXT NOT NULL DEFAULT '',
  state TEXT NOT NULL CHECK (state IN ('online', 'stale', 'offline', 'done')),
  stream TEXT NOT NULL DEFAULT '',  -- hex of the current stream's id
  started_ns INTEGER NOT NULL DEFAULT 0,
  seen_ns INTEGER NOT NULL,
  packets INTEGER NOT NULL DEFAULT 0,
  bytes INTEGER NOT NULL DEFAULT 0,
  events INTEGER NOT NULL DEFAULT 0,
  alerts INTEGER NOT NULL DEFAULT 0,
  counters TEXT NOT NULL DEFAULT '{}' -- the last stats event's object
) STRICT;

-- The loss ledger: what did not go on, where and why.
CREATE TABLE sensor_loss (
  sensor TEXT NOT NULL REFERENCES sensors(id) ON DELETE CASCADE,
  stage TEXT NOT NULL CHECK (stage IN ('kernel', 'decode', 'flow', 'reassembly', 'app', 'output', 'link', 'ingest')),
  reason TEXT NOT NULL,
  packets INTEGER NOT NULL DEFAULT 0,
  bytes INTEGER NOT NULL DEFAULT 0,
  events INTEGER NOT NULL DEFAULT 0,
  PRIMARY KEY (sensor, stage, reason)
) STRICT;
