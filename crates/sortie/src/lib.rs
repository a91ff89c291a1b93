//! sortie
