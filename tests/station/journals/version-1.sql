-- What version 1 of the journal held when the station was killed in the middle of uploads.
BEGIN TRANSACTION;
CREATE TABLE events (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    session_id TEXT NOT NULL,
    seq INTEGER NOT NULL,
    name TEXT NOT NULL,
    file_id TEXT,
    attempt INTEGER,
    ending INTEGER NOT NULL,
    at REAL NOT NULL,
    text TEXT NOT NULL,
    UNIQUE (session_id, seq)
);
INSERT INTO "events" VALUES(1,'18aae04f-9575-4aa3-84bb-06200cc99f7e',1,'upload-started','ee10474c-feca-49b4-92a2-100758d7f2ca',1,0,1.79582945288022136683e+09,'{"event":"upload-started","data":{"sessionId":"18aae04f-9575-4aa3-84bb-06200cc99f7e","fileId":"ee10474c-feca-49b4-92a2-100758d7f2ca","fileName":"first.txt","fileSize":1000,"startTime":"2026-11-28T01:30:52.880Z","attempt":1,"targetDir":"/upload/personal"},"seq":1}');
INSERT INTO "events" VALUES(2,'18aae04f-9575-4aa3-84bb-06200cc99f7e',2,'upload-completed','ee10474c-feca-49b4-92a2-100758d7f2ca',1,1,1.79582945288355445867e+09,'{"event":"upload-completed","data":{"sessionId":"18aae04f-9575-4aa3-84bb-06200cc99f7e","fileId":"ee10474c-feca-49b4-92a2-100758d7f2ca","fileName":"first.txt","fileSize":1000,"uploadPath":"/upload/personal/18aae04f-9575-4aa3-84bb-06200cc99f7e_2026-11-28T01-30-52_882Z_first.txt","endTime":"2026-11-28T01:30:52.883Z","duration":0.003,"finalSpeed":333333,"checksum":{"algorithm":"blake3","value":"ca0ebe5c4efaf1719567a8e3e74dcee57e275fc06c673834372691c4cd0d296a"}},"seq":2}');
INSERT INTO "events" VALUES(3,'18aae04f-9575-4aa3-84bb-06200cc99f7e',3,'upload-started','495f99ac-422a-4091-b031-a249f94cf17c',1,0,1.79582945288680934908e+09,'{"event":"upload-started","data":{"sessionId":"18aae04f-9575-4aa3-84bb-06200cc99f7e","fileId":"495f99ac-422a-4091-b031-a249f94cf17c","fileName":"第二.txt","fileSize":2000,"startTime":"2026-11-28T01:30:52.886Z","attempt":1,"targetDir":"/upload/personal"},"seq":3}');
INSERT INTO "events" VALUES(4,'18aae04f-9575-4aa3-84bb-06200cc99f7e',4,'upload-completed','495f99ac-422a-4091-b031-a249f94cf17c',1,1,1795829452.88961,'{"event":"upload-completed","data":{"sessionId":"18aae04f-9575-4aa3-84bb-06200cc99f7e","fileId":"495f99ac-422a-4091-b031-a249f94cf17c","fileName":"第二.txt","fileSize":2000,"uploadPath":"/upload/personal/18aae04f-9575-4aa3-84bb-06200cc99f7e_2026-11-28T01-30-52_888Z_第二.txt","endTime":"2026-11-28T01:30:52.889Z","duration":0.003,"finalSpeed":666667,"checksum":{"algorithm":"blake3","value":"9fd5add739eda85d339bfee62cc9de78047c3c21a054411ce700e26d511624b5"}},"seq":4}');
INSERT INTO "events" VALUES(5,'18aae04f-9575-4aa3-84bb-06200cc99f7e',5,'session-completed',NULL,NULL,0,1795829452.88961,'{"event":"session-completed","data":{"sessionId":"18aae04f-9575-4aa3-84bb-06200cc99f7e","summary":{"totalFiles":2,"completedFiles":2,"failedFiles":0,"cancelledFiles":0,"totalSize":3000,"uploadedSize":3000,"averageSpeed":333333,"totalTime":0.009},"endTime":"2026-11-28T01:30:52.889Z","uploadPaths":["/upload/personal/18aae04f-9575-4aa3-84bb-06200cc99f7e_2026-11-28T01-30-52_882Z_first.txt","/upload/personal/18aae04f-9575-4aa3-84bb-06200cc99f7e_2026-11-28T01-30-52_888Z_第二.txt"]},"seq":5}');
INSERT INTO "events" VALUES(6,'bf3a8995-48d5-437d-a12f-d3139e959e2a',1,'upload-started','bc49e8f4-9f55-46a8-9231-f98e7b9731ab',1,0,1.79582945289486503601e+09,'{"event":"upload-started","data":{"sessionId":"bf3a8995-48d5-437d-a12f-d3139e959e2a","fileId":"bc49e8f4-9f55-46a8-9231-f98e7b9731ab","fileName":"stored.txt","fileSize":500,"startTime":"2026-11-28T01:30:52.894Z","attempt":1,"targetDir":"/upload/personal"},"seq":1}');
INSERT INTO "events" VALUES(7,'bf3a8995-48d5-437d-a12f-d3139e959e2a',2,'upload-completed','bc49e8f4-9f55-46a8-9231-f98e7b9731ab',1,1,1.79582945289742636684e+09,'{"event":"upload-completed","data":{"sessionId":"bf3a8995-48d5-437d-a12f-d3139e959e2a","fileId":"bc49e8f4-9f55-46a8-9231-f98e7b9731ab","fileName":"stored.txt","fileSize":500,"uploadPath":"/upload/personal/bf3a8995-48d5-437d-a12f-d3139e959e2a_2026-11-28T01-30-52_896Z_stored.txt","endTime":"2026-11-28T01:30:52.897Z","duration":0.003,"finalSpeed":166667,"checksum":{"algorithm":"blake3","value":"8eefe61c12e9e5b6759da131c117470a64a049f8bf5f4193193240c49d757a0e"}},"seq":2}');
INSERT INTO "events" VALUES(8,'bf3a8995-48d5-437d-a12f-d3139e959e2a',3,'upload-started','8a646de7-1bff-4ad8-a3c9-28a172454f33',1,0,1.79582945290012717248e+09,'{"event":"upload-started","data":{"sessionId":"bf3a8995-48d5-437d-a12f-d3139e959e2a","fileId":"8a646de7-1bff-4ad8-a3c9-28a172454f33","fileName":"broken.txt","fileSize":5000,"startTime":"2026-11-28T01:30:52.900Z","attempt":1,"targetDir":"/upload/personal"},"seq":3}');
INSERT INTO "events" VALUES(9,'bf3a8995-48d5-437d-a12f-d3139e959e2a',4,'upload-failed','8a646de7-1bff-4ad8-a3c9-28a172454f33',1,1,1.79582945360019445414e+09,'{"event":"upload-failed","data":{"sessionId":"bf3a8995-48d5-437d-a12f-d3139e959e2a","fileId":"8a646de7-1bff-4ad8-a3c9-28a172454f33","fileName":"broken.txt","error":{"code":"NETWORK_ERROR","message":"The network connection was lost."},"failedAt":"2026-11-28T01:30:53.599Z","canRetry":true,"retryCount":0,"maxRetries":3,"retryUntil":"2026-11-28T01:31:23.599Z"},"seq":4}');
INSERT INTO "events" VALUES(10,'809056c7-98fe-4add-814f-f783da3d0a37',1,'upload-started','d74f534f-2e01-49cd-92b6-e17c3995f3c2',1,0,1.79582945410758590704e+09,'{"event":"upload-started","data":{"sessionId":"809056c7-98fe-4add-814f-f783da3d0a37","fileId":"d74f534f-2e01-49cd-92b6-e17c3995f3c2","fileName":"unwanted.txt","fileSize":5000,"startTime":"2026-11-28T01:30:54.107Z","attempt":1,"targetDir":"/upload/personal"},"seq":1}');
INSERT INTO "events" VALUES(11,'809056c7-98fe-4add-814f-f783da3d0a37',2,'upload-cancelled','d74f534f-2e01-49cd-92b6-e17c3995f3c2',1,1,1.7958294544085791111e+09,'{"event":"upload-cancelled","data":{"sessionId":"809056c7-98fe-4add-814f-f783da3d0a37","fileId":"d74f534f-2e01-49cd-92b6-e17c3995f3c2","reason":"user","cancelledAt":"2026-11-28T01:30:54.407Z","uploadedBytes":2500},"seq":2}');
INSERT INTO "events" VALUES(12,'809056c7-98fe-4add-814f-f783da3d0a37',3,'upload-cancelled',NULL,0,1,1.7958294544085791111e+09,'{"event":"upload-cancelled","data":{"sessionId":"809056c7-98fe-4add-814f-f783da3d0a37","reason":"user","cancelledAt":"2026-11-28T01:30:54.407Z","uploadedBytes":2500},"seq":3}');
INSERT INTO "events" VALUES(13,'809056c7-98fe-4add-814f-f783da3d0a37',4,'session-completed',NULL,NULL,0,1.7958294544085791111e+09,'{"event":"session-completed","data":{"sessionId":"809056c7-98fe-4add-814f-f783da3d0a37","summary":{"totalFiles":1,"completedFiles":0,"failedFiles":0,"cancelledFiles":1,"totalSize":5000,"uploadedSize":2500,"averageSpeed":8306,"totalTime":0.301},"endTime":"2026-11-28T01:30:54.407Z","uploadPaths":[]},"seq":4}');
INSERT INTO "events" VALUES(14,'c3cd0a93-3455-46a7-b050-bbf525e0eff9',1,'upload-started','9f6e3107-7758-40f4-94b3-08068e621958',1,0,1.79582945441298151012e+09,'{"event":"upload-started","data":{"sessionId":"c3cd0a93-3455-46a7-b050-bbf525e0eff9","fileId":"9f6e3107-7758-40f4-94b3-08068e621958","fileName":"running.txt","fileSize":100000,"startTime":"2026-11-28T01:30:54.412Z","attempt":1,"targetDir":"/upload/personal"},"seq":1}');
CREATE TABLE files (
    id TEXT PRIMARY KEY,
    session_id TEXT NOT NULL,
    position INTEGER NOT NULL,
    status TEXT NOT NULL,
    name TEXT NOT NULL,
    size INTEGER,
    path TEXT,
    kept TEXT NOT NULL
) WITHOUT ROWID;
INSERT INTO "files" VALUES('495f99ac-422a-4091-b031-a249f94cf17c','18aae04f-9575-4aa3-84bb-06200cc99f7e',1,'completed','第二.txt',2000,'/upload/personal/18aae04f-9575-4aa3-84bb-06200cc99f7e_2026-11-28T01-30-52_888Z_第二.txt','{"name":"第二.txt","size":2000,"announced":null,"estimated":false,"resumable":false,"status":"completed","attempt":1,"failures":0,"timeouts":0,"received":2000,"receivedBefore":0,"spent":0.002691549001610838,"canRetry":false,"retryUntil":null,"expiresAt":null,"path":"/upload/personal/18aae04f-9575-4aa3-84bb-06200cc99f7e_2026-11-28T01-30-52_888Z_第二.txt","intent":null}');
INSERT INTO "files" VALUES('8a646de7-1bff-4ad8-a3c9-28a172454f33','bf3a8995-48d5-437d-a12f-d3139e959e2a',1,'failed','broken.txt',5000,NULL,'{"name":"broken.txt","size":5000,"announced":null,"estimated":false,"resumable":false,"status":"failed","attempt":1,"failures":1,"timeouts":0,"received":2500,"receivedBefore":0,"spent":0.6999086799987708,"canRetry":true,"retryUntil":1795829483.5999668,"expiresAt":null,"path":null,"intent":null}');
INSERT INTO "files" VALUES('9f6e3107-7758-40f4-94b3-08068e621958','c3cd0a93-3455-46a7-b050-bbf525e0eff9',0,'uploading','running.txt',100000,NULL,'{"name":"running.txt","size":100000,"announced":null,"estimated":false,"resumable":false,"status":"uploading","attempt":1,"failures":0,"timeouts":0,"received":0,"receivedBefore":0,"spent":0.00010839099923032336,"canRetry":false,"retryUntil":null,"expiresAt":null,"path":null,"intent":null}');
INSERT INTO "files" VALUES('bc49e8f4-9f55-46a8-9231-f98e7b9731ab','bf3a8995-48d5-437d-a12f-d3139e959e2a',0,'completed','stored.txt',500,'/upload/personal/bf3a8995-48d5-437d-a12f-d3139e959e2a_2026-11-28T01-30-52_896Z_stored.txt','{"name":"stored.txt","size":500,"announced":null,"estimated":false,"resumable":false,"status":"completed","attempt":1,"failures":0,"timeouts":0,"received":500,"receivedBefore":0,"spent":0.002560095001172158,"canRetry":false,"retryUntil":null,"expiresAt":null,"path":"/upload/personal/bf3a8995-48d5-437d-a12f-d3139e959e2a_2026-11-28T01-30-52_896Z_stored.txt","intent":null}');
INSERT INTO "files" VALUES('d74f534f-2e01-49cd-92b6-e17c3995f3c2','809056c7-98fe-4add-814f-f783da3d0a37',0,'cancelled','unwanted.txt',5000,NULL,'{"name":"unwanted.txt","size":5000,"announced":null,"estimated":false,"resumable":false,"status":"cancelled","attempt":1,"failures":0,"timeouts":0,"received":2500,"receivedBefore":0,"spent":0.30053444399891305,"canRetry":false,"retryUntil":null,"expiresAt":null,"path":null,"intent":null}');
INSERT INTO "files" VALUES('ee10474c-feca-49b4-92a2-100758d7f2ca','18aae04f-9575-4aa3-84bb-06200cc99f7e',0,'completed','first.txt',1000,'/upload/personal/18aae04f-9575-4aa3-84bb-06200cc99f7e_2026-11-28T01-30-52_882Z_first.txt','{"name":"first.txt","size":1000,"announced":null,"estimated":false,"resumable":false,"status":"completed","attempt":1,"failures":0,"timeouts":0,"received":1000,"receivedBefore":0,"spent":0.003335424999022507,"canRetry":false,"retryUntil":null,"expiresAt":null,"path":"/upload/personal/18aae04f-9575-4aa3-84bb-06200cc99f7e_2026-11-28T01-30-52_882Z_first.txt","intent":null}');
CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
INSERT INTO "meta" VALUES('epoch','f87193ce-bb4b-4216-816c-6b6c8f0030dd');
CREATE TABLE sessions (
    id TEXT PRIMARY KEY,
    opened_at REAL NOT NULL,
    settled_at REAL,
    kept TEXT NOT NULL
) WITHOUT ROWID;
INSERT INTO "sessions" VALUES('18aae04f-9575-4aa3-84bb-06200cc99f7e',1.79582945287659931183e+09,1795829452.88961,'{"category":"personal","implicit":false,"expected":2,"autoComplete":true,"cancelled":false,"closing":false,"touchedAt":1795829452.889418,"restedAt":1795829452.889418,"firstStart":1795829452.880122,"lastEnd":1795829452.889418}');
INSERT INTO "sessions" VALUES('809056c7-98fe-4add-814f-f783da3d0a37',1.7958294541047337055e+09,1.7958294544085791111e+09,'{"category":"personal","implicit":false,"expected":null,"autoComplete":true,"cancelled":true,"closing":false,"touchedAt":1795829454.408259,"restedAt":1795829454.408259,"firstStart":1795829454.107465,"lastEnd":1795829454.4079993}');
INSERT INTO "sessions" VALUES('bf3a8995-48d5-437d-a12f-d3139e959e2a',1.7958294528923196792e+09,NULL,'{"category":"personal","implicit":false,"expected":null,"autoComplete":false,"cancelled":false,"closing":false,"touchedAt":1795829453.5999668,"restedAt":1795829453.5999668,"firstStart":1795829452.8947854,"lastEnd":1795829453.5999668}');
INSERT INTO "sessions" VALUES('c3cd0a93-3455-46a7-b050-bbf525e0eff9',1.79582945410130763053e+09,NULL,'{"category":"personal","implicit":false,"expected":null,"autoComplete":false,"cancelled":false,"closing":false,"touchedAt":1795829454.412873,"restedAt":null,"firstStart":1795829454.412873,"lastEnd":null}');
CREATE INDEX sessions_by_end ON sessions (settled_at);
CREATE INDEX files_by_session ON files (session_id, position);
CREATE UNIQUE INDEX one_ending_per_attempt ON events (file_id, attempt) WHERE ending AND file_id IS NOT NULL;
CREATE UNIQUE INDEX one_end_per_session ON events (session_id) WHERE name = 'session-completed';
DELETE FROM "sqlite_sequence";
INSERT INTO "sqlite_sequence" VALUES('events',14);
COMMIT;
PRAGMA application_id=1431325764;
PRAGMA user_version=1;
