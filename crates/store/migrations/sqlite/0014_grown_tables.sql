-- What is forgotten by its age is found by its age, however much else there is.
-- Keep the twin of this file under the other engine's folder in step.

create index invites_expires_at on invites (expires_at);
create index operations_ended on operations (ended_at) where ended_at is not null;
create index jobs_open_of_org on jobs (org) where finished_at is null;
create index tokens_of_admins on tokens (org) where role = 'admin' and scopes is null and revoked_at is null;
