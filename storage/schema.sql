-- What the migrations make, for reading; a test compares. Written by `python -m storage.schema URL`.

CREATE OR REPLACE FUNCTION public.current_workspace()
 RETURNS uuid
 LANGUAGE sql
 STABLE PARALLEL SAFE
RETURN (NULLIF(current_setting('viberator.workspace'::text, true), ''::text))::uuid;

CREATE TABLE agents (
    workspace_id uuid NOT NULL,
    name text NOT NULL,
    profile jsonb NOT NULL,
    declared boolean NOT NULL DEFAULT false,
    CONSTRAINT agents_pkey PRIMARY KEY (workspace_id, name),
    CONSTRAINT agents_workspace_id_fkey FOREIGN KEY (workspace_id) REFERENCES workspaces(id)
);

ALTER TABLE agents ENABLE ROW LEVEL SECURITY;
ALTER TABLE agents FORCE ROW LEVEL SECURITY;
CREATE POLICY every_workspace ON agents TO viberator_system USING (true) WITH CHECK (true);
CREATE POLICY own_workspace ON agents TO viberator_app USING ((workspace_id = current_workspace())) WITH CHECK ((workspace_id = current_workspace()));
GRANT DELETE, INSERT, SELECT, UPDATE ON agents TO viberator_app;
GRANT DELETE, INSERT, SELECT, UPDATE ON agents TO viberator_system;

CREATE TABLE approvals (
    workspace_id uuid NOT NULL,
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
    decided_by text NOT NULL DEFAULT ''::text,
    decided_at timestamp with time zone,
    comment text NOT NULL DEFAULT ''::text,
    granted text NOT NULL,
    CONSTRAINT approvals_pkey PRIMARY KEY (ticket_id, ordinal),
    CONSTRAINT approvals_kind_known CHECK ((kind = ANY (ARRAY['document'::text, 'permission'::text, 'publish'::text, 'budget'::text]))),
    CONSTRAINT approvals_session_known FOREIGN KEY (session_id, ticket_id, workspace_id) REFERENCES sessions(id, ticket_id, workspace_id) ON DELETE CASCADE,
    CONSTRAINT approvals_state_known CHECK ((state = ANY (ARRAY['pending'::text, 'approved'::text, 'changes_requested'::text, 'rejected'::text, 'lapsed'::text]))),
    CONSTRAINT approvals_workspace_id_fkey FOREIGN KEY (workspace_id) REFERENCES workspaces(id)
);

ALTER TABLE approvals ENABLE ROW LEVEL SECURITY;
ALTER TABLE approvals FORCE ROW LEVEL SECURITY;
CREATE POLICY every_workspace ON approvals TO viberator_system USING (true) WITH CHECK (true);
CREATE POLICY own_workspace ON approvals TO viberator_app USING ((workspace_id = current_workspace())) WITH CHECK ((workspace_id = current_workspace()));
GRANT DELETE, INSERT, SELECT, UPDATE ON approvals TO viberator_app;
GRANT DELETE, INSERT, SELECT, UPDATE ON approvals TO viberator_system;

CREATE TABLE audit (
    id bigint NOT NULL GENERATED ALWAYS AS IDENTITY,
    workspace_id uuid NOT NULL,
    at timestamp with time zone NOT NULL DEFAULT now(),
    who text NOT NULL,
    what text NOT NULL,
    subject text NOT NULL,
    digest text NOT NULL,
    CONSTRAINT audit_pkey PRIMARY KEY (id),
    CONSTRAINT audit_workspace_id_fkey FOREIGN KEY (workspace_id) REFERENCES workspaces(id)
);

CREATE INDEX audit_by_time ON public.audit USING btree (workspace_id, at);
ALTER TABLE audit ENABLE ROW LEVEL SECURITY;
ALTER TABLE audit FORCE ROW LEVEL SECURITY;
CREATE POLICY every_workspace ON audit TO viberator_system USING (true) WITH CHECK (true);
CREATE POLICY own_workspace ON audit TO viberator_app USING ((workspace_id = current_workspace())) WITH CHECK ((workspace_id = current_workspace()));
GRANT INSERT, SELECT ON audit TO viberator_app;
GRANT DELETE, INSERT, SELECT, UPDATE ON audit TO viberator_system;

CREATE TABLE blobs (
    workspace_id uuid NOT NULL,
    name text NOT NULL,
    sha256 text NOT NULL,
    size_bytes bigint NOT NULL,
    media_type text NOT NULL,
    expires_at timestamp with time zone,
    CONSTRAINT blobs_pkey PRIMARY KEY (workspace_id, name),
    CONSTRAINT blobs_workspace_id_fkey FOREIGN KEY (workspace_id) REFERENCES workspaces(id)
);

ALTER TABLE blobs ENABLE ROW LEVEL SECURITY;
ALTER TABLE blobs FORCE ROW LEVEL SECURITY;
CREATE POLICY every_workspace ON blobs TO viberator_system USING (true) WITH CHECK (true);
CREATE POLICY own_workspace ON blobs TO viberator_app USING ((workspace_id = current_workspace())) WITH CHECK ((workspace_id = current_workspace()));
GRANT DELETE, INSERT, SELECT, UPDATE ON blobs TO viberator_app;
GRANT DELETE, INSERT, SELECT, UPDATE ON blobs TO viberator_system;

CREATE TABLE channel_bindings (
    workspace_id uuid NOT NULL,
    installation_id uuid NOT NULL,
    channel text NOT NULL,
    project_id uuid NOT NULL,
    CONSTRAINT channel_bindings_pkey PRIMARY KEY (installation_id, channel),
    CONSTRAINT channel_bindings_installation_known FOREIGN KEY (installation_id, workspace_id) REFERENCES installations(id, workspace_id),
    CONSTRAINT channel_bindings_project_known FOREIGN KEY (project_id, workspace_id) REFERENCES projects(id, workspace_id) ON DELETE CASCADE,
    CONSTRAINT channel_bindings_workspace_id_fkey FOREIGN KEY (workspace_id) REFERENCES workspaces(id)
);

ALTER TABLE channel_bindings ENABLE ROW LEVEL SECURITY;
ALTER TABLE channel_bindings FORCE ROW LEVEL SECURITY;
CREATE POLICY every_workspace ON channel_bindings TO viberator_system USING (true) WITH CHECK (true);
CREATE POLICY own_workspace ON channel_bindings TO viberator_app USING ((workspace_id = current_workspace())) WITH CHECK ((workspace_id = current_workspace()));
GRANT DELETE, INSERT, SELECT, UPDATE ON channel_bindings TO viberator_app;
GRANT DELETE, INSERT, SELECT, UPDATE ON channel_bindings TO viberator_system;

CREATE TABLE document_revisions (
    workspace_id uuid NOT NULL,
    ticket_id uuid NOT NULL,
    phase text NOT NULL,
    revision integer NOT NULL,
    author text NOT NULL,
    markdown text NOT NULL,
    digest text NOT NULL,
    written_at timestamp with time zone NOT NULL DEFAULT now(),
    CONSTRAINT document_revisions_pkey PRIMARY KEY (ticket_id, phase, revision),
    CONSTRAINT document_revisions_document_known FOREIGN KEY (ticket_id, phase) REFERENCES documents(ticket_id, phase) ON DELETE CASCADE,
    CONSTRAINT document_revisions_workspace_id_fkey FOREIGN KEY (workspace_id) REFERENCES workspaces(id)
);

ALTER TABLE document_revisions ENABLE ROW LEVEL SECURITY;
ALTER TABLE document_revisions FORCE ROW LEVEL SECURITY;
CREATE POLICY every_workspace ON document_revisions TO viberator_system USING (true) WITH CHECK (true);
CREATE POLICY own_workspace ON document_revisions TO viberator_app USING ((workspace_id = current_workspace())) WITH CHECK ((workspace_id = current_workspace()));
GRANT DELETE, INSERT, SELECT, UPDATE ON document_revisions TO viberator_app;
GRANT DELETE, INSERT, SELECT, UPDATE ON document_revisions TO viberator_system;

CREATE TABLE documents (
    workspace_id uuid NOT NULL,
    ticket_id uuid NOT NULL,
    phase text NOT NULL,
    CONSTRAINT documents_pkey PRIMARY KEY (ticket_id, phase),
    CONSTRAINT documents_phase_known CHECK ((phase = ANY (ARRAY['research'::text, 'planning'::text]))),
    CONSTRAINT documents_ticket_known FOREIGN KEY (ticket_id, workspace_id) REFERENCES tickets(id, workspace_id) ON DELETE CASCADE,
    CONSTRAINT documents_workspace_id_fkey FOREIGN KEY (workspace_id) REFERENCES workspaces(id)
);

ALTER TABLE documents ENABLE ROW LEVEL SECURITY;
ALTER TABLE documents FORCE ROW LEVEL SECURITY;
CREATE POLICY every_workspace ON documents TO viberator_system USING (true) WITH CHECK (true);
CREATE POLICY own_workspace ON documents TO viberator_app USING ((workspace_id = current_workspace())) WITH CHECK ((workspace_id = current_workspace()));
GRANT DELETE, INSERT, SELECT, UPDATE ON documents TO viberator_app;
GRANT DELETE, INSERT, SELECT, UPDATE ON documents TO viberator_system;

CREATE TABLE events (
    ticket_id uuid NOT NULL,
    "position" bigint NOT NULL,
    workspace_id uuid NOT NULL,
    session_id uuid,
    launch_id uuid,
    frame bigint,
    part smallint NOT NULL DEFAULT 0,
    kind text NOT NULL,
    version integer NOT NULL,
    payload jsonb NOT NULL,
    at timestamp with time zone NOT NULL DEFAULT now(),
    CONSTRAINT events_pkey PRIMARY KEY (ticket_id, "position"),
    CONSTRAINT events_frame_of_a_launch CHECK (((frame IS NULL) OR (launch_id IS NOT NULL)))
);

CREATE UNIQUE INDEX events_frame_stored_once ON public.events USING btree (launch_id, frame, part) WHERE (frame IS NOT NULL);
ALTER TABLE events ENABLE ROW LEVEL SECURITY;
ALTER TABLE events FORCE ROW LEVEL SECURITY;
CREATE POLICY every_workspace ON events TO viberator_system USING (true) WITH CHECK (true);
CREATE POLICY own_workspace ON events TO viberator_app USING ((workspace_id = current_workspace())) WITH CHECK ((workspace_id = current_workspace()));
GRANT INSERT, SELECT ON events TO viberator_app;
GRANT DELETE, INSERT, SELECT, UPDATE ON events TO viberator_system;

CREATE TABLE inbox (
    workspace_id uuid NOT NULL,
    installation_id uuid NOT NULL,
    source text NOT NULL,
    outcome text,
    ticket_id uuid,
    received_at timestamp with time zone NOT NULL DEFAULT now(),
    CONSTRAINT inbox_pkey PRIMARY KEY (installation_id, source),
    CONSTRAINT inbox_installation_known FOREIGN KEY (installation_id, workspace_id) REFERENCES installations(id, workspace_id),
    CONSTRAINT inbox_workspace_id_fkey FOREIGN KEY (workspace_id) REFERENCES workspaces(id)
);

CREATE INDEX inbox_unsettled ON public.inbox USING btree (received_at) WHERE (outcome IS NULL);
ALTER TABLE inbox ENABLE ROW LEVEL SECURITY;
ALTER TABLE inbox FORCE ROW LEVEL SECURITY;
CREATE POLICY every_workspace ON inbox TO viberator_system USING (true) WITH CHECK (true);
CREATE POLICY own_workspace ON inbox TO viberator_app USING ((workspace_id = current_workspace())) WITH CHECK ((workspace_id = current_workspace()));
GRANT DELETE, INSERT, SELECT, UPDATE ON inbox TO viberator_app;
GRANT DELETE, INSERT, SELECT, UPDATE ON inbox TO viberator_system;

CREATE TABLE inputs (
    workspace_id uuid NOT NULL,
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
    received_at timestamp with time zone NOT NULL DEFAULT now(),
    CONSTRAINT inputs_pkey PRIMARY KEY (ticket_id, ordinal),
    CONSTRAINT inputs_kind_known CHECK ((kind = ANY (ARRAY['message'::text, 'answer'::text, 'decision'::text, 'stop'::text]))),
    CONSTRAINT inputs_one_per_source UNIQUE (ticket_id, source),
    CONSTRAINT inputs_session_known FOREIGN KEY (session_id, ticket_id, workspace_id) REFERENCES sessions(id, ticket_id, workspace_id) ON DELETE CASCADE,
    CONSTRAINT inputs_state_known CHECK ((state = ANY (ARRAY['queued'::text, 'sent'::text, 'withdrawn'::text]))),
    CONSTRAINT inputs_workspace_id_fkey FOREIGN KEY (workspace_id) REFERENCES workspaces(id)
);

CREATE INDEX inputs_by_session ON public.inputs USING btree (session_id, ordinal);
ALTER TABLE inputs ENABLE ROW LEVEL SECURITY;
ALTER TABLE inputs FORCE ROW LEVEL SECURITY;
CREATE POLICY every_workspace ON inputs TO viberator_system USING (true) WITH CHECK (true);
CREATE POLICY own_workspace ON inputs TO viberator_app USING ((workspace_id = current_workspace())) WITH CHECK ((workspace_id = current_workspace()));
GRANT DELETE, INSERT, SELECT, UPDATE ON inputs TO viberator_app;
GRANT DELETE, INSERT, SELECT, UPDATE ON inputs TO viberator_system;

CREATE TABLE installations (
    id uuid NOT NULL,
    workspace_id uuid NOT NULL,
    platform text NOT NULL,
    external_id text NOT NULL,
    outlet text NOT NULL,
    tokens bytea,
    created_at timestamp with time zone NOT NULL DEFAULT now(),
    CONSTRAINT installations_pkey PRIMARY KEY (id),
    CONSTRAINT installations_in_one_workspace UNIQUE (id, workspace_id),
    CONSTRAINT installations_one_per_external_id UNIQUE (platform, external_id),
    CONSTRAINT installations_workspace_id_fkey FOREIGN KEY (workspace_id) REFERENCES workspaces(id)
);

ALTER TABLE installations ENABLE ROW LEVEL SECURITY;
ALTER TABLE installations FORCE ROW LEVEL SECURITY;
CREATE POLICY every_workspace ON installations TO viberator_system USING (true) WITH CHECK (true);
CREATE POLICY own_workspace ON installations TO viberator_app USING ((workspace_id = current_workspace())) WITH CHECK ((workspace_id = current_workspace()));
GRANT DELETE, INSERT, SELECT, UPDATE ON installations TO viberator_app;
GRANT DELETE, INSERT, SELECT, UPDATE ON installations TO viberator_system;

CREATE TABLE launches (
    id uuid NOT NULL,
    workspace_id uuid NOT NULL,
    ticket_id uuid NOT NULL,
    session_id uuid NOT NULL,
    fence integer NOT NULL,
    engine text NOT NULL,
    runner text NOT NULL,
    reference text NOT NULL DEFAULT ''::text,
    token_hash bytea NOT NULL,
    last_frame bigint NOT NULL DEFAULT 0,
    started_at timestamp with time zone NOT NULL DEFAULT now(),
    seen_at timestamp with time zone NOT NULL DEFAULT now(),
    ended_at timestamp with time zone,
    CONSTRAINT launches_pkey PRIMARY KEY (id),
    CONSTRAINT launches_one_per_fence UNIQUE (session_id, fence),
    CONSTRAINT launches_session_known FOREIGN KEY (session_id, ticket_id, workspace_id) REFERENCES sessions(id, ticket_id, workspace_id) ON DELETE CASCADE,
    CONSTRAINT launches_workspace_id_fkey FOREIGN KEY (workspace_id) REFERENCES workspaces(id)
) WITH (fillfactor=70);

CREATE INDEX launches_live ON public.launches USING btree (engine) WHERE (ended_at IS NULL);
CREATE UNIQUE INDEX launches_one_live_per_session ON public.launches USING btree (session_id) WHERE (ended_at IS NULL);
ALTER TABLE launches ENABLE ROW LEVEL SECURITY;
ALTER TABLE launches FORCE ROW LEVEL SECURITY;
CREATE POLICY every_workspace ON launches TO viberator_system USING (true) WITH CHECK (true);
CREATE POLICY own_workspace ON launches TO viberator_app USING ((workspace_id = current_workspace())) WITH CHECK ((workspace_id = current_workspace()));
GRANT DELETE, INSERT, SELECT, UPDATE ON launches TO viberator_app;
GRANT DELETE, INSERT, SELECT, UPDATE ON launches TO viberator_system;

CREATE TABLE leases (
    key text NOT NULL,
    owner text NOT NULL,
    fence bigint NOT NULL,
    until timestamp with time zone NOT NULL,
    CONSTRAINT leases_pkey PRIMARY KEY (key)
);

GRANT SELECT ON leases TO viberator_app;
GRANT DELETE, INSERT, SELECT, UPDATE ON leases TO viberator_system;

CREATE TABLE members (
    workspace_id uuid NOT NULL,
    installation_id uuid NOT NULL,
    external_id text NOT NULL,
    name text NOT NULL,
    email text,
    role text NOT NULL,
    code_host_login text,
    CONSTRAINT members_pkey PRIMARY KEY (installation_id, external_id),
    CONSTRAINT members_installation_known FOREIGN KEY (installation_id, workspace_id) REFERENCES installations(id, workspace_id),
    CONSTRAINT members_role_known CHECK ((role = ANY (ARRAY['admin'::text, 'member'::text, 'guest'::text]))),
    CONSTRAINT members_workspace_id_fkey FOREIGN KEY (workspace_id) REFERENCES workspaces(id)
);

ALTER TABLE members ENABLE ROW LEVEL SECURITY;
ALTER TABLE members FORCE ROW LEVEL SECURITY;
CREATE POLICY every_workspace ON members TO viberator_system USING (true) WITH CHECK (true);
CREATE POLICY own_workspace ON members TO viberator_app USING ((workspace_id = current_workspace())) WITH CHECK ((workspace_id = current_workspace()));
GRANT DELETE, INSERT, SELECT, UPDATE ON members TO viberator_app;
GRANT DELETE, INSERT, SELECT, UPDATE ON members TO viberator_system;

CREATE TABLE projects (
    id uuid NOT NULL,
    workspace_id uuid NOT NULL,
    name text NOT NULL,
    repository text NOT NULL,
    branch text NOT NULL,
    agent jsonb NOT NULL,
    phases text[] NOT NULL,
    deciders text[] NOT NULL DEFAULT '{}'::text[],
    test_command text NOT NULL DEFAULT ''::text,
    protected_paths text[] NOT NULL DEFAULT '{}'::text[],
    templates_dir text NOT NULL DEFAULT ''::text,
    declared boolean NOT NULL DEFAULT false,
    CONSTRAINT projects_pkey PRIMARY KEY (id),
    CONSTRAINT projects_in_one_workspace UNIQUE (id, workspace_id),
    CONSTRAINT projects_one_per_name UNIQUE (workspace_id, name),
    CONSTRAINT projects_phases_known CHECK (((phases <@ ARRAY['research'::text, 'planning'::text, 'execution'::text]) AND (phases <> '{}'::text[]))),
    CONSTRAINT projects_workspace_id_fkey FOREIGN KEY (workspace_id) REFERENCES workspaces(id)
);

ALTER TABLE projects ENABLE ROW LEVEL SECURITY;
ALTER TABLE projects FORCE ROW LEVEL SECURITY;
CREATE POLICY every_workspace ON projects TO viberator_system USING (true) WITH CHECK (true);
CREATE POLICY own_workspace ON projects TO viberator_app USING ((workspace_id = current_workspace())) WITH CHECK ((workspace_id = current_workspace()));
GRANT DELETE, INSERT, SELECT, UPDATE ON projects TO viberator_app;
GRANT DELETE, INSERT, SELECT, UPDATE ON projects TO viberator_system;

CREATE TABLE questions (
    workspace_id uuid NOT NULL,
    ticket_id uuid NOT NULL,
    ordinal integer NOT NULL,
    session_id uuid NOT NULL,
    text text NOT NULL,
    options text[] NOT NULL,
    answered_by text NOT NULL DEFAULT ''::text,
    answer text NOT NULL DEFAULT ''::text,
    CONSTRAINT questions_pkey PRIMARY KEY (ticket_id, ordinal),
    CONSTRAINT questions_session_known FOREIGN KEY (session_id, ticket_id, workspace_id) REFERENCES sessions(id, ticket_id, workspace_id) ON DELETE CASCADE,
    CONSTRAINT questions_workspace_id_fkey FOREIGN KEY (workspace_id) REFERENCES workspaces(id)
);

ALTER TABLE questions ENABLE ROW LEVEL SECURITY;
ALTER TABLE questions FORCE ROW LEVEL SECURITY;
CREATE POLICY every_workspace ON questions TO viberator_system USING (true) WITH CHECK (true);
CREATE POLICY own_workspace ON questions TO viberator_app USING ((workspace_id = current_workspace())) WITH CHECK ((workspace_id = current_workspace()));
GRANT DELETE, INSERT, SELECT, UPDATE ON questions TO viberator_app;
GRANT DELETE, INSERT, SELECT, UPDATE ON questions TO viberator_system;

CREATE TABLE schedules (
    id uuid NOT NULL,
    workspace_id uuid NOT NULL,
    project_id uuid NOT NULL,
    title text NOT NULL,
    description text NOT NULL,
    recurrence text NOT NULL,
    next_at timestamp with time zone,
    CONSTRAINT schedules_pkey PRIMARY KEY (id),
    CONSTRAINT schedules_project_known FOREIGN KEY (project_id, workspace_id) REFERENCES projects(id, workspace_id) ON DELETE CASCADE,
    CONSTRAINT schedules_workspace_id_fkey FOREIGN KEY (workspace_id) REFERENCES workspaces(id)
);

CREATE INDEX schedules_due ON public.schedules USING btree (next_at) WHERE (next_at IS NOT NULL);
ALTER TABLE schedules ENABLE ROW LEVEL SECURITY;
ALTER TABLE schedules FORCE ROW LEVEL SECURITY;
CREATE POLICY every_workspace ON schedules TO viberator_system USING (true) WITH CHECK (true);
CREATE POLICY own_workspace ON schedules TO viberator_app USING ((workspace_id = current_workspace())) WITH CHECK ((workspace_id = current_workspace()));
GRANT DELETE, INSERT, SELECT, UPDATE ON schedules TO viberator_app;
GRANT DELETE, INSERT, SELECT, UPDATE ON schedules TO viberator_system;

CREATE TABLE schema_migrations (
    number integer NOT NULL,
    name text NOT NULL,
    checksum text NOT NULL,
    applied_at timestamp with time zone NOT NULL DEFAULT now(),
    CONSTRAINT schema_migrations_pkey PRIMARY KEY (number)
);

GRANT SELECT ON schema_migrations TO viberator_app;
GRANT SELECT ON schema_migrations TO viberator_system;

CREATE TABLE secrets (
    id uuid NOT NULL,
    workspace_id uuid NOT NULL,
    project_id uuid,
    name text NOT NULL,
    ciphertext bytea NOT NULL,
    created_at timestamp with time zone NOT NULL DEFAULT now(),
    CONSTRAINT secrets_pkey PRIMARY KEY (id),
    CONSTRAINT secrets_one_per_name UNIQUE NULLS NOT DISTINCT (workspace_id, project_id, name),
    CONSTRAINT secrets_project_known FOREIGN KEY (project_id, workspace_id) REFERENCES projects(id, workspace_id) ON DELETE CASCADE,
    CONSTRAINT secrets_workspace_id_fkey FOREIGN KEY (workspace_id) REFERENCES workspaces(id)
);

ALTER TABLE secrets ENABLE ROW LEVEL SECURITY;
ALTER TABLE secrets FORCE ROW LEVEL SECURITY;
CREATE POLICY every_workspace ON secrets TO viberator_system USING (true) WITH CHECK (true);
CREATE POLICY own_workspace ON secrets TO viberator_app USING ((workspace_id = current_workspace())) WITH CHECK ((workspace_id = current_workspace()));
GRANT DELETE, INSERT, SELECT, UPDATE ON secrets TO viberator_app;
GRANT DELETE, INSERT, SELECT, UPDATE ON secrets TO viberator_system;

CREATE TABLE sessions (
    id uuid NOT NULL,
    workspace_id uuid NOT NULL,
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
    queued_at timestamp with time zone NOT NULL DEFAULT clock_timestamp(),
    CONSTRAINT sessions_pkey PRIMARY KEY (id),
    CONSTRAINT sessions_asleep_for_a_reason CHECK (((state = 'asleep'::text) = (reason IS NOT NULL))),
    CONSTRAINT sessions_in_one_ticket UNIQUE (id, ticket_id, workspace_id),
    CONSTRAINT sessions_one_per_ordinal UNIQUE (ticket_id, ordinal),
    CONSTRAINT sessions_phase_known CHECK ((phase = ANY (ARRAY['research'::text, 'planning'::text, 'execution'::text]))),
    CONSTRAINT sessions_state_known CHECK ((state = ANY (ARRAY['queued'::text, 'working'::text, 'waiting'::text, 'asleep'::text, 'done'::text, 'discarded'::text]))),
    CONSTRAINT sessions_ticket_known FOREIGN KEY (ticket_id, workspace_id) REFERENCES tickets(id, workspace_id) ON DELETE CASCADE,
    CONSTRAINT sessions_workspace_id_fkey FOREIGN KEY (workspace_id) REFERENCES workspaces(id)
);

CREATE UNIQUE INDEX sessions_one_live_per_lane ON public.sessions USING btree (ticket_id, lane) WHERE (state <> ALL (ARRAY['done'::text, 'discarded'::text]));
CREATE INDEX sessions_to_claim ON public.sessions USING btree (priority DESC, queued_at) WHERE (state = 'queued'::text);
ALTER TABLE sessions ENABLE ROW LEVEL SECURITY;
ALTER TABLE sessions FORCE ROW LEVEL SECURITY;
CREATE POLICY every_workspace ON sessions TO viberator_system USING (true) WITH CHECK (true);
CREATE POLICY own_workspace ON sessions TO viberator_app USING ((workspace_id = current_workspace())) WITH CHECK ((workspace_id = current_workspace()));
GRANT DELETE, INSERT, SELECT, UPDATE ON sessions TO viberator_app;
GRANT DELETE, INSERT, SELECT, UPDATE ON sessions TO viberator_system;

CREATE TABLE slots (
    workspace_id uuid NOT NULL,
    thread_id uuid NOT NULL,
    slot text NOT NULL,
    state text NOT NULL,
    digest text NOT NULL,
    message_id text NOT NULL DEFAULT ''::text,
    fence bigint NOT NULL,
    changed_at timestamp with time zone NOT NULL DEFAULT now(),
    CONSTRAINT slots_pkey PRIMARY KEY (thread_id, slot),
    CONSTRAINT slots_state_known CHECK ((state = ANY (ARRAY['intended'::text, 'done'::text, 'gone'::text]))),
    CONSTRAINT slots_thread_known FOREIGN KEY (thread_id, workspace_id) REFERENCES threads(id, workspace_id) ON DELETE CASCADE,
    CONSTRAINT slots_workspace_id_fkey FOREIGN KEY (workspace_id) REFERENCES workspaces(id)
);

ALTER TABLE slots ENABLE ROW LEVEL SECURITY;
ALTER TABLE slots FORCE ROW LEVEL SECURITY;
CREATE POLICY every_workspace ON slots TO viberator_system USING (true) WITH CHECK (true);
CREATE POLICY own_workspace ON slots TO viberator_app USING ((workspace_id = current_workspace())) WITH CHECK ((workspace_id = current_workspace()));
GRANT DELETE, INSERT, SELECT, UPDATE ON slots TO viberator_app;
GRANT DELETE, INSERT, SELECT, UPDATE ON slots TO viberator_system;

CREATE TABLE threads (
    id uuid NOT NULL,
    workspace_id uuid NOT NULL,
    ticket_id uuid NOT NULL,
    installation_id uuid NOT NULL,
    channel text NOT NULL,
    thread text,
    outlet text NOT NULL,
    wanted_event bigint NOT NULL DEFAULT 0,
    delivered_event bigint NOT NULL DEFAULT 0,
    wanted_at timestamp with time zone NOT NULL DEFAULT now(),
    parked text,
    snapshot_version integer,
    snapshot_position bigint,
    snapshot bytea,
    CONSTRAINT threads_pkey PRIMARY KEY (id),
    CONSTRAINT threads_delivered_is_wanted CHECK ((delivered_event <= wanted_event)),
    CONSTRAINT threads_in_one_workspace UNIQUE (id, workspace_id),
    CONSTRAINT threads_installation_known FOREIGN KEY (installation_id, workspace_id) REFERENCES installations(id, workspace_id),
    CONSTRAINT threads_one_ticket_per_place UNIQUE (installation_id, channel, thread),
    CONSTRAINT threads_snapshot_is_whole CHECK ((num_nulls(snapshot_version, snapshot_position, snapshot) = ANY (ARRAY[0, 3]))),
    CONSTRAINT threads_ticket_known FOREIGN KEY (ticket_id, workspace_id) REFERENCES tickets(id, workspace_id) ON DELETE CASCADE,
    CONSTRAINT threads_workspace_id_fkey FOREIGN KEY (workspace_id) REFERENCES workspaces(id)
) WITH (fillfactor=70);

CREATE INDEX threads_by_ticket ON public.threads USING btree (ticket_id);
CREATE INDEX threads_dirty ON public.threads USING btree (outlet, wanted_at) WHERE ((wanted_event <> delivered_event) AND (parked IS NULL));
ALTER TABLE threads ENABLE ROW LEVEL SECURITY;
ALTER TABLE threads FORCE ROW LEVEL SECURITY;
CREATE POLICY every_workspace ON threads TO viberator_system USING (true) WITH CHECK (true);
CREATE POLICY own_workspace ON threads TO viberator_app USING ((workspace_id = current_workspace())) WITH CHECK ((workspace_id = current_workspace()));
GRANT DELETE, INSERT, SELECT, UPDATE ON threads TO viberator_app;
GRANT DELETE, INSERT, SELECT, UPDATE ON threads TO viberator_system;

CREATE TABLE tickets (
    id uuid NOT NULL,
    workspace_id uuid NOT NULL,
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
    filed_at timestamp with time zone NOT NULL,
    requester_platform text NOT NULL DEFAULT ''::text,
    attachments jsonb NOT NULL DEFAULT '[]'::jsonb,
    CONSTRAINT tickets_pkey PRIMARY KEY (id),
    CONSTRAINT tickets_in_one_workspace UNIQUE (id, workspace_id),
    CONSTRAINT tickets_one_per_key UNIQUE (key),
    CONSTRAINT tickets_phase_known CHECK ((phase = ANY (ARRAY['research'::text, 'planning'::text, 'execution'::text]))),
    CONSTRAINT tickets_project_known FOREIGN KEY (project_id, workspace_id) REFERENCES projects(id, workspace_id),
    CONSTRAINT tickets_severity_known CHECK ((severity = ANY (ARRAY['low'::text, 'normal'::text, 'high'::text, 'urgent'::text]))),
    CONSTRAINT tickets_state_known CHECK ((state = ANY (ARRAY['open'::text, 'done'::text, 'rejected'::text]))),
    CONSTRAINT tickets_workspace_id_fkey FOREIGN KEY (workspace_id) REFERENCES workspaces(id)
) WITH (fillfactor=70);

CREATE INDEX tickets_by_filing ON public.tickets USING btree (workspace_id, filed_at);
ALTER TABLE tickets ENABLE ROW LEVEL SECURITY;
ALTER TABLE tickets FORCE ROW LEVEL SECURITY;
CREATE POLICY every_workspace ON tickets TO viberator_system USING (true) WITH CHECK (true);
CREATE POLICY own_workspace ON tickets TO viberator_app USING ((workspace_id = current_workspace())) WITH CHECK ((workspace_id = current_workspace()));
GRANT DELETE, INSERT, SELECT, UPDATE ON tickets TO viberator_app;
GRANT DELETE, INSERT, SELECT, UPDATE ON tickets TO viberator_system;

CREATE TABLE usage (
    workspace_id uuid NOT NULL,
    session_id uuid NOT NULL,
    input_tokens bigint,
    output_tokens bigint,
    cost_usd double precision,
    CONSTRAINT usage_pkey PRIMARY KEY (session_id),
    CONSTRAINT usage_session_id_fkey FOREIGN KEY (session_id) REFERENCES sessions(id) ON DELETE CASCADE,
    CONSTRAINT usage_workspace_id_fkey FOREIGN KEY (workspace_id) REFERENCES workspaces(id)
);

ALTER TABLE usage ENABLE ROW LEVEL SECURITY;
ALTER TABLE usage FORCE ROW LEVEL SECURITY;
CREATE POLICY every_workspace ON usage TO viberator_system USING (true) WITH CHECK (true);
CREATE POLICY own_workspace ON usage TO viberator_app USING ((workspace_id = current_workspace())) WITH CHECK ((workspace_id = current_workspace()));
GRANT DELETE, INSERT, SELECT, UPDATE ON usage TO viberator_app;
GRANT DELETE, INSERT, SELECT, UPDATE ON usage TO viberator_system;

CREATE TABLE workspaces (
    id uuid NOT NULL,
    name text NOT NULL,
    created_at timestamp with time zone NOT NULL DEFAULT now(),
    CONSTRAINT workspaces_pkey PRIMARY KEY (id),
    CONSTRAINT workspaces_one_per_name UNIQUE (name)
);

ALTER TABLE workspaces ENABLE ROW LEVEL SECURITY;
ALTER TABLE workspaces FORCE ROW LEVEL SECURITY;
CREATE POLICY every_workspace ON workspaces TO viberator_system USING (true) WITH CHECK (true);
CREATE POLICY own_workspace ON workspaces TO viberator_app USING ((id = current_workspace())) WITH CHECK ((id = current_workspace()));
GRANT SELECT ON workspaces TO viberator_app;
GRANT DELETE, INSERT, SELECT, UPDATE ON workspaces TO viberator_system;
