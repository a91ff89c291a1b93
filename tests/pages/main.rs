//! What people see in a browser: a real Chromium, headless, opens the pages that a real hub serves,
//! uses them as people would, and has nothing to complain of.

mod api_docs;
