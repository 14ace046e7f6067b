-- Who may decide is named with the platform, and a request may come with files.

ALTER TABLE tickets
    ADD COLUMN requester_platform text NOT NULL DEFAULT '',
    ADD COLUMN attachments jsonb NOT NULL DEFAULT '[]';
