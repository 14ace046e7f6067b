-- What the catalogues say of our schema, a line each, in an order of their own.

-- name: functions
SELECT pg_get_functiondef(p.oid) AS definition
FROM pg_proc p
WHERE p.pronamespace = 'public'::regnamespace
    AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.objid = p.oid AND d.deptype = 'e')
ORDER BY p.proname

-- name: tables
SELECT oid, relname AS name, coalesce(' WITH (' || array_to_string(reloptions, ', ') || ')', '') AS options
FROM pg_class
WHERE relnamespace = 'public'::regnamespace AND relkind = 'r'
ORDER BY relname

-- name: columns
SELECT concat_ws(' ',
    quote_ident(a.attname),
    format_type(a.atttypid, a.atttypmod),
    CASE WHEN a.attnotnull THEN 'NOT NULL' END,
    CASE WHEN a.attidentity = 'a' THEN 'GENERATED ALWAYS AS IDENTITY' END,
    'DEFAULT ' || pg_get_expr(d.adbin, d.adrelid)
) AS line
FROM pg_attribute a
LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
WHERE a.attrelid = $1 AND a.attnum > 0 AND NOT a.attisdropped
ORDER BY a.attnum

-- name: constraints
-- From 18 on NOT NULL is a constraint too; it is said with the column.
SELECT format('CONSTRAINT %I %s', conname, pg_get_constraintdef(oid)) AS line
FROM pg_constraint
WHERE conrelid = $1 AND contype <> 'n'
ORDER BY contype = 'p' DESC, conname

-- name: indexes
SELECT pg_get_indexdef(i.indexrelid) AS line
FROM pg_index i
JOIN pg_class c ON c.oid = i.indexrelid
WHERE i.indrelid = $1 AND NOT EXISTS (SELECT FROM pg_constraint k WHERE k.conindid = i.indexrelid AND k.conrelid = $1)
ORDER BY c.relname

-- name: row_security
SELECT format('ALTER TABLE %I %s ROW LEVEL SECURITY', c.relname, how) AS line
FROM pg_class c
CROSS JOIN LATERAL (VALUES ('ENABLE', c.relrowsecurity), ('FORCE', c.relforcerowsecurity)) AS security (how, is_so)
WHERE c.oid = $1 AND is_so

-- name: policies
SELECT format('CREATE POLICY %I ON %I TO %s USING (%s) WITH CHECK (%s)', p.polname, c.relname,
    (SELECT string_agg(r.rolname, ', ' ORDER BY r.rolname) FROM pg_roles r WHERE r.oid = ANY(p.polroles)),
    pg_get_expr(p.polqual, p.polrelid), pg_get_expr(p.polwithcheck, p.polrelid)
) AS line
FROM pg_policy p
JOIN pg_class c ON c.oid = p.polrelid
WHERE p.polrelid = $1
ORDER BY p.polname

-- name: grants
SELECT format('GRANT %s ON %I TO %I',
    string_agg(acl.privilege_type, ', ' ORDER BY acl.privilege_type), c.relname, r.rolname) AS line
FROM pg_class c
CROSS JOIN LATERAL aclexplode(c.relacl) AS acl
JOIN pg_roles r ON r.oid = acl.grantee
WHERE c.oid = $1 AND acl.grantee <> c.relowner
GROUP BY c.relname, r.rolname
ORDER BY r.rolname
