//! Which file of a crate uses which: the names in `use` and in paths, followed to the file that defines them.
//!
//! A name is followed through modules and through `use`, re-exports included, until a file defines it. So a `mod.rs` that
//! declares its children and re-exports what they define depends on none of them, and who uses a re-exported name
//! depends on the child. What a `mod.rs` defines itself, a child that uses it depends on. Tests inside the sources are
//! left out. A method is found by no path and counts for nothing.

use crate::tokens::parse;
use crate::tree::Text;
use proc_macro2::{Delimiter, Group, TokenStream, TokenTree};
use std::collections::{BTreeMap, BTreeSet};

/// Where a module lies: its names from the root of the crate.
type Place = Vec<String>;

/// One module of the crate, in a file of its own or inside one.
#[derive(Default)]
struct Module {
    /// Number of its file.
    file: usize,
    children: BTreeSet<String>,
    /// What it defines.
    items: BTreeSet<String>,
    /// What a macro may define here.
    made: BTreeSet<String>,
    /// Names that `use` brings in, and the paths behind them.
    brought: BTreeMap<String, Vec<String>>,
    /// Paths whose names are all brought in.
    globs: Vec<Vec<String>>,
    /// Every path that is used, in order.
    paths: Vec<Vec<String>>,
}

/// A use: the file that uses, the file that defines, and the path that leads there.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Use {
    pub(crate) from: String,
    pub(crate) to: String,
    pub(crate) by: String,
}

/// The uses between the files of one crate, of which `root` is the folder with `lib.rs` or `main.rs`.
pub(crate) fn uses(root: &str, files: &[&Text]) -> Vec<Use> {
    let mut modules: BTreeMap<Place, Module> = BTreeMap::new();
    let (mut tests, mut streams) = (BTreeSet::new(), BTreeMap::new());
    for (number, file) in files.iter().enumerate() {
        let place = place(root, &file.path);
        let stream = without_tests(parse(file), &place, &mut tests);
        streams.insert(place, (number, stream));
    }
    let is_test = |place: &Place| (1..=place.len()).any(|n| tests.contains(&place[..n]));
    for (place, (number, stream)) in streams.into_iter().filter(|(place, _)| !is_test(place)) {
        read(stream, &place, number, &mut modules);
    }
    let mut found = BTreeMap::new();
    for (place, module) in &modules {
        let named = module.paths.iter().filter_map(|path| Some((path, followed(&modules, place, path, 0)?)));
        for (path, to) in named.filter(|(_, to)| *to != module.file) {
            found.entry((module.file, to)).or_insert_with(|| path.join("::"));
        }
    }
    let path = |n: usize| files[n].path.clone();
    found.into_iter().map(|((from, to), by)| Use { from: path(from), to: path(to), by }).collect()
}

/// The module that a file is.
fn place(root: &str, path: &str) -> Place {
    let inside = path.strip_prefix(root).unwrap_or(path).trim_start_matches('/').trim_end_matches(".rs");
    let mut names: Place = inside.split('/').map(str::to_owned).collect();
    let last = names.last().map(String::as_str);
    if matches!(last, Some("mod" | "lib" | "main")) {
        names.pop();
    }
    names
}

/// The tokens without what is compiled for tests alone; modules in files of their own that are, go to `tests`.
fn without_tests(tokens: TokenStream, place: &Place, tests: &mut BTreeSet<Place>) -> TokenStream {
    let mut kept: Vec<TokenTree> = Vec::new();
    let mut tokens = tokens.into_iter();
    while let Some(token) = tokens.next() {
        let is_test = |group: &Group| group.stream().to_string().replace(' ', "") == "cfg(test)";
        match token {
            TokenTree::Group(group) if kept.last().is_some_and(|t| is_punct(t, '#')) && is_test(&group) => {
                kept.pop();
                let mut item = Vec::new();
                for token in tokens.by_ref() {
                    let ends = is_punct(&token, ';')
                        || matches!(&token, TokenTree::Group(g) if g.delimiter() == Delimiter::Brace);
                    item.push(token.to_string());
                    if ends {
                        break;
                    }
                }
                if let [.., word, name, end] = &item[..]
                    && (word.as_str(), end.as_str()) == ("mod", ";")
                {
                    tests.insert(place.iter().cloned().chain([name.clone()]).collect());
                }
            }
            token => kept.push(token),
        }
    }
    kept.into_iter().collect()
}

fn is_punct(token: &TokenTree, wanted: char) -> bool {
    matches!(token, TokenTree::Punct(p) if p.as_char() == wanted)
}

/// Words before the name of an item.
const DEFINES: &[&str] = &["struct", "enum", "trait", "fn", "const", "static", "type", "union"];

/// Reads the tokens of a module and of those inside it.
fn read(tokens: TokenStream, place: &Place, file: usize, modules: &mut BTreeMap<Place, Module>) {
    let tokens: Vec<TokenTree> = tokens.into_iter().collect();
    let mut module = modules.remove(place).unwrap_or_default();
    module.file = file;
    if let Some((name, parent)) = place.split_last() {
        modules.entry(parent.to_vec()).or_default().children.insert(name.clone());
    }
    let mut at = 0;
    while at < tokens.len() {
        let word = |n: usize| tokens.get(n).map(ToString::to_string).unwrap_or_default();
        match (&tokens[at], tokens.get(at + 2)) {
            (TokenTree::Ident(w), Some(TokenTree::Group(body))) if w == "mod" => {
                let inner: Place = place.iter().cloned().chain([word(at + 1)]).collect();
                module.children.insert(word(at + 1));
                read(body.stream(), &inner, file, modules);
                at += 3;
                continue;
            }
            (TokenTree::Ident(w), _) if w == "use" => {
                let is_shown = at > 0 && (word(at - 1) == "pub" || (at > 1 && word(at - 2) == "pub"));
                let end = (at..tokens.len()).find(|n| is_punct(&tokens[*n], ';')).unwrap_or(tokens.len());
                bring(&tokens[at + 1..end], &[], is_shown, &mut module);
                at = end;
            }
            (TokenTree::Ident(w), _) if DEFINES.iter().any(|d| w == d) => {
                module.items.insert(word(at + 1));
            }
            (TokenTree::Ident(_), Some(TokenTree::Group(body))) if is_punct(&tokens[at + 1], '!') => {
                let outer = body.stream().into_iter().filter(|t| matches!(t, TokenTree::Ident(_)));
                module.made.extend(outer.map(|t| t.to_string()));
            }
            (TokenTree::Ident(w), Some(TokenTree::Ident(name))) if w == "macro_rules" => {
                module.items.insert(name.to_string());
            }
            _ => {}
        }
        at += 1;
    }
    gather(&tokens, &mut module);
    modules.insert(place.clone(), module);
}

/// Reads the tree of a `use`. What is re-exported brings a name in and uses nothing.
fn bring(tokens: &[TokenTree], before: &[String], is_shown: bool, module: &mut Module) {
    let mut path = before.to_vec();
    let mut at = 0;
    while at < tokens.len() {
        match &tokens[at] {
            TokenTree::Group(group) => {
                let all: Vec<TokenTree> = group.stream().into_iter().collect();
                all.split(|t| is_punct(t, ',')).for_each(|part| bring(part, &path, is_shown, module));
                return;
            }
            TokenTree::Punct(p) if p.as_char() == '*' => {
                module.globs.push(path);
                return;
            }
            TokenTree::Ident(word) if word == "as" => break,
            TokenTree::Ident(word) => path.push(word.to_string()),
            _ => {}
        }
        at += 1;
    }
    if path.len() == before.len() {
        return;
    }
    if path.len() > 1 && path.last().is_some_and(|last| last == "self") {
        path.pop();
    }
    let name = tokens.get(at + 1).map(ToString::to_string).or_else(|| path.last().cloned());
    if !is_shown {
        module.paths.push(path.clone());
    }
    module.brought.insert(name.expect("a path has a name"), path);
}

/// Gathers the paths in code: two names or more with `::` between them; and every single name where there are globs.
fn gather(tokens: &[TokenTree], module: &mut Module) {
    let mut at = 0;
    while at < tokens.len() {
        match &tokens[at] {
            TokenTree::Ident(word) if word == "use" => {
                at = (at..tokens.len()).find(|n| is_punct(&tokens[*n], ';')).unwrap_or(tokens.len());
            }
            TokenTree::Ident(word) if word == "mod" && matches!(tokens.get(at + 2), Some(TokenTree::Group(_))) => {
                at += 2
            }
            TokenTree::Ident(word) => {
                let mut path = vec![word.to_string()];
                while tokens.get(at + 1).is_some_and(|t| is_punct(t, ':'))
                    && tokens.get(at + 2).is_some_and(|t| is_punct(t, ':'))
                    && let Some(TokenTree::Ident(next)) = tokens.get(at + 3)
                {
                    path.push(next.to_string());
                    at += 3;
                }
                if path.len() > 1 || !module.globs.is_empty() {
                    module.paths.push(path);
                }
            }
            TokenTree::Group(group) => {
                let inside: Vec<TokenTree> = group.stream().into_iter().collect();
                inner_uses(&inside, module);
                gather(&inside, module);
            }
            _ => {}
        }
        at += 1;
    }
}

/// A `use` inside a function counts as one of its module.
fn inner_uses(tokens: &[TokenTree], module: &mut Module) {
    for at in 0..tokens.len() {
        if matches!(&tokens[at], TokenTree::Ident(w) if w == "use") {
            let end = (at..tokens.len()).find(|n| is_punct(&tokens[*n], ';')).unwrap_or(tokens.len());
            bring(&tokens[at + 1..end], &[], false, module);
        }
    }
}

/// Follows a path from a module to the file that defines what it names; nothing for other crates and for whole modules.
fn followed(modules: &BTreeMap<Place, Module>, from: &[String], path: &[String], depth: usize) -> Option<usize> {
    let (first, rest) = path.split_first()?;
    let module = modules.get(from).filter(|_| depth < 32)?;
    match first.as_str() {
        "crate" => return followed(modules, &[], rest, depth + 1),
        "self" => return followed(modules, from, rest, depth + 1),
        "super" => return followed(modules, &from[..from.len().checked_sub(1)?], rest, depth + 1),
        _ => {}
    }
    if module.children.contains(first) && !rest.is_empty() {
        let child: Place = from.iter().chain([first]).cloned().collect();
        return followed(modules, &child, rest, depth + 1);
    }
    if module.items.contains(first) {
        return Some(module.file);
    }
    if let Some(brought) = module.brought.get(first) {
        let whole: Vec<String> = brought.iter().chain(rest).cloned().collect();
        // A name brought in from another crate under the same name leads nowhere.
        return if whole == path { None } else { followed(modules, from, &whole, depth + 1) };
    }
    if module.children.contains(first) {
        return None;
    }
    let through = |glob: &Vec<String>| {
        let whole: Vec<String> = glob.iter().chain(path).cloned().collect();
        followed(modules, from, &whole, depth + 1)
    };
    module.globs.iter().find_map(through).or_else(|| module.made.contains(first).then_some(module.file))
}
