-- What an operator looks at; reads only.

-- name: list_sessions
-- The newest first; ended ones only where $1.
SELECT t.key || '.' || s.ordinal AS key, t.title, p.name AS project, s.phase, s.state, s.reason, s.agent, s.branch,
    t.state AS ticket_state, s.queued_at
FROM sessions AS s
JOIN tickets AS t ON t.id = s.ticket_id
JOIN projects AS p ON p.id = t.project_id
WHERE $1::boolean OR s.state NOT IN ('done', 'discarded')
ORDER BY t.filed_at DESC, s.ordinal DESC
LIMIT $2

-- name: find_sessions
-- Those of one ticket, by ordinal; of one session where $2 is not null.
SELECT t.key || '.' || s.ordinal AS key, t.title, p.name AS project, s.phase, s.state, s.reason, s.agent, s.branch,
    t.state AS ticket_state, s.queued_at
FROM sessions AS s
JOIN tickets AS t ON t.id = s.ticket_id
JOIN projects AS p ON p.id = t.project_id
WHERE t.key = $1 AND ($2::integer IS NULL OR s.ordinal = $2)
ORDER BY s.ordinal

-- name: log_of_ticket
-- Events after a position; of one session where $3 is not null.
SELECT e.position, s.ordinal AS session, e.kind, e.version, e.payload, e.at
FROM events AS e
JOIN tickets AS t ON t.id = e.ticket_id
LEFT JOIN sessions AS s ON s.id = e.session_id
WHERE t.key = $1 AND e.position > $2 AND ($3::integer IS NULL OR s.ordinal = $3)
ORDER BY e.position
LIMIT $4
