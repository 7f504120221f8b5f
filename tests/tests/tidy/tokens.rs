//! What the sources say, token by token.
//!
//! Tokens and not a syntax tree: the inside of a macro (`proptest!`, `macro_rules!`) is no syntax yet, and the rules
//! hold there too.

use crate::tree::Text;
use proc_macro2::{Delimiter, TokenStream, TokenTree};
use std::str::FromStr;

/// A function with a body.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Function {
    pub(crate) name: String,
    pub(crate) line: usize,
    pub(crate) lines: usize,
}

/// A word of the sources and the token after it.
pub(crate) struct Word {
    pub(crate) word: String,
    pub(crate) line: usize,
    pub(crate) next: String,
}

/// The tokens of a Rust file.
pub(crate) fn parse(file: &Text) -> TokenStream {
    TokenStream::from_str(&file.text).unwrap_or_else(|e| panic!("{}: does not parse: {e}", file.path))
}

/// Every function, those inside functions, macros and tests included.
pub(crate) fn functions(tokens: TokenStream) -> Vec<Function> {
    let mut found = Vec::new();
    collect_functions(tokens, &mut found);
    found
}

fn collect_functions(tokens: TokenStream, found: &mut Vec<Function>) {
    let mut open: Option<(String, usize)> = None;
    let mut after_fn = None;
    for token in tokens {
        match &token {
            TokenTree::Ident(word) if word == "fn" => after_fn = Some(word.span().start().line),
            TokenTree::Ident(name) => open = after_fn.take().map(|line| (name.to_string(), line)).or(open),
            TokenTree::Punct(p) if p.as_char() == ';' => (open, after_fn) = (None, None),
            TokenTree::Punct(_) | TokenTree::Literal(_) => after_fn = None,
            TokenTree::Group(group) => {
                after_fn = None;
                if group.delimiter() == Delimiter::Brace
                    && let Some((name, line)) = open.take()
                {
                    found.push(Function { name, line, lines: group.span_close().end().line - line + 1 });
                }
                collect_functions(group.stream(), found);
            }
        }
    }
}

/// Every word, in order.
pub(crate) fn words(tokens: TokenStream) -> Vec<Word> {
    let mut flat = Vec::new();
    flatten(tokens, &mut flat);
    let next = flat.iter().skip(1).map(|(text, _, _)| text.clone()).chain([String::new()]);
    let pairs = flat.iter().zip(next);
    pairs
        .filter(|((_, _, word), _)| *word)
        .map(|((w, line, _), next)| Word { word: w.clone(), line: *line, next })
        .collect()
}

/// Appends text, line and whether it is a word, of every token.
fn flatten(tokens: TokenStream, flat: &mut Vec<(String, usize, bool)>) {
    for token in tokens {
        let line = token.span().start().line;
        match token {
            TokenTree::Group(group) => {
                let open = match group.delimiter() {
                    Delimiter::Brace => "{",
                    Delimiter::Parenthesis => "(",
                    Delimiter::Bracket => "[",
                    Delimiter::None => "",
                };
                flat.push((open.to_owned(), line, false));
                flatten(group.stream(), flat);
            }
            TokenTree::Ident(word) => flat.push((word.to_string(), line, true)),
            other => flat.push((other.to_string(), line, false)),
        }
    }
}

#[test]
fn functions_are_found_everywhere() {
    let text = "trait T { fn declared(&self); fn given(&self) -> [u8; 2] { [1, 2] } }
        proptest! { fn property(a in 0..{ 3 }) {
            let f: fn(u8) -> u8 = |x| { x };
            fn inner() {}
        } }
        const fn last()
        where u8: Copy,
        {
        }";
    let mut found = functions(parse(&Text::new("a.rs", text)));
    found.sort_by_key(|f| f.line);
    let found: Vec<(&str, usize, usize)> = found.iter().map(|f| (f.name.as_str(), f.line, f.lines)).collect();
    assert_eq!(found, [("given", 1, 1), ("property", 2, 4), ("inner", 4, 1), ("last", 6, 4)]);
}
