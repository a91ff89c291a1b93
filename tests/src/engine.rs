//! Where the hub of a story keeps everything, and stories that are told on both engines.

/// What the hub keeps everything in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Engine {
    /// The embedded default.
    Sqlite,
    /// A private server, started with the story.
    Postgres,
}

/// Tells each of these stories, `async fn(Scene)`, on SQLite and on PostgreSQL.
#[macro_export]
macro_rules! on_both_engines {
    ($($story:ident),+ $(,)?) => {
        mod on_sqlite {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
            async fn $story() {
                super::$story($crate::Scene::new($crate::Engine::Sqlite)).await;
            })+
        }
        mod on_postgres {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
            async fn $story() {
                super::$story($crate::Scene::new($crate::Engine::Postgres)).await;
            })+
        }
    };
}

/// Tells each of these stories, `async fn(Scene)`, on SQLite alone. May stand beside [`on_both_engines`].
#[macro_export]
macro_rules! on_sqlite {
    ($($story:ident),+ $(,)?) => {
        mod on_sqlite_alone {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
            async fn $story() {
                super::$story($crate::Scene::new($crate::Engine::Sqlite)).await;
            })+
        }
    };
}
