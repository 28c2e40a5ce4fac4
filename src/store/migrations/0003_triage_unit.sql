-- What was decided about a group holds in the unit whose alerts it groups, and nowhere else: a group's
-- id ends with its unit unless that is the default one, and the history tells whose it is.
UPDATE triage SET id = id || '-' || unit WHERE unit != 'default';
ALTER TABLE triage_history ADD COLUMN unit TEXT NOT NULL DEFAULT 'default';
UPDATE triage_history SET unit = t.unit, group_id = t.id FROM triage t
  WHERE t.unit != 'default' AND t.id = triage_history.group_id || '-' || t.unit;
