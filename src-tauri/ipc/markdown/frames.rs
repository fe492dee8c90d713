//! What is being built: the open containers of a message, and which one each
//! tag opens.

use super::{Block, Inline};
use pulldown_cmark::{CodeBlockKind, CowStr, Tag};

/// Longest language of a code block.
const LANGUAGE: usize = 24;

pub enum Frame {
    Blocks(Blocks),
    Inlines {
        kind: Span,
        inlines: Vec<Inline>,
    },
    Code {
        language: String,
        text: String,
    },
    /// Flattened: what is inside goes to the frame below.
    Through,
}

pub enum Span {
    Paragraph,
    Heading,
    Strong,
    Emphasis,
    Strike,
    Link(String),
    /// An image, of which only the description is shown.
    Image(String),
}

pub enum Kind {
    Root,
    Quote,
    List {
        start: Option<u32>,
        items: Vec<Vec<Block>>,
    },
    Item,
}

pub struct Blocks {
    pub kind: Kind,
    pub blocks: Vec<Block>,
    /// Inlines outside of any paragraph, as in the items of tight lists.
    pub loose: Vec<Inline>,
}

impl Blocks {
    pub fn new(kind: Kind) -> Self {
        Self {
            kind,
            blocks: Vec::new(),
            loose: Vec::new(),
        }
    }

    pub fn push(&mut self, block: Block) {
        self.settle();
        self.blocks.push(block);
    }

    pub fn settle(&mut self) {
        let inlines = trimmed(std::mem::take(&mut self.loose));
        if !inlines.is_empty() {
            self.blocks.push(Block::Paragraph { inlines });
        }
    }

    pub fn done(mut self) -> Vec<Block> {
        self.settle();
        self.blocks
    }
}

pub fn frame(tag: Tag<'_>) -> Frame {
    let span = |kind| Frame::Inlines {
        kind,
        inlines: Vec::new(),
    };
    match tag {
        Tag::Paragraph | Tag::HtmlBlock => span(Span::Paragraph),
        Tag::Heading { .. } => span(Span::Heading),
        Tag::Strong => span(Span::Strong),
        Tag::Emphasis => span(Span::Emphasis),
        Tag::Strikethrough => span(Span::Strike),
        Tag::Link { dest_url, .. } => span(Span::Link(dest_url.into_string())),
        Tag::Image { dest_url, .. } => span(Span::Image(dest_url.into_string())),
        Tag::BlockQuote(_) => Frame::Blocks(Blocks::new(Kind::Quote)),
        Tag::List(start) => {
            let start = start.map(|start| u32::try_from(start).unwrap_or(u32::MAX));
            Frame::Blocks(Blocks::new(Kind::List {
                start,
                items: Vec::new(),
            }))
        }
        Tag::Item => Frame::Blocks(Blocks::new(Kind::Item)),
        Tag::CodeBlock(kind) => Frame::Code {
            language: language(&kind),
            text: String::new(),
        },
        // Extensions that are switched off.
        _ => Frame::Through,
    }
}

fn language(kind: &CodeBlockKind<'_>) -> String {
    let CodeBlockKind::Fenced(info) = kind else {
        return String::new();
    };
    let word: &str = CowStr::as_ref(info)
        .split_whitespace()
        .next()
        .unwrap_or_default();
    word.chars()
        .filter(|c| c.is_ascii_alphanumeric() || matches!(c, '+' | '#' | '-' | '.'))
        .take(LANGUAGE)
        .collect()
}

/// Without line breaks at either end.
pub fn trimmed(mut inlines: Vec<Inline>) -> Vec<Inline> {
    while matches!(inlines.last(), Some(Inline::Break)) {
        inlines.pop();
    }
    let lead = inlines
        .iter()
        .take_while(|inline| matches!(inline, Inline::Break))
        .count();
    inlines.drain(..lead);
    inlines
}
