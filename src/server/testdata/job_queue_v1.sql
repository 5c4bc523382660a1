-- Dumped from a job queue of version 1 (sqlite3 queue.sqlite .dump, and its two pragmas). Never edit.
PRAGMA foreign_keys=OFF;
BEGIN TRANSACTION;
CREATE TABLE job (
  sequence INTEGER PRIMARY KEY AUTOINCREMENT,
  id TEXT NOT NULL UNIQUE,
  client TEXT NOT NULL,
  kind TEXT NOT NULL CHECK (kind IN ('compile', 'profile', 'run')),
  priority INTEGER NOT NULL CHECK (priority IN (0, 1, 2)),
  state TEXT NOT NULL CHECK (state IN ('queued', 'running', 'done', 'failed', 'cancelled')),
  attempt INTEGER NOT NULL DEFAULT 0,
  started INTEGER NOT NULL DEFAULT 0,
  ending INTEGER NOT NULL DEFAULT 0 CHECK (ending IN (0, 1)),
  lease TEXT NOT NULL,
  code INTEGER NOT NULL DEFAULT 0,
  error TEXT NOT NULL DEFAULT '',
  submitted_unix_s INTEGER NOT NULL,
  ended_unix_s INTEGER NOT NULL DEFAULT 0,
  waited_ns INTEGER NOT NULL DEFAULT 0,
  ran_ns INTEGER NOT NULL DEFAULT 0
) STRICT;
INSERT INTO job VALUES(1,'bccd-7','ann','compile',1,'done',1,1,0,'3bcd18c3d32660c78e89581836423b85',0,'',1795763658,1795763658,7546145,595378);
INSERT INTO job VALUES(2,'bccd-8','bob','profile',1,'running',2,3,0,'48c1b97a144e060842ba10f3911d5063',0,'',1795763658,0,12183291,0);
INSERT INTO job VALUES(3,'bccd-9','ann','compile',1,'cancelled',0,0,0,'1e582044be66d8f84313f01bf79b841f',1,'cancelled by its client',1795763658,1795763658,6344252,0);
INSERT INTO job VALUES(4,'bccd-10','bob','compile',2,'queued',0,0,0,'9f4a354db6e93ff38764b97d3595f160',0,'',1795763658,0,0,0);
CREATE TABLE request (sequence INTEGER PRIMARY KEY REFERENCES job, body BLOB NOT NULL) STRICT;
INSERT INTO request VALUES(1,X'0a06626363642d3722100a086f70656e76696e6f1204696e7438');
INSERT INTO request VALUES(2,X'0a06626363642d382a060a040a020801');
INSERT INTO request VALUES(3,X'0a06626363642d3922100a086f70656e76696e6f1204696e7438');
INSERT INTO request VALUES(4,X'0a07626363642d3130100222100a086f70656e76696e6f1204696e7438');
CREATE TABLE result (sequence INTEGER PRIMARY KEY REFERENCES job, body BLOB NOT NULL) STRICT;
INSERT INTO result VALUES(1,X'0a0c0a0a08021206633066666565');
DELETE FROM sqlite_sequence;
INSERT INTO sqlite_sequence VALUES('job',4);
CREATE INDEX job_started ON job (client, kind, started);
CREATE TRIGGER ended_is_final BEFORE UPDATE OF state ON job WHEN old.state IN ('done', 'failed', 'cancelled')
  BEGIN SELECT RAISE(ABORT, 'a job that has ended stays as it is'); END;
CREATE TRIGGER result_is_final BEFORE UPDATE ON result
  BEGIN SELECT RAISE(ABORT, 'a job has one result'); END;
COMMIT;
PRAGMA application_id = 1213158481;
PRAGMA user_version = 1;
