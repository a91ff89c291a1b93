//! Desired state. Intent: `publications` are the revisions of layers and their way out, `publication_nodes` the nodes
//! that they are for, `drafts` what is being written, `pins` which revisions are meant for each node. Facts:
//! `observed` is what nodes say of it.

pub mod drafts;
pub mod observed;
pub mod pins;
pub mod publication_nodes;
pub mod publications;
