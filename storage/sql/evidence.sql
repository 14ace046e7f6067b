-- What the checker of invariants reads of a ticket beside what the ledger's statements tell. Reads only.

-- name: ticket_ids
SELECT id FROM tickets ORDER BY filed_at, id

-- name: launch_facts
SELECT l.*, l.ended_at IS NOT NULL AS ended FROM launches l WHERE l.ticket_id = $1 ORDER BY l.session_id, l.fence

-- name: thread_facts
SELECT id, wanted_event, delivered_event, parked IS NOT NULL AS parked FROM threads WHERE ticket_id = $1 ORDER BY id

-- name: slot_facts
SELECT s.thread_id, s.slot, s.state, s.message_id
FROM slots s
JOIN threads h ON h.id = s.thread_id
WHERE h.ticket_id = $1
ORDER BY s.slot
