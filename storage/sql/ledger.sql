-- What one workspace's transactions do; row-level security adds the workspace to each statement.

-- name: admit
INSERT INTO inbox (workspace_id, installation_id, source, outcome, ticket_id)
VALUES (current_workspace(), $1, $2, $3, $4)
ON CONFLICT (installation_id, source) DO NOTHING

-- name: settle
UPDATE inbox
SET outcome = $3, ticket_id = coalesce($4, ticket_id)
WHERE installation_id = $1 AND source = $2

-- name: add_ticket
INSERT INTO tickets (
    id, workspace_id, project_id, key, title, description, severity, category, phase, base_branch,
    requester_installation_id, requester_external_id, requester_name, requester_email, requester_role,
    state, priority, filed_at, requester_platform, attachments
)
VALUES ($1, current_workspace(), $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19)
ON CONFLICT (key) DO NOTHING

-- name: open_ticket
-- The ticket ($1 … $19), its thread ($20 … $23), its first session ($24 … $33) and its first events ($34 … $37) at once.
-- Answers how many threads were added; no row where the key is taken.
WITH filed AS (
    INSERT INTO tickets (
        id, workspace_id, project_id, key, title, description, severity, category, phase, base_branch,
        requester_installation_id, requester_external_id, requester_name, requester_email, requester_role,
        state, priority, filed_at, requester_platform, attachments, last_event
    )
    VALUES (
        $1, current_workspace(), $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19,
        cardinality($34::text[])
    )
    ON CONFLICT (key) DO NOTHING
    RETURNING id, workspace_id, priority, last_event
),
placed AS (
    INSERT INTO threads (id, workspace_id, ticket_id, installation_id, channel, thread, outlet, wanted_event)
    SELECT $20, f.workspace_id, f.id, i.id, $22, $23, i.outlet, f.last_event
    FROM filed f, installations i
    WHERE i.id = $21
    RETURNING id
),
opened AS (
    INSERT INTO sessions (
        id, workspace_id, ticket_id, ordinal, lane, phase, agent, branch, state, reason, losses, priority
    )
    SELECT $24, f.workspace_id, $25, $26, $27, $28, $29, $30, $31, $32, $33, f.priority
    FROM filed f
),
stored AS (
    INSERT INTO events (ticket_id, position, workspace_id, kind, version, payload, session_id)
    SELECT f.id, e.n, f.workspace_id, e.kind, e.version, e.payload, e.session_id
    FROM filed f,
        unnest($34::text[], $35::int[], $36::jsonb[], $37::uuid[])
            WITH ORDINALITY AS e (kind, version, payload, session_id, n)
)
SELECT (SELECT count(*) FROM placed) FROM filed

-- name: lock_ticket
SELECT * FROM tickets WHERE id = $1 FOR NO KEY UPDATE

-- name: get_ticket
SELECT * FROM tickets WHERE id = $1

-- name: find_ticket
SELECT * FROM tickets WHERE key = $1

-- name: put_ticket
UPDATE tickets
SET title = $2, description = $3, severity = $4, category = $5, base_branch = $6, state = $7, priority = $8
WHERE id = $1

-- name: add_thread
INSERT INTO threads (id, workspace_id, ticket_id, installation_id, channel, thread, outlet, wanted_event)
SELECT $1, t.workspace_id, t.id, i.id, $4, $5, i.outlet, t.last_event
FROM tickets t, installations i
WHERE t.id = $2 AND i.id = $3

-- name: ticket_at
SELECT ticket_id FROM threads WHERE installation_id = $1 AND channel = $2 AND thread = $3

-- name: append
-- Answers the last position; no row where there is no such ticket.
WITH numbered AS (
    UPDATE tickets
    SET last_event = last_event + cardinality($2::text[])
    WHERE id = $1
    RETURNING id, workspace_id, last_event, last_event - cardinality($2::text[]) AS base
),
stored AS (
    INSERT INTO events (
        ticket_id, position, workspace_id, kind, version, payload, session_id, launch_id, frame, part
    )
    SELECT n.id, n.base + e.n, n.workspace_id, e.kind, e.version, e.payload, e.session_id, e.launch_id, e.frame, e.part
    FROM numbered n,
        unnest($2::text[], $3::int[], $4::jsonb[], $5::uuid[], $6::uuid[], $7::bigint[], $8::smallint[])
            WITH ORDINALITY AS e (kind, version, payload, session_id, launch_id, frame, part, n)
),
raised AS (
    UPDATE threads
    SET wanted_event = n.last_event,
        wanted_at = CASE WHEN wanted_event = delivered_event THEN now() ELSE wanted_at END
    FROM numbered n
    WHERE threads.ticket_id = n.id
)
SELECT last_event FROM numbered

-- name: history
SELECT e.position, s.ordinal AS session, e.at, e.kind, e.version, e.payload
FROM events e
LEFT JOIN sessions s ON s.id = e.session_id
WHERE e.ticket_id = $1 AND e.position > $2
ORDER BY e.position

-- name: add_session
-- A session is claimed by its ticket's priority.
INSERT INTO sessions (
    id, workspace_id, ticket_id, ordinal, lane, phase, agent, branch, state, reason, losses, priority
)
SELECT $1, t.workspace_id, t.id, $3, $4, $5, $6, $7, $8, $9, $10, t.priority
FROM tickets t
WHERE t.id = $2

-- name: put_session
UPDATE sessions
SET phase = $2, agent = $3, branch = $4, state = $5, reason = $6, losses = $7,
    queued_at = CASE WHEN state <> 'queued' AND $5 = 'queued' THEN clock_timestamp() ELSE queued_at END
WHERE id = $1

-- name: get_session
-- Not locked, here and below: sessions change only under their ticket's lock, and a claim skips what is locked.
SELECT * FROM sessions WHERE id = $1

-- name: sessions
SELECT * FROM sessions WHERE ticket_id = $1 ORDER BY ordinal

-- name: live_launch
SELECT * FROM launches WHERE session_id = $1 AND ended_at IS NULL

-- name: launches
SELECT * FROM launches WHERE session_id = $1 ORDER BY fence

-- name: end_launch
UPDATE launches SET ended_at = now() WHERE id = $1 AND ended_at IS NULL

-- name: take_frames
UPDATE launches
SET last_frame = $3, seen_at = now()
WHERE id = $1 AND ended_at IS NULL AND last_frame = $2 - 1
RETURNING last_frame

-- name: last_frame
SELECT last_frame, ended_at IS NOT NULL AS ended FROM launches WHERE id = $1

-- name: add_document
WITH document AS (
    INSERT INTO documents (workspace_id, ticket_id, phase)
    VALUES (current_workspace(), $1, $2)
    ON CONFLICT (ticket_id, phase) DO NOTHING
)
INSERT INTO document_revisions (workspace_id, ticket_id, phase, revision, author, markdown, digest)
VALUES (current_workspace(), $1, $2, $3, $4, $5, $6)

-- name: documents
SELECT phase, revision, author, markdown, digest
FROM document_revisions
WHERE ticket_id = $1 AND phase = coalesce($2, phase)
ORDER BY phase = 'planning', revision

-- name: next_approval
SELECT coalesce(max(ordinal), 0) + 1 FROM approvals WHERE ticket_id = $1

-- name: next_question
SELECT coalesce(max(ordinal), 0) + 1 FROM questions WHERE ticket_id = $1

-- name: next_input
SELECT coalesce(max(ordinal), 0) + 1 FROM inputs WHERE ticket_id = $1

-- name: next_session
SELECT coalesce(max(ordinal), 0) + 1 FROM sessions WHERE ticket_id = $1

-- name: add_approval
INSERT INTO approvals (
    workspace_id, ticket_id, ordinal, session_id, kind, subject, title, digest, deciders, offers,
    state, decided_by, decided_at, comment, granted
)
VALUES (current_workspace(), $1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)

-- name: approvals
SELECT * FROM approvals WHERE ticket_id = $1 ORDER BY ordinal

-- name: put_approval
UPDATE approvals
SET title = $3, digest = $4, deciders = $5, offers = $6, state = $7, decided_by = $8, decided_at = $9, comment = $10
WHERE ticket_id = $1 AND ordinal = $2

-- name: add_question
INSERT INTO questions (workspace_id, ticket_id, ordinal, session_id, text, options, answered_by, answer)
VALUES (current_workspace(), $1, $2, $3, $4, $5, $6, $7)

-- name: questions
SELECT * FROM questions WHERE ticket_id = $1 ORDER BY ordinal

-- name: put_question
UPDATE questions SET text = $3, options = $4, answered_by = $5, answer = $6 WHERE ticket_id = $1 AND ordinal = $2

-- name: add_input
INSERT INTO inputs (
    workspace_id, ticket_id, ordinal, session_id, kind, author, author_name, text, subject, verdict, request, granted,
    attachments, state, source
)
VALUES (current_workspace(), $1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, nullif($14, ''))

-- name: inputs
SELECT * FROM inputs WHERE session_id = $1 ORDER BY ordinal

-- name: find_input
SELECT * FROM inputs WHERE ticket_id = $1 AND source = $2

-- name: put_input
UPDATE inputs
SET session_id = $3, text = $4, attachments = $5, state = $6
WHERE ticket_id = $1 AND ordinal = $2

-- name: set_input_state
UPDATE inputs SET state = $3 WHERE ticket_id = $1 AND ordinal = $2

-- name: projects
SELECT * FROM projects ORDER BY name

-- name: get_project
SELECT * FROM projects WHERE id = $1

-- name: bound_project
SELECT p.* FROM channel_bindings b JOIN projects p ON p.id = b.project_id WHERE b.installation_id = $1 AND b.channel = $2

-- name: audit
INSERT INTO audit (workspace_id, who, what, subject, digest) VALUES (current_workspace(), $1, $2, $3, $4)

-- name: count_usage
-- A sum with something nobody told stays what was told.
INSERT INTO usage AS u (workspace_id, session_id, input_tokens, output_tokens, cost_usd)
VALUES (current_workspace(), $1, $2, $3, $4)
ON CONFLICT (session_id) DO UPDATE
SET input_tokens = coalesce(u.input_tokens + excluded.input_tokens, u.input_tokens, excluded.input_tokens),
    output_tokens = coalesce(u.output_tokens + excluded.output_tokens, u.output_tokens, excluded.output_tokens),
    cost_usd = coalesce(u.cost_usd + excluded.cost_usd, u.cost_usd, excluded.cost_usd)
