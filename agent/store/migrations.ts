/** Statements that bring the tables one step further. */
export type Migration = string;

/** The steps of the tables that all share, and of those older than `noun_versions`, in order. A step that was released is never changed; a new one is added at the end. */
export const MIGRATIONS: readonly Migration[] = [
  `CREATE TABLE activity (
     id        INTEGER PRIMARY KEY,
     timestamp INTEGER NOT NULL,  -- ms since 1970
     actor     TEXT NOT NULL,
     door      TEXT NOT NULL,     -- by which way in: page, api, socket, libvirt
     action    TEXT NOT NULL,
     vm_id     TEXT,
     vm_name   TEXT,
     result    TEXT NOT NULL,     -- ok, error, event
     message   TEXT,
     input     TEXT,              -- JSON
     took_ms   REAL
   ) STRICT;
   CREATE INDEX activity_by_vm ON activity (vm_id, id);`,
  `CREATE TABLE jobs (
     id         TEXT PRIMARY KEY,
     started_at INTEGER NOT NULL,  -- ms since 1970
     state      TEXT NOT NULL,
     record     TEXT NOT NULL,     -- JSON: the job as it was when its state last changed
     log        TEXT NOT NULL,     -- JSON: its lines
     advice     TEXT NOT NULL      -- what to do when it is interrupted
   ) STRICT;
   CREATE INDEX jobs_by_start ON jobs (started_at);`,
  `CREATE TABLE image_policy (
     id     INTEGER PRIMARY KEY CHECK (id = 1),
     record TEXT NOT NULL  -- JSON: what may be downloaded, from where
   ) STRICT;
   -- Volumes that a download fills: what is there after a start was left unfinished, and is removed.
   CREATE TABLE image_partials (
     pool  TEXT NOT NULL,
     name  TEXT NOT NULL,
     inode INTEGER,  -- of its file, where it is on this host: another one of that name is not ours
     PRIMARY KEY (pool, name)
   ) STRICT;`,
  `CREATE TABLE port_forwards (
     id            TEXT PRIMARY KEY,
     network       TEXT NOT NULL,     -- by name: one that is made again under it is meant
     protocol      TEXT NOT NULL,
     host_address  TEXT,
     host_port     INTEGER NOT NULL,
     host_port_end INTEGER NOT NULL,
     target_port   INTEGER NOT NULL,
     vm_id         TEXT,
     vm_name       TEXT,
     mac           TEXT,
     address       TEXT,
     description   TEXT,
     enabled       INTEGER NOT NULL,
     created_at    INTEGER NOT NULL   -- ms since 1970
   ) STRICT;`,
  // The audit is only ever added to; users, roles, sessions and tokens are few, and read whole.
  `ALTER TABLE activity ADD COLUMN address TEXT;
   CREATE INDEX activity_by_time ON activity (timestamp);
   CREATE TRIGGER activity_stays BEFORE UPDATE ON activity
     BEGIN SELECT RAISE(ABORT, 'the audit log is not changed'); END;
   CREATE TRIGGER activity_is_kept BEFORE DELETE ON activity
     BEGIN SELECT RAISE(ABORT, 'the audit log is not deleted'); END;
   CREATE TABLE access (
     kind   TEXT NOT NULL,  -- user, role, session, token
     key    TEXT NOT NULL,
     record TEXT NOT NULL,  -- JSON; passwords, sessions and tokens are hashes
     PRIMARY KEY (kind, key)
   ) STRICT, WITHOUT ROWID;`,
  // Old entries go by the retention alone, which says up to which, within its own transaction, and leaves an entry.
  `CREATE TABLE audit_retention (
     id     INTEGER PRIMARY KEY CHECK (id = 1),
     record TEXT NOT NULL  -- JSON: how long, and how many, entries are kept
   ) STRICT;
   CREATE TABLE audit_pruning (upto INTEGER NOT NULL) STRICT;
   DROP TRIGGER activity_is_kept;
   CREATE TRIGGER activity_is_kept BEFORE DELETE ON activity
     WHEN OLD.id > coalesce((SELECT max(upto) FROM audit_pruning), 0)
     BEGIN SELECT RAISE(ABORT, 'the audit log is not deleted'); END;
   -- INSERT OR REPLACE deletes without asking the trigger above.
   CREATE TRIGGER activity_is_new BEFORE INSERT ON activity
     WHEN EXISTS (SELECT 1 FROM activity WHERE id = NEW.id)
     BEGIN SELECT RAISE(ABORT, 'the audit log is not changed'); END;`,
  // Work of several steps that is not over: written before each step, removed at its end, settled after a fault.
  `CREATE TABLE operations (
     id         TEXT PRIMARY KEY,
     host       TEXT NOT NULL,     -- the libvirt URI it works on
     started_at INTEGER NOT NULL,  -- ms since 1970
     record     TEXT NOT NULL      -- JSON: what it is, and its steps; no secrets
   ) STRICT;`,
  // JSON: ids of other VMs that the message names. Whoever does not see them does not get the message.
  "ALTER TABLE activity ADD COLUMN mentions TEXT;",
  `CREATE TABLE image_formats (
     path   TEXT PRIMARY KEY,
     inode  INTEGER NOT NULL,  -- with \`born\`: a file made later under the same name is another one
     born   INTEGER NOT NULL,  -- ms since 1970; 0 where the file system does not tell
     format TEXT NOT NULL      -- raw, qcow2: as a machine had it
   ) STRICT, WITHOUT ROWID;`,
  // The volumes that downloads fill are steps of operations.
  "DROP TABLE image_partials;",
  // Missing: the local host.
  "ALTER TABLE activity ADD COLUMN host TEXT;",
  // From here on each noun has steps of its own (`agent/feature.ts`).
  `CREATE TABLE noun_versions (
     noun    TEXT PRIMARY KEY,
     version INTEGER NOT NULL  -- how many of its steps were taken
   ) STRICT, WITHOUT ROWID;`,
  // What happened in a range of time, of the kinds that a graph marks: without a look at all the other entries.
  `DROP INDEX activity_by_time;
   CREATE INDEX activity_by_time ON activity (timestamp, action);
   CREATE INDEX activity_by_vm_time ON activity (vm_id, timestamp, action);`,
  `CREATE TABLE clock (
     id      INTEGER PRIMARY KEY CHECK (id = 1),
     seen    INTEGER NOT NULL, -- ms since 1970: the last time that was trusted
     watched INTEGER NOT NULL  -- ms for which KVM Manager has run by a clock far ahead of that
   ) STRICT;`,
  // `host` is the id of the host from here on; the URI stands in the record. So far there was the local host alone.
  `UPDATE operations SET record = json_set(record, '$.uri', host, '$.host', 'local'), host = 'local';`,
  // The message before its text is made, as JSON; missing where it is a text that names no VM, and for entries before this.
  "ALTER TABLE activity ADD COLUMN sentence TEXT;",
  // What jobs said before this names VMs in the text alone: it is told to who sees every VM.
  `UPDATE jobs SET
     record = json_set(record, '$.title',
       json_object('$foreign', json_extract(record, '$.title'), 'vmIds', json_array(''))),
     log = (SELECT json_group_array(json_set(value, '$.text',
       json_object('$foreign', json_extract(value, '$.text'), 'vmIds', json_array('')))) FROM json_each(log));
   UPDATE jobs SET record = json_set(record, '$.error.message',
       json_object('$foreign', json_extract(record, '$.error.message'), 'vmIds', json_array('')))
     WHERE json_type(record, '$.error') = 'object';
   UPDATE jobs SET record = json_set(record, '$.subject',
       json_object('$foreign', json_extract(record, '$.subject'), 'vmIds', json_array('')))
     WHERE json_type(record, '$.subject') = 'text';`,
  // The program that called by MCP, as it calls itself.
  "ALTER TABLE activity ADD COLUMN client TEXT;",
];
