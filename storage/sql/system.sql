-- The statements that cross workspaces. Nothing else runs as viberator_system.

-- name: claim
-- The most urgent, then oldest queued session that nobody is at; its ticket is locked first, then the session.
-- Sessions of a terminal ($1) are for its own process, and nobody else's. The event ($7 … $9) gets the fence set in.
WITH found AS MATERIALIZED (
    SELECT t AS ticket, s AS session, p AS project, t.id AS ticket_id, s.id AS session_id, t.workspace_id,
        (SELECT coalesce(max(l.fence), 0) + 1 FROM launches l WHERE l.session_id = s.id) AS fence
    FROM tickets t
    JOIN sessions s ON s.ticket_id = t.id
    JOIN projects p ON p.id = t.project_id
    WHERE s.state = 'queued'
        AND NOT EXISTS (SELECT FROM launches l WHERE l.session_id = s.id AND l.ended_at IS NULL)
        AND CASE WHEN $1::uuid IS NULL
            THEN NOT EXISTS (
                SELECT FROM threads h JOIN installations i ON i.id = h.installation_id
                WHERE h.ticket_id = t.id AND i.platform = 'terminal'
            )
            ELSE EXISTS (SELECT FROM threads h WHERE h.ticket_id = t.id AND h.installation_id = $1)
        END
    ORDER BY s.priority DESC, s.queued_at
    LIMIT 1
    FOR NO KEY UPDATE OF t, s SKIP LOCKED
),
numbered AS (
    UPDATE tickets t SET last_event = t.last_event + 1 FROM found f WHERE t.id = f.ticket_id RETURNING t.last_event
),
working AS (
    UPDATE sessions s SET state = $6, reason = NULL FROM found f WHERE s.id = f.session_id
),
launched AS (
    INSERT INTO launches (id, workspace_id, ticket_id, session_id, fence, engine, runner, token_hash)
    SELECT $2, workspace_id, ticket_id, session_id, fence, $3, $4, $5 FROM found
),
stored AS (
    INSERT INTO events (ticket_id, position, workspace_id, session_id, kind, version, payload)
    SELECT f.ticket_id, n.last_event, f.workspace_id, f.session_id, $7, $8,
        jsonb_set($9::jsonb, '{fence}', to_jsonb(f.fence))
    FROM found f, numbered n
),
raised AS (
    UPDATE threads h
    SET wanted_event = n.last_event,
        wanted_at = CASE WHEN h.wanted_event = h.delivered_event THEN now() ELSE h.wanted_at END
    FROM found f, numbered n
    WHERE h.ticket_id = f.ticket_id
)
SELECT f.ticket, f.session, f.project, f.fence, n.last_event FROM found f, numbered n

-- name: launched
UPDATE launches SET reference = $2 WHERE id = $1

-- name: live_launches
SELECT l.*, s.state IN ('done', 'discarded') AS over, s.state = 'waiting' AS waiting,
    (SELECT coalesce(max(i.ordinal), 0) FROM inputs i WHERE i.session_id = l.session_id) AS last_input,
    (
        SELECT min(i.received_at) FROM inputs i
        WHERE i.session_id = l.session_id AND i.kind = 'stop' AND i.state = 'queued'
    ) AS stopping_since
FROM launches l
JOIN sessions s ON s.id = l.session_id
WHERE l.ended_at IS NULL AND l.engine = $1
ORDER BY l.started_at

-- name: locate_launch
SELECT l.*, s.state IN ('done', 'discarded') AS over, s.state = 'waiting' AS waiting,
    (SELECT coalesce(max(i.ordinal), 0) FROM inputs i WHERE i.session_id = l.session_id) AS last_input,
    (
        SELECT min(i.received_at) FROM inputs i
        WHERE i.session_id = l.session_id AND i.kind = 'stop' AND i.state = 'queued'
    ) AS stopping_since
FROM launches l
JOIN sessions s ON s.id = l.session_id
WHERE l.ended_at IS NULL AND l.id = $1

-- name: authenticate_launch
SELECT id, workspace_id, ticket_id, session_id, fence, token_hash, ended_at IS NOT NULL AS ended
FROM launches
WHERE id = $1

-- name: launch_seen
UPDATE launches SET seen_at = now() WHERE id = $1 AND ended_at IS NULL

-- name: flush
-- Many launches' frames at once. A batch ($1 its launch, $2 its first frame, $3 how many) is stored if its launch lives and
-- stands right before it; its events are $4 … $8, of which $4 is the batch's place in $1. Answers the batches stored.
WITH batch AS (
    SELECT * FROM unnest($1::uuid[], $2::bigint[], $3::int[]) WITH ORDINALITY AS b (launch_id, first, count, n)
),
-- Whoever appends to these tickets waits here, in one order for all.
locked AS MATERIALIZED (
    SELECT t.id FROM tickets t
    WHERE t.id IN (SELECT l.ticket_id FROM launches l JOIN batch b ON b.launch_id = l.id)
    ORDER BY t.id
    FOR NO KEY UPDATE
),
moved AS (
    UPDATE launches l
    SET last_frame = b.first + b.count - 1, seen_at = now()
    FROM batch b, locked k
    WHERE l.id = b.launch_id AND k.id = l.ticket_id AND l.ended_at IS NULL AND l.last_frame = b.first - 1
    RETURNING b.n, b.first, b.count, l.id AS launch_id, l.ticket_id, l.session_id, l.last_frame
),
-- One row a ticket, with what its batches need to be told apart again: a join by ticket would be planned for one row
-- and cost the square of the batches.
counted AS (
    SELECT ticket_id, sum(count) AS count, array_agg(n) AS batches, array_agg(before - first) AS shifts,
        array_agg(launch_id) AS launches, array_agg(session_id) AS sessions
    FROM (SELECT *, sum(count) OVER (PARTITION BY ticket_id ORDER BY n) - count AS before FROM moved) m
    GROUP BY ticket_id
),
numbered AS (
    UPDATE tickets t
    SET last_event = t.last_event + c.count
    FROM counted c
    WHERE t.id = c.ticket_id
    RETURNING t.id, t.workspace_id, t.last_event, t.last_event - c.count AS base,
        c.batches, c.shifts, c.launches, c.sessions
),
placed AS MATERIALIZED (
    SELECT p.n, t.id AS ticket_id, t.workspace_id, p.launch_id, p.session_id, t.base + p.shift + 1 AS start
    FROM numbered t, unnest(t.batches, t.shifts, t.launches, t.sessions) AS p (n, shift, launch_id, session_id)
),
stored AS (
    INSERT INTO events (
        ticket_id, position, workspace_id, session_id, launch_id, frame, kind, version, payload
    )
    SELECT p.ticket_id, p.start + e.frame, p.workspace_id, p.session_id, p.launch_id, e.frame, e.kind, e.version, e.payload
    FROM unnest($4::bigint[], $5::bigint[], $6::text[], $7::int[], $8::jsonb[]) AS e (n, frame, kind, version, payload)
    JOIN placed p ON p.n = e.n
),
raised AS (
    UPDATE threads
    SET wanted_event = n.last_event,
        wanted_at = CASE WHEN wanted_event = delivered_event THEN now() ELSE wanted_at END
    FROM numbered n
    WHERE threads.ticket_id = n.id
)
SELECT n, last_frame FROM moved

-- name: launch_positions
SELECT id, last_frame, ended_at IS NOT NULL AS ended FROM launches WHERE id = ANY($1::uuid[])

-- name: dirty_threads
SELECT id, workspace_id
FROM threads
WHERE outlet = ANY($1::text[]) AND wanted_event <> delivered_event AND parked IS NULL
ORDER BY wanted_at
LIMIT $2

-- name: thread_workspace
SELECT workspace_id FROM threads WHERE id = $1

-- name: unsettled_inbox
SELECT workspace_id, installation_id, source, received_at
FROM inbox
WHERE outcome IS NULL AND received_at < now() - make_interval(secs => $1)
ORDER BY received_at
LIMIT $2

-- name: take_lease
INSERT INTO leases AS l (key, owner, fence, until)
VALUES ($1, $2, 1, now() + make_interval(secs => $3))
ON CONFLICT (key) DO UPDATE
SET owner = excluded.owner, fence = l.fence + 1, until = excluded.until
WHERE l.until <= now() OR l.owner = excluded.owner
RETURNING fence

-- name: renew_lease
UPDATE leases SET until = now() + make_interval(secs => $4) WHERE key = $1 AND owner = $2 AND fence = $3

-- name: release_lease
UPDATE leases SET until = now() WHERE key = $1 AND owner = $2 AND fence = $3

-- name: notify
SELECT pg_notify($1, payload) FROM unnest($2::text[]) AS payload

-- name: ensure_workspace
INSERT INTO workspaces AS w (id, name) VALUES ($1, $2)
ON CONFLICT (name) DO UPDATE SET name = w.name
RETURNING id

-- name: installations
SELECT * FROM installations ORDER BY platform, external_id

-- name: terminal_of_ticket
SELECT i.*
FROM tickets t
JOIN threads h ON h.ticket_id = t.id
JOIN installations i ON i.id = h.installation_id
WHERE t.key = $1 AND i.platform = 'terminal'

-- name: workspaces
SELECT id FROM workspaces ORDER BY created_at
