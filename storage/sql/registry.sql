-- What a workspace is set up with.

-- name: put_installation
INSERT INTO installations (id, workspace_id, platform, external_id, outlet)
VALUES ($1, current_workspace(), $2, $3, $4)
ON CONFLICT (platform, external_id) DO UPDATE SET outlet = excluded.outlet
RETURNING id

-- name: put_project
-- By its name; the id of a project that exists stays. One that the settings declare is changed by them only.
INSERT INTO projects (
    id, workspace_id, name, repository, branch, agent, phases, deciders, test_command, protected_paths, templates_dir,
    declared
)
VALUES ($1, current_workspace(), $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)
ON CONFLICT (workspace_id, name) DO UPDATE
SET repository = excluded.repository, branch = excluded.branch, agent = excluded.agent, phases = excluded.phases,
    deciders = excluded.deciders, test_command = excluded.test_command, protected_paths = excluded.protected_paths,
    templates_dir = excluded.templates_dir, declared = excluded.declared
WHERE excluded.declared OR NOT projects.declared
RETURNING id

-- name: bind_channel
INSERT INTO channel_bindings (workspace_id, installation_id, channel, project_id)
VALUES (current_workspace(), $1, $2, $3)
ON CONFLICT (installation_id, channel) DO UPDATE SET project_id = excluded.project_id

-- name: unbind_channels
-- A terminal's thread keeps its project: nobody declares it.
DELETE FROM channel_bindings b USING installations i
WHERE b.project_id = $1 AND i.id = b.installation_id AND i.platform <> 'terminal'

-- name: put_member
INSERT INTO members (workspace_id, installation_id, external_id, name, email, role)
VALUES (current_workspace(), $1, $2, $3, $4, $5)
ON CONFLICT (installation_id, external_id) DO UPDATE
SET name = excluded.name, email = excluded.email, role = excluded.role

-- name: undeclare_projects
UPDATE projects SET declared = false WHERE declared AND name <> ALL ($1::text[])
