//! What a template may hold: values, conditions, loops, names for values, and filters, and nothing that makes one value
//! of two. All memory that a template takes is then a multiple of what it sees, whatever it does with it.

use minijinja::machinery::{Token, tokenize};

use super::filters::{FILTERS, TESTS};

/// What a statement may begin with. What is captured (`filter`, `set` with a body) would have no bound.
const STATEMENTS: [&str; 7] = ["if", "elif", "else", "endif", "for", "endfor", "set"];
/// Words after which a value begins.
const BEFORE_VALUES: [&str; 9] = ["if", "elif", "else", "for", "in", "set", "not", "and", "or"];
/// Words that are values.
const CONSTANTS: [&str; 6] = ["true", "false", "none", "True", "False", "None"];
/// The engine reads long expressions, and long rows of `elif`, by calling itself.
const TOKENS_PER_EXPRESSION: usize = 200;
const ELIFS_MAX: usize = 50;

/// Why a template cannot be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Unreadable {
    line: Option<usize>,
    why: String,
}

impl Unreadable {
    /// In which line.
    pub(crate) fn line(&self) -> Option<usize> {
        self.line
    }

    /// In a word.
    pub(crate) fn kind(&self) -> &'static str {
        "it cannot be read:"
    }

    /// In a sentence.
    pub(crate) fn detail(&self) -> Option<&str> {
        Some(&self.why)
    }
}

impl std::fmt::Display for Unreadable {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let line = self.line.map(|line| format!(" (line {line})")).unwrap_or_default();
        write!(f, "{}{line}", self.why)
    }
}

impl From<minijinja::Error> for Unreadable {
    fn from(error: minijinja::Error) -> Unreadable {
        let why = error.detail().map_or_else(|| error.kind().to_string(), str::to_owned);
        Unreadable { line: error.line(), why }
    }
}

/// Refuses a template that holds more than it may.
pub(super) fn check(text: &str) -> Result<(), Unreadable> {
    let (mut expression, mut elifs): (Vec<Token<'_>>, _) = (Vec::new(), 0);
    for token in tokenize(text, false, minijinja::syntax::SyntaxConfig::default()) {
        let (token, span) = token?;
        let is_start = matches!(token, Token::VariableStart | Token::BlockStart);
        let is_end = matches!(token, Token::VariableEnd | Token::BlockEnd | Token::TemplateData(_));
        if is_start || !is_end {
            expression.push(token);
            if expression.len() <= TOKENS_PER_EXPRESSION {
                continue;
            }
        }
        elifs += usize::from(matches!(expression.get(1), Some(Token::Ident("elif"))));
        let checked = match () {
            () if expression.len() > TOKENS_PER_EXPRESSION => {
                Err("what stands between two brackets is too long".into())
            }
            () if elifs > ELIFS_MAX => Err(format!("there are more than {ELIFS_MAX} `elif`")),
            () => Expression::new(&expression).check(),
        };
        checked.map_err(|why| Unreadable { line: Some(span.start_line.into()), why })?;
        expression.clear();
    }
    // The engine would work on what it has of it before it found that out.
    match expression.is_empty() {
        true => Ok(()),
        false => Err(Unreadable { line: None, why: "a `{{` or `{%` is not closed".into() }),
    }
}

/// What an open bracket is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Bracket {
    /// What a filter, a test or a method is given.
    Given,
    /// Which of a list or a map.
    Which,
    /// A list of constants.
    Constants,
    /// What belongs together: a list of constants, too, if it holds nothing else.
    Group { constants: bool },
}

/// One `{{ … }}` or `{% … %}`, without its end.
struct Expression<'a> {
    tokens: &'a [Token<'a>],
    statement: Option<&'a str>,
    open: Vec<Bracket>,
    /// Whether the names of a `for` have been read.
    is_past_names: bool,
}

impl<'a> Expression<'a> {
    fn new(tokens: &'a [Token<'a>]) -> Expression<'a> {
        let statement = match tokens {
            [Token::BlockStart, Token::Ident(word), ..] => Some(*word),
            _ => None,
        };
        Expression { tokens, statement, open: Vec::new(), is_past_names: false }
    }

    fn check(mut self) -> Result<(), String> {
        if let Some(word) = self.statement.filter(|word| !STATEMENTS.contains(word)) {
            return Err(format!("there is no `{{% {word} %}}` here; there are `if`, `for` and `set`"));
        }
        for at in 1..self.tokens.len() {
            self.check_token(at)?;
        }
        if self.statement == Some("set") && !self.tokens.iter().any(|token| matches!(token, Token::Assign)) {
            return Err("`set` needs a value: {% set name = value %}".into());
        }
        Ok(())
    }

    fn check_token(&mut self, at: usize) -> Result<(), String> {
        let token = &self.tokens[at];
        self.check_constant(token)?;
        match token {
            Token::Tilde | Token::Plus => {
                Err(format!("{token} puts values together, which a template may not: write them one after the other"))
            }
            Token::Mul | Token::Pow => Err(format!("a template may not use {token}")),
            Token::BraceOpen | Token::BraceClose => Err("a template may not make a map (`{…}`)".into()),
            Token::Colon if self.statement == Some("set") => {
                Err("a part of something (`[a:b]`) may not be named by `set`: write it where it is needed".into())
            }
            Token::Ident(word) => self.check_word(at, word),
            Token::ParenOpen => self.open_paren(at),
            Token::BracketOpen => {
                let which = if self.is_after_value(at) { Bracket::Which } else { Bracket::Constants };
                self.open.push(which);
                Ok(())
            }
            Token::ParenClose | Token::BracketClose => {
                self.open.pop();
                Ok(())
            }
            Token::Comma => self.check_comma(),
            _ => Ok(()),
        }
    }

    /// That a list of constants holds nothing else.
    fn check_constant(&mut self, token: &Token<'_>) -> Result<(), String> {
        let is_constant = match token {
            Token::Ident(word) => CONSTANTS.contains(word),
            Token::Str(_) | Token::String(_) | Token::Int(_) | Token::Int128(_) | Token::Float(_) => true,
            Token::Minus | Token::Comma | Token::BracketClose | Token::ParenClose => true,
            _ => false,
        };
        match self.open.last_mut() {
            Some(Bracket::Constants) if !is_constant => {
                Err("a list in a template may hold only texts and numbers that stand there".into())
            }
            Some(Bracket::Group { constants }) => {
                *constants &= is_constant;
                Ok(())
            }
            _ => Ok(()),
        }
    }

    fn check_comma(&mut self) -> Result<(), String> {
        match self.open.last_mut() {
            Some(Bracket::Given | Bracket::Constants) => return Ok(()),
            Some(Bracket::Group { constants: true }) => {
                self.open.pop();
                self.open.push(Bracket::Constants);
                return Ok(());
            }
            Some(Bracket::Group { .. } | Bracket::Which) => {}
            None if self.statement == Some("for") && !self.is_past_names => return Ok(()),
            None => {}
        }
        Err("a template may not make a list of values (`a, b`)".into())
    }

    /// What a filter, a test or a method is given, or what belongs together.
    fn open_paren(&mut self, at: usize) -> Result<(), String> {
        let bracket = match (&self.tokens[at - 1], self.word_is_called(at - 1)) {
            (Token::Ident(_), true) => Bracket::Given,
            (Token::Ident(name), false) if !BEFORE_VALUES.contains(name) => {
                return Err(format!("there is no function `{name}`; a template has filters only"));
            }
            _ if self.is_after_value(at) => return Err("a template cannot call this; it has filters only".into()),
            _ => Bracket::Group { constants: true },
        };
        self.open.push(bracket);
        Ok(())
    }

    fn check_word(&mut self, at: usize, word: &str) -> Result<(), String> {
        if self.statement == Some("for") && word == "in" {
            self.is_past_names = true;
        }
        if matches!(self.tokens[at - 1], Token::Pipe) && !FILTERS.contains(&word) {
            return Err(format!("there is no filter `{word}`; there are {}", FILTERS.join(", ")));
        }
        if self.is_test(at) && word != "not" && !TESTS.contains(&word) {
            return Err(format!("there is no test `is {word}`; there are {}", TESTS.join(", ")));
        }
        Ok(())
    }

    /// Whether the word here is a test's, after `is` or `is not`.
    fn is_test(&self, at: usize) -> bool {
        let before = |back: usize| at.checked_sub(back).map(|at| &self.tokens[at]);
        match before(1) {
            Some(Token::Ident("is")) => true,
            Some(Token::Ident("not")) => matches!(before(2), Some(Token::Ident("is"))),
            _ => false,
        }
    }

    /// Whether the word here is a filter's, a test's or a method's.
    fn word_is_called(&self, at: usize) -> bool {
        let is_of_something = at > 0 && matches!(self.tokens[at - 1], Token::Pipe | Token::Dot);
        is_of_something || self.is_test(at)
    }

    /// Whether a value ends before this.
    fn is_after_value(&self, at: usize) -> bool {
        match &self.tokens[at - 1] {
            Token::Ident(word) => !BEFORE_VALUES.contains(word),
            Token::Str(_) | Token::String(_) | Token::ParenClose | Token::BracketClose => true,
            _ => false,
        }
    }
}
