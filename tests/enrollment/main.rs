//! How sites come in and are shut out: invites, certificates, revocation, and who may do what.

mod invites;
