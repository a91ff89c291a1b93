//! Drives a target: changes inputs, watches what the reader makes of them, keeps what is new.

use std::any::Any;
use std::cell::Cell;
use std::collections::BTreeSet;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use crate::corpus;
use crate::coverage::Counters;
use crate::mutate::{Chance, mutate};
use crate::targets::{Target, Verdict};

/// A reader that takes longer than this for one input hangs.
const HANGS_AFTER: Duration = Duration::from_secs(20);
/// Most inputs that are kept to be changed further.
const KEPT_MAX: usize = 4096;

/// How long to look.
#[derive(Debug, Clone, Copy)]
pub enum Budget {
    /// So many inputs: the same for the same seed.
    Inputs(u64),
    /// So long.
    Time(Duration),
}

/// What a look found nothing wrong with.
#[derive(Debug, Clone, Copy)]
pub struct Looked {
    /// Inputs that were tried.
    pub inputs: u64,
    /// Inputs that were kept because a reader answered in a way not seen before.
    pub kept: usize,
    /// Branches that were taken, of how many, where they are counted.
    pub branches: Option<(usize, usize)>,
}

/// An input that breaks something.
#[derive(Debug)]
pub struct Finding {
    /// What is wrong.
    pub why: String,
    /// The input, made as short as it could be.
    pub input: Vec<u8>,
    /// Where it was kept.
    pub kept_at: Option<PathBuf>,
}

thread_local! {
    /// Whether a panic of this thread is expected, and need not be told by the runtime.
    static QUIET: Cell<bool> = const { Cell::new(false) };
}

/// Looks at a target.
pub fn look(target: &Target, seed: u64, budget: Budget) -> Result<Looked, Box<Finding>> {
    be_quiet_about_expected_panics();
    let watch = Watch::start(target.name);
    let mut counters = Counters::find();
    let mut answers = BTreeSet::new();
    let mut kept: Vec<Vec<u8>> = Vec::new();
    let begun = Instant::now();
    let mut inputs = 0;
    let examples: Vec<Vec<u8>> = target.examples().into_iter().chain(corpus::read(target.name)).collect();
    for example in examples {
        inputs += 1;
        let answer = attempt(target, &example, &watch).map_err(|why| finding(target, &example, why, &watch))?;
        answers.insert(answer);
        kept.push(example);
    }
    if let Some(counters) = &mut counters {
        counters.is_new();
    }
    if kept.is_empty() {
        kept.push(Vec::new());
    }
    let mut chance = Chance::new(seed);
    loop {
        let is_over = match budget {
            Budget::Inputs(most) => inputs >= most,
            Budget::Time(most) => inputs % 64 == 0 && begun.elapsed() >= most,
        };
        if is_over {
            let branches = counters.map(|counters| (counters.taken(), counters.len()));
            return Ok(Looked { inputs, kept: kept.len(), branches });
        }
        inputs += 1;
        let mut input = kept[chance.below(kept.len())].clone();
        let other = chance.below(kept.len());
        mutate(&mut input, &kept[other], target.bytes_max, &mut chance);
        let answer = attempt(target, &input, &watch).map_err(|why| finding(target, &input, why, &watch))?;
        let is_new = answers.insert(answer) | counters.as_mut().is_some_and(Counters::is_new);
        if is_new && kept.len() < KEPT_MAX {
            kept.push(input);
        }
    }
}

/// Gives an input to the reader. Answers with what it made of it, so far that two alike count as one; or with
/// what is wrong.
fn attempt(target: &Target, input: &[u8], watch: &Watch) -> Result<String, String> {
    watch.begin();
    QUIET.set(true);
    let verdict = catch_unwind(AssertUnwindSafe(|| target.try_one(input)));
    QUIET.set(false);
    watch.end();
    match verdict {
        Ok(Verdict::Read) => Ok(format!("read {}", input.len().checked_ilog2().unwrap_or(0))),
        // Numbers and names of the input would make each refusal a new one.
        Ok(Verdict::Refused(why)) => Ok(why.chars().filter(|c| !c.is_ascii_digit()).take(60).collect()),
        Ok(Verdict::Broken(why)) => Err(why),
        Err(panic) => Err(format!("it panics: {}", words(panic.as_ref()))),
    }
}

fn words(panic: &(dyn Any + Send)) -> &str {
    let text = panic.downcast_ref::<String>().map(String::as_str);
    text.or_else(|| panic.downcast_ref::<&str>().copied()).unwrap_or("without a word")
}

/// Makes an input shorter as long as it breaks something, and keeps it.
fn finding(target: &Target, input: &[u8], why: String, watch: &Watch) -> Box<Finding> {
    let (mut input, mut why) = (input.to_vec(), why);
    let mut size = input.len() / 2;
    while size > 0 {
        let mut at = 0;
        while at < input.len() {
            let mut shorter = input.clone();
            shorter.drain(at..(at + size).min(input.len()));
            match attempt(target, &shorter, watch) {
                Err(still) => (input, why) = (shorter, still),
                Ok(_) => at += size,
            }
        }
        size /= 2;
    }
    let kept_at = corpus::keep(target.name, &input).ok();
    Box::new(Finding { why, input, kept_at })
}

fn be_quiet_about_expected_panics() {
    static ONCE: std::sync::Once = std::sync::Once::new();
    ONCE.call_once(|| {
        let usual = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |panic| {
            if !QUIET.get() {
                usual(panic);
            }
        }));
    });
}

/// Ends the process if one input takes far too long: nothing else could end a reader that hangs.
struct Watch {
    begun: std::sync::Arc<AtomicU64>,
    zero: Instant,
}

impl Watch {
    fn start(target: &'static str) -> Watch {
        let begun = std::sync::Arc::new(AtomicU64::new(0));
        let (weak, zero) = (std::sync::Arc::downgrade(&begun), Instant::now());
        std::thread::spawn(move || {
            while let Some(begun) = weak.upgrade() {
                let since = begun.load(Ordering::Relaxed);
                if since > 0 && zero.elapsed().saturating_sub(Duration::from_millis(since)) > HANGS_AFTER {
                    hangs(target);
                }
                drop(begun);
                std::thread::park_timeout(Duration::from_millis(500));
            }
        });
        Watch { begun, zero }
    }

    fn begin(&self) {
        let now = self.zero.elapsed().as_millis() as u64;
        self.begun.store(now.max(1), Ordering::Relaxed);
    }

    fn end(&self) {
        self.begun.store(0, Ordering::Relaxed);
    }
}

#[expect(clippy::print_stderr, reason = "the last word of a process that ends here")]
fn hangs(target: &str) -> ! {
    eprintln!("{target}: one input took longer than {HANGS_AFTER:?}; the same seed finds it again");
    std::process::abort()
}
