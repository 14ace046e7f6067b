-- The first schema. Runs on PostgreSQL 15 and later.
--
-- Every tenant table carries its workspace and hides the rows of the others from viberator_app, its owner included
-- (FORCE). A reference names the workspace beside the id, because foreign keys are checked past row-level security.
-- Locks are taken in the order ticket, session, launch, thread.

-- ── roles ──────────────────────────────────────────────────────────────────────────────────────────────────────────

DO $$
DECLARE
    wanted text;
    -- From 16 on a membership may come without the right to SET ROLE, as the one that CREATE ROLE gives its creator does.
    right_to_become text := CASE WHEN current_setting('server_version_num')::int >= 160000 THEN 'SET' ELSE 'MEMBER' END;
BEGIN
    FOREACH wanted IN ARRAY ARRAY['viberator_app', 'viberator_system'] LOOP
        BEGIN
            -- Roles belong to the server, so another database's migration may have made them.
            IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = wanted) THEN
                EXECUTE format('CREATE ROLE %I NOLOGIN NOSUPERUSER NOBYPASSRLS', wanted);
            END IF;
        EXCEPTION WHEN duplicate_object OR unique_violation THEN
            NULL;
        END;
        IF NOT pg_has_role(current_user, wanted, right_to_become) THEN
            EXECUTE format('GRANT %I TO %I', wanted, current_user);
        END IF;
    END LOOP;
END
$$;

CREATE FUNCTION current_workspace() RETURNS uuid
    LANGUAGE sql STABLE PARALLEL SAFE
    RETURN nullif(current_setting('viberator.workspace', true), '')::uuid;

-- ── configuration ──────────────────────────────────────────────────────────────────────────────────────────────────

CREATE TABLE workspaces (
    id uuid PRIMARY KEY,
    name text NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT workspaces_one_per_name UNIQUE (name)
);

CREATE TABLE installations (
    id uuid PRIMARY KEY,
    workspace_id uuid NOT NULL REFERENCES workspaces (id),
    platform text NOT NULL,
    external_id text NOT NULL,
    outlet text NOT NULL,
    tokens bytea,
    created_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT installations_one_per_external_id UNIQUE (platform, external_id),
    CONSTRAINT installations_in_one_workspace UNIQUE (id, workspace_id)
);

CREATE TABLE members (
    workspace_id uuid NOT NULL REFERENCES workspaces (id),
    installation_id uuid NOT NULL,
    external_id text NOT NULL,
    name text NOT NULL,
    email text,
    role text NOT NULL,
    code_host_login text,
    CONSTRAINT members_pkey PRIMARY KEY (installation_id, external_id),
    CONSTRAINT members_role_known CHECK (role IN ('admin', 'member', 'guest')),
    CONSTRAINT members_installation_known FOREIGN KEY (installation_id, workspace_id)
        REFERENCES installations (id, workspace_id)
);

CREATE TABLE agents (
    workspace_id uuid NOT NULL REFERENCES workspaces (id),
    name text NOT NULL,
    profile jsonb NOT NULL,
    declared boolean NOT NULL DEFAULT false,
    CONSTRAINT agents_pkey PRIMARY KEY (workspace_id, name)
);

-- A project carries the whole profile of its agent, so that it runs as it was set up until it is set up again.
CREATE TABLE projects (
    id uuid PRIMARY KEY,
    workspace_id uuid NOT NULL REFERENCES workspaces (id),
    name text NOT NULL,
    repository text NOT NULL,
    branch text NOT NULL,
    agent jsonb NOT NULL,
    phases text[] NOT NULL,
    deciders text[] NOT NULL DEFAULT '{}',
    test_command text NOT NULL DEFAULT '',
    protected_paths text[] NOT NULL DEFAULT '{}',
    templates_dir text NOT NULL DEFAULT '',
    declared boolean NOT NULL DEFAULT false,
    CONSTRAINT projects_one_per_name UNIQUE (workspace_id, name),
    CONSTRAINT projects_in_one_workspace UNIQUE (id, workspace_id),
    CONSTRAINT projects_phases_known CHECK (phases <@ ARRAY['research', 'planning', 'execution'] AND phases <> '{}')
);

CREATE TABLE channel_bindings (
    workspace_id uuid NOT NULL REFERENCES workspaces (id),
    installation_id uuid NOT NULL,
    channel text NOT NULL,
    project_id uuid NOT NULL,
    CONSTRAINT channel_bindings_pkey PRIMARY KEY (installation_id, channel),
    CONSTRAINT channel_bindings_installation_known FOREIGN KEY (installation_id, workspace_id)
        REFERENCES installations (id, workspace_id),
    CONSTRAINT channel_bindings_project_known FOREIGN KEY (project_id, workspace_id)
        REFERENCES projects (id, workspace_id) ON DELETE CASCADE
);

CREATE TABLE secrets (
    id uuid PRIMARY KEY,
    workspace_id uuid NOT NULL REFERENCES workspaces (id),
    project_id uuid,
    name text NOT NULL,
    ciphertext bytea NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT secrets_one_per_name UNIQUE NULLS NOT DISTINCT (workspace_id, project_id, name),
    CONSTRAINT secrets_project_known FOREIGN KEY (project_id, workspace_id)
        REFERENCES projects (id, workspace_id) ON DELETE CASCADE
);

CREATE TABLE schedules (
    id uuid PRIMARY KEY,
    workspace_id uuid NOT NULL REFERENCES workspaces (id),
    project_id uuid NOT NULL,
    title text NOT NULL,
    description text NOT NULL,
    recurrence text NOT NULL,
    next_at timestamptz,
    CONSTRAINT schedules_project_known FOREIGN KEY (project_id, workspace_id)
        REFERENCES projects (id, workspace_id) ON DELETE CASCADE
);

CREATE INDEX schedules_due ON schedules (next_at) WHERE next_at IS NOT NULL;

-- ── tickets and threads ────────────────────────────────────────────────────────────────────────────────────────────

-- Room is left in the pages of the rows that every flush of events updates, so that their indexes stay untouched.
CREATE TABLE tickets (
    id uuid PRIMARY KEY,
    workspace_id uuid NOT NULL REFERENCES workspaces (id),
    project_id uuid NOT NULL,
    key text NOT NULL,
    title text NOT NULL,
    description text NOT NULL,
    severity text NOT NULL,
    category text NOT NULL,
    phase text NOT NULL,
    base_branch text NOT NULL,
    requester_installation_id uuid NOT NULL,
    requester_external_id text NOT NULL,
    requester_name text NOT NULL,
    requester_email text,
    requester_role text NOT NULL,
    state text NOT NULL,
    priority smallint NOT NULL,
    last_event bigint NOT NULL DEFAULT 0,
    filed_at timestamptz NOT NULL,
    CONSTRAINT tickets_one_per_key UNIQUE (key),
    CONSTRAINT tickets_in_one_workspace UNIQUE (id, workspace_id),
    CONSTRAINT tickets_severity_known CHECK (severity IN ('low', 'normal', 'high', 'urgent')),
    CONSTRAINT tickets_phase_known CHECK (phase IN ('research', 'planning', 'execution')),
    CONSTRAINT tickets_state_known CHECK (state IN ('open', 'done', 'rejected')),
    CONSTRAINT tickets_project_known FOREIGN KEY (project_id, workspace_id) REFERENCES projects (id, workspace_id)
) WITH (fillfactor = 70);

CREATE INDEX tickets_by_filing ON tickets (workspace_id, filed_at);

CREATE TABLE threads (
    id uuid PRIMARY KEY,
    workspace_id uuid NOT NULL REFERENCES workspaces (id),
    ticket_id uuid NOT NULL,
    installation_id uuid NOT NULL,
    channel text NOT NULL,
    thread text,
    outlet text NOT NULL,
    wanted_event bigint NOT NULL DEFAULT 0,
    delivered_event bigint NOT NULL DEFAULT 0,
    wanted_at timestamptz NOT NULL DEFAULT now(),
    parked text,
    snapshot_version integer,
    snapshot_position bigint,
    snapshot bytea,
    CONSTRAINT threads_one_ticket_per_place UNIQUE (installation_id, channel, thread),
    CONSTRAINT threads_in_one_workspace UNIQUE (id, workspace_id),
    CONSTRAINT threads_delivered_is_wanted CHECK (delivered_event <= wanted_event),
    CONSTRAINT threads_snapshot_is_whole CHECK (num_nulls(snapshot_version, snapshot_position, snapshot) IN (0, 3)),
    CONSTRAINT threads_ticket_known FOREIGN KEY (ticket_id, workspace_id)
        REFERENCES tickets (id, workspace_id) ON DELETE CASCADE,
    CONSTRAINT threads_installation_known FOREIGN KEY (installation_id, workspace_id)
        REFERENCES installations (id, workspace_id)
) WITH (fillfactor = 70);

CREATE INDEX threads_by_ticket ON threads (ticket_id);
CREATE INDEX threads_dirty ON threads (outlet, wanted_at) WHERE wanted_event <> delivered_event AND parked IS NULL;

CREATE TABLE slots (
    workspace_id uuid NOT NULL REFERENCES workspaces (id),
    thread_id uuid NOT NULL,
    slot text NOT NULL,
    state text NOT NULL,
    digest text NOT NULL,
    message_id text NOT NULL DEFAULT '',
    fence bigint NOT NULL,
    changed_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT slots_pkey PRIMARY KEY (thread_id, slot),
    CONSTRAINT slots_state_known CHECK (state IN ('intended', 'done', 'gone')),
    CONSTRAINT slots_thread_known FOREIGN KEY (thread_id, workspace_id)
        REFERENCES threads (id, workspace_id) ON DELETE CASCADE
);

CREATE TABLE inbox (
    workspace_id uuid NOT NULL REFERENCES workspaces (id),
    installation_id uuid NOT NULL,
    source text NOT NULL,
    outcome text,
    ticket_id uuid,
    received_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT inbox_pkey PRIMARY KEY (installation_id, source),
    CONSTRAINT inbox_installation_known FOREIGN KEY (installation_id, workspace_id)
        REFERENCES installations (id, workspace_id)
);

CREATE INDEX inbox_unsettled ON inbox (received_at) WHERE outcome IS NULL;

-- ── agents at work ─────────────────────────────────────────────────────────────────────────────────────────────────

CREATE TABLE sessions (
    id uuid PRIMARY KEY,
    workspace_id uuid NOT NULL REFERENCES workspaces (id),
    ticket_id uuid NOT NULL,
    ordinal integer NOT NULL,
    lane integer NOT NULL,
    phase text NOT NULL,
    agent text NOT NULL,
    branch text NOT NULL,
    state text NOT NULL,
    reason text,
    losses integer NOT NULL DEFAULT 0,
    priority smallint NOT NULL,
    queued_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    CONSTRAINT sessions_one_per_ordinal UNIQUE (ticket_id, ordinal),
    CONSTRAINT sessions_in_one_ticket UNIQUE (id, ticket_id, workspace_id),
    CONSTRAINT sessions_phase_known CHECK (phase IN ('research', 'planning', 'execution')),
    CONSTRAINT sessions_state_known
        CHECK (state IN ('queued', 'working', 'waiting', 'asleep', 'done', 'discarded')),
    CONSTRAINT sessions_asleep_for_a_reason CHECK ((state = 'asleep') = (reason IS NOT NULL)),
    CONSTRAINT sessions_ticket_known FOREIGN KEY (ticket_id, workspace_id)
        REFERENCES tickets (id, workspace_id) ON DELETE CASCADE
);

CREATE UNIQUE INDEX sessions_one_live_per_lane ON sessions (ticket_id, lane) WHERE state NOT IN ('done', 'discarded');
CREATE INDEX sessions_to_claim ON sessions (priority DESC, queued_at) WHERE state = 'queued';

CREATE TABLE launches (
    id uuid PRIMARY KEY,
    workspace_id uuid NOT NULL REFERENCES workspaces (id),
    ticket_id uuid NOT NULL,
    session_id uuid NOT NULL,
    fence integer NOT NULL,
    engine text NOT NULL,
    runner text NOT NULL,
    reference text NOT NULL DEFAULT '',
    token_hash bytea NOT NULL,
    last_frame bigint NOT NULL DEFAULT 0,
    started_at timestamptz NOT NULL DEFAULT now(),
    seen_at timestamptz NOT NULL DEFAULT now(),
    ended_at timestamptz,
    CONSTRAINT launches_one_per_fence UNIQUE (session_id, fence),
    CONSTRAINT launches_session_known FOREIGN KEY (session_id, ticket_id, workspace_id)
        REFERENCES sessions (id, ticket_id, workspace_id) ON DELETE CASCADE
) WITH (fillfactor = 70);

CREATE UNIQUE INDEX launches_one_live_per_session ON launches (session_id) WHERE ended_at IS NULL;
CREATE INDEX launches_live ON launches (engine) WHERE ended_at IS NULL;

-- Without foreign keys: each would be looked up once an event, and whoever appends holds the ticket's lock.
CREATE TABLE events (
    ticket_id uuid NOT NULL,
    position bigint NOT NULL,
    workspace_id uuid NOT NULL,
    session_id uuid,
    launch_id uuid,
    frame bigint,
    part smallint NOT NULL DEFAULT 0,
    kind text NOT NULL,
    version integer NOT NULL,
    payload jsonb NOT NULL,
    at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT events_pkey PRIMARY KEY (ticket_id, position),
    CONSTRAINT events_frame_of_a_launch CHECK (frame IS NULL OR launch_id IS NOT NULL)
);

CREATE UNIQUE INDEX events_frame_stored_once ON events (launch_id, frame, part) WHERE frame IS NOT NULL;

CREATE TABLE documents (
    workspace_id uuid NOT NULL REFERENCES workspaces (id),
    ticket_id uuid NOT NULL,
    phase text NOT NULL,
    CONSTRAINT documents_pkey PRIMARY KEY (ticket_id, phase),
    CONSTRAINT documents_phase_known CHECK (phase IN ('research', 'planning')),
    CONSTRAINT documents_ticket_known FOREIGN KEY (ticket_id, workspace_id)
        REFERENCES tickets (id, workspace_id) ON DELETE CASCADE
);

CREATE TABLE document_revisions (
    workspace_id uuid NOT NULL REFERENCES workspaces (id),
    ticket_id uuid NOT NULL,
    phase text NOT NULL,
    revision integer NOT NULL,
    author text NOT NULL,
    markdown text NOT NULL,
    digest text NOT NULL,
    written_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT document_revisions_pkey PRIMARY KEY (ticket_id, phase, revision),
    CONSTRAINT document_revisions_document_known FOREIGN KEY (ticket_id, phase)
        REFERENCES documents (ticket_id, phase) ON DELETE CASCADE
);

CREATE TABLE approvals (
    workspace_id uuid NOT NULL REFERENCES workspaces (id),
    ticket_id uuid NOT NULL,
    ordinal integer NOT NULL,
    session_id uuid NOT NULL,
    kind text NOT NULL,
    subject text NOT NULL,
    title text NOT NULL,
    digest text NOT NULL,
    deciders text[] NOT NULL,
    offers text[] NOT NULL,
    state text NOT NULL,
    decided_by text NOT NULL DEFAULT '',
    decided_at timestamptz,
    comment text NOT NULL DEFAULT '',
    granted text NOT NULL,
    CONSTRAINT approvals_pkey PRIMARY KEY (ticket_id, ordinal),
    CONSTRAINT approvals_kind_known CHECK (kind IN ('document', 'permission', 'publish', 'budget')),
    CONSTRAINT approvals_state_known
        CHECK (state IN ('pending', 'approved', 'changes_requested', 'rejected', 'lapsed')),
    CONSTRAINT approvals_session_known FOREIGN KEY (session_id, ticket_id, workspace_id)
        REFERENCES sessions (id, ticket_id, workspace_id) ON DELETE CASCADE
);

CREATE TABLE questions (
    workspace_id uuid NOT NULL REFERENCES workspaces (id),
    ticket_id uuid NOT NULL,
    ordinal integer NOT NULL,
    session_id uuid NOT NULL,
    text text NOT NULL,
    options text[] NOT NULL,
    answered_by text NOT NULL DEFAULT '',
    answer text NOT NULL DEFAULT '',
    CONSTRAINT questions_pkey PRIMARY KEY (ticket_id, ordinal),
    CONSTRAINT questions_session_known FOREIGN KEY (session_id, ticket_id, workspace_id)
        REFERENCES sessions (id, ticket_id, workspace_id) ON DELETE CASCADE
);

CREATE TABLE inputs (
    workspace_id uuid NOT NULL REFERENCES workspaces (id),
    ticket_id uuid NOT NULL,
    ordinal integer NOT NULL,
    session_id uuid NOT NULL,
    kind text NOT NULL,
    author text NOT NULL,
    author_name text NOT NULL,
    text text NOT NULL,
    subject integer,
    verdict text,
    request text NOT NULL,
    granted text NOT NULL,
    attachments jsonb NOT NULL,
    source text,
    state text NOT NULL,
    received_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT inputs_pkey PRIMARY KEY (ticket_id, ordinal),
    CONSTRAINT inputs_one_per_source UNIQUE (ticket_id, source),
    CONSTRAINT inputs_kind_known CHECK (kind IN ('message', 'answer', 'decision', 'stop')),
    CONSTRAINT inputs_state_known CHECK (state IN ('queued', 'sent', 'withdrawn')),
    CONSTRAINT inputs_session_known FOREIGN KEY (session_id, ticket_id, workspace_id)
        REFERENCES sessions (id, ticket_id, workspace_id) ON DELETE CASCADE
);

CREATE INDEX inputs_by_session ON inputs (session_id, ordinal);

CREATE TABLE blobs (
    workspace_id uuid NOT NULL REFERENCES workspaces (id),
    name text NOT NULL,
    sha256 text NOT NULL,
    size_bytes bigint NOT NULL,
    media_type text NOT NULL,
    expires_at timestamptz,
    CONSTRAINT blobs_pkey PRIMARY KEY (workspace_id, name)
);

-- What an agent does not tell stays null, which is not the same as nothing.
CREATE TABLE usage (
    workspace_id uuid NOT NULL REFERENCES workspaces (id),
    session_id uuid NOT NULL REFERENCES sessions (id) ON DELETE CASCADE,
    input_tokens bigint,
    output_tokens bigint,
    cost_usd double precision,
    CONSTRAINT usage_pkey PRIMARY KEY (session_id)
);

CREATE TABLE audit (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    workspace_id uuid NOT NULL REFERENCES workspaces (id),
    at timestamptz NOT NULL DEFAULT now(),
    who text NOT NULL,
    what text NOT NULL,
    subject text NOT NULL,
    digest text NOT NULL
);

CREATE INDEX audit_by_time ON audit (workspace_id, at);

-- ── between replicas ───────────────────────────────────────────────────────────────────────────────────────────────

-- A lease that ended keeps its row, so that its fence never goes back.
CREATE TABLE leases (
    key text PRIMARY KEY,
    owner text NOT NULL,
    fence bigint NOT NULL,
    until timestamptz NOT NULL
);

-- ── who may see and do what ────────────────────────────────────────────────────────────────────────────────────────

GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO viberator_system;
REVOKE INSERT, UPDATE, DELETE ON schema_migrations FROM viberator_system;

GRANT SELECT, INSERT, UPDATE, DELETE ON
    installations, members, agents, projects, channel_bindings, secrets, schedules, tickets, threads, slots, inbox, sessions,
    launches, documents, document_revisions, approvals, questions, inputs, blobs, usage TO viberator_app;
-- What happened stays what happened.
GRANT SELECT, INSERT ON events, audit TO viberator_app;
GRANT SELECT ON workspaces, leases, schema_migrations TO viberator_app;

DO $$
DECLARE
    tenant record;
BEGIN
    FOR tenant IN
        SELECT c.oid::regclass AS name, a.attname AS workspace
        FROM pg_class c
        JOIN pg_attribute a ON a.attrelid = c.oid
        WHERE c.relnamespace = 'public'::regnamespace
            AND c.relkind = 'r'
            AND a.attname = CASE WHEN c.relname = 'workspaces' THEN 'id' ELSE 'workspace_id' END
    LOOP
        EXECUTE format('ALTER TABLE %s ENABLE ROW LEVEL SECURITY', tenant.name);
        EXECUTE format('ALTER TABLE %s FORCE ROW LEVEL SECURITY', tenant.name);
        EXECUTE format(
            'CREATE POLICY own_workspace ON %s TO viberator_app
                USING (%I = current_workspace()) WITH CHECK (%2$I = current_workspace())',
            tenant.name, tenant.workspace
        );
        EXECUTE format(
            'CREATE POLICY every_workspace ON %s TO viberator_system USING (true) WITH CHECK (true)', tenant.name
        );
    END LOOP;
END
$$;
