-- Dumped from a journal of version 1 (sqlite3 journal.sqlite .dump, and its two pragmas). Never edit.
PRAGMA foreign_keys=OFF;
BEGIN TRANSACTION;
CREATE TABLE measurement (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  graph_key TEXT NOT NULL,
  device TEXT NOT NULL,
  toolchain TEXT NOT NULL,
  toolchain_version TEXT NOT NULL,
  flags TEXT NOT NULL,
  precision TEXT NOT NULL,
  scheme TEXT NOT NULL,
  threads INTEGER NOT NULL,
  batch INTEGER NOT NULL,
  estimate INTEGER NOT NULL CHECK (estimate IN (0, 1)),
  samples_ns BLOB NOT NULL,
  canary_ns BLOB NOT NULL,
  median_ns REAL NOT NULL,
  low_ns REAL NOT NULL,
  high_ns REAL NOT NULL,
  raw_median_ns REAL NOT NULL,
  p90_ns REAL NOT NULL,
  canary_median_ns REAL NOT NULL,
  steady INTEGER NOT NULL CHECK (steady IN (0, 1)),
  note TEXT NOT NULL,
  created_unix_s INTEGER NOT NULL
) STRICT;
INSERT INTO measurement VALUES(1,'3b7a','9f1c0d2e','openvino','2026.4.1','threads=1','int8','per-channel',1,1,0,X'01000000000000000200000000000000',X'03000000000000000400000000000000',1.5,0.0,0.0,0.0,0.0,0.0,1,'',1795484800);
INSERT INTO measurement VALUES(2,'3b7a','9f1c0d2e','openvino','2026.4.1','threads=1','int8','per-channel',1,1,0,X'b4d6010000000000d8d0010000000000a8d8010000000000',X'e803000000000000e903000000000000e703000000000000',120500.5,119000.0,121000.0,120500.0,121000.0,1000.0,0,'cap reached',1795484820);
INSERT INTO measurement VALUES(3,'91c2','9f1c0d2e','openvino','2026.4.1','threads=1','int8','per-channel',1,1,1,X'',X'',120500.5,119000.0,121000.0,120500.0,121000.0,1000.0,1,'',1795484820);
CREATE TABLE record (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  kind TEXT NOT NULL,
  key TEXT NOT NULL,
  study TEXT NOT NULL,
  body TEXT NOT NULL,
  created_unix_s INTEGER NOT NULL
) STRICT;
INSERT INTO record VALUES(1,'trial','77aa','bccd','{"val_score": 0.5}',1795484900);
DELETE FROM sqlite_sequence;
INSERT INTO sqlite_sequence VALUES('measurement',3);
INSERT INTO sqlite_sequence VALUES('record',1);
CREATE INDEX measurement_key ON measurement
  (device, graph_key, toolchain, toolchain_version, flags, precision, scheme, threads, batch);
CREATE INDEX record_key ON record (kind, key);
CREATE INDEX record_study ON record (study);
CREATE TRIGGER measurement_is_final BEFORE UPDATE ON measurement
  BEGIN SELECT RAISE(ABORT, 'journal rows are never overwritten'); END;
CREATE TRIGGER record_is_final BEFORE UPDATE ON record
  BEGIN SELECT RAISE(ABORT, 'journal rows are never overwritten'); END;
COMMIT;
PRAGMA application_id = 1213158474;
PRAGMA user_version = 1;
