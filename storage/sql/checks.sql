-- What must be true of a workspace's rows. Each answers the rows that break it: a subject and what is wrong with it.

-- name: events_have_no_gap
SELECT t.key AS subject, format('%s events, the last is %s, counted to %s', count(e.position), max(e.position), t.last_event) AS detail
FROM tickets t
LEFT JOIN events e ON e.ticket_id = t.id
GROUP BY t.id
HAVING count(e.position) <> t.last_event OR coalesce(max(e.position), 0) <> t.last_event

-- name: frames_are_acknowledged
SELECT format('%s fence %s', t.key, l.fence) AS subject, format('has frame %s, acknowledged to %s', max(e.frame), l.last_frame) AS detail
FROM launches l
JOIN tickets t ON t.id = l.ticket_id
JOIN events e ON e.launch_id = l.id
GROUP BY l.id, t.key
HAVING max(e.frame) > l.last_frame

-- name: one_live_session_per_lane
SELECT t.key AS subject, format('%s live sessions in lane %s', count(*), s.lane) AS detail
FROM sessions s
JOIN tickets t ON t.id = s.ticket_id
WHERE s.state NOT IN ('done', 'discarded')
GROUP BY t.key, s.lane
HAVING count(*) > 1

-- name: one_live_launch_per_session
SELECT format('%s.%s', t.key, s.ordinal) AS subject, format('%s live launches', count(*)) AS detail
FROM launches l
JOIN sessions s ON s.id = l.session_id
JOIN tickets t ON t.id = s.ticket_id
WHERE l.ended_at IS NULL
GROUP BY t.key, s.ordinal
HAVING count(*) > 1

-- name: running_sessions_have_a_launch
SELECT format('%s.%s', t.key, s.ordinal) AS subject, format('is %s without a live launch', s.state) AS detail
FROM sessions s
JOIN tickets t ON t.id = s.ticket_id
WHERE s.state IN ('working', 'waiting')
    AND NOT EXISTS (SELECT FROM launches l WHERE l.session_id = s.id AND l.ended_at IS NULL)

-- name: approvals_are_decided_once
SELECT format('%s approval %s', t.key, e.payload ->> 'ordinal') AS subject, format('decided %s times', count(*)) AS detail
FROM events e
JOIN tickets t ON t.id = e.ticket_id
WHERE e.kind = 'approval_decided'
GROUP BY t.key, e.payload ->> 'ordinal'
HAVING count(*) > 1

-- name: approvals_are_told_as_they_stand
SELECT format('%s approval %s', t.key, a.ordinal) AS subject, format('is %s, and its history does not say so', a.state) AS detail
FROM approvals a
JOIN tickets t ON t.id = a.ticket_id
WHERE (a.state IN ('approved', 'changes_requested', 'rejected')) <> EXISTS (
    SELECT FROM events e
    WHERE e.ticket_id = a.ticket_id AND e.kind = 'approval_decided' AND e.payload ->> 'ordinal' = a.ordinal::text
)

-- name: threads_want_all_events
SELECT t.key AS subject, format('a thread wants %s of %s events and has %s', h.wanted_event, t.last_event, h.delivered_event) AS detail
FROM threads h
JOIN tickets t ON t.id = h.ticket_id
WHERE h.wanted_event <> t.last_event OR h.delivered_event > h.wanted_event

-- name: threads_are_up_to_date
SELECT t.key AS subject, format('a thread waits for events after %s since %s', h.delivered_event, h.wanted_at) AS detail
FROM threads h
JOIN tickets t ON t.id = h.ticket_id
WHERE h.wanted_event <> h.delivered_event AND h.parked IS NULL AND h.wanted_at < now() - make_interval(secs => $1)

-- name: messages_fill_one_slot
SELECT t.key AS subject, format('message %s stands for %s', s.message_id, string_agg(s.slot, ', ' ORDER BY s.slot)) AS detail
FROM slots s
JOIN threads h ON h.id = s.thread_id
JOIN tickets t ON t.id = h.ticket_id
WHERE s.message_id <> ''
GROUP BY t.key, s.thread_id, s.message_id
HAVING count(*) > 1

-- name: nobody_met_with_silence
SELECT source AS subject, format('has no outcome since %s', received_at) AS detail
FROM inbox
WHERE outcome IS NULL AND received_at < now() - make_interval(secs => $1)

-- name: every_session
SELECT s.*, t.key AS ticket_key FROM sessions s JOIN tickets t ON t.id = s.ticket_id ORDER BY t.key, s.ordinal
