-- What delivery reads and writes of one thread, in its workspace. A fence is that of the outlet's lease.

-- name: load_thread
SELECT * FROM threads WHERE id = $1

-- name: slots
SELECT slot, state, digest, message_id FROM slots WHERE thread_id = $1 ORDER BY slot

-- name: is_shown
-- One that was posted again has a + after its name.
SELECT EXISTS (
    SELECT FROM threads t JOIN slots s ON s.thread_id = t.id
    WHERE t.installation_id = $1 AND t.channel = $2 AND t.thread = $3 AND s.slot IN ($4, $4 || '+') AND s.state = 'done'
)

-- name: intend
WITH held AS (
    SELECT t.id, t.workspace_id FROM threads t JOIN leases l ON l.key = t.outlet WHERE t.id = $1 AND l.fence = $4
)
INSERT INTO slots (workspace_id, thread_id, slot, state, digest, fence)
SELECT workspace_id, id, $2, 'intended', $3, $4 FROM held
ON CONFLICT (thread_id, slot) DO UPDATE
SET state = excluded.state, digest = excluded.digest, fence = excluded.fence, message_id = '', changed_at = now()

-- name: posted
-- The place of a thread is known when its first card is posted.
WITH held AS (
    SELECT t.id, t.workspace_id FROM threads t JOIN leases l ON l.key = t.outlet WHERE t.id = $1 AND l.fence = $6
),
placed AS (
    UPDATE threads SET channel = $7, thread = $8
    FROM held
    WHERE threads.id = held.id AND threads.thread IS NULL AND $8::text IS NOT NULL
)
INSERT INTO slots (workspace_id, thread_id, slot, state, digest, message_id, fence)
SELECT workspace_id, id, $2, $3, $4, $5, $6 FROM held
ON CONFLICT (thread_id, slot) DO UPDATE
SET state = excluded.state, digest = excluded.digest, message_id = excluded.message_id, fence = excluded.fence,
    changed_at = now()

-- name: delivered
-- Whoever still wants something goes to the end of the queue.
UPDATE threads
SET delivered_event = $3, wanted_at = now(),
    snapshot_version = coalesce($4, snapshot_version),
    snapshot_position = coalesce($5, snapshot_position),
    snapshot = coalesce($6, snapshot)
FROM leases l
WHERE threads.id = $1 AND threads.delivered_event = $2 AND l.key = threads.outlet AND l.fence = $7

-- name: park
UPDATE threads SET parked = $2 WHERE id = $1

-- name: unpark
UPDATE threads SET parked = NULL, wanted_at = now() WHERE id = $1
