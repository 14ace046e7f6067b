-- What the checker of invariants reads beside what the ledger's statements tell. Reads only.

-- name: tickets_after
SELECT id FROM tickets WHERE id > $1 ORDER BY id LIMIT $2

-- name: moment
-- Later than what any snapshot taken before it shows, unlike now(), at which its transaction began.
SELECT clock_timestamp()

-- name: launch_facts
SELECT l.*, l.ended_at IS NOT NULL AS ended,
    (SELECT coalesce(max(e.frame), 0) FROM events e WHERE e.launch_id = l.id AND e.frame IS NOT NULL) AS stored_frame
FROM launches l
WHERE l.ticket_id = $1
ORDER BY l.session_id, l.fence

-- name: thread_facts
SELECT id, wanted_event, delivered_event, wanted_at, parked IS NOT NULL AS parked
FROM threads
WHERE ticket_id = $1
ORDER BY id

-- name: slot_facts
SELECT s.thread_id, s.slot, s.state, s.message_id, s.changed_at
FROM slots s
JOIN threads h ON h.id = s.thread_id
WHERE h.ticket_id = $1
ORDER BY s.slot
