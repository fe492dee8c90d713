//! Markdown of messages, parsed to a small tree that the page can only show
//! as what it is: there is no HTML in it, no image, and no link but to
//! `https:` and `mailto:`.
//!
//! A message is hostile input. Depth and number of nodes are bounded; what is
//! beyond is shown as the text that was typed. Nothing that was typed
//! disappears, and a link's text cannot name another place than the link's.

mod build;
mod frames;
mod links;

#[cfg(test)]
mod tests;

use pulldown_cmark::{Options, Parser, TextMergeStream};
use serde::Serialize;
use sotto_client::model::clean_text;
use specta::Type;

pub use links::safe_href;

/// A paragraph-like part of a message.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Type)]
#[serde(tag = "type", rename_all = "camelCase")]
pub enum Block {
    Paragraph {
        inlines: Vec<Inline>,
    },
    Code {
        language: String,
        text: String,
    },
    Quote {
        blocks: Vec<Block>,
    },
    /// `start` is the first number of a numbered list, null for bullets.
    List {
        start: Option<u32>,
        items: Vec<Vec<Block>>,
    },
}

/// A part of a line.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Type)]
#[serde(tag = "type", rename_all = "camelCase")]
pub enum Inline {
    Text {
        text: String,
    },
    Code {
        text: String,
    },
    Break,
    Strong {
        inlines: Vec<Inline>,
    },
    Emphasis {
        inlines: Vec<Inline>,
    },
    Strike {
        inlines: Vec<Inline>,
    },
    /// `href` starts with `https://` or `mailto:`.
    Link {
        href: String,
        inlines: Vec<Inline>,
    },
}

/// Most nodes of one message. A page of the busiest honest message has some
/// hundreds; each costs the page an element.
const NODES: usize = 3_000;

/// How often link definitions are turned into text before the whole message is.
const ROUNDS: usize = 3;

/// Parses a message.
pub fn parse(text: &str) -> Vec<Block> {
    let mut text = clean_text(text, true);
    if text.lines().any(opens_too_much) {
        return plain(&text);
    }
    for _ in 0..ROUNDS {
        match keep_definitions(&text) {
            None => {
                let events = TextMergeStream::new(Parser::new_ext(&text, OPTIONS));
                let blocks = build::tree(events, NODES);
                return blocks
                    .filter(|blocks| !blocks.is_empty())
                    .unwrap_or_else(|| plain(&text));
            }
            Some(kept) => text = kept,
        }
    }
    plain(&text)
}

const OPTIONS: Options = Options::ENABLE_STRIKETHROUGH;

/// Most quotes and lists that one line may open. The parser's time grows with
/// the square of it; people come to four.
const OPENINGS: usize = 32;

/// Whether a line opens more quotes and lists than any that was written by
/// hand.
fn opens_too_much(line: &str) -> bool {
    let marks = line.as_bytes();
    let prefix = marks
        .iter()
        .take_while(|b| b">-*+ \t0123456789.)".contains(b))
        .count();
    let opens = |at: &usize| match marks[*at] {
        b'>' => true,
        b'-' | b'*' | b'+' | b'.' | b')' => matches!(marks.get(at + 1), Some(b' ' | b'\t')),
        _ => false,
    };
    (0..prefix).filter(opens).count() > OPENINGS
}

/// Link definitions (`[name]: target`) vanish from what Markdown shows. They
/// are escaped, so that what somebody wrote is what others read. `None`: there
/// are none.
fn keep_definitions(text: &str) -> Option<String> {
    let parser = Parser::new_ext(text, OPTIONS);
    let mut starts: Vec<usize> = parser
        .reference_definitions()
        .iter()
        .map(|(_, definition)| definition.span.start)
        .collect();
    if starts.is_empty() {
        return None;
    }
    starts.sort_unstable();
    let mut kept = String::with_capacity(text.len() + starts.len());
    let mut from = 0;
    for start in starts {
        kept.push_str(&text[from..start]);
        kept.push('\\');
        from = start;
    }
    kept.push_str(&text[from..]);
    Some(kept)
}

/// The text as it was typed, line by line.
fn plain(text: &str) -> Vec<Block> {
    let mut inlines = Vec::new();
    let mut lines = text.trim().splitn(NODES / 2, '\n');
    if let Some(first) = lines.next() {
        inlines.push(Inline::Text {
            text: first.to_owned(),
        });
    }
    for line in lines {
        inlines.push(Inline::Break);
        inlines.push(Inline::Text {
            text: line.to_owned(),
        });
    }
    vec![Block::Paragraph { inlines }]
}
