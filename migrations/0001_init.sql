-- The one schema, for both engines.
-- KEYTEXT is text in byte order: SQLite sees "TEXT" in the name, PostgreSQL has a domain of that
-- name. Times are milliseconds (BIGINT), JSON is text that SQL never looks into, and a column that
-- is NULL is a key that the document does not have.

CREATE TABLE meta (
  name  KEYTEXT PRIMARY KEY,
  value KEYTEXT NOT NULL
);

CREATE TABLE users (
  id             KEYTEXT PRIMARY KEY,
  username       KEYTEXT,
  fold           KEYTEXT UNIQUE,            -- the username for finding: case folded
  name           KEYTEXT,
  name_fold      KEYTEXT,
  kind           KEYTEXT NOT NULL,          -- user, bot, app
  active         BOOLEAN NOT NULL,
  password       KEYTEXT,                   -- a PHC or bcrypt string over the hex SHA-256
  totp           KEYTEXT,                   -- the TOTP secret, sealed with the server's key
  totp_pending   KEYTEXT,                   -- the one of an enrolment that was not proved yet
  totp_step      BIGINT NOT NULL DEFAULT 0, -- the newest step whose code was used
  email_factor   BOOLEAN NOT NULL DEFAULT FALSE, -- codes sent by mail are a second factor
  roles          KEYTEXT NOT NULL,          -- JSON array of role ids
  emails         KEYTEXT NOT NULL,          -- JSON array of {address, verified}
  status         KEYTEXT NOT NULL,          -- online, away, busy, offline: what others see
  status_default KEYTEXT NOT NULL,          -- what the user chose
  status_text    KEYTEXT NOT NULL,
  created        BIGINT NOT NULL,
  updated        BIGINT NOT NULL,
  last_login     BIGINT,
  body           KEYTEXT NOT NULL,          -- JSON object: carried members (bio, nickname, ...)
  preferences    KEYTEXT NOT NULL DEFAULT '{}', -- JSON object: those that the user chose
  highlights     KEYTEXT                    -- JSON array of words that count as a mention; NULL for none
);
CREATE INDEX users_username ON users (coalesce(username, ''), id);
CREATE INDEX users_exact ON users (username);
CREATE INDEX users_name ON users (name_fold, id);
CREATE INDEX users_shown ON users (coalesce(name_fold, ''), id);
CREATE INDEX users_present ON users (id) WHERE status <> 'offline';
CREATE INDEX users_updated ON users (updated, id);
CREATE INDEX users_seen ON users (last_login, id);

-- Who has a role, by username, for finding; the account's own list is users.roles. An imported account
-- may have roles that nobody made here.
CREATE TABLE holders (
  usr  KEYTEXT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
  role KEYTEXT NOT NULL,
  name KEYTEXT NOT NULL,                    -- the username; empty for none
  PRIMARY KEY (usr, role)
);
CREATE INDEX holders_role ON holders (role, name, usr);

-- Whose address is whose, for finding; the account's own list is users.emails.
CREATE TABLE emails (
  fold KEYTEXT PRIMARY KEY,
  usr  KEYTEXT NOT NULL REFERENCES users (id) ON DELETE CASCADE
);
CREATE INDEX emails_usr ON emails (usr);

CREATE TABLE tokens (
  hash         KEYTEXT PRIMARY KEY,         -- base64 of the SHA-256 of the token
  usr          KEYTEXT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
  created      BIGINT NOT NULL,
  expires      BIGINT,
  name         KEYTEXT,                     -- of a personal access token; NULL of a session
  part         KEYTEXT,                     -- the last characters of such a token
  bypass       BOOLEAN NOT NULL DEFAULT FALSE, -- it is free of the second factor
  factor_until BIGINT,                      -- a second factor was given: until when it counts,
  factor_by    KEYTEXT                      -- and the hash of the client that it counts for
);
CREATE INDEX tokens_usr ON tokens (usr, created);
CREATE UNIQUE INDEX tokens_name ON tokens (usr, name);

-- One-time codes, by their hash under the server's key.
CREATE TABLE codes (
  hash    KEYTEXT PRIMARY KEY,
  usr     KEYTEXT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
  kind    KEYTEXT NOT NULL,                 -- recovery, email, reset
  created BIGINT NOT NULL,
  expires BIGINT                            -- NULL of a recovery code
);
CREATE INDEX codes_usr ON codes (usr, kind, created);

-- Where an account's devices can be reached: gone with the session that named them.
CREATE TABLE push_tokens (
  usr     KEYTEXT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
  id      KEYTEXT NOT NULL,
  session KEYTEXT NOT NULL REFERENCES tokens (hash) ON DELETE CASCADE,
  kind    KEYTEXT NOT NULL,                 -- apn, gcm
  value   KEYTEXT NOT NULL,                 -- the device's own secret
  app     KEYTEXT NOT NULL,
  created BIGINT NOT NULL,
  updated BIGINT NOT NULL,
  PRIMARY KEY (usr, id),
  UNIQUE (value, app)
);
CREATE INDEX push_tokens_session ON push_tokens (session);

CREATE TABLE rooms (
  id          KEYTEXT PRIMARY KEY,
  kind        KEYTEXT NOT NULL,             -- d: direct; gone: what a job has still to remove
  ts          BIGINT NOT NULL,              -- created
  updated     BIGINT NOT NULL,
  creator     KEYTEXT,
  member_key  KEYTEXT UNIQUE,               -- the exact member set; NULL once a member is removed
  users_count BIGINT NOT NULL,
  uids        KEYTEXT NOT NULL,             -- JSON array, sorted
  usernames   KEYTEXT NOT NULL,             -- JSON array
  topic       KEYTEXT,
  ro          BOOLEAN,
  react_ro    BOOLEAN,                      -- reactions although read-only; set once a member was off
  highlights  BOOLEAN NOT NULL DEFAULT FALSE, -- does a member have words that count as a mention?
  seq         BIGINT NOT NULL               -- messages that count as unread for members
    CHECK (seq BETWEEN 0 AND 9007199254740991),
  msgs        BIGINT NOT NULL               -- the number the wire shows; imports keep theirs
    CHECK (msgs BETWEEN 0 AND 9007199254740991),
  stored      BIGINT NOT NULL,              -- messages that are here: the total of a listing
  last_ts     BIGINT NOT NULL               -- the newest time given to a message or to a change of one
    CHECK (last_ts BETWEEN -62167219200000 AND 253402300799999),
  lm          BIGINT,                       -- the newest ordinary message's time; never falls back
  last_id     KEYTEXT,                      -- the newest top-level message
  activity    BIGINT NOT NULL,              -- its time, or the room's creation
  body        KEYTEXT NOT NULL              -- JSON object: carried members (default, sysMes, ...)
);
CREATE INDEX rooms_ts ON rooms (kind, ts, id);

CREATE TABLE members (
  room           KEYTEXT NOT NULL REFERENCES rooms (id) ON DELETE CASCADE,
  usr            KEYTEXT NOT NULL,
  id             KEYTEXT NOT NULL UNIQUE,   -- the subscription's own id
  place          BIGINT NOT NULL,           -- the order of joining
  ts             BIGINT NOT NULL,
  updated        BIGINT NOT NULL,
  opened         BOOLEAN NOT NULL,          -- shown although nothing was written yet
  closed_seq     BIGINT,                    -- closed by the member while the room's seq was this
  read_seq       BIGINT NOT NULL,           -- unread = rooms.seq - read_seq
  mentions       BIGINT NOT NULL,
  group_mentions BIGINT NOT NULL,
  marked         BOOLEAN NOT NULL DEFAULT FALSE, -- marked as unread by the member
  ls             BIGINT,
  lr             BIGINT,                    -- the newest reply of a thread the member follows
  blocked        BOOLEAN NOT NULL,          -- the other side blocked me
  blocker        BOOLEAN NOT NULL,          -- I blocked the other side
  disabled       BOOLEAN NOT NULL,          -- my account is deactivated
  archived       BOOLEAN,                   -- the other side's is; set once it was
  name           KEYTEXT NOT NULL,
  fname          KEYTEXT NOT NULL,
  body           KEYTEXT NOT NULL,          -- JSON object: carried members
  PRIMARY KEY (room, usr)
);
CREATE INDEX members_usr ON members (usr, room);

-- The texts of rooms.usernames, for finding: whoever changes those changes these.
CREATE TABLE usernames (
  name KEYTEXT NOT NULL,
  room KEYTEXT NOT NULL REFERENCES rooms (id) ON DELETE CASCADE,
  PRIMARY KEY (name, room)
);
CREATE INDEX usernames_room ON usernames (room);

-- Append order: a clustered table would double the cost of a send (ruling A8).
CREATE TABLE messages (
  id        KEYTEXT PRIMARY KEY,
  room      KEYTEXT NOT NULL REFERENCES rooms (id) ON DELETE CASCADE,
  usr       KEYTEXT NOT NULL,
  username  KEYTEXT NOT NULL,
  name      KEYTEXT,
  ts        BIGINT NOT NULL,
  updated   BIGINT NOT NULL,
  kind      KEYTEXT,                        -- t: NULL for an ordinary message
  msg       KEYTEXT NOT NULL,
  mentions  KEYTEXT,                        -- JSON array
  body      KEYTEXT NOT NULL,               -- JSON object: urls, channels, md, attachments, ...
  reactions KEYTEXT,                        -- JSON object
  thread    KEYTEXT,                        -- tmid
  tshow     BOOLEAN,
  tcount    BIGINT,                         -- replies, on a thread's root
  tlm       BIGINT,
  replies   KEYTEXT,                        -- JSON array of followers
  pinned    BOOLEAN,
  pinned_at BIGINT,
  pinned_by KEYTEXT,                        -- JSON object
  edited_at BIGINT,
  edited_by KEYTEXT,                        -- JSON object
  origin    KEYTEXT                         -- the hash of the text as first sent, once it was edited
);
CREATE INDEX messages_room ON messages (room, ts, id);
CREATE INDEX messages_changed ON messages (room, updated, id) WHERE updated > ts;
CREATE INDEX messages_thread ON messages (thread, ts, id) WHERE thread IS NOT NULL;
CREATE INDEX messages_roots ON messages (room, tlm, id) WHERE tcount IS NOT NULL;
CREATE INDEX messages_pinned ON messages (room, ts, id) WHERE pinned;

CREATE TABLE mentioned (
  message KEYTEXT NOT NULL REFERENCES messages (id) ON DELETE CASCADE,
  usr     KEYTEXT NOT NULL,
  room    KEYTEXT NOT NULL,
  PRIMARY KEY (message, usr)
);
CREATE INDEX mentioned_room ON mentioned (room, usr, message);
CREATE INDEX mentioned_usr ON mentioned (usr, message);

CREATE TABLE stars (
  message KEYTEXT NOT NULL REFERENCES messages (id) ON DELETE CASCADE,
  usr     KEYTEXT NOT NULL,
  room    KEYTEXT NOT NULL,
  ts      BIGINT NOT NULL,
  PRIMARY KEY (message, usr)
);
CREATE INDEX stars_room ON stars (room, usr, message);

-- Who follows a thread; the root's own list of them is messages.replies.
CREATE TABLE followers (
  thread KEYTEXT NOT NULL REFERENCES messages (id) ON DELETE CASCADE,
  usr    KEYTEXT NOT NULL,
  room   KEYTEXT NOT NULL,
  PRIMARY KEY (thread, usr)
);

-- Threads with replies that a follower has not read.
CREATE TABLE unread_threads (
  room     KEYTEXT NOT NULL REFERENCES rooms (id) ON DELETE CASCADE,
  usr      KEYTEXT NOT NULL,
  thread   KEYTEXT NOT NULL REFERENCES messages (id) ON DELETE CASCADE,
  named    BOOLEAN NOT NULL,                -- a reply mentions the follower
  everyone BOOLEAN NOT NULL,                -- a reply mentions everyone
  PRIMARY KEY (usr, room, thread)
);
CREATE INDEX unread_threads_room ON unread_threads (room);
CREATE INDEX unread_threads_thread ON unread_threads (thread);

-- The index of searches: which rooms it covers and how far, and by which number terms call them.
CREATE TABLE searchable (
  room  KEYTEXT PRIMARY KEY REFERENCES rooms (id) ON DELETE CASCADE,
  n     BIGINT NOT NULL UNIQUE,
  until BIGINT NOT NULL,                    -- what was written or changed up to then has its terms
  turn  BIGINT NOT NULL                     -- rises with everyone who touches the room's terms
);

-- A term, and the time of a message in which it stands; imported messages may share one.
CREATE TABLE terms (
  room BIGINT NOT NULL,                     -- searchable.n
  term KEYTEXT NOT NULL,
  ts   BIGINT NOT NULL,
  PRIMARY KEY (room, term, ts)
);
CREATE INDEX terms_ts ON terms (room, ts);

-- What is gone, for those who ask what changed since.
CREATE TABLE tombstones (
  kind KEYTEXT NOT NULL,                    -- message, member, user, role
  id   KEYTEXT NOT NULL,
  room KEYTEXT NOT NULL,
  usr  KEYTEXT,                             -- whose membership
  ts   BIGINT NOT NULL,
  PRIMARY KEY (kind, id)
);
CREATE INDEX tombstones_room ON tombstones (room, kind, ts, id);
CREATE INDEX tombstones_usr ON tombstones (usr, kind, ts, id);

-- What a message said before it was edited or deleted, where the settings keep that.
CREATE TABLE versions (
  message KEYTEXT NOT NULL,
  ts      BIGINT NOT NULL,                  -- until when it said so
  room    KEYTEXT NOT NULL REFERENCES rooms (id) ON DELETE CASCADE,
  usr     KEYTEXT NOT NULL,                 -- who changed it
  msg     KEYTEXT NOT NULL,
  PRIMARY KEY (message, ts)
);
CREATE INDEX versions_room ON versions (room);

-- What people reported, for who moderates; it outlives the message.
CREATE TABLE reports (
  id          KEYTEXT PRIMARY KEY,
  ts          BIGINT NOT NULL,
  message     KEYTEXT NOT NULL,
  room        KEYTEXT NOT NULL,
  usr         KEYTEXT NOT NULL,             -- who reported
  msg         KEYTEXT NOT NULL,             -- what it said then
  description KEYTEXT NOT NULL
);
CREATE INDEX reports_ts ON reports (ts, id);

-- Answers to writes that carried a client's own key (Idempotency-Key), for a day: made with the first
-- change of the write, so that a row says that it happened; the answer itself follows.
CREATE TABLE answers (
  usr    KEYTEXT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
  route  KEYTEXT NOT NULL,
  name   KEYTEXT NOT NULL,                  -- the client's key
  hash   KEYTEXT NOT NULL,                  -- of what it asked
  ts     BIGINT NOT NULL,
  status BIGINT,
  body   KEYTEXT,
  PRIMARY KEY (usr, route, name)
);
CREATE INDEX answers_ts ON answers (usr, ts);

-- Exports that were asked for, and those that were made, until they are too old. What a worker makes it
-- holds by a lease: whoever finds one that has run out may take it.
CREATE TABLE exports (
  id     KEYTEXT PRIMARY KEY,               -- 128 bits of chance
  usr    KEYTEXT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
  room   KEYTEXT NOT NULL,                  -- which may be gone before it is made
  format KEYTEXT NOT NULL,                  -- what the face that took the order calls it
  since  BIGINT,                            -- not before this, not after that
  until  BIGINT,
  asked  BIGINT NOT NULL,
  state  KEYTEXT NOT NULL,                  -- waiting, done, failed
  due    BIGINT NOT NULL,                   -- when it may be taken; once it is over, when it goes
  holder KEYTEXT,                           -- the one attempt that may write it
  tries  BIGINT NOT NULL,
  size   BIGINT,                            -- bytes, and parts, once it is done
  parts  BIGINT
);
CREATE INDEX exports_state ON exports (state, due, id);
CREATE INDEX exports_usr ON exports (usr, state, asked, id);

CREATE TABLE export_parts (
  export KEYTEXT NOT NULL REFERENCES exports (id) ON DELETE CASCADE,
  n      BIGINT NOT NULL,                   -- from 0
  body   KEYTEXT NOT NULL,
  PRIMARY KEY (export, n)
);

-- A client's own key for a send, so that a retry finds what the first try stored.
CREATE TABLE client_keys (
  usr     KEYTEXT NOT NULL,
  room    KEYTEXT NOT NULL REFERENCES rooms (id) ON DELETE CASCADE,
  name    KEYTEXT NOT NULL,
  message KEYTEXT NOT NULL REFERENCES messages (id) ON DELETE CASCADE,
  PRIMARY KEY (usr, room, name)
);
CREATE INDEX client_keys_room ON client_keys (room);
CREATE INDEX client_keys_message ON client_keys (message);

-- What a change left to do in batches: written in the same change, done behind it, also after a restart.
CREATE TABLE jobs (
  id    KEYTEXT PRIMARY KEY,
  ts    BIGINT NOT NULL,
  kind  KEYTEXT NOT NULL,                   -- rename, erase
  usr   KEYTEXT NOT NULL,                   -- whose messages
  args  KEYTEXT NOT NULL,                   -- JSON object
  place KEYTEXT NOT NULL                    -- how far it is, beyond its rooms
);
CREATE INDEX jobs_ts ON jobs (ts, id);

-- Rooms that a job has still to go through, the newest message first.
CREATE TABLE job_rooms (
  job  KEYTEXT NOT NULL REFERENCES jobs (id) ON DELETE CASCADE,
  room KEYTEXT NOT NULL,
  ts   BIGINT NOT NULL,                     -- what lies before this message is left
  id   KEYTEXT NOT NULL,
  PRIMARY KEY (job, room)
);

-- The event log: written in the same change as what it tells of, published from here in order.
CREATE TABLE events (
  pos      BIGINT PRIMARY KEY,
  ts       BIGINT NOT NULL,
  kind     KEYTEXT NOT NULL,
  room     KEYTEXT,
  audience KEYTEXT,                         -- one user, when it is not for the whole room
  ref      KEYTEXT NOT NULL
);

CREATE INDEX events_urgent ON events (pos)
  WHERE kind IN ('session', 'user', 'settings', 'permissions', 'roles');

-- Connections that stay open, by user and node, and the nodes that live.
CREATE TABLE connections (
  usr  KEYTEXT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
  node KEYTEXT NOT NULL,
  away BOOLEAN NOT NULL,
  PRIMARY KEY (usr, node)
);
CREATE INDEX connections_node ON connections (node, usr);

CREATE TABLE nodes (
  id   KEYTEXT PRIMARY KEY,
  seen BIGINT NOT NULL                      -- when it last said that it lives
);
CREATE INDEX nodes_seen ON nodes (seen, id);

CREATE TABLE settings (
  id      KEYTEXT PRIMARY KEY,
  value   KEYTEXT NOT NULL,                 -- JSON
  updated BIGINT NOT NULL
);

-- The built-in ones are written when a server starts and finds them missing.
CREATE TABLE roles (
  id            KEYTEXT PRIMARY KEY,
  name          KEYTEXT NOT NULL UNIQUE,
  description   KEYTEXT NOT NULL,
  scope         KEYTEXT NOT NULL,           -- Users, Subscriptions
  protected     BOOLEAN NOT NULL,           -- built-in: neither renamed nor removed
  mandatory_2fa BOOLEAN NOT NULL,
  updated       BIGINT NOT NULL
);

CREATE TABLE permissions (
  id      KEYTEXT PRIMARY KEY,
  roles   KEYTEXT NOT NULL,                 -- JSON array of role ids
  updated BIGINT NOT NULL
);

CREATE TABLE audit (
  id      KEYTEXT PRIMARY KEY,
  ts      BIGINT NOT NULL,
  actor   KEYTEXT NOT NULL,
  name    KEYTEXT NOT NULL,                 -- the actor's username then
  ip      KEYTEXT NOT NULL,
  action  KEYTEXT NOT NULL,
  room    KEYTEXT,
  detail  KEYTEXT NOT NULL                  -- JSON object: the range that was asked for and given
);
CREATE INDEX audit_ts ON audit (ts, id);
CREATE INDEX audit_actor ON audit (actor, ts, id);
CREATE INDEX audit_room ON audit (room, ts, id) WHERE room IS NOT NULL;
CREATE INDEX audit_action ON audit (action, ts, id);
