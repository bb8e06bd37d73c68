//! Rules between the product's own tables, as statements that count where they do not hold.

/// Counts of rows that must not be there, and what each says of them.
pub(super) const RULES: &[(&str, &str)] = &[
    (
        "SELECT count(*) FROM history WHERE org NOT IN (SELECT id FROM organization)",
        "rows of the history belong to no organization",
    ),
    (
        "SELECT count(*) FROM history h WHERE token IS NOT NULL
         AND NOT EXISTS (SELECT 1 FROM token t WHERE t.org = h.org AND t.id = h.token)",
        "rows of the history name a token that does not exist",
    ),
    (
        "SELECT count(*) FROM history_count WHERE org NOT IN (SELECT id FROM organization)",
        "counts of the history belong to no organization",
    ),
    (
        "SELECT count(*) FROM token WHERE length(fingerprint) <> 32",
        "tokens cannot be told from others",
    ),
    (
        "SELECT count(*) FROM token t JOIN organization o ON o.id = t.org
         WHERE o.deleted IS NOT NULL AND t.revoked IS NULL",
        "tokens of deleted organizations are not revoked",
    ),
    (
        "SELECT count(*) FROM (SELECT org FROM token
           WHERE revoked IS NULL AND (expires IS NULL OR expires > unixepoch() * 1000000)
           GROUP BY org, purpose HAVING count(*) > 2)",
        "organizations have more than two tokens in force",
    ),
    (
        "SELECT count(*) FROM import_position WHERE org NOT IN (SELECT id FROM organization)",
        "positions of imports belong to no organization",
    ),
    (
        "SELECT count(*) FROM source s WHERE s.ended IS NULL
         AND s.org NOT IN (SELECT id FROM organization WHERE deleted IS NULL)",
        "connections with identity providers belong to no organization",
    ),
    (
        "SELECT count(*) FROM account a WHERE a.row IS NOT NULL AND NOT EXISTS (
           SELECT 1 FROM binding b WHERE b.org = a.org AND b.account = a.id AND b.until IS NULL)",
        "accounts of people are not bound to them",
    ),
    (
        "SELECT count(*) FROM binding b WHERE NOT EXISTS (
           SELECT 1 FROM account a WHERE a.org = b.org AND a.id = b.account AND (b.until IS NOT NULL OR a.row IS NOT NULL))",
        "bindings lead to no account",
    ),
    (
        "SELECT count(*) FROM account a WHERE (a.row IS NOT NULL OR (a.managed_by = 'hand' AND a.state <> 'removed'))
         AND NOT EXISTS (SELECT 1 FROM sign_in_name s WHERE s.org = a.org AND s.name = a.name_key AND s.account = a.id)",
        "accounts do not have their names",
    ),
    (
        "SELECT count(*) FROM sign_in_name s WHERE NOT EXISTS (
           SELECT 1 FROM account a WHERE a.org = s.org AND a.id = s.account AND a.name_key = s.name
             AND (a.row IS NOT NULL OR (a.managed_by = 'hand' AND a.state <> 'removed')))",
        "names are taken by nobody",
    ),
    (
        "SELECT count(*) FROM provisioned_group g WHERE NOT EXISTS (
           SELECT 1 FROM role r WHERE r.org = g.org AND r.mirrors = g.row)",
        "groups have no role that mirrors them",
    ),
    (
        "SELECT count(*) FROM role r WHERE r.mirrors IS NOT NULL AND NOT EXISTS (
           SELECT 1 FROM provisioned_group g WHERE g.org = r.org AND g.row = r.mirrors)",
        "roles mirror no group",
    ),
    (
        "SELECT count(*) FROM role_permission p WHERE NOT EXISTS (
           SELECT 1 FROM role r WHERE r.org = p.org AND r.id = p.role)",
        "permissions belong to no role",
    ),
    (
        "SELECT count(*) FROM mapping m WHERE NOT EXISTS (
           SELECT 1 FROM provisioned_group g WHERE g.org = m.org AND g.row = m.grp)
         OR NOT EXISTS (SELECT 1 FROM role r WHERE r.org = m.org AND r.id = m.role AND r.mirrors IS NULL)",
        "mappings lead from no group, or to no role",
    ),
    (
        "SELECT count(*) FROM role_grant g WHERE NOT EXISTS (SELECT 1 FROM role r WHERE r.org = g.org AND r.id = g.role)
         OR NOT (EXISTS (SELECT 1 FROM account a WHERE a.org = g.org AND a.id = g.holder)
              OR EXISTS (SELECT 1 FROM local_group l WHERE l.org = g.org AND l.id = g.holder))",
        "roles are given to nobody, or do not exist",
    ),
    (
        "SELECT count(*) FROM permission_grant g WHERE NOT EXISTS (
           SELECT 1 FROM account a WHERE a.org = g.org AND a.id = g.holder)",
        "permissions are given to nobody",
    ),
    (
        "SELECT count(*) FROM permission_grant g JOIN account a ON a.org = g.org AND a.id = g.holder
         WHERE g.waiting AND (a.row IS NOT NULL OR (a.managed_by = 'hand' AND a.state <> 'removed'))
           AND NOT EXISTS (SELECT 1 FROM conflict c WHERE c.org = g.org AND c.kind = 'waiting-permissions'
             AND c.account = g.holder AND c.state <> 'resolved')",
        "permissions wait and are not in the inbox",
    ),
    (
        "SELECT count(*) FROM conflict c WHERE c.kind = 'waiting-permissions' AND c.state <> 'resolved'
         AND NOT EXISTS (SELECT 1 FROM permission_grant g WHERE g.org = c.org AND g.holder = c.account AND g.waiting)",
        "entries of the inbox tell of permissions that do not wait",
    ),
    (
        "SELECT count(*) FROM local_member m WHERE NOT EXISTS (
           SELECT 1 FROM local_group l WHERE l.org = m.org AND l.id = m.local_group)
         OR NOT EXISTS (SELECT 1 FROM account a WHERE a.org = m.org AND a.id = m.account)",
        "members of local groups, or their groups, do not exist",
    ),
    (
        "SELECT count(*) FROM mail WHERE (state = 'queued') <> (due IS NOT NULL)
         OR (state = 'sent') <> (sent IS NOT NULL) OR (state IN ('sent', 'cancelled') AND sealed_link IS NOT NULL)
         OR (sealed_link IS NULL) <> (link_ends IS NULL)",
        "mails are not in the state that they say",
    ),
    (
        "SELECT count(*) FROM session s WHERE NOT EXISTS (SELECT 1 FROM owner o WHERE o.org = s.org AND o.id = s.account)
         AND NOT EXISTS (SELECT 1 FROM account a WHERE a.org = s.org AND a.id = s.account AND a.state = 'active'
           AND a.suspended IS NULL)",
        "sessions are of nobody who can sign in",
    ),
    (
        "SELECT count(*) FROM link l WHERE l.kind <> 'set-up'
         AND NOT EXISTS (SELECT 1 FROM owner o WHERE o.org = l.org AND o.id = l.account)
         AND NOT EXISTS (SELECT 1 FROM account a WHERE a.org = l.org AND a.id = l.account AND a.state = 'active'
           AND a.suspended IS NULL)",
        "links let in nobody who can sign in",
    ),
    (
        "SELECT count(*) FROM (SELECT org, account FROM password UNION ALL SELECT org, account FROM second_factor) c
         WHERE NOT EXISTS (SELECT 1 FROM owner o WHERE o.org = c.org AND o.id = c.account)
         AND NOT EXISTS (SELECT 1 FROM account a WHERE a.org = c.org AND a.id = c.account AND a.state <> 'removed')",
        "passwords and second factors are of nobody",
    ),
    (
        "SELECT count(*) FROM recovery_code r WHERE NOT EXISTS (
           SELECT 1 FROM second_factor f WHERE f.org = r.org AND f.account = r.account AND f.confirmed IS NOT NULL)",
        "recovery codes stand in for no second factor",
    ),
];
