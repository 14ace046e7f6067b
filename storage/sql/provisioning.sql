-- name: ensure_workspace
-- Answers the id of the workspace of that name, whoever made it.
INSERT INTO workspaces (id, name) VALUES ($1, $2)
ON CONFLICT ON CONSTRAINT workspaces_one_per_name DO UPDATE SET name = excluded.name
RETURNING id;

-- name: ensure_installation
INSERT INTO installations (id, workspace_id, platform, external_id, outlet) VALUES ($1, $2, $3, $4, $5)
ON CONFLICT ON CONSTRAINT installations_one_per_external_id DO UPDATE SET outlet = excluded.outlet
RETURNING id, workspace_id, platform, external_id, outlet;

-- name: installations
SELECT id, workspace_id, platform, external_id, outlet FROM installations WHERE platform <> 'terminal';

-- name: terminal_of_ticket
-- The terminal in which the ticket of that key was filed.
SELECT i.id, i.workspace_id, i.platform, i.external_id, i.outlet
FROM tickets AS t
JOIN threads AS h ON h.ticket_id = t.id
JOIN installations AS i ON i.id = h.installation_id
WHERE t.key = $1 AND i.platform = 'terminal';

-- name: put_project
-- By name; one that is declared in the settings is changed by the settings only.
INSERT INTO projects (
    id, workspace_id, name, repository, branch, agent, phases, deciders, test_command, protected_paths, templates_dir, declared
) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)
ON CONFLICT ON CONSTRAINT projects_one_per_name DO UPDATE SET
    repository = excluded.repository,
    branch = excluded.branch,
    agent = excluded.agent,
    phases = excluded.phases,
    deciders = excluded.deciders,
    test_command = excluded.test_command,
    protected_paths = excluded.protected_paths,
    templates_dir = excluded.templates_dir,
    declared = excluded.declared
WHERE excluded.declared OR NOT projects.declared
RETURNING id;

-- name: undeclare_projects
-- What the settings no longer declare stays, and may be changed by command again.
UPDATE projects SET declared = false WHERE workspace_id = $1 AND declared AND name <> ALL ($2::text[]);

-- name: put_member
INSERT INTO members (workspace_id, installation_id, external_id, name, email, role) VALUES ($1, $2, $3, $4, $5, $6)
ON CONFLICT ON CONSTRAINT members_pkey DO UPDATE SET
    name = excluded.name, email = excluded.email, role = excluded.role;

-- name: project_repositories
SELECT name, repository FROM projects WHERE workspace_id = $1;

-- name: bind_channel
INSERT INTO channel_bindings (workspace_id, installation_id, channel, project_id) VALUES ($1, $2, $3, $4)
ON CONFLICT ON CONSTRAINT channel_bindings_pkey DO UPDATE SET project_id = excluded.project_id;
