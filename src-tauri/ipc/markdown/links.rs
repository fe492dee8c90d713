//! Which links are links. The page opens them through the system's opener, so
//! what passes here is all that can ever be opened.

use super::Inline;

const HTTPS: &str = "https://";
const MAILTO: &str = "mailto:";
/// Longest target of a link.
const LONGEST: usize = 2_048;

/// The target as it may be opened, or `None`: only `https://host…` without a
/// user part, and `mailto:` with one plain address and no fields (some mail
/// programs attach files that a field names).
pub fn safe_href(target: &str) -> Option<String> {
    let target = target.trim();
    let unsafe_char =
        |c: char| c.is_whitespace() || c.is_control() || matches!(c, '<' | '>' | '"' | '\\' | '`');
    if target.len() > LONGEST || target.contains(unsafe_char) {
        return None;
    }
    if let Some(rest) = strip(target, HTTPS) {
        let host = authority(rest);
        let sound = host.starts_with(|c: char| c.is_alphanumeric() || c == '[')
            && !host.contains(['@', '%']);
        return sound.then(|| format!("{HTTPS}{rest}"));
    }
    let address = strip(target, MAILTO)?;
    let address = address.split('?').next().unwrap_or_default();
    let (name, host) = address.split_once('@')?;
    let plain = |text: &str| {
        !text.is_empty()
            && text
                .chars()
                .all(|c| c.is_alphanumeric() || matches!(c, '.' | '-' | '_' | '+'))
    };
    (plain(name) && plain(host)).then(|| format!("{MAILTO}{address}"))
}

/// Whether a link's text reads like an address, and one that leads elsewhere.
pub fn names_another_place(text: &str, href: &str) -> bool {
    let text = text.trim();
    let said = match text.split_once("://") {
        Some((_, rest)) => rest,
        None if text
            .get(..4)
            .is_some_and(|w| w.eq_ignore_ascii_case("www.")) =>
        {
            text
        }
        None => return false,
    };
    let led = href.strip_prefix(HTTPS).unwrap_or_default();
    !authority(said).eq_ignore_ascii_case(authority(led))
}

/// Text with its bare `https://` addresses made links.
pub fn linkify(text: &str) -> Vec<Inline> {
    let mut inlines = Vec::new();
    let mut rest = text;
    let mut from = 0;
    while let Some(at) = rest[from..].find(HTTPS).map(|at| from + at) {
        let (before, after) = rest.split_at(at);
        let glued = before
            .chars()
            .next_back()
            .is_some_and(char::is_alphanumeric);
        let length = address_length(after);
        match safe_href(&after[..length]).filter(|_| !glued) {
            Some(href) => {
                push_text(&mut inlines, before);
                let shown = Inline::Text {
                    text: after[..length].to_owned(),
                };
                inlines.push(Inline::Link {
                    href,
                    inlines: vec![shown],
                });
                rest = &after[length..];
                from = 0;
            }
            // What is too long is passed over whole: looking for an address at
            // each place in it would take the square of its length.
            None if length > LONGEST => from = at + length,
            None => from = at + HTTPS.len(),
        }
    }
    push_text(&mut inlines, rest);
    inlines
}

fn push_text(inlines: &mut Vec<Inline>, text: &str) {
    if !text.is_empty() {
        inlines.push(Inline::Text {
            text: text.to_owned(),
        });
    }
}

/// How far an address at the start of `text` reaches, in bytes: to the first
/// blank or quote, without the punctuation of the sentence around it.
fn address_length(text: &str) -> usize {
    let end = text
        .find(|c: char| {
            c.is_whitespace() || c.is_control() || matches!(c, '<' | '>' | '"' | '`' | '\\')
        })
        .unwrap_or(text.len());
    let mut address = &text[..end];
    // Parentheses are counted once: a flood of them must not be counted again
    // for each one that is cut.
    let count = |c: char| address.chars().filter(|x| *x == c).count();
    let (opened, mut closed) = (count('('), count(')'));
    while let Some(last) = address.chars().next_back() {
        let cut = match last {
            '.' | ',' | ':' | ';' | '!' | '?' | '\'' | '*' | '_' | '~' | ']' | '}' | '|' => true,
            ')' => closed > opened,
            _ => false,
        };
        if !cut {
            break;
        }
        closed -= usize::from(last == ')');
        address = &address[..address.len() - last.len_utf8()];
    }
    address.len()
}

/// Host and port of what follows a scheme.
fn authority(rest: &str) -> &str {
    rest.split(['/', '?', '#']).next().unwrap_or_default()
}

/// Without this scheme, in any case.
fn strip<'a>(text: &'a str, scheme: &str) -> Option<&'a str> {
    let start = text.get(..scheme.len())?;
    start
        .eq_ignore_ascii_case(scheme)
        .then(|| &text[scheme.len()..])
}
